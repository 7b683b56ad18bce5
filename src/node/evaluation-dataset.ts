// A project dataset's held-out clips as cases: what `dataset import` made of VFHQ, NeRSemble and the like, or what
// `synthesize` wrote.

import { type ClipPlace, type Dataset, openDataset } from '../dataset/index.ts';
import { BadInputError } from '../errors/index.ts';
import {
  type CaseSource,
  otherMotionCase,
  ownMotionCase,
  type Protocol,
  type TrackedClip,
  trackPictures,
} from '../evaluation/index.ts';
import type { EventSink } from '../events/index.ts';
import { frameCount, type HeadTrack } from '../head/index.ts';
import type { LiftTools } from '../lift/index.ts';
import type { Tracker } from '../tracking/index.ts';
import { datasetFolder } from './dataset-folder.ts';
import { decodeFrame, decodeMask } from './dataset-pictures.ts';

/** Which dataset, and how much of it. */
export type DatasetCaseOptions = {
  readonly path: string;
  readonly protocol: Protocol;
  readonly tools: LiftTools;
  readonly tracker: Tracker;
  readonly sizePx: number;
  /** Frames of a clip at most. */
  readonly clipFrames: number;
  /** Clips at most. */
  readonly clips: number;
  readonly emit: EventSink;
};

/** Cases that read a folder: dispose of them, or hold them with `await using`. */
export type DatasetCases = CaseSource & AsyncDisposable;

/** Of one person so many clips are used. */
const CLIPS_A_PERSON = 2;

/** Opens a dataset's cases. @throws BadInputError `no-clips` if it has none for the protocol. */
export async function datasetCases(options: DatasetCaseOptions): Promise<DatasetCases> {
  const { path, protocol, tools, sizePx } = options;
  const folder = datasetFolder(path);
  try {
    const dataset = await openDataset(folder);
    const places = chosenClips(dataset, options);
    const byName = new Map(
      places.map((place, i) => {
        const driver = protocol === 'cross' ? places[(i + 1) % places.length]! : null;
        return [driver === null ? place.key : `${place.key}+${driver.key}`, [place, driver] as const];
      }),
    );
    return {
      names: [...byName.keys()],
      async load(name) {
        const [place, driver] = byName.get(name)!;
        const clip = await readClip(dataset, place, options);
        if (driver !== null) {
          return otherMotionCase(tools, clip, await readClip(dataset, driver, options), { sizePx });
        }
        return ownMotionCase(tools, clip, { sizePx, isSequence: protocol === 'self' });
      },
      [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
    };
  } catch (error) {
    await folder[Symbol.asyncDispose]();
    throw error;
  }
}

/** The held-out clips of the protocol's kind, by person and name; in cross one a person. */
function chosenClips(
  dataset: Dataset,
  { path, protocol, clips, emit }: DatasetCaseOptions,
): readonly ClipPlace[] {
  const kind = protocol === 'novel-view' ? 'views' : 'sequence';
  const fitting = dataset.clips.filter((clip) => clip.kind === kind && clip.frames > 1);
  const heldOut = fitting.filter(({ split }) => split === 'heldOut');
  if (fitting.length === 0) {
    throw new BadInputError({
      code: 'no-clips',
      message: `Expected clips of ${kind === 'views' ? 'several views' : 'several frames'} in ${path}, but it has none.`,
      hint: 'Choose another --protocol, or another dataset.',
    });
  }
  if (heldOut.length === 0) {
    const message = `${path} holds no clips out of training: all are evaluated, also those that training may have seen.`;
    emit({ kind: 'log', level: 'warning', message });
  }
  const sorted = [...(heldOut.length === 0 ? fitting : heldOut)].sort((a, b) =>
    a.identity === b.identity ? compare(a.key, b.key) : compare(a.identity, b.identity),
  );
  const most = protocol === 'cross' ? 1 : CLIPS_A_PERSON;
  const counts = new Map<string, number>();
  return sorted
    .filter(({ identity }) => {
      const count = (counts.get(identity) ?? 0) + 1;
      counts.set(identity, count);
      return count <= most;
    })
    .slice(0, clips);
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

async function readClip(
  dataset: Dataset,
  place: ClipPlace,
  { tools, tracker, clipFrames }: DatasetCaseOptions,
): Promise<TrackedClip> {
  const clip = await dataset.open(place);
  const count = Math.min(place.frames, clipFrames);
  const pictures = [];
  const regions = [];
  for (let frame = 0; frame < count; frame++) {
    pictures.push(await decodeFrame((await clip.frame(frame)).bytes));
    const mask = await clip.map('head', frame);
    if (mask !== null) regions.push(await decodeMask(mask));
  }
  const stored = await clip.track();
  const fits = stored !== null && stored.headName === tools.head.name;
  const isSequence = clip.info.kind === 'sequence';
  return {
    name: place.key,
    pictures,
    track: fits
      ? firstFrames(stored, count)
      : await trackPictures(pictures, { head: tools.head, tracker, isSequence }),
    camera: fits ? clip.info.camera : null,
    regions: regions.length === count ? regions : null,
    personMask: await tracker.personMask(pictures[0]!),
  };
}

/** The beginning of a track. */
function firstFrames(track: HeadTrack, count: number): HeadTrack {
  const frames = frameCount(track);
  const cut = (data: Float32Array): Float32Array => data.subarray(0, (data.length / frames) * count);
  return {
    ...track,
    timestampsSeconds: track.timestampsSeconds.subarray(0, count),
    expression: cut(track.expression),
    jointRotations: cut(track.jointRotations),
    translation: cut(track.translation),
    confidence: cut(track.confidence),
    landmarksPx: cut(track.landmarksPx),
  };
}
