// Fits one frame while identity and focal length stay: Levenberg-Marquardt with bounds, about 60 unknowns.

import { factorCholesky, solveCholesky } from '../geometry/index.ts';
import type { FramePrior } from './fit-priors.ts';
import type { FrameSystem, Observation } from './frame-system.ts';
import { FRAME_LAYOUT, type FrameState, stepFrame } from './head-state.ts';
import type { ShapedLandmarks } from './landmark-projection.ts';

/** When a fit stops. */
export type FitLimits = {
  readonly iterations: number;
  /** Stop when a step lowers the cost by less than this share. */
  readonly tolerance: number;
};

const FIRST_DAMPING = 1e-3;
const LARGEST_DAMPING = 1e6;

/** The unknowns of a step that may move now: neither fixed nor pushed against a bound. */
export function freeUnknowns(
  frame: FrameState,
  prior: FramePrior,
  vector: Float64Array,
  only: 'all' | 'pose' = 'all',
): number[] {
  const free: number[] = [];
  const count = prior.mean.length;
  for (let i = 0; i < count; i++) {
    if (prior.isFixed[i]) continue;
    if (i < FRAME_LAYOUT.hinges) {
      free.push(i);
      continue;
    }
    if (only === 'pose') continue;
    const value =
      i < FRAME_LAYOUT.expression
        ? frame.hinges[i - FRAME_LAYOUT.hinges]!
        : frame.expression[i - FRAME_LAYOUT.expression]!;
    const isHeld =
      (value <= prior.lower[i]! && vector[i]! < 0) || (value >= prior.upper[i]! && vector[i]! > 0);
    if (!isHeld) free.push(i);
  }
  return free;
}

/** Solves the damped system over `free`, the rest stays at zero. */
export function solveFree(
  matrix: Float64Array,
  vector: Float64Array,
  size: number,
  free: readonly number[],
  damping: number,
): Float64Array {
  const n = free.length;
  const reduced = new Float64Array(n * n);
  const right = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const row = free[i]! * size;
    for (let j = 0; j <= i; j++) reduced[i * n + j] = matrix[row + free[j]!]!;
    reduced[i * n + i]! *= 1 + damping;
    reduced[i * n + i]! += 1e-12;
    right[i] = vector[free[i]!]!;
  }
  factorCholesky(reduced, n);
  solveCholesky(reduced, n, right);
  const step = new Float64Array(size);
  for (let i = 0; i < n; i++) step[free[i]!] = right[i]!;
  return step;
}

/**
 * Fits pose, hinges and expression of one frame.
 * @param only `pose` leaves hinges and expression where they are: the first look at a face
 */
export function fitFrame(
  system: FrameSystem,
  seen: Observation,
  start: FrameState,
  shaped: ShapedLandmarks,
  focalPx: number,
  prior: FramePrior,
  limits: FitLimits,
  only: 'all' | 'pose' = 'all',
): { readonly frame: FrameState; readonly cost: number } {
  let frame = start;
  let cost = system.evaluate(seen, frame, shaped, focalPx, prior);
  let damping = FIRST_DAMPING;
  for (let iteration = 0; iteration < limits.iterations; iteration++) {
    system.linearise(frame, prior, only);
    const free = freeUnknowns(frame, prior, system.vector, only);
    system.assemble(prior, free);
    let isBetter = false;
    let gain = 0;
    while (!isBetter && damping < LARGEST_DAMPING) {
      const step = solveFree(system.matrix, system.vector, system.size, free, damping);
      const tried = stepFrame(frame, step, prior);
      const triedCost = system.evaluate(seen, tried, shaped, focalPx, prior);
      isBetter = triedCost < cost;
      if (isBetter) {
        gain = (cost - triedCost) / cost;
        [frame, cost] = [tried, triedCost];
        damping = Math.max(damping / 10, 1e-7);
      } else {
        damping *= 10;
      }
    }
    if (!isBetter || gain < limits.tolerance) break;
    // The last evaluation is the accepted state: its projection is what linearise needs.
  }
  system.evaluate(seen, frame, shaped, focalPx, prior);
  return { frame, cost };
}
