// `weights inspect FILE`: what a file of weights is, whoever made it.

import { z } from 'zod';
import { type CliCommand, defineCommand } from '../command.ts';
import { text } from '../option-types.ts';

export const command: CliCommand = defineCommand({
  summary: 'say what a file of weights holds: family, parts, precision, parameters, licence',
  positionals: ['file'],
  options: z.object({
    file: text('the weights: safetensors, .ckpt, .pth, .bin, an index of shards, or a folder of diffusers', {
      expects: 'the path of a file or folder',
      hint: 'PATH',
    }),
  }),
  examples: ['weights inspect mm_sd_v15_v2.ckpt', 'weights inspect paper.safetensors --json'],
  async run(options) {
    const { runWeightsInspect } = await import('../weights-files.ts');
    return runWeightsInspect(options);
  },
});
