// Tracks clips rendered from the embedded head, whose truth is known, with the package's own tracker: error of
// rotation, gaze, jaw and units, blinks, how much of every amplitude is kept, shape from a turning head,
// jitter on a still face. Skins and hair of MakeHuman's assets are worn where their folder is at hand.
//
//   npm run -s bench:tracking-truth [-- --clips 50] [--frames 40] [--size 256] [--zoom 1.6]
//     [--shapes 5] [--stills 3]
//     [--assets DIR] [--keep DIR] [--online] [--refine] [--first-seed 500000]
// --keep: rendered clips are kept there and used again. --online: one frame after another, as a camera gives them.
// --first-seed: other subjects, to choose constants by and not to measure with.
// --refine: with the refinement against the pictures.
// The last line is one JSON object.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { axisAngleFromRotation, multiplyRotations, rotationFromAxisAngle } from '../src/geometry/index.ts';
import { parametersAt } from '../src/head/index.ts';
import type { RgbImage } from '../src/media/index.ts';
import { createDevice, loadEmbeddedHead, loadTracker, readAssetFolder } from '../src/node/index.ts';
import { createRenderTools } from '../src/synthesis/index.ts';
import { createRandom } from '../src/tensor/index.ts';
import { type ClipFrame, type OnlineState, trackOfStates } from '../src/tracking/index.ts';
import { FIRST_HELD_OUT_SEED, renderMotionTake } from '../tools/train-tracking-prior/rendered-takes.ts';
import { type StoredTake, storedTake } from '../tools/train-tracking-prior/stored-takes.ts';
import { type Curve, lagFrames, tremble } from './tracking-truth/lag.ts';
import {
  type ComparedFrame,
  compareFrames,
  countBlinks,
  createShapeComparison,
  median,
  type Slope,
} from './tracking-truth/truth-metrics.ts';

const FRAMES_PER_SECOND = 25;
/** Clips of turning heads and still ones have subjects of their own. */
const SHAPE_SEEDS = 5000;
const STILL_SEEDS = 6000;
const SHAPE_FRAMES = 100;
const STILL_FRAMES = 40;
/** The first of them teach an online tracker what the person looks like. */
const SETTLING_FRAMES = 20;
const DEGREES = 180 / Math.PI;

const { values } = parseArgs({
  options: {
    clips: { type: 'string', default: '50' },
    frames: { type: 'string', default: '40' },
    size: { type: 'string', default: '256' },
    zoom: { type: 'string', default: '1.6' },
    shapes: { type: 'string', default: '5' },
    stills: { type: 'string', default: '3' },
    assets: { type: 'string', default: join(import.meta.dirname, '../../shared/heads/makehuman/assets') },
    keep: { type: 'string' },
    'first-seed': { type: 'string', default: String(FIRST_HELD_OUT_SEED) },
    online: { type: 'boolean', default: false },
    refine: { type: 'boolean', default: false },
  },
});
const [clips, frames, sizePx, shapes, stills] = [
  values.clips,
  values.frames,
  values.size,
  values.shapes,
  values.stills,
].map(Number) as [number, number, number, number, number];

const zoom = Number(values.zoom);
const firstSeed = Number(values['first-seed']);
const head = await loadEmbeddedHead();
const tools = createRenderTools(head);
const assets = existsSync(values.assets) ? (await readAssetFolder(values.assets, head)).library : null;
await using tracker = await loadTracker(await createDevice('cpu'), head);
const round = (value: number): number => Number(value.toFixed(3));
const seconds = { landmarks: 0, fit: 0, frames: 0 };
const latencies: number[] = [];

const compared: ComparedFrame[] = [];
const curves: Record<string, Curve[]> = { yaw: [], jaw: [], blink: [] };
const blinks = { real: 0, seen: 0, recalled: 0, correct: 0 };
let tracked = 0;
for (let clip = 0; clip < clips; clip++) {
  const take = await load('clip', firstSeed + clip, frames);
  const found = await trackTake(take.images);
  tracked += found.framesTracked;
  const own = take.truths.map((truth, i): ComparedFrame => {
    const { jointRotations, expression } = parametersAt(found.track, i);
    return {
      trueJoints: truth.jointRotations,
      trueUnits: truth.expression,
      foundJoints: jointRotations,
      foundUnits: expression,
      clip,
    };
  });
  compared.push(...own);
  const closure = (units: Float32Array): number =>
    head.eyelidExpressions.reduce((sum, unit) => sum + units[unit]! / 2, 0);
  for (const [name, of] of Object.entries({
    yaw: (joints: Float32Array) => DEGREES * joints[1]!,
    jaw: (joints: Float32Array) => DEGREES * joints[6]!,
    blink: (_: Float32Array, units: Float32Array) => closure(units),
  })) {
    curves[name]!.push({
      truth: own.map((f) => of(f.trueJoints, f.trueUnits)),
      found: own.map((f) => of(f.foundJoints, f.foundUnits)),
    });
  }
  const counts = countBlinks(
    own.map((f) => closure(f.trueUnits)),
    own.map((f) => closure(f.foundUnits)),
  );
  for (const key of ['real', 'seen', 'recalled', 'correct'] as const) blinks[key] += counts[key];
}
const motion = compared.length > 0 ? compareFrames(head, compared) : null;

const compareShapes = createShapeComparison(head);
const shapeErrors = [];
for (let i = 0; i < shapes; i++) {
  const take = await load('turn', firstSeed + SHAPE_SEEDS + i, SHAPE_FRAMES, 45);
  const { track } = await trackTake(take.images);
  const truth = take.truths[0]!.identity;
  shapeErrors.push({
    foundMm: compareShapes(track.identity, truth),
    foundButSizeMm: compareShapes(track.identity, truth, { ignoresSize: true }),
    meanHeadMm: compareShapes(new Float32Array(head.identityCount), truth),
    focalRatio: track.focalPx / take.focalPx,
  });
}

const jitters = [];
for (let i = 0; i < stills; i++) {
  const take = await load('still', firstSeed + STILL_SEEDS + i, 1);
  const random = createRandom(firstSeed + STILL_SEEDS + i);
  const { track } = await trackTake(
    Array.from({ length: STILL_FRAMES }, () => withNoise(take.images[0]!, () => random.normal())),
  );
  jitters.push(
    rotationJitter(
      Array.from({ length: STILL_FRAMES }, (_, t) => parametersAt(track, t).jointRotations).slice(
        SETTLING_FRAMES,
      ),
    ),
  );
}

const result = {
  bench: 'tracking-truth',
  mode: values.online ? 'online' : 'offline',
  clips,
  frames: compared.length,
  sizePx,
  zoom,
  hasAssets: assets !== null,
  refine: values.refine,
  trackedShare: round(tracked / compared.length),
  ...(motion === null
    ? {}
    : {
        rotationDegrees: round(motion.rotationDegrees),
        gazeDegrees: round(motion.gazeDegrees),
        jawDegrees: round(motion.jawDegrees),
        jawOpenDegrees: round(motion.jawOpenDegrees),
        unitsError: round(motion.unitsError),
        movingUnitsError: round(motion.movingUnitsError),
        worstUnits: Object.fromEntries(motion.worstUnits),
        slopes: valuesOf(motion.slopes, 'slope'),
        correlations: valuesOf(motion.slopes, 'correlation'),
        slopesWithinClips: valuesOf(motion.slopesWithinClips, 'slope'),
        correlationsWithinClips: valuesOf(motion.slopesWithinClips, 'correlation'),
      }),
  lagFrames: Object.fromEntries(Object.entries(curves).map(([name, all]) => [name, round(lagFrames(all))])),
  tremble: Object.fromEntries(Object.entries(curves).map(([name, all]) => [name, round(tremble(all))])),
  blinks: {
    ...blinks,
    precision: round(blinks.correct / blinks.seen),
    recall: round(blinks.recalled / blinks.real),
  },
  shapeMm: round(median(shapeErrors.map((e) => e.foundMm))),
  shapeButSizeMm: round(median(shapeErrors.map((e) => e.foundButSizeMm))),
  shapeOfMeanHeadMm: round(median(shapeErrors.map((e) => e.meanHeadMm))),
  focalRatios: shapeErrors.map((e) => round(e.focalRatio)),
  jitterDegrees: round(Math.max(0, ...jitters)),
  ...(values.online ? latencyFigures() : {}),
  networksMs: round((1000 * seconds.landmarks) / seconds.frames),
  fitMs: round((1000 * seconds.fit) / seconds.frames),
};
for (const [name, value] of Object.entries(result)) console.log(`${name}: ${JSON.stringify(value)}`);
console.log(JSON.stringify(result));

function valuesOf(slopes: Readonly<Record<string, Slope>>, key: keyof Slope): Record<string, number> {
  return Object.fromEntries(Object.entries(slopes).map(([name, { [key]: value }]) => [name, round(value)]));
}

function load(kind: string, seed: number, count: number, yawDegrees = 30): Promise<StoredTake> {
  const path =
    values.keep === undefined
      ? null
      : join(values.keep, `${kind}-${seed}-${count}-${sizePx}-${zoom}.safetensors`);
  return storedTake(path, () =>
    renderMotionTake(tools, { seed, sizePx, frames: count, assets, yawDegrees, zoom }),
  );
}

async function trackTake(images: readonly RgbImage[]) {
  async function* inOrder() {
    for (const [i, image] of images.entries()) yield { timestampSeconds: i / FRAMES_PER_SECOND, image };
  }
  if (values.online) return trackOnline(inOrder());
  const found = await tracker.trackClip(inOrder(), { refine: values.refine });
  seconds.landmarks += found.secondsByStage.landmarks;
  seconds.fit += found.secondsByStage.fit;
  seconds.frames += images.length;
  return found;
}

async function trackOnline(frames: AsyncIterable<ClipFrame>) {
  const online = tracker.startOnline();
  const states: OnlineState[] = [];
  for await (const frame of frames) states.push(await online.next(frame));
  latencies.push(...states.map((state) => 1000 * state.latencySeconds));
  return trackOfStates(states, { headName: head.name, provenance: {} });
}

function latencyFigures() {
  const sorted = latencies.sort((a, b) => a - b);
  return { latencyMs: round(median(sorted)), latencyMs95: round(sorted[Math.floor(0.95 * sorted.length)]!) };
}

/** A picture with noise of about one grey level. */
function withNoise(image: RgbImage, draw: () => number): RgbImage {
  return {
    ...image,
    data: image.data.map((value) => Math.min(255, Math.max(0, Math.round(value + draw())))),
  };
}

/** The largest standard deviation about one axis, degrees, around the mean rotation. */
function rotationJitter(joints: readonly Float32Array[]): number {
  const first = rotationFromAxisAngle(joints[0]!.subarray(0, 3));
  const inverse = [0, 3, 6, 1, 4, 7, 2, 5, 8].map((i) => first[i]!);
  const turns = joints.map((j) =>
    axisAngleFromRotation(multiplyRotations(rotationFromAxisAngle(j.subarray(0, 3)), inverse)),
  );
  return DEGREES * Math.max(...[0, 1, 2].map((axis) => deviation(turns.map((turn) => turn[axis]!))));
}

function deviation(all: readonly number[]): number {
  const middle = all.reduce((sum, v) => sum + v, 0) / all.length;
  return Math.sqrt(all.reduce((sum, v) => sum + (v - middle) ** 2, 0) / all.length);
}
