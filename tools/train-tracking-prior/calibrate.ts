// The last step: clips of subjects that nothing was learned from and that nothing is measured with are tracked with the
// prior. How much of every unit's motion is left says how much the tracker is to give back.

import { join } from 'node:path';
import { meanOf } from '../../src/evaluation/statistics.ts';
import { type HeadModel, type HeadParameters, parametersAt } from '../../src/head/index.ts';
import { readModel } from '../../src/node/index.ts';
import type { AssetLibrary, RenderTools } from '../../src/synthesis/index.ts';
import { type Device, decodeSafetensors, encodeSafetensors } from '../../src/tensor/index.ts';
import { createTracker } from '../../src/tracking/index.ts';
import { plainGains, type UnitGains, widenUnits } from '../../src/tracking/kept-amplitude.ts';
import { gainTensors, medianRow, targetNames } from '../../src/tracking/learned-prior.ts';
import type { RestingGaze } from '../../src/tracking/resting-gaze.ts';
import { hingesOf } from './dataset.ts';
import { renderMotionTake } from './rendered-takes.ts';
import { storedTake } from './stored-takes.ts';

/** Between the subjects that were learned from and those that measure. */
const FIRST_SEED = 400_000;
const FRAMES = 40;
const SIZE_PX = 256;
const ZOOM = 1.6;
const FRAMES_PER_SECOND = 25;

/** What hardly agrees with the truth is not enlarged: that would be noise. */
const LEAST_CORRELATION = { motion: 0.25, rest: 0.7 };
/** Only what a face is like at rest may have been found too large. */
const GAINS = { motion: [1, 3], rest: [0.6, 1.6] } as const;
/** Share of the true amplitude that is aimed at. */
const WANTED = 1;
const MOST_OFFSET = 0.1;
/** Lids and gaze keep the size of their motion. */
const KEPT = /^(eyeBlink|eyeLook|jawOpen|tongueOut)/;
/** Gaze is the eyes' own; the others show nothing (`fit-priors.ts`). */
const SILENT = /^(eyeLook|jawOpen|tongueOut)/;
/** Lids that seem to hang mostly do not: they come as far up as what is found tells of the truth. */
const HANGING = /^eyeBlink/;
/** Share of a gaze's middle that is believed at least. */
const LEAST_GAZE_SHARE = 0.3;

/** One unit, or one with that of the other side: sums of products. */
type Products = { readonly truth: number; readonly found: number; readonly both: number };
/** True and found values of one unit. */
type Pair = readonly [truth: number, found: number];

/** Fits the gains of a prior's file. @returns the file with them, and lines for people */
export async function calibratePrior(
  device: Device,
  head: HeadModel,
  prior: Uint8Array,
  options: {
    readonly folder: string;
    readonly clips: number;
    readonly tools: RenderTools;
    /** Clips wear them in turn. */
    readonly wardrobes: readonly (AssetLibrary | null)[];
  },
): Promise<{ readonly file: Uint8Array<ArrayBuffer>; readonly report: readonly string[] }> {
  const { metadata, tensors } = decodeSafetensors(prior);
  const calibrated = (gains: UnitGains, gazeSurplus: number): Uint8Array<ArrayBuffer> => {
    const changed = gainTensors(gains);
    const gazePitch = targetNames(head).indexOf('gazePitch');
    for (const name of ['image.bias', 'clip.bias']) {
      changed[name] = Float32Array.from(tensors[name]!.data as Float32Array);
      changed[name][gazePitch]! -= gazeSurplus;
    }
    const own = Object.entries(changed).map(
      ([name, data]) => [name, { dtype: 'float32', shape: [data.length], data }] as const,
    );
    return encodeSafetensors({ metadata, tensors: { ...tensors, ...Object.fromEntries(own) } });
  };
  const names = head.expressionNames;
  await using tracker = await createTracker({
    head,
    device,
    networks: {
      faceDetector: await readModel('perception', 'face-detector.onnx'),
      faceLandmarks: await readModel('perception', 'face-landmarks.onnx'),
      expressionPrior: calibrated(plainGains(names.length), 0),
    },
  });
  /** By unit, frame after frame: what departs from each clip's median, and the medians. */
  const moving: Pair[][] = names.map(() => []);
  const resting: Pair[][] = names.map(() => []);
  const clips: { truth: Float32Array[]; found: Float32Array[]; rest: Float32Array }[] = [];
  /** Of eyes that are open, radians: pitch found less true, and the middles of each clip, yaw and pitch. */
  const gazeErrors: number[] = [];
  const gazeMiddles: (readonly Pair[])[] = [];
  for (let seed = FIRST_SEED; seed < FIRST_SEED + options.clips; seed++) {
    const take = await storedTake(join(options.folder, `take-${seed}.safetensors`), () =>
      renderMotionTake(options.tools, {
        ...{ seed, sizePx: SIZE_PX, frames: FRAMES, zoom: ZOOM },
        assets: options.wardrobes[seed % options.wardrobes.length]!,
      }),
    );
    async function* frames() {
      for (const [i, image] of take.images.entries()) {
        yield { timestampSeconds: i / FRAMES_PER_SECOND, image };
      }
    }
    const { track } = await tracker.trackClip(frames());
    const truth = take.truths.map(({ expression }) => expression);
    const heads = take.truths.map((_, i) => parametersAt(track, i));
    const found = heads.map(({ expression }) => expression);
    const open = take.truths.flatMap((own, i) =>
      lidClosureOf(head, own) < 0.5 ? [[gazeOf(own), gazeOf(heads[i]!)] as const] : [],
    );
    gazeErrors.push(...open.map(([own, seen]) => seen[1]! - own[1]!));
    const [trueGaze, foundGaze] = [0, 1].map((k) => medianRow(open.map((pair) => pair[k]!)));
    gazeMiddles.push([0, 1].map((axis) => [trueGaze![axis]!, foundGaze![axis]!] as const));
    const [trueRest, foundRest] = [medianRow(truth), medianRow(found)];
    clips.push({ truth, found, rest: foundRest });
    for (const unit of names.keys()) {
      resting[unit]!.push([trueRest[unit]!, foundRest[unit]!]);
      for (const [i, { [unit]: value }] of truth.entries()) {
        moving[unit]!.push([value! - trueRest[unit]!, found[i]![unit]! - foundRest[unit]!]);
      }
    }
  }
  const gains = {
    rest: new Float32Array(names.length).fill(1),
    motion: new Float32Array(names.length).fill(1),
    offset: new Float32Array(names.length),
    gaze: restingGazeOf(gazeMiddles),
  };
  const report = names.map((name, unit) => {
    const both = [unit, names.indexOf(otherSide(name))];
    const lines = (
      [
        ['motion', moving],
        ['rest', resting],
      ] as const
    ).map(([kind, pairs]) => {
      const sums = productsOf(both.flatMap((other) => pairs[other]!));
      const correlation = sums.both / Math.sqrt(sums.truth * sums.found);
      const isKept =
        (kind === 'motion' ? KEPT : SILENT).test(name) || !(correlation > LEAST_CORRELATION[kind]);
      const [least, most] = GAINS[kind];
      const within = (gain: number): number => Math.min(most, Math.max(least, gain));
      const hangs = kind === 'rest' && HANGING.test(name);
      const wanted = hangs ? sums.both / sums.found : (WANTED * sums.truth) / sums.both;
      const gain = isKept && !hangs ? 1 : within(wanted);
      gains[kind][unit] = gain;
      const slope = (sums.both / sums.truth).toFixed(2);
      return `${kind} slope ${slope}, correlation ${correlation.toFixed(2)}, gain ${gain.toFixed(2)}`;
    });
    return `  ${name}: ${lines.join('; ')}`;
  });
  const surplus = names.map((_, unit) => meanSurplus(clips, gains, unit));
  for (const [unit, name] of names.entries()) {
    const both = (surplus[unit]! + surplus[names.indexOf(otherSide(name))]!) / 2;
    gains.offset[unit] = SILENT.test(name) ? 0 : -Math.min(MOST_OFFSET, Math.max(-MOST_OFFSET, both));
    report[unit] += `; offset ${gains.offset[unit].toFixed(3)}`;
  }
  const gazeSurplus = meanOf(gazeErrors);
  const degrees = (radians: number): string => ((180 / Math.PI) * radians).toFixed(2);
  const { usual, share } = gains.gaze;
  report.push(
    `  gazePitch: ${degrees(gazeSurplus)} degrees too much, taken off`,
    `  gaze's middle: usually at ${usual.map(degrees)} degrees, departures believed to ${share.map((value) => value.toFixed(2))}`,
  );
  return { file: calibrated(gains, gazeSurplus), report: [`${options.clips} clips`, ...report] };
}

const lidClosureOf = (head: HeadModel, { expression }: HeadParameters): number =>
  Math.max(...Array.from(head.eyelidExpressions, (unit) => expression[unit]!));

/** Yaw and pitch. */
function gazeOf({ jointRotations }: HeadParameters): Float32Array {
  const [, yaw, pitch] = hingesOf(jointRotations);
  return Float32Array.of(yaw, pitch);
}

/** Where people look on the mean, and least squares of the true middles of clips over those found. */
function restingGazeOf(middles: readonly (readonly Pair[])[]): RestingGaze {
  const axes = ([0, 1] as const).map((axis) => middles.map((own) => own[axis]!));
  const share = axes.map((pairs) => {
    const { both, found } = productsOf(pairs);
    return Math.min(1, Math.max(LEAST_GAZE_SHARE, both / found));
  });
  return { usual: [0, meanOf(axes[1]!.map(([truth]) => truth))], share: [share[0]!, share[1]!] };
}

/** By how much a unit is found above the truth, its amplitude given back; the mean over all frames. */
function meanSurplus(
  clips: readonly { truth: readonly Float32Array[]; found: readonly Float32Array[]; rest: Float32Array }[],
  gains: UnitGains,
  unit: number,
): number {
  let [sum, count] = [0, 0];
  for (const { truth, found, rest } of clips) {
    for (const [i, units] of found.entries()) {
      sum += widenUnits(Float64Array.from(units), rest, gains)[unit]! - truth[i]![unit]!;
      count++;
    }
  }
  return sum / count;
}

/** About the means. */
function productsOf(pairs: readonly Pair[]): Products {
  const mean = (k: 0 | 1): number => pairs.reduce((sum, pair) => sum + pair[k], 0) / pairs.length;
  const [meanTruth, meanFound] = [mean(0), mean(1)];
  let [truth, found, both] = [0, 0, 0];
  for (const pair of pairs) {
    const [t, f] = [pair[0] - meanTruth, pair[1] - meanFound];
    truth += t * t;
    found += f * f;
    both += t * f;
  }
  return { truth, found, both };
}

/** The unit of the other side; the same where there is none. */
function otherSide(name: string): string {
  return name.endsWith('Left') ? name.replace(/Left$/, 'Right') : name.replace(/Right$/, 'Left');
}
