// `dataset inspect DIR`: what a dataset holds, in numbers and as one page.

import { z } from 'zod';
import { type CliCommand, defineCommand } from '../command.ts';
import { integer, outputFile, text } from '../option-types.ts';

export const command: CliCommand = defineCommand({
  summary: 'count what a dataset holds, and show it on one page: pictures, poses, expressions, labels',
  positionals: ['folder'],
  options: z.object({
    folder: text('the dataset', { expects: 'a folder', hint: 'DIR' }),
    out: outputFile('the page to write (inspect.html in the dataset if not given)', '.html').optional(),
    pictures: integer('pictures on the contact sheet', { min: 0, max: 1000 }).default(96),
    clips: integer('open at most so many clips for the histograms, evenly spread', { min: 1 }).default(2000),
  }),
  examples: ['dataset inspect subjects --out subjects.html'],
  async run(options, context) {
    const { runDatasetInspect } = await import('../dataset-inspect.ts');
    return runDatasetInspect(options, context);
  },
});
