// A long video in parts, so that an interrupt costs one part at most: finished parts stay in a folder beside the
// video, `O.mp4.parts`, and the next run for the same work goes on after them. The folder goes when the video is whole.

import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ALL_FORMATS, FilePathSource, FilePathTarget, Input } from 'mediabunny';
import { joinVideos, type RgbImage, type VideoSink, type VideoSinkOptions } from '../media/index.ts';
import { beginFile, diskError, writeFileAtomic } from './temporary-files.ts';
import { writeVideo } from './video-file.ts';
import { keepAlive } from './webcodecs-host.ts';

/** Frames of a part; a multiple of common window lengths. Each begins with a key frame. */
export const PART_FRAMES = 96;

/** The work behind a video: what it is made from, by a checksum, and what else shall be kept with its parts. */
export type VideoWork = {
  readonly path: string;
  /** Names everything that the frames depend on; parts of other work are not used. */
  readonly fingerprint: string;
};

/** What an earlier run left of the same work. */
export type FinishedParts = {
  /** Frames in finished parts, from the first on. */
  readonly frames: number;
  /** What was kept with them; null if nothing was. */
  readonly kept: Uint8Array | null;
};

/** A video that is written in parts. End it with `finish` or `discard`. */
export type VideoInParts = {
  readonly width: number;
  readonly height: number;
  readonly soundNote: string | null;
  add(image: RgbImage, timestampSeconds: number): Promise<void>;
  /** Joins all parts under the final name and removes them. */
  finish(): Promise<void>;
  /** Gives up the part under work; finished ones stay. */
  discard(): Promise<void>;
};

const folderOf = (path: string): string => `${path}.parts`;
const JOB_FILE = 'job.json';
const KEPT_FILE = 'kept';
const partName = (first: number, count: number): string =>
  `${String(first).padStart(7, '0')}-${String(count).padStart(3, '0')}.mp4`;
const PART_PATTERN = /^(\d{7})-(\d{3})\.mp4$/;

/** Looks for finished parts of the same work. */
export async function findParts({ path, fingerprint }: VideoWork): Promise<FinishedParts> {
  const none = { frames: 0, kept: null };
  const folder = folderOf(path);
  const job = await readFile(join(folder, JOB_FILE), 'utf8').catch(() => null);
  if (job !== fingerprint) return none;
  const kept = await readFile(join(folder, KEPT_FILE)).catch(() => null);
  const frames = (await partsIn(folder)).reduce((sum, { count }) => sum + count, 0);
  return { frames, kept };
}

/** Whether a finished video is of this work. */
export async function isFinished({ path, fingerprint }: VideoWork): Promise<boolean> {
  try {
    using input = new Input({ source: new FilePathSource(path), formats: ALL_FORMATS });
    const { comment } = await keepAlive(input.getMetadataTags());
    return comment?.includes(fingerprint) ?? false;
  } catch {
    return false;
  }
}

/**
 * Begins a video, after the finished parts of the same work; what other work left is removed.
 * @param timestampsSeconds of all its frames
 * @param kept what to keep with the parts, such as a track that took long to find
 */
export async function writeVideoInParts(
  work: VideoWork,
  options: VideoSinkOptions,
  {
    timestampsSeconds,
    kept,
  }: { readonly timestampsSeconds: ArrayLike<number>; readonly kept: Uint8Array | null },
): Promise<VideoInParts> {
  const { path, fingerprint } = work;
  const folder = folderOf(path);
  let { frames: done } = await findParts(work);
  if (done === 0) await rm(folder, { recursive: true, force: true });
  const silent: VideoSinkOptions = { ...options, sound: null };
  // A file that is removed at once says what the encoder makes of the size, and that there is one.
  const probe = await writeVideo(path, options);
  const { width, height, soundNote } = probe;
  await probe.discard();
  let sink: VideoSink | null = null;
  let first = done;
  // Under work it stands beside the video: the folder holds finished parts alone, and only if there are any.
  const underWork = `${path}.part`;
  const closePart = async (): Promise<void> => {
    if (sink === null) return;
    await sink.finish();
    sink = null;
    if (first === 0) {
      await mkdir(folder, { recursive: true });
      if (kept !== null) await writeFileAtomic(join(folder, KEPT_FILE), kept);
      await writeFileAtomic(join(folder, JOB_FILE), fingerprint);
    }
    await rename(underWork, join(folder, partName(first, done - first)));
    first = done;
  };
  return {
    ...{ width, height, soundNote },
    async add(image, timestampSeconds) {
      sink ??= await writeVideo(underWork, silent);
      await sink.add(image, timestampSeconds - timestampsSeconds[first]!);
      done++;
      if (done - first === PART_FRAMES) await closePart();
    },
    async finish() {
      await closePart();
      const lastSeconds = timestampsSeconds[timestampsSeconds.length - 1]! + 1 / options.framesPerSecond;
      const parts = (await partsIn(folder)).map(({ name, start, count }) => ({
        source: new FilePathSource(join(folder, name)),
        startSeconds: timestampsSeconds[start]!,
        endSeconds: timestampsSeconds[start + count] ?? lastSeconds,
      }));
      const file = await beginFile(path);
      try {
        const comment = `Made by learn2control: generated pictures. ${fingerprint}`;
        const { sound = null } = options;
        await keepAlive(joinVideos(new FilePathTarget(file.path), parts, { sound, comment }));
        await file.commit();
      } catch (cause) {
        await file.discard();
        throw diskError(path, cause);
      }
      await rm(folder, { recursive: true, force: true });
    },
    async discard() {
      await sink?.discard();
      sink = null;
    },
  };
}

type Part = { readonly name: string; readonly start: number; readonly count: number };

/** Finished parts without a gap, from the first on. */
async function partsIn(folder: string): Promise<Part[]> {
  const names = await readdir(folder).catch(() => []);
  const all = names.flatMap((name): Part[] => {
    const match = PART_PATTERN.exec(name);
    return match === null ? [] : [{ name, start: Number(match[1]), count: Number(match[2]) }];
  });
  all.sort((a, b) => a.start - b.start);
  const parts: Part[] = [];
  for (const part of all) {
    if (part.start !== parts.reduce((sum, { count }) => sum + count, 0)) break;
    parts.push(part);
  }
  return parts;
}
