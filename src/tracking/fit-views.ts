// Fits one moment that several cameras see: identity, expression, jaw and gaze are common, the cameras are a rig.
// Levenberg-Marquardt with bounds as in `fit-frame.ts`, over all unknowns at once: a dozen views have some 250.

import { type CameraRig, commonUnknowns, type NormalEquations } from './camera-rig.ts';
import { type FitLimits, solveFree } from './fit-frame.ts';
import type { FramePrior } from './fit-priors.ts';
import type { FrameSystem, Observation } from './frame-system.ts';
import { FRAME_LAYOUT, type FrameState } from './head-state.ts';
import type { LandmarkModel } from './landmark-model.ts';
import { shapeLandmarks } from './landmark-projection.ts';

/** One view; `prior` with its share of what is believed of the moment. */
export type FitView = { readonly seen: Observation; readonly prior: FramePrior };

/** What is found of the moment. */
export type MomentState = {
  /** 6, as of a frame. */
  readonly hinges: Float64Array;
  /** `E`. */
  readonly expression: Float64Array;
  /** `I`. */
  readonly identity: Float64Array;
  readonly rig: CameraRig;
};

/** What is believed of an identity. */
export type IdentityPrior = { readonly mean: Float64Array; readonly precision: Float64Array };

const HINGES = 6;

/**
 * A view that counts for a share of one: landmarks of several views err together, and so does what each believes.
 * @param turnShare of what it believes of the head's turn
 */
export function shareOfView({ seen, prior }: FitView, share: number, turnShare: number = share): FitView {
  const [yaw, pitch] = prior.gazeAgreement;
  const isTurn = (unknown: number): boolean => unknown < FRAME_LAYOUT.translation;
  return {
    seen: { ...seen, weights: seen.weights.map((weight) => share * weight) },
    prior: {
      ...prior,
      precision: prior.precision.map((value, i) => (isTurn(i) ? turnShare : share) * value),
      gazeAgreement: [share * yaw, share * pitch],
    },
  };
}

/** Fits a moment. @param system made with `withShared` */
export function fitViews(
  model: LandmarkModel,
  system: FrameSystem,
  views: readonly FitView[],
  start: MomentState,
  identityPrior: IdentityPrior,
  limits: FitLimits,
): MomentState {
  const all = Array.from({ length: system.size }, (_, i) => i);
  let state = start;
  let cost = costOf(model, system, views, state, identityPrior);
  let damping = 1e-3;
  for (let iteration = 0; iteration < limits.iterations; iteration++) {
    const size = commonUnknowns(model) + state.rig.unknowns;
    const equations = { matrix: new Float64Array(size * size), vector: new Float64Array(size), size };
    const shaped = shapeLandmarks(model, state.identity);
    for (const [view, { seen, prior }] of views.entries()) {
      const frame = frameIn(state, view, shaped.joints);
      system.evaluate(seen, frame, shaped, state.rig.focalPx(view), prior);
      system.linearise(frame, prior);
      system.assemble(prior, all);
      state.rig.gather(view, system, equations);
    }
    addIdentityPrior(equations, state, identityPrior);
    state.rig.gatherPriors(equations);
    const free = freeOf(views[0]!.prior, state, equations);
    let isBetter = false;
    let gain = 0;
    while (!isBetter && damping < 1e6) {
      const step = solveFree(equations.matrix, equations.vector, size, free, damping);
      const tried = moved(state, step, views[0]!.prior);
      const triedCost = costOf(model, system, views, tried, identityPrior);
      isBetter = triedCost < cost;
      if (isBetter) {
        gain = (cost - triedCost) / cost;
        [state, cost] = [tried, triedCost];
        damping = Math.max(damping / 10, 1e-7);
      } else {
        damping *= 10;
      }
    }
    if (!isBetter || gain < limits.tolerance) break;
  }
  return state;
}

/** The moment as a view sees it. @param joints of the shaped head */
export function frameIn(state: MomentState, view: number, joints: Float64Array): FrameState {
  const { hinges, expression, rig } = state;
  return { ...rig.poseIn(view, joints.subarray(0, 3)), hinges, expression };
}

/** The cost of a state; infinite where a view has the head behind it. */
export function costOf(
  model: LandmarkModel,
  system: FrameSystem,
  views: readonly FitView[],
  state: MomentState,
  { mean, precision }: IdentityPrior,
): number {
  const shaped = shapeLandmarks(model, state.identity);
  let cost = state.rig.cost;
  for (const [k, value] of state.identity.entries()) cost += 0.5 * precision[k]! * (value - mean[k]!) ** 2;
  for (const [view, { seen, prior }] of views.entries()) {
    const frame = frameIn(state, view, shaped.joints);
    cost += system.evaluate(seen, frame, shaped, state.rig.focalPx(view), prior);
  }
  return cost;
}

function addIdentityPrior(
  { matrix, vector, size }: NormalEquations,
  state: MomentState,
  prior: IdentityPrior,
): void {
  const first = HINGES + state.expression.length;
  for (const [k, value] of state.identity.entries()) {
    const at = first + k;
    matrix[at * size + at]! += prior.precision[k]!;
    vector[at]! += prior.precision[k]! * (prior.mean[k]! - value);
  }
}

/** All unknowns but those of hinges and units that are fixed or press against a bound. */
function freeOf(bounds: FramePrior, state: MomentState, { vector, size }: NormalEquations): number[] {
  const bounded = HINGES + state.expression.length;
  return Array.from({ length: size }, (_, i) => i).filter((i) => {
    if (i >= bounded) return true;
    const at = FRAME_LAYOUT.hinges + i;
    if (bounds.isFixed[at]) return false;
    const value = i < HINGES ? state.hinges[i]! : state.expression[i - HINGES]!;
    return !(
      (value <= bounds.lower[at]! && vector[i]! < 0) ||
      (value >= bounds.upper[at]! && vector[i]! > 0)
    );
  });
}

function moved(state: MomentState, step: Float64Array, bounds: FramePrior): MomentState {
  const units = HINGES + state.expression.length;
  const clamp = (value: number, i: number): number => {
    const at = FRAME_LAYOUT.hinges + i;
    return Math.min(bounds.upper[at]!, Math.max(bounds.lower[at]!, value));
  };
  return {
    hinges: state.hinges.map((value, i) => clamp(value + step[i]!, i)),
    expression: state.expression.map((value, k) => clamp(value + step[HINGES + k]!, HINGES + k)),
    identity: state.identity.map((value, k) => value + step[units + k]!),
    rig: state.rig.moved(step.subarray(units + state.identity.length)),
  };
}
