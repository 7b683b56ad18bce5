// `weights import --base SD --out W.safetensors`: published weights as the paper's configuration takes them.

import { z } from 'zod';
import { type CliCommand, defineCommand } from '../command.ts';
import { choice, inputFile, outputFile, text } from '../option-types.ts';

const PRECISIONS = ['keep', 'fp32', 'fp16', 'bf16'] as const;

export const command: CliCommand = defineCommand({
  summary: "make weights of Stable Diffusion's, AnimateDiff's and Champ's files",
  options: z.object({
    base: text('Stable Diffusion 1.x or 2.x: a file, an index of shards, or a folder of diffusers', {
      expects: 'the path of a file or folder',
      hint: 'PATH',
    }),
    vae: inputFile("the autoencoder, e.g. sd-vae-ft-mse; else the base's").optional(),
    motion: inputFile('the motion modules: AnimateDiff v2 or v3, or those of Moore or Champ').optional(),
    reference: inputFile("the reference network; else it starts from the base's U-Net").optional(),
    guidance: inputFile("the guidance encoder of Champ, or Moore's pose guider").optional(),
    config: inputFile("the sizes; else the package's configs/paper.json").optional(),
    out: outputFile('the file to write', '.safetensors'),
    precision: choice('the element type to write; keep leaves each as it is', PRECISIONS).default('keep'),
    licence: text('what to write as the licence of the weights').optional(),
    report: outputFile('a list of every parameter and key: used, fresh or left over', '.json').optional(),
  }),
  examples: [
    'weights import --base v1-5-pruned-emaonly.safetensors --motion mm_sd_v15_v2.ckpt --out paper.safetensors',
    'weights import --base stable-diffusion-v1-5 --vae sd-vae-ft-mse.safetensors --out paper.safetensors --precision fp16',
  ],
  async run(options, context) {
    const { runWeightsImport } = await import('../weights-files.ts');
    return runWeightsImport(options, context);
  },
});
