// Fits several frames of one person together: identity and focal length shared, the rest per frame.
// Each frame's unknowns are eliminated first (Schur complement), so the cost grows with the number of
// frames and not with its cube. A portrait is the case of one frame.

import { factorCholesky, solveCholesky } from '../geometry/index.ts';
import { type FitLimits, freeUnknowns } from './fit-frame.ts';
import type { FramePrior } from './fit-priors.ts';
import type { FrameSystem, Observation } from './frame-system.ts';
import { type FrameState, type SharedState, stepFrame } from './head-state.ts';
import type { LandmarkModel } from './landmark-model.ts';
import { frameUnknowns, shapeLandmarks } from './landmark-projection.ts';

/** What is believed of the shared unknowns. */
export type SharedPrior = {
  /** `I`: the identity believed in, zero for the population's mean. */
  readonly identityMean: Float64Array;
  /** `I`: 1 / variance of each coefficient: 1 for the population, more where landmarks deceive. */
  readonly identityPrecision: Float64Array;
  /** The focal length believed in, pixels. */
  readonly focalPx: number;
  /** Standard deviation of the focal length's logarithm; 0 keeps it. */
  readonly focalDeviation: number;
};

/** One frame that takes part in a joint fit. */
export type JointFrame = {
  readonly seen: Observation;
  readonly start: FrameState;
  readonly prior: FramePrior;
};

/** The result of a joint fit. */
export type JointFit = {
  readonly shared: SharedState;
  readonly frames: readonly FrameState[];
  readonly cost: number;
};

type Reduced = {
  readonly free: readonly number[];
  readonly factor: Float64Array;
  /** F^-1 B, `n S`, row-major. */
  readonly coupling: Float64Array;
  /** F^-1 g, `n`. */
  readonly step: Float64Array;
};

/** Fits frames and what they share. @param system made with `withShared` */
export function fitFrames(
  model: LandmarkModel,
  system: FrameSystem,
  inputs: readonly JointFrame[],
  options: {
    readonly start: SharedState;
    readonly sharedPrior: SharedPrior;
    readonly limits: FitLimits;
  },
): JointFit {
  const { sharedPrior, limits } = options;
  const own = frameUnknowns(model);
  const sharedCount = system.size - own;
  const sharedPlaces = Array.from({ length: sharedCount }, (_, i) => own + i);
  let shared = options.start;
  let frames = inputs.map(({ start }) => start);
  let cost = totalCost(model, system, inputs, frames, shared, sharedPrior);
  let damping = 1e-3;
  for (let iteration = 0; iteration < limits.iterations; iteration++) {
    const matrix = new Float64Array(sharedCount * sharedCount);
    const vector = new Float64Array(sharedCount);
    const shaped = shapeLandmarks(model, shared.identity);
    const linear = inputs.map(({ seen, prior }, i) => {
      system.evaluate(seen, frames[i]!, shaped, shared.focalPx, prior);
      system.linearise(frames[i]!, prior);
      const free = freeUnknowns(frames[i]!, prior, system.vector);
      system.assemble(prior, [...free, ...sharedPlaces]);
      if (sharedPrior.focalDeviation === 0) uncouple(system, system.size - 1);
      addSharedBlock(system, own, matrix, vector);
      return { free, matrix: system.matrix.slice(), vector: system.vector.slice() };
    });
    addSharedPrior(matrix, vector, shared, sharedPrior);
    let isBetter = false;
    let gain = 0;
    while (!isBetter && damping < 1e6) {
      const step = solveJoint(linear, own, system.size, matrix, vector, damping);
      const triedShared = stepShared(shared, step.shared, sharedPrior);
      const tried = frames.map((frame, i) => stepFrame(frame, step.frames[i]!, inputs[i]!.prior));
      const triedCost = totalCost(model, system, inputs, tried, triedShared, sharedPrior);
      isBetter = triedCost < cost;
      if (isBetter) {
        gain = (cost - triedCost) / cost;
        [frames, shared, cost] = [tried, triedShared, triedCost];
        damping = Math.max(damping / 10, 1e-7);
      } else {
        damping *= 10;
      }
    }
    if (!isBetter || gain < limits.tolerance) break;
  }
  return { shared, frames, cost };
}

function totalCost(
  model: LandmarkModel,
  system: FrameSystem,
  inputs: readonly JointFrame[],
  frames: readonly FrameState[],
  shared: SharedState,
  sharedPrior: SharedPrior,
): number {
  const shaped = shapeLandmarks(model, shared.identity);
  let cost = sharedPriorCost(shared, sharedPrior);
  for (const [i, { seen, prior }] of inputs.entries()) {
    cost += system.evaluate(seen, frames[i]!, shaped, shared.focalPx, prior);
  }
  return cost;
}

/** What a belief about the shared unknowns costs. */
export function sharedPriorCost(shared: SharedState, prior: SharedPrior): number {
  let cost = 0;
  for (const [i, value] of shared.identity.entries()) {
    cost += 0.5 * prior.identityPrecision[i]! * (value - prior.identityMean[i]!) ** 2;
  }
  if (prior.focalDeviation > 0) {
    cost += 0.5 * (Math.log(shared.focalPx / prior.focalPx) / prior.focalDeviation) ** 2;
  }
  return cost;
}

function addSharedBlock(system: FrameSystem, own: number, matrix: Float64Array, vector: Float64Array): void {
  const count = vector.length;
  for (let i = 0; i < count; i++) {
    vector[i]! += system.vector[own + i]!;
    const row = (own + i) * system.size + own;
    for (let j = 0; j < count; j++) matrix[i * count + j]! += system.matrix[row + j]!;
  }
}

/** Adds that belief to a system of the shared unknowns: identity, then the focal length's logarithm. */
export function addSharedPrior(
  matrix: Float64Array,
  vector: Float64Array,
  shared: SharedState,
  prior: SharedPrior,
): void {
  const count = vector.length;
  for (const [i, value] of shared.identity.entries()) {
    matrix[i * count + i]! += prior.identityPrecision[i]!;
    vector[i]! += prior.identityPrecision[i]! * (prior.identityMean[i]! - value);
  }
  const focal = count - 1;
  // A focal length that is kept has an empty row: any precision holds it still.
  const focalPrecision = prior.focalDeviation > 0 ? 1 / prior.focalDeviation ** 2 : 1;
  matrix[focal * count + focal]! += focalPrecision;
  vector[focal]! -= focalPrecision * Math.log(shared.focalPx / prior.focalPx);
}

/** Takes an unknown out of a frame's system. */
function uncouple(system: FrameSystem, unknown: number): void {
  system.vector[unknown] = 0;
  for (let i = 0; i < system.size; i++) {
    system.matrix[unknown * system.size + i] = 0;
    system.matrix[i * system.size + unknown] = 0;
  }
}

/** The shared unknowns after a step; a focal length that is kept stays. */
export function stepShared(shared: SharedState, step: Float64Array, prior: SharedPrior): SharedState {
  const focal = step[step.length - 1]!;
  return {
    identity: shared.identity.map((value, i) => value + step[i]!),
    focalPx: prior.focalDeviation > 0 ? shared.focalPx * Math.exp(focal) : shared.focalPx,
  };
}

function solveJoint(
  linear: readonly {
    readonly free: readonly number[];
    readonly matrix: Float64Array;
    readonly vector: Float64Array;
  }[],
  own: number,
  size: number,
  sharedMatrix: Float64Array,
  sharedVector: Float64Array,
  damping: number,
): { readonly shared: Float64Array; readonly frames: readonly Float64Array[] } {
  const count = sharedVector.length;
  const reduced = sharedMatrix.slice();
  const step = sharedVector.slice();
  for (let i = 0; i < count; i++) reduced[i * count + i]! *= 1 + damping;
  const blocks = linear.map(({ free, matrix, vector }): Reduced => {
    const n = free.length;
    const factor = new Float64Array(n * n);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j <= i; j++) factor[i * n + j] = matrix[free[i]! * size + free[j]!]!;
      factor[i * n + i]! *= 1 + damping;
      factor[i * n + i]! += 1e-12;
    }
    factorCholesky(factor, n);
    const frameStep = Float64Array.from(free, (i) => vector[i]!);
    solveCholesky(factor, n, frameStep);
    const coupling = new Float64Array(n * count);
    const column = new Float64Array(n);
    for (let s = 0; s < count; s++) {
      for (let i = 0; i < n; i++) column[i] = matrix[free[i]! * size + own + s]!;
      solveCholesky(factor, n, column);
      for (let i = 0; i < n; i++) coupling[i * count + s] = column[i]!;
    }
    for (let i = 0; i < n; i++) {
      const row = free[i]! * size + own;
      for (let s = 0; s < count; s++) {
        const b = matrix[row + s]!;
        if (b === 0) continue;
        step[s]! -= b * frameStep[i]!;
        for (let t = 0; t < count; t++) reduced[s * count + t]! -= b * coupling[i * count + t]!;
      }
    }
    return { free, factor, coupling, step: frameStep };
  });
  factorCholesky(reduced, count);
  solveCholesky(reduced, count, step);
  const frames = blocks.map(({ free, coupling, step: frameStep }) => {
    const full = new Float64Array(own);
    for (const [i, unknown] of free.entries()) {
      let value = frameStep[i]!;
      for (let s = 0; s < count; s++) value -= coupling[i * count + s]! * step[s]!;
      full[unknown] = value;
    }
    return full;
  });
  return { shared: step, frames };
}
