// What a dataset consists of, in numbers: counts from the indices, and how heads are turned and move from the tracks.

import { frameCount, jointAngles, parametersAt } from '../head/index.ts';
import { CLIP_KINDS, CLIP_LABELS, CLIP_SPLITS, type ClipLabel } from './clip-info.ts';
import { type ClipPlace, type Dataset, mapsOf } from './dataset.ts';

/** Clips and frames of one kind. */
export type PartCount = { readonly clips: number; readonly frames: number };

/** Values of tracked frames by label, in bins of equal width; what lies outside is in the outermost. */
export type Histogram = {
  readonly low: number;
  readonly high: number;
  readonly counts: Readonly<Record<ClipLabel, readonly number[]>>;
};

/** What `datasetStatistics` finds. */
export type DatasetStatistics = PartCount & {
  readonly people: number;
  readonly bytes: number;
  readonly labels: Readonly<Record<string, PartCount>>;
  readonly splits: Readonly<Record<string, PartCount>>;
  readonly kinds: Readonly<Record<string, PartCount>>;
  /** Of the clips that were opened: how many frames under which terms. */
  readonly licences: Readonly<Record<string, PartCount>>;
  /** Of the same clips: how many have which map. */
  readonly maps: Readonly<Record<string, PartCount>>;
  /** Clips that were opened for what follows, evenly spread. */
  readonly clipsOpened: number;
  readonly framesOpened: number;
  /** Of the frames of these, those with a tracked head. */
  readonly framesTracked: number;
  /** Of the head, degrees; positive to their left, and down. */
  readonly yawDegrees: Histogram;
  readonly pitchDegrees: Histogram;
  /** Root mean square of the expression coefficients. */
  readonly expressionEnergy: Histogram;
};

const DEGREES = 180 / Math.PI;
const BINS = 45;

/** Some clips of a dataset, evenly spread over it, in its order. */
export function spreadClips(clips: readonly ClipPlace[], count: number): ClipPlace[] {
  const wanted = Math.min(count, clips.length);
  return Array.from({ length: wanted }, (_, i) => clips[Math.floor(((i + 0.5) * clips.length) / wanted)]!);
}

/**
 * Counts a dataset, and opens up to `maxClips` of its clips for what only they know.
 * @throws BadInputError `dataset-damaged`.
 */
export async function datasetStatistics(
  dataset: Dataset,
  {
    maxClips = 2000,
    onClip = () => {},
  }: { maxClips?: number; onClip?: (done: number, total: number) => void } = {},
): Promise<DatasetStatistics> {
  const { clips } = dataset;
  const opened = spreadClips(clips, maxClips);
  const licences: Record<string, PartCount> = {};
  const maps: Record<string, PartCount> = {};
  const values: Record<'yaw' | 'pitch' | 'energy', Record<ClipLabel, number[]>> = {
    yaw: { real: [], synthetic: [] },
    pitch: { real: [], synthetic: [] },
    energy: { real: [], synthetic: [] },
  };
  let [framesOpened, framesTracked] = [0, 0];
  for (const [i, place] of opened.entries()) {
    const clip = await dataset.open(place);
    addTo(licences, clip.info.licence, place);
    for (const name of mapsOf(clip.info)) addTo(maps, name, place);
    framesOpened += place.frames;
    const track = await clip.track();
    for (let frame = 0; track !== null && frame < frameCount(track); frame++) {
      if (track.confidence[frame] === 0) continue;
      framesTracked++;
      const parameters = parametersAt(track, frame);
      const { yaw, pitch } = jointAngles(parameters, 'root');
      values.yaw[place.label].push(DEGREES * yaw);
      values.pitch[place.label].push(DEGREES * pitch);
      values.energy[place.label].push(rootMeanSquare(parameters.expression));
    }
    onClip(i + 1, opened.length);
  }
  const largest = Math.max(0.1, ...quantile(values.energy, 0.995));
  return {
    ...countOf(clips),
    people: new Set(clips.map(({ identity }) => identity)).size,
    bytes: clips.reduce((sum, { bytes }) => sum + bytes, 0),
    labels: partsOf(clips, 'label', CLIP_LABELS),
    splits: partsOf(clips, 'split', CLIP_SPLITS),
    kinds: partsOf(clips, 'kind', CLIP_KINDS),
    licences,
    maps,
    clipsOpened: opened.length,
    framesOpened,
    framesTracked,
    yawDegrees: histogram(values.yaw, -90, 90),
    pitchDegrees: histogram(values.pitch, -45, 45),
    expressionEnergy: histogram(values.energy, 0, largest),
  };
}

function addTo(counts: Record<string, PartCount>, name: string, { frames }: ClipPlace): void {
  const known = counts[name] ?? { clips: 0, frames: 0 };
  counts[name] = { clips: known.clips + 1, frames: known.frames + frames };
}

function countOf(clips: readonly ClipPlace[]): PartCount {
  return { clips: clips.length, frames: clips.reduce((sum, { frames }) => sum + frames, 0) };
}

function partsOf(
  clips: readonly ClipPlace[],
  field: 'label' | 'split' | 'kind',
  names: readonly string[],
): Record<string, PartCount> {
  return Object.fromEntries(
    names.map((name) => [name, countOf(clips.filter((clip) => clip[field] === name))]),
  );
}

function rootMeanSquare(values: Float32Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / Math.max(1, values.length));
}

function quantile(values: Readonly<Record<ClipLabel, readonly number[]>>, share: number): number[] {
  return CLIP_LABELS.map((label) => {
    const sorted = values[label].toSorted((a, b) => a - b);
    return sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
  });
}

function histogram(
  values: Readonly<Record<ClipLabel, readonly number[]>>,
  low: number,
  high: number,
): Histogram {
  const binned = (list: readonly number[]): number[] => {
    const counts = new Array<number>(BINS).fill(0);
    for (const value of list) {
      const bin = Math.floor(((value - low) / (high - low)) * BINS);
      counts[Math.min(BINS - 1, Math.max(0, bin))]!++;
    }
    return counts;
  };
  return { low, high, counts: { real: binned(values.real), synthetic: binned(values.synthetic) } };
}
