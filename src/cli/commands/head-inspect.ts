// `head inspect [H.head]`: what a head is made of, in numbers and on a sheet.

import { z } from 'zod';
import { type CliCommand, defineCommand } from '../command.ts';
import { inputFile, outputFile } from '../option-types.ts';

export const command: CliCommand = defineCommand({
  summary: 'say what a head has, and paint its people, expressions, joints, texture and landmarks',
  positionals: ['file'],
  options: z.object({
    file: inputFile("the head; else that of --head, or the package's own").optional(),
    sheet: outputFile('the picture to paint', '.png').optional(),
  }),
  takesHead: true,
  examples: ['head inspect flame.head --sheet flame.png', 'head inspect --json'],
  async run(options, context) {
    const { runHeadInspect } = await import('../head-files.ts');
    return runHeadInspect(options, context);
  },
});
