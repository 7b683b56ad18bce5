// Configurations of the paper's scale: those of the package by name, or any file.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { BadInputError } from '../errors/index.ts';
import { type PaperModelConfig, paperModelSchema } from '../stable-diffusion/index.ts';
import { readBytes } from './model-files.ts';

const CONFIGS = join(import.meta.dirname, '..', '..', 'configs');

/** The file of a configuration: itself, or for a bare name that of the package. */
export function configPath(nameOrPath: string): string {
  const own = join(CONFIGS, `${nameOrPath}.json`);
  return /^[\w-]+$/.test(nameOrPath) && existsSync(own) ? own : nameOrPath;
}

/** Reads the model of a configuration. @throws BadInputError `bad-config` that names the field at fault. */
export async function readPaperConfig(nameOrPath: string): Promise<PaperModelConfig> {
  const path = configPath(nameOrPath);
  const text = new TextDecoder().decode(await readBytes(path, 'a configuration'));
  const wrong = (problem: string, cause?: unknown): BadInputError =>
    new BadInputError({
      code: 'bad-config',
      message: `expected ${path} to be a configuration of Stable Diffusion's sizes, but ${problem}`,
      hint: 'begin with configs/paper.json',
      cause,
    });
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw wrong('it is no JSON', cause);
  }
  const model = paperModelSchema.safeParse((parsed as { model?: unknown } | null)?.model);
  if (model.success) return model.data;
  const issue = model.error.issues[0]!;
  throw wrong(`${['model', ...issue.path].join('.')}: ${issue.message}`);
}
