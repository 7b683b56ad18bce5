// `dataset bake-skins DIR --out ASSETS`: skins of photographs for heads with exact truth.

import { z } from 'zod';
import { type CliCommand, defineCommand } from '../command.ts';
import { integer, text } from '../option-types.ts';

export const command: CliCommand = defineCommand({
  summary: 'bake skins for synthetic subjects from portraits: a folder that synthesize --assets reads',
  positionals: ['source'],
  options: z.object({
    source: text('the folder of portraits', { expects: 'a folder', hint: 'DIR' }),
    out: text('the folder of assets; skins that it has already are kept', {
      expects: 'a folder',
      hint: 'ASSETS',
    }),
    size: integer("width and height of a skin in the head's layout, pixels", { min: 128, max: 4096 }).default(
      1024,
    ),
    licence: text('under which terms the portraits may be used').default('not stated'),
  }),
  stopSeconds: 10,
  examples: [
    'dataset bake-skins portraits --licence CC0-1.0 --out assets',
    'synthesize --assets assets --out subjects',
  ],
  async run({ source, out, size, licence }, { emit, signal, openDevice }) {
    const { bakeSkins, loadEmbeddedHead, loadTracker } = await import('../../node/index.ts');
    const head = await loadEmbeddedHead();
    await using tracker = await loadTracker(await openDevice(), head);
    const { baked, kept, skipped } = await bakeSkins({
      ...{ source, out, licence, tracker, head, emit, signal, sizePx: size },
    });
    for (const { reason } of skipped.slice(0, 20)) {
      emit({ kind: 'log', level: 'warning', message: `Skipped: ${reason}` });
    }
    return {
      summary: `${out}: ${baked.length} skins baked, ${kept} kept, ${skipped.length} portraits skipped`,
      outputs: [out],
      fields: { skinsBaked: baked.length, skinsKept: kept, skipped: skipped.length },
    };
  },
});
