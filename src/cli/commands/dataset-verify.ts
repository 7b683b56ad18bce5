// `dataset verify DIR`: every byte against its checksum.

import { z } from 'zod';
import { type CliCommand, defineCommand } from '../command.ts';
import { text } from '../option-types.ts';

export const command: CliCommand = defineCommand({
  summary: 'read every byte of a dataset and compare it with its checksums and indices',
  positionals: ['folder'],
  options: z.object({ folder: text('the dataset', { expects: 'a folder', hint: 'DIR' }) }),
  examples: ['dataset verify subjects'],
  async run(options, context) {
    const { runDatasetVerify } = await import('../dataset-commands.ts');
    return runDatasetVerify(options, context);
  },
});
