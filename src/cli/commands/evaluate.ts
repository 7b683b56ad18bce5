// `evaluate --protocol self|cross|novel-view`: how good the model's pictures are, or those of any other program, beside
// the lift alone and the reference copied.

import { z } from 'zod';
import { type CliCommand, defineCommand } from '../command.ts';
import { choice, inputFile, integer, outputFile, text } from '../option-types.ts';

export const command: CliCommand = defineCommand({
  summary: "measure the model, or any other program's pictures, against the truth",
  options: z.object({
    protocol: choice('what is asked of the model', ['self', 'cross', 'novel-view']),
    synthetic: integer('how many rendered subjects; --seed numbers the first, from 500000 on', {
      min: 1,
      max: 100_000,
    }).optional(),
    clipFrames: integer('frames of a clip that are used, its first included', { min: 2, max: 1000 }).default(
      40,
    ),
    orbits: integer('subjects that are also shown from all around, for multi-view consistency', {
      min: 0,
      max: 100_000,
    }).default(8),
    out: text('the folder for the report; an interrupted evaluation goes on there', {
      expects: 'the path of a folder',
      hint: 'DIR',
    }).optional(),
    weights: inputFile('weights to use instead of those of the package').optional(),
    steps: integer('denoising steps of the network', { min: 1, max: 1000 }).optional(),
    faceNetwork: inputFile('face recogniser in ArcFace form (ONNX) for CSIM').optional(),
    lpipsTrunk: inputFile("VGG16 for LPIPS: torchvision's weights as safetensors, or ONNX").optional(),
    sheet: outputFile('also write a sheet of reference, lift, output and truth', '.png').optional(),
  }),
  examples: [
    'evaluate --protocol novel-view --synthetic 16 --json',
    'evaluate --protocol self --synthetic 20 --out evaluation',
  ],
  async run(options, context) {
    const { runEvaluation } = await import('../evaluation.ts');
    return runEvaluation(options, context);
  },
});
