// `reenact --portrait P --driving CLIP|T.track --out O.mp4`: the main job. The person of the portrait makes
// the motion of the clip.

import { z } from 'zod';
import { contradictoryOptions } from '../arguments.ts';
import { type CliCommand, defineCommand } from '../command.ts';
import { flag, inputFile, integer, outputFile, real } from '../option-types.ts';

const OPTIONS = z.object({
  portrait: inputFile('picture of the person to show'),
  driving: inputFile('clip, or track of one, whose motion the person makes'),
  out: outputFile('the video to write', '.mp4'),
  size: integer('width and height of the person, pixels; by default as the weights were trained', {
    min: 64,
    max: 1024,
    multipleOf: 8,
  }).optional(),
  compare: flag('show portrait, driving clip and result side by side'),
  sheet: outputFile('also write a contact sheet of the comparison', '.png').optional(),
  preview: flag('carry the portrait by geometry alone, without the network'),
  weights: inputFile('weights to use instead of those of the package').optional(),
  steps: integer('denoising steps of the network', { min: 1, max: 1000 }).optional(),
  guidance: real('guidance scale of the network', { min: 0, max: 30 }).optional(),
});

export const command: CliCommand = defineCommand({
  summary: 'make the person of a portrait move as a driving clip does',
  options: OPTIONS,
  takesHead: true,
  examples: [
    'reenact --portrait anna.jpg --driving speech.mp4 --out anna-speaks.mp4',
    'reenact --portrait anna.jpg --driving speech.mp4 --out look.mp4 --compare --preview',
  ],
  async run(options, context) {
    const ofNetwork = (['weights', 'steps', 'guidance'] as const).find((name) => options[name] !== undefined);
    if (options.preview && ofNetwork !== undefined) {
      throw contradictoryOptions(
        `--${ofNetwork} belongs to the network, and --preview goes without it.`,
        `Leave out --preview or --${ofNetwork}.`,
      );
    }
    const { runReenactment } = await import('../reenactment.ts');
    return runReenactment(options, context);
  },
});
