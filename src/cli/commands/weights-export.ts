// `weights export W.safetensors --part P --out FILE`: a part of the weights for other programs.

import { z } from 'zod';
import { type CliCommand, defineCommand } from '../command.ts';
import { choice, inputFile, integer, outputFile } from '../option-types.ts';

const PARTS = ['unet', 'reference_unet', 'motion', 'vae', 'guidance', 'vae-encoder', 'vae-decoder'] as const;
const PRECISIONS = ['keep', 'fp32', 'fp16', 'bf16'] as const;

export const command: CliCommand = defineCommand({
  summary: "write a part of imported weights under diffusers' names, or as an ONNX model",
  positionals: ['file'],
  options: z.object({
    file: inputFile('the weights, as weights import makes them'),
    part: choice('what to write', PARTS),
    out: outputFile('the file to write; ONNX keeps its weights in a file beside it', '.safetensors', '.onnx'),
    precision: choice('the element type of safetensors; keep leaves each as it is', PRECISIONS).default(
      'keep',
    ),
    size: integer("ONNX: the side of the pictures; the default is the configuration's", {
      min: 64,
      multipleOf: 64,
    }).optional(),
    frames: integer('ONNX, unet: frames of a clip, with the motion modules', { min: 1, max: 32 }).optional(),
  }),
  examples: [
    'weights export paper.safetensors --part unet --out unet.safetensors --precision fp16',
    'weights export paper.safetensors --part vae-decoder --out decoder.onnx',
  ],
  async run(options, context) {
    const { runWeightsExport } = await import('../weights-files.ts');
    return runWeightsExport(options, context);
  },
});
