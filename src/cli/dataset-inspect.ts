// What `dataset inspect` does, apart from its options.

import { join } from 'node:path';
import { datasetStatistics, mapsOf, type OpenClip, openDataset, spreadClips } from '../dataset/index.ts';
import { type RgbImage, resizeImage, sizeToFit } from '../media/index.ts';
import {
  datasetFolder,
  decodeFrame,
  expectWritable,
  jpegBytes,
  mapImage,
  writeFileAtomic,
} from '../node/index.ts';
import { datasetHtml, type ReportPicture } from '../report/index.ts';
import type { CommandContext, CommandResult } from './command.ts';
import { packageVersion } from './package-info.ts';

/** Options of `dataset inspect`. */
export type DatasetInspectOptions = {
  readonly folder: string;
  readonly out?: string | undefined;
  readonly pictures: number;
  readonly clips: number;
};

const PICTURE_PX = 128;
/** Clips whose maps are shown, a frame of each. */
const CLIPS_WITH_MAPS = 6;

/** Counts a dataset and writes its page. */
export async function runDatasetInspect(
  { folder, out, pictures, clips: maxClips }: DatasetInspectOptions,
  { emit, signal }: CommandContext,
): Promise<CommandResult> {
  await using disk = datasetFolder(folder);
  const dataset = await openDataset(disk);
  const page = out ?? join(folder, 'inspect.html');
  await expectWritable(page);
  const statistics = await datasetStatistics(dataset, {
    maxClips,
    onClip(done, total) {
      signal.throwIfAborted();
      emit({ kind: 'progress', stage: 'read tracks', done, total, unit: 'clips' });
    },
  });
  const shown: { picture: ReportPicture; caption: string }[] = [];
  const places = spreadClips(dataset.clips, pictures);
  // Of few clips several frames each.
  const each = places.length === 0 ? 0 : Math.floor(pictures / places.length);
  for (const [i, place] of places.entries()) {
    signal.throwIfAborted();
    const clip = await dataset.open(place);
    const count = Math.min(each, place.frames);
    for (let k = 0; k < count; k++) {
      // Another place in each clip, so that views show their range.
      const frame = Math.floor((k * place.frames) / count + 7 * i) % place.frames;
      const caption = place.frames === 1 ? place.key : `${place.key}, frame ${frame}`;
      shown.push({ picture: await pictureOf(clip, frame), caption });
    }
  }
  const maps: typeof shown = [];
  for (const place of pictures === 0 ? [] : spreadClips(dataset.clips, CLIPS_WITH_MAPS)) {
    const clip = await dataset.open(place);
    const names = mapsOf(clip.info);
    if (names.length > 0) maps.push({ picture: await pictureOf(clip, 0), caption: place.key });
    for (const name of names) {
      maps.push({ picture: await shrunk(await mapImage(name, (await clip.map(name, 0))!)), caption: name });
    }
  }
  const skipped = dataset.items.filter((item) => item.skipped !== undefined);
  const isComplete = dataset.header.totals !== null;
  const { name, request, headName } = dataset.header;
  const maker = `Made by learn2control ${packageVersion()} dataset inspect`;
  await writeFileAtomic(
    page,
    datasetHtml({
      ...{ title: name, request, headName, isComplete, statistics, skipped, maker },
      shards: dataset.shards,
      pictures: shown,
      maps,
    }),
  );
  if (!isComplete) {
    const message = `${folder} is not complete: the run that writes it has not ended.`;
    emit({ kind: 'log', level: 'warning', message });
  }
  const {
    clips,
    frames,
    people,
    framesOpened,
    framesTracked,
    labels,
    splits,
    kinds,
    maps: mapCounts,
  } = statistics;
  return {
    summary: `${folder}: ${clips} clips, ${frames} frames, ${people} people, ${skipped.length} items skipped; ${page}`,
    outputs: [page],
    fields: {
      ...{ clips, frames, people, framesOpened, framesTracked, labels, splits, kinds, isComplete },
      maps: mapCounts,
      shards: dataset.shards,
      skipped: skipped.length,
    },
  };
}

async function pictureOf(clip: OpenClip, frame: number): Promise<ReportPicture> {
  return shrunk(await decodeFrame((await clip.frame(frame)).bytes));
}

async function shrunk(image: RgbImage): Promise<ReportPicture> {
  const { width, height } = sizeToFit(image, { width: PICTURE_PX, height: PICTURE_PX });
  const base64 = Buffer.from(await jpegBytes(resizeImage(image, width, height), 80)).toString('base64');
  return { uri: `data:image/jpeg;base64,${base64}`, width, height };
}
