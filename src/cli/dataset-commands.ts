// What `dataset import` and `dataset verify` do, apart from their options.

import { readFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { type ImportFormat, LAYOUTS, parseMapping, verifyDataset } from '../dataset/index.ts';
import { BadInputError } from '../errors/index.ts';
import {
  datasetFolder,
  expectInputFile,
  importDataset,
  loadPersonSegmenter,
  loadTracker,
} from '../node/index.ts';
import { contradictoryOptions } from './arguments.ts';
import type { CommandContext, CommandResult } from './command.ts';

/** Options of `dataset import`. */
export type DatasetImportOptions = {
  readonly source: string;
  readonly format: ImportFormat;
  readonly out: string;
  readonly mapping?: string | undefined;
  readonly size?: number | undefined;
  readonly whole: boolean;
  readonly untracked: boolean;
  readonly masks: boolean;
  readonly label: 'real' | 'synthetic';
  readonly licence: string;
  readonly name?: string | undefined;
};

const DEFAULT_SIZE_PX = 512;
/** Skipped items beyond these are counted, and listed in the dataset. */
const MAX_WARNINGS = 20;

/** Imports a folder. */
export async function runDatasetImport(
  options: DatasetImportOptions,
  { emit, signal, openDevice, loadHead }: CommandContext,
): Promise<CommandResult> {
  const { source, format, out, mapping, whole, untracked, masks, label, licence } = options;
  if (options.size !== undefined && (whole || untracked)) {
    throw contradictoryOptions(
      `--size cuts frames to the head, which --${whole ? 'whole' : 'untracked'} does not do.`,
      'Leave one of them out.',
    );
  }
  let layout = LAYOUTS[format];
  if (mapping !== undefined) {
    await expectInputFile(mapping, 'a mapping file');
    layout = parseMapping(await readFile(mapping, 'utf8'), mapping, format);
  }
  const head = await loadHead();
  await using tracker = untracked ? null : await loadTracker(await openDevice(), head);
  await using segmenter = masks ? await loadPersonSegmenter(await openDevice()) : null;
  const name = options.name ?? basename(resolve(source));
  const { totals, heldOutItems, itemsImported, skipped } = await importDataset({
    ...{ source, out, layout, label, licence, name, tracker, head, segmenter, emit, signal },
    sizePx: whole || untracked ? null : (options.size ?? DEFAULT_SIZE_PX),
  });
  for (const { reason } of skipped.slice(0, MAX_WARNINGS)) {
    emit({ kind: 'log', level: 'warning', message: `Skipped: ${reason}` });
  }
  if (skipped.length > MAX_WARNINGS) {
    const message = `Skipped ${skipped.length - MAX_WARNINGS} more; dataset inspect lists them.`;
    emit({ kind: 'log', level: 'warning', message });
  }
  const { shards, clips, frames } = totals;
  return {
    summary: `${out}: ${clips} clips, ${frames} frames, ${totals.skipped} items skipped`,
    outputs: [out],
    fields: { clips, frames, shards, skipped: totals.skipped, itemsImported, heldOutItems },
  };
}

/** Checks a dataset. @throws BadInputError `dataset-damaged` with the first faults. */
export async function runDatasetVerify(
  { folder }: { readonly folder: string },
  { emit, signal }: CommandContext,
): Promise<CommandResult> {
  await using disk = datasetFolder(folder);
  const { faults, isComplete, shards, clips, frames, bytes } = await verifyDataset(disk, (done, total) => {
    signal.throwIfAborted();
    emit({ kind: 'progress', stage: 'verify', done, ...(total === null ? {} : { total }), unit: 'shards' });
  });
  for (const { file, key, problem } of faults.slice(0, MAX_WARNINGS)) {
    const place = key === null ? file : `${key} in ${file}`;
    emit({ kind: 'log', level: 'warning', message: `${place}: ${problem}.` });
  }
  if (faults.length > 0) {
    const { file, key, problem } = faults[0]!;
    const more = faults.length > 1 ? ` (and ${faults.length - 1} more faults)` : '';
    throw new BadInputError({
      code: 'dataset-damaged',
      message: `${folder} is damaged: ${key === null ? '' : `${key} in `}${file}: ${problem}${more}.`,
      hint: 'Restore the files that are named from a copy, or write the dataset again.',
    });
  }
  if (!isComplete) {
    const message = `${folder} is not complete: the run that writes it has not ended.`;
    emit({ kind: 'log', level: 'warning', message });
  }
  return {
    summary: `${folder}: ${clips} clips, ${frames} frames, ${(bytes / 1e6).toFixed(1)} MB in ${shards} shards: all checksums hold`,
    outputs: [],
    fields: { shards, clips, frames, bytes, isComplete },
  };
}
