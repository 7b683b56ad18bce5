// `dataset import --format F SRC --out DIR`: other people's pictures and clips into a dataset.

import { z } from 'zod';
import { type CliCommand, defineCommand } from '../command.ts';
import { choice, flag, inputFile, integer, text } from '../option-types.ts';

export const command: CliCommand = defineCommand({
  summary: 'bring pictures and clips into a dataset: tracked, cut to the head, 25 frames a second',
  positionals: ['source'],
  options: z.object({
    source: text('the folder to import', { expects: 'a folder', hint: 'SRC' }),
    format: choice('how the source lies on disk', [
      'images',
      'video',
      'vfhq',
      'nersemble',
      'mead',
      'multiview',
    ]),
    out: text('the folder of the dataset; what it has already is kept', { expects: 'a folder', hint: 'DIR' }),
    mapping: inputFile('a JSON file that changes parts of the layout').optional(),
    size: integer('side of the square around the head, pixels (512 if not given)', {
      min: 32,
      max: 2048,
    }).optional(),
    whole: flag('keep frames as they are instead of cutting them to the head'),
    untracked: flag('no head tracks; frames stay as they are'),
    masks: flag('store a mask of the person with every frame'),
    label: choice('which label the clips carry', ['real', 'synthetic']).default('real'),
    licence: text('under which terms the source may be used').default('not stated'),
    name: text('what the source is called (the name of its folder if not given)').optional(),
  }),
  takesHead: true,
  stopSeconds: 30,
  examples: [
    'dataset import portraits --format images --licence CC0-1.0 --out stills',
    'dataset import NERSEMBLE --format nersemble --size 512 --out nersemble',
  ],
  async run(options, context) {
    const { runDatasetImport } = await import('../dataset-commands.ts');
    return runDatasetImport(options, context);
  },
});
