// What `dataset lift` does, apart from its options.

import { basename, resolve } from 'node:path';
import { contactSheet, type RgbImage } from '../media/index.ts';
import { expectWritable, liftDataset, loadTracker, writeImage } from '../node/index.ts';
import type { CommandContext, CommandResult } from './command.ts';

/** Options of `dataset lift`. */
export type DatasetLiftOptions = {
  readonly source: string;
  readonly out: string;
  readonly variants: number;
  readonly yaw: number;
  readonly pitch: number;
  readonly expression: number;
  readonly size: number;
  readonly sheet?: string | undefined;
  readonly licence: string;
  readonly name?: string | undefined;
};

const SHEET_PORTRAITS = 12;
const SHEET_VARIANTS = 6;
/** Skipped portraits beyond these are counted, and listed in the dataset. */
const MAX_WARNINGS = 20;

/** Lifts a folder of portraits. */
export async function runDatasetLift(
  options: DatasetLiftOptions,
  { emit, signal, seed, openDevice, loadHead }: CommandContext,
): Promise<CommandResult> {
  const { source, out, variants, yaw, pitch, expression, size, sheet, licence } = options;
  if (sheet !== undefined) await expectWritable(sheet);
  const head = await loadHead();
  await using tracker = await loadTracker(await openDevice(), head);
  const rows: RgbImage[] = [];
  const labels: string[] = [];
  const across = Math.min(variants, SHEET_VARIANTS);
  const { totals, portraitsLifted, qualities, skipped } = await liftDataset({
    ...{ source, out, licence, variants, seed, tracker, head, emit, signal, sizePx: size },
    name: options.name ?? basename(resolve(source)),
    away: { yawDegrees: yaw, pitchDegrees: pitch, expression },
    onPortrait(photograph, lifts) {
      if (sheet === undefined || rows.length >= SHEET_PORTRAITS * (across + 1)) return;
      rows.push(photograph, ...lifts.slice(0, across).map(({ lifted }) => lifted.image));
      labels.push(
        'photograph',
        ...lifts.slice(0, across).map(({ quality }) => `${Math.round(100 * quality)} %`),
      );
    },
  });
  if (sheet !== undefined && rows.length > 0) {
    await writeImage(sheet, contactSheet(rows, { columns: across + 1, labels }));
  }
  for (const { reason } of skipped.slice(0, MAX_WARNINGS)) {
    emit({ kind: 'log', level: 'warning', message: `Skipped: ${reason}` });
  }
  const { clips, frames, shards } = totals;
  const qualityMedian = qualities[Math.floor(qualities.length / 2)] ?? null;
  const seen = qualityMedian === null ? '' : `, ${Math.round(100 * qualityMedian)} % of a lifted head seen`;
  return {
    summary: `${out}: ${clips} portraits, ${frames} pictures, ${totals.skipped} skipped${seen}`,
    outputs: sheet !== undefined && rows.length > 0 ? [out, sheet] : [out],
    fields: { clips, frames, shards, skipped: totals.skipped, portraitsLifted, qualityMedian },
  };
}
