// The options that say how the person is rendered; of every command that makes pictures of a portrait.

import type { z } from 'zod';
import { PRECISIONS, type Precision } from '../tensor/index.ts';
import { contradictoryOptions } from './arguments.ts';
import { choice, flag, inputFile, integer, real, text } from './option-types.ts';

type RendererSchema = {
  size: z.ZodOptional<z.ZodCoercedNumber<string>>;
  crop: z.ZodDefault<z.ZodBoolean>;
  pasteBack: z.ZodDefault<z.ZodBoolean>;
  preview: z.ZodDefault<z.ZodBoolean>;
  weights: z.ZodOptional<z.ZodString>;
  config: z.ZodOptional<z.ZodString>;
  steps: z.ZodOptional<z.ZodCoercedNumber<string>>;
  guidance: z.ZodOptional<z.ZodCoercedNumber<string>>;
  precision: z.ZodOptional<z.ZodEnum<{ [P in Precision]: P }>>;
};

/** Of these, `expectRendererOptions` checks what excludes what. */
export const RENDERER_OPTIONS: RendererSchema = {
  size: integer('side of the square around the head, pixels; by default as the weights were trained', {
    min: 64,
    max: 1024,
    multipleOf: 8,
  }).optional(),
  crop: flag('write the square around the head alone; the default'),
  pasteBack: flag('lay the head back into the whole portrait, at its own resolution unless --size is given'),
  preview: flag('carry the portrait by geometry alone, without the network'),
  weights: inputFile('weights to use instead of those of the package').optional(),
  config: text("the paper's configuration that --weights must fit and are sampled by: paper, or a file", {
    expects: 'a name of configs/ or the path of a file',
    hint: 'NAME|FILE',
  }).optional(),
  steps: integer('denoising steps of the network', { min: 1, max: 1000 }).optional(),
  guidance: real('guidance scale of the network', { min: 0, max: 30 }).optional(),
  precision: choice(
    'what the network computes in; fp16 on GPUs that have 16-bit floats',
    PRECISIONS,
  ).optional(),
};

/** The values of `RENDERER_OPTIONS`. */
export type RendererChoices = {
  readonly size?: number | undefined;
  readonly crop: boolean;
  readonly pasteBack: boolean;
  readonly preview: boolean;
  readonly weights?: string | undefined;
  readonly config?: string | undefined;
  readonly steps?: number | undefined;
  readonly guidance?: number | undefined;
  readonly precision?: Precision | undefined;
};

/** @throws BadInputError `contradictory-options`. */
export function expectRendererOptions(choices: RendererChoices): void {
  const ofNetwork = (['weights', 'config', 'steps', 'guidance', 'precision'] as const).find(
    (name) => choices[name] !== undefined,
  );
  if (choices.preview && ofNetwork !== undefined) {
    throw contradictoryOptions(
      `--${ofNetwork} belongs to the network, and --preview goes without it.`,
      `Leave out --preview or --${ofNetwork}.`,
    );
  }
  if (choices.crop && choices.pasteBack) {
    throw contradictoryOptions(
      '--crop writes the square around the head alone, and --paste-back the whole portrait.',
      'Leave one of them out.',
    );
  }
}
