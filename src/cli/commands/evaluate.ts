// `evaluate --protocol novel-view --synthetic N`: how far the model's pictures are from the truth on held-out
// synthetic subjects, beside the reference copied as the answer and the lift alone.

import { z } from 'zod';
import type { Interval, MetricSummary } from '../../evaluation/index.ts';
import { type CliCommand, defineCommand } from '../command.ts';
import { choice, inputFile, integer, outputFile } from '../option-types.ts';

/** Subjects from this seed on are in no training data. */
const FIRST_HELD_OUT_SEED = 500_000;
const SHEET_ROWS = 12;
const SHEET_COLUMNS = ['reference', 'lift', 'output', 'truth'] as const;

export const command: CliCommand = defineCommand({
  summary: 'measure the model on held-out synthetic subjects with known truth',
  options: z.object({
    protocol: choice('what is asked of the model', ['novel-view']),
    synthetic: integer('how many subjects; --seed numbers the first, from 500000 on', {
      min: 1,
      max: 100_000,
    }),
    weights: inputFile('weights to use instead of those of the package').optional(),
    steps: integer('denoising steps of the network', { min: 1, max: 1000 }).optional(),
    sheet: outputFile('also write a sheet of reference, lift, output and truth', '.png').optional(),
  }),
  examples: ['evaluate --protocol novel-view --synthetic 50 --seed 500000 --sheet sheet.png --json'],
  async run({ synthetic, weights, steps, sheet }, { emit, openDevice, seed, signal }) {
    const { openModel } = await import('../../avatar/index.ts');
    const { evaluateSynthetic } = await import('../../evaluation/index.ts');
    const { contactSheet } = await import('../../media/index.ts');
    const { expectWritable, loadAvatar, loadEmbeddedHead, writeImage } = await import('../../node/index.ts');
    const { createRenderTools } = await import('../../synthesis/index.ts');
    if (sheet !== undefined) await expectWritable(sheet);
    const head = await loadEmbeddedHead();
    const loaded = await loadAvatar(head, weights);
    await using model = await openModel({
      ...loaded,
      head,
      device: await openDevice(),
      windowFrames: 1,
      ...(steps === undefined ? {} : { steps }),
    });
    const report = await evaluateSynthetic({
      tools: createRenderTools(head),
      model,
      subjects: synthetic,
      seed: seed < FIRST_HELD_OUT_SEED ? FIRST_HELD_OUT_SEED + seed : seed,
      sizePx: loaded.avatar.config.size,
      events: emit,
      signal,
    });
    const { rows, ...fields } = report;
    if (sheet !== undefined) {
      const cells = rows.slice(0, SHEET_ROWS).flat();
      await writeImage(sheet, contactSheet(cells, { columns: 2 * SHEET_COLUMNS.length }));
    }
    return {
      summary: [
        `${fields.subjects} subjects, head region, mean [95 % interval]:`,
        row('output', fields.metrics),
        row('lift alone', fields.lift),
        row('copying', fields.copying),
      ].join('\n'),
      outputs: sheet === undefined ? [] : [sheet],
      fields: {
        ...fields,
        failures: 0,
        weights: { name: loaded.avatar.name, sha256: loaded.sha256 },
      },
    };
  },
});

function row(name: string, { psnr, ssim, l1 }: MetricSummary): string {
  const figure = ({ mean, low, high }: Interval, digits: number): string =>
    `${mean.toFixed(digits)} [${low.toFixed(digits)}, ${high.toFixed(digits)}]`;
  return `  ${name.padEnd(12)} PSNR ${figure(psnr, 2)} dB  SSIM ${figure(ssim, 3)}  L1 ${figure(l1, 4)}`;
}
