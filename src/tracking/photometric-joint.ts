// Betters identity, focal length and the keyframes' poses by what the pictures show at points of the face: a
// point has one colour in all frames, once the light is taken off, where the head's shape is right.
//
// The points' albedo is eliminated from the system (the best albedo follows every step), which ties the
// frames together. With a texture held still, steps along the surface would hold each other up: frames
// pull the texture, and the texture the frames. Landmarks and priors count as in the fit before.

import { freeUnknowns, solveFree } from './fit-frame.ts';
import {
  addSharedPrior,
  type JointFrame,
  type SharedPrior,
  sharedPriorCost,
  stepShared,
} from './fit-frames.ts';
import type { FrameSystem } from './frame-system.ts';
import { FRAME_LAYOUT, type FrameState, type SharedState, stepFrame } from './head-state.ts';
import type { LandmarkModel } from './landmark-model.ts';
import { frameUnknowns, shapeLandmarks } from './landmark-projection.ts';
import { PhotometricFrame } from './photometric-frame.ts';
import { type FaceCrop, type PhotometricLevel, photometricLevel } from './photometric-image.ts';
import { appearanceCost, type WeighedAppearance, weighAppearance } from './photometric-residuals.ts';
import type { PhotometricViewer } from './photometric-view.ts';
import { gradientOf, normalEquations } from './small-algebra.ts';

/** What a joint refinement works with. */
export type JointProblem = {
  readonly model: LandmarkModel;
  /** The head reduced to the points whose colour is followed. */
  readonly points: LandmarkModel;
  /** For each of the points those around it. */
  readonly neighbours: readonly Uint32Array[];
  readonly viewer: PhotometricViewer;
  /** Of the landmarks, made with `withShared`. */
  readonly system: FrameSystem;
  readonly size: { readonly width: number; readonly height: number };
  readonly keyframes: readonly (JointFrame & { readonly crop: FaceCrop })[];
  readonly sharedPrior: SharedPrior;
};

/** What is found, keyframe by keyframe. */
export type JointState = { readonly shared: SharedState; readonly frames: readonly FrameState[] };

/** Coarse to fine: coarse pictures lead from further away, fine ones tell more. */
const LEVELS = [
  { blurPx: 3, iterations: 2 },
  { blurPx: 1.5, iterations: 4 },
] as const;
/** Blurred pixels mix what lies this many blurs apart. */
export const MIXING = 2;
/** Pose and the jaw's pitch. The units stay as landmarks found them: what they cost is not worth it. */
const MOVING = [0, 1, 2, 3, 4, 5, FRAME_LAYOUT.hinges + 1];
const FIRST_DAMPING = 1e-3;
const LARGEST_DAMPING = 1e4;

/** The number of steps that `refineJointly` takes at most. */
export const JOINT_STEPS: number = LEVELS.reduce((sum, { iterations }) => sum + iterations, 0);

/** Refines from a start that landmarks found. @param onStep called after every step */
export function refineJointly(problem: JointProblem, start: JointState, onStep: () => void): JointState {
  const looks = problem.keyframes.map(() => new PhotometricFrame(problem.points, { withShared: true }));
  let state = start;
  for (const { blurPx, iterations } of LEVELS) {
    const levels = problem.keyframes.map(({ crop }) => photometricLevel(crop, blurPx));
    let trust: readonly Float64Array[] | null = null;
    let damping = FIRST_DAMPING;
    for (let iteration = 0; iteration < iterations; iteration++) {
      const appearance = lookAt(problem, looks, levels, state, trust, MIXING * blurPx);
      const better = step(problem, looks, levels, state, appearance, damping);
      onStep();
      if (better === null) break;
      ({ state, damping } = better);
      trust = appearance.trust;
    }
  }
  return state;
}

/** What the frames show at a state. */
export function lookAt(
  { points, neighbours, viewer, size, keyframes }: JointProblem,
  looks: readonly PhotometricFrame[],
  levels: readonly PhotometricLevel[],
  { shared, frames }: JointState,
  trust: readonly Float64Array[] | null,
  marginPx: number,
): WeighedAppearance {
  const shaped = shapeLandmarks(points, shared.identity);
  const shown = frames.map((frame, i) => {
    const { crop, seen } = keyframes[i]!;
    const { weights, normals } = viewer.see(frame, shared, crop, size, marginPx);
    const look = looks[i]!;
    look.look(levels[i]!, frame, shaped, shared.focalPx, seen.centre);
    return { values: look.values, normals, weights: weights.map((weight, t) => weight * look.isInside[t]!) };
  });
  return weighAppearance(shown, trust, neighbours);
}

/** One frame's part of the system, over all its own and the shared unknowns. */
type FrameBlock = {
  readonly free: readonly number[];
  readonly matrix: Float64Array;
  readonly vector: Float64Array;
  /** Derivatives of the values by unknowns, times the roots of the weights. */
  readonly columns: ReadonlyMap<number, Float64Array>;
};

/** One damped step; null where none lowers the cost. */
function step(
  problem: JointProblem,
  looks: readonly PhotometricFrame[],
  levels: readonly PhotometricLevel[],
  state: JointState,
  appearance: WeighedAppearance,
  firstDamping: number,
): { readonly state: JointState; readonly damping: number } | null {
  const { model, system, keyframes, sharedPrior } = problem;
  const { shared, frames } = state;
  const own = frameUnknowns(model);
  const shaped = shapeLandmarks(model, shared.identity);
  let cost = appearance.cost + sharedPriorCost(shared, sharedPrior);
  const blocks = keyframes.map(({ seen, prior }, i) => {
    cost += system.evaluate(seen, frames[i]!, shaped, shared.focalPx, prior);
    return frameBlock(problem, i, frames[i]!, looks[i]!, appearance);
  });
  const { matrix, vector, offsets } = assemble(blocks, appearance.weights, own, system.size);
  const sharedAt = offsets.at(-1)!;
  const size = vector.length;
  addShared(matrix, vector, sharedAt, shared, sharedPrior);
  const everything = Array.from({ length: size }, (_, k) => k);
  for (let damping = firstDamping; damping < LARGEST_DAMPING; damping *= 10) {
    const moves = solveFree(matrix, vector, size, everything, damping);
    const tried = {
      shared: stepShared(shared, moves.subarray(sharedAt), sharedPrior),
      frames: frames.map((frame, i) => {
        const full = new Float64Array(own);
        for (const [k, unknown] of blocks[i]!.free.entries()) full[unknown] = moves[offsets[i]! + k]!;
        return stepFrame(frame, full, keyframes[i]!.prior);
      }),
    };
    if (costOf(problem, looks, levels, tried, appearance) < cost) {
      return { state: tried, damping: Math.max(1e-6, damping / 10) };
    }
  }
  return null;
}

/** Linearises landmarks, priors and colours of a frame that both have just looked at. */
function frameBlock(
  { model, system, keyframes, sharedPrior }: JointProblem,
  index: number,
  frame: FrameState,
  look: PhotometricFrame,
  appearance: WeighedAppearance,
): FrameBlock {
  const { prior } = keyframes[index]!;
  const own = frameUnknowns(model);
  const sharedPlaces = Array.from({ length: system.size - own }, (_, k) => own + k);
  const places = [...MOVING, ...sharedPlaces];
  system.linearise(frame, prior);
  const vector = system.vector.slice();
  const roots = appearance.weights[index]!.map(Math.sqrt);
  const columns = look.differentiate(places);
  for (const column of columns) for (let t = 0; t < column.length; t++) column[t]! *= roots[t]!;
  if (sharedPrior.focalDeviation === 0) columns.at(-1)!.fill(0);
  const uphill = new Float64Array(places.length);
  const residual = appearance.residuals[index]!.map((value, t) => value * roots[t]!);
  gradientOf(columns, residual, uphill);
  for (const [k, place] of places.entries()) vector[place]! -= uphill[k]!;
  const free = freeUnknowns(frame, prior, vector).filter((unknown) => MOVING.includes(unknown));
  system.assemble(prior, [...free, ...sharedPlaces]);
  const matrix = system.matrix.slice();
  const colours = new Float64Array(places.length ** 2);
  normalEquations(
    columns,
    Array.from(places.keys(), (k) => k),
    colours,
  );
  for (const [a, row] of places.entries()) {
    for (const [b, column] of places.entries()) {
      matrix[row * system.size + column]! += colours[a * places.length + b]!;
    }
  }
  if (sharedPrior.focalDeviation === 0) {
    const focal = system.size - 1;
    vector[focal] = 0;
    for (let k = 0; k < system.size; k++) {
      matrix[focal * system.size + k] = 0;
      matrix[k * system.size + focal] = 0;
    }
  }
  return { free, matrix, vector, columns: new Map(places.map((place, k) => [place, columns[k]!])) };
}

/**
 * The system of all frames' free unknowns, one frame after another, then of what they share, with the
 * points' albedo eliminated: for a point whose derivatives are J_i in frame i with weights w_i, that takes
 * (sum w_i J_i)(sum w_i J_i)^T / sum w_i away.
 * @returns `offsets`: where each frame's unknowns begin, and last where the shared ones do
 */
function assemble(
  blocks: readonly FrameBlock[],
  weights: readonly Float64Array[],
  own: number,
  blockSize: number,
): { readonly matrix: Float64Array; readonly vector: Float64Array; readonly offsets: readonly number[] } {
  const offsets = [0];
  for (const { free } of blocks) offsets.push(offsets.at(-1)! + free.length);
  const sharedAt = offsets.at(-1)!;
  const sharedCount = blockSize - own;
  const size = sharedAt + sharedCount;
  const matrix = new Float64Array(size * size);
  const vector = new Float64Array(size);
  const totals = new Float64Array(weights[0]!.length);
  for (const row of weights) for (let t = 0; t < row.length; t++) totals[t]! += row[t]!;
  const means = Array.from({ length: size }, () => new Float64Array(totals.length));
  for (const [i, { free, columns, ...block }] of blocks.entries()) {
    const shares = weights[i]!.map((weight, t) => (weight > 0 ? Math.sqrt(weight / totals[t]!) : 0));
    const places = [...free, ...Array.from({ length: sharedCount }, (_, k) => own + k)];
    const target = (k: number): number => (k < free.length ? offsets[i]! + k : sharedAt + k - free.length);
    for (const [a, row] of places.entries()) {
      const to = target(a);
      vector[to]! += block.vector[row]!;
      for (const [b, column] of places.entries()) {
        matrix[to * size + target(b)]! += block.matrix[row * blockSize + column]!;
      }
      const [mean, own] = [means[to]!, columns.get(row)!];
      for (let t = 0; t < mean.length; t++) mean[t]! += shares[t]! * own[t]!;
    }
  }
  const eliminated = new Float64Array(size * size);
  normalEquations(
    means,
    Array.from({ length: size }, (_, k) => k),
    eliminated,
  );
  for (let k = 0; k < matrix.length; k++) matrix[k]! -= eliminated[k]!;
  return { matrix, vector, offsets };
}

function addShared(
  matrix: Float64Array,
  vector: Float64Array,
  at: number,
  shared: SharedState,
  prior: SharedPrior,
): void {
  const size = vector.length;
  const count = size - at;
  const block = new Float64Array(count * count);
  addSharedPrior(block, vector.subarray(at), shared, prior);
  for (let k = 0; k < count; k++) {
    for (let j = 0; j < count; j++) matrix[(at + k) * size + at + j]! += block[k * count + j]!;
  }
}

function costOf(
  { model, points, system, keyframes, sharedPrior }: JointProblem,
  looks: readonly PhotometricFrame[],
  levels: readonly PhotometricLevel[],
  { shared, frames }: JointState,
  appearance: WeighedAppearance,
): number {
  const landmarks = shapeLandmarks(model, shared.identity);
  const shaped = shapeLandmarks(points, shared.identity);
  let cost = sharedPriorCost(shared, sharedPrior);
  for (const [i, { seen, prior }] of keyframes.entries()) {
    cost += system.evaluate(seen, frames[i]!, landmarks, shared.focalPx, prior);
    looks[i]!.look(levels[i]!, frames[i]!, shaped, shared.focalPx, seen.centre);
  }
  return cost + appearanceCost(appearance, looks);
}
