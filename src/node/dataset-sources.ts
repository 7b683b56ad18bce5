// What an import reads: the files of a folder, and pictures and videos as frames at the dataset's rate.

import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import {
  DATASET_FRAMES_PER_SECOND,
  type Layout,
  resampledIndices,
  resampleFrames,
  type SourceItem,
  statedFrameRate,
} from '../dataset/index.ts';
import { BadInputError, MissingResourceError } from '../errors/index.ts';
import type { RgbImage } from '../media/index.ts';
import { readImage } from './image-file.ts';
import { readVideo } from './video-file.ts';

/** A frame of a clip in a source. */
export type SourceFrame = {
  readonly timestampSeconds: number;
  readonly image: RgbImage;
  /** The picture file that it is; null where it came out of a video. */
  readonly file: string | null;
};

/** A clip in a source; it can be read more than once. */
export type SourceClip = {
  /** Whether its frames follow each other in time. */
  readonly isSequence: boolean;
  frames(): AsyncGenerator<SourceFrame, void, undefined>;
};

/**
 * All files below a folder, as paths within it with `/` between folders, sorted.
 * @throws MissingResourceError `folder-not-found`; BadInputError `not-a-folder`.
 */
export async function listFiles(folder: string): Promise<string[]> {
  const found = await stat(folder).catch(() => null);
  if (found === null) {
    throw new MissingResourceError({
      code: 'folder-not-found',
      message: `Expected a folder to import at ${folder}, but there is none.`,
      hint: 'Check the path.',
    });
  }
  if (!found.isDirectory()) {
    throw new BadInputError({
      code: 'not-a-folder',
      message: `Expected a folder to import, but ${folder} is a file.`,
      hint: 'Name the folder that it is in.',
    });
  }
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() || entry.isSymbolicLink())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort();
}

/**
 * Opens a clip of a source.
 * @throws BadInputError `no-frame-rate`; reading throws what pictures and videos throw.
 */
export async function openSourceClip(source: string, item: SourceItem, layout: Layout): Promise<SourceClip> {
  const path = join(source, item.files[0]!);
  if (layout.clips === 'images') return { isSequence: false, frames: () => pictures([path], [0]) };
  if (layout.clips === 'videos') return { isSequence: true, frames: () => videoFrames(path) };
  const files = item.files.map((file) => join(source, file));
  const indices = resampledIndices(files.length, await frameRateOf(source, item, layout));
  return { isSequence: true, frames: () => pictures(files, indices) };
}

async function* pictures(
  files: readonly string[],
  indices: readonly number[],
): AsyncGenerator<SourceFrame, void, undefined> {
  for (const [k, index] of indices.entries()) {
    const file = files[index]!;
    const { image } = await readImage(file);
    yield { timestampSeconds: k / DATASET_FRAMES_PER_SECOND, image, file };
  }
}

async function* videoFrames(path: string): AsyncGenerator<SourceFrame, void, undefined> {
  using video = await readVideo(path);
  for await (const { timestampSeconds, image } of resampleFrames(video.frames())) {
    yield { timestampSeconds, image, file: null };
  }
}

async function frameRateOf(source: string, item: SourceItem, layout: Layout): Promise<number> {
  const stated =
    item.frameRateFile === null
      ? null
      : statedFrameRate(await readFile(join(source, item.frameRateFile), 'utf8'));
  const rate = stated ?? layout.framesPerSecond;
  if (rate !== null) return rate;
  throw new BadInputError({
    code: 'no-frame-rate',
    message: `Expected a line with FPS in ${item.frameRateFile}, but it has none.`,
    hint: 'Give framesPerSecond in a mapping file.',
  });
}
