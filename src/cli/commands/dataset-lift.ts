// `dataset lift DIR --variants K --out DIR`: portraits as stills that teach motion.

import { z } from 'zod';
import { type CliCommand, defineCommand } from '../command.ts';
import { integer, outputFile, real, text } from '../option-types.ts';

export const command: CliCommand = defineCommand({
  summary: 'lift portraits to other poses and expressions and back: stills that teach motion, as a dataset',
  positionals: ['source'],
  options: z.object({
    source: text('the folder of portraits', { expects: 'a folder', hint: 'DIR' }),
    out: text('the folder of the dataset; what it has already is kept', { expects: 'a folder', hint: 'DIR' }),
    variants: integer('round trips of each portrait', { min: 1, max: 100 }).default(6),
    yaw: real('largest turn from where the portrait looks, degrees', { min: 0, max: 45 }).default(20),
    pitch: real('largest nod from there, degrees', { min: 0, max: 30 }).default(10),
    expression: real('share of a new expression that is taken on', { min: 0, max: 1 }).default(1),
    size: integer('width and height, pixels', { min: 32, max: 2048 }).default(256),
    sheet: outputFile('a picture of the first 12 portraits and their variants', '.png', '.jpg').optional(),
    licence: text('under which terms the portraits may be used').default('not stated'),
    name: text('what the portraits are called (the name of their folder if not given)').optional(),
  }),
  stopSeconds: 10,
  examples: ['dataset lift portraits --variants 6 --licence CC0-1.0 --out lifted --sheet lifted.png'],
  async run(options, context) {
    const { runDatasetLift } = await import('../dataset-lift.ts');
    return runDatasetLift(options, context);
  },
});
