// `track --views` with its files: one head of several pictures of a moment, and their cameras.

import { resolve } from 'node:path';
import { BadInputError } from '../errors/index.ts';
import {
  expectWritable,
  loadTracker,
  readImage,
  trackViewFiles,
  writeFileAtomic,
  writeImage,
  writeTrack,
} from '../node/index.ts';
import type { CommandContext, CommandResult } from './command.ts';
import { exporterOf } from './track-export.ts';
import type { TrackOptions } from './track-files.ts';
import { framesOfImage } from './track-pictures.ts';
import { writeTrackReport } from './track-report.ts';
import { viewsSheet } from './view-sheet.ts';

/** The options of `track` with views, checked. */
export type ViewOptions = Pick<TrackOptions, 'out' | 'export' | 'report' | 'sheet' | 'focalPx'> & {
  readonly views: readonly string[];
  readonly cameras?: string | undefined;
};

/** Tracks and writes. @throws BadInputError for inputs that cannot be used. */
export async function runViewTracking(
  options: ViewOptions,
  { emit, signal, openDevice, loadHead }: CommandContext,
): Promise<CommandResult> {
  const { views, out, report, sheet } = options;
  const camerasPath = out.replace(/\.track$/i, '.cameras.json');
  for (const path of [out, camerasPath, options.export, report, sheet]) {
    if (path !== undefined) await expectWritable(path);
  }
  if (options.cameras !== undefined && resolve(options.cameras) === resolve(camerasPath)) {
    throw new BadInputError({
      code: 'output-is-input',
      message: `--out would write over ${camerasPath}, which --cameras reads: cameras are written beside the track.`,
      hint: 'Choose another name for the track.',
    });
  }
  const device = await openDevice();
  const head = await loadHead();
  const exporter = options.export === undefined ? null : exporterOf(options.export, head);
  await using tracker = await loadTracker(device, head);
  const result = await trackViewFiles(tracker, head, views, { ...options, emit, signal });
  const outputs = [out, camerasPath];
  await writeTrack(out, result.track);
  await writeFileAtomic(camerasPath, new TextEncoder().encode(result.cameraFile));
  if (exporter !== null) {
    await writeFileAtomic(options.export!, exporter(result.track));
    outputs.push(options.export!);
  }
  if (report !== undefined) {
    const { image } = await readImage(result.worldPath);
    const framesAt = framesOfImage(image);
    await writeTrackReport({ head, result, framesAt, signal, emit, path: report, title: result.worldPath });
    outputs.push(report);
  }
  if (sheet !== undefined) {
    const images = [];
    for (const path of views) images.push((await readImage(path)).image);
    await writeImage(sheet, viewsSheet(head, result, images));
    outputs.push(sheet);
  }
  const seen = result.views.filter(({ hasFace }) => hasFace);
  const percent = (100 * result.landmarkErrorMedian!).toFixed(2);
  return {
    summary: `${outputs.join(', ')}: a face in ${seen.length} of ${views.length} views, landmark error ${percent} % of its size`,
    outputs,
    fields: {
      views: result.views.map(({ name, hasFace, landmarkError, camera }) => ({
        ...{ name, hasFace, landmarkError, focalPx: camera?.focalXPx ?? null },
      })),
      viewsTracked: seen.length,
      landmarkErrorMedian: result.landmarkErrorMedian,
    },
  };
}
