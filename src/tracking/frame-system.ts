// The least-squares problem of one frame: robust landmark residuals and priors, linearised.
//
// cost = strength x sum_l w_l c^2/2 log(1 + r_l^2/c^2) + 1/2 sum_i precision_i (x_i - mean_i)^2
// with r_l the distance between seen and projected landmark in units of the network's usual error. The
// errors of neighbouring landmarks go together, so `strength` counts them as fewer than they are.

import { axisAngleFromRotation, invertRotation, multiplyRotations } from '../geometry/index.ts';
import { createNormalEquationsKernel, type NormalEquationsKernel } from '../kernels/index.ts';
import type { FramePrior } from './fit-priors.ts';
import { FRAME_LAYOUT, type FrameState } from './head-state.ts';
import type { LandmarkModel } from './landmark-model.ts';
import {
  frameUnknowns,
  type ImageCentre,
  LandmarkProjection,
  type ShapedLandmarks,
  sharedUnknowns,
} from './landmark-projection.ts';
import { gradientOf } from './small-algebra.ts';

/** What was seen in one frame. */
export type Observation = {
  /** `L 2`, pixels. */
  readonly landmarksPx: Float32Array;
  /** `L`: trust in each landmark in this frame. */
  readonly weights: Float64Array;
  /** Size of the face: the length that errors are relative to, about the distance of the outer eye corners. */
  readonly scalePx: number;
  readonly centre: ImageCentre;
};

/** How landmark errors are counted. */
export type NoiseModel = {
  /** The usual error of a landmark as a fraction of `scalePx`. */
  readonly deviation: number;
  /** In units of `deviation`: where a residual begins to count as an outlier. */
  readonly outlier: number;
  /** How many independent landmarks all of them together are worth. */
  readonly independent: number;
};

export const DEFAULT_NOISE: NoiseModel = { deviation: 0.015, outlier: 2.5, independent: 80 };

/** Yaw of each eye, pitch after it. */
const [LEFT_GAZE, RIGHT_GAZE] = [FRAME_LAYOUT.hinges + 2, FRAME_LAYOUT.hinges + 4];

/** One frame's linearised problem; its memory is used again for every frame. */
export class FrameSystem {
  readonly #model: LandmarkModel;
  readonly #noise: NoiseModel;
  readonly #projection: LandmarkProjection;
  readonly #jacobian: NormalEquationsKernel;
  readonly #residual: Float64Array;
  readonly #scales: Float64Array;
  /** `P P`, P the frame's unknowns, then the shared ones if `withShared`. */
  readonly matrix: Float64Array;
  /** `P`: the negative gradient. */
  readonly vector: Float64Array;
  readonly size: number;

  constructor(model: LandmarkModel, options: { readonly withShared: boolean; readonly noise?: NoiseModel }) {
    this.#model = model;
    this.#noise = options.noise ?? DEFAULT_NOISE;
    this.#projection = new LandmarkProjection(model);
    this.size = frameUnknowns(model) + (options.withShared ? sharedUnknowns(model) : 0);
    this.#jacobian = createNormalEquationsKernel(this.size, 2 * model.pointCount);
    this.#residual = new Float64Array(2 * model.pointCount);
    this.#scales = new Float64Array(model.pointCount);
    this.matrix = new Float64Array(this.size * this.size);
    this.vector = new Float64Array(this.size);
  }

  /** The projected landmarks of the last evaluation, `2L`. */
  get pixels(): Float64Array {
    return this.#projection.pixels;
  }

  /** The cost of a state; infinite behind the camera. */
  evaluate(
    seen: Observation,
    frame: FrameState,
    shaped: ShapedLandmarks,
    focalPx: number,
    prior: FramePrior,
  ): number {
    if (!this.#projection.project(frame, shaped, focalPx, seen.centre)) return Infinity;
    const { deviation, outlier } = this.#noise;
    const unit = deviation * seen.scalePx;
    const strength = this.#strength();
    let cost = 0;
    for (let l = 0; l < this.#model.pointCount; l++) {
      const dx = (seen.landmarksPx[2 * l]! - this.pixels[2 * l]!) / unit;
      const dy = (seen.landmarksPx[2 * l + 1]! - this.pixels[2 * l + 1]!) / unit;
      const ratio = (dx * dx + dy * dy) / (outlier * outlier);
      const weight = strength * seen.weights[l]!;
      cost += 0.5 * weight * outlier * outlier * Math.log1p(ratio);
      const scale = Math.sqrt(weight / (1 + ratio));
      this.#scales[l] = scale / unit;
      this.#residual[2 * l] = scale * dx;
      this.#residual[2 * l + 1] = scale * dy;
    }
    return cost + priorCost(frame, prior);
  }

  /** Differentiates at the last evaluated state and fills `vector`; with `pose` its first six values alone. */
  linearise(frame: FrameState, prior: FramePrior, only: 'all' | 'pose' = 'all'): void {
    const { vector } = this;
    const { columns } = this.#jacobian;
    this.#projection.differentiate(this.#scales, columns, only);
    const moved = only === 'pose' ? columns.slice(0, FRAME_LAYOUT.hinges) : columns;
    gradientOf(moved, this.#residual, vector);
    for (const [axis, turn] of turnToBelief(frame, prior).entries()) {
      vector[FRAME_LAYOUT.turn + axis]! += prior.precision[FRAME_LAYOUT.turn + axis]! * turn;
    }
    if (only === 'pose') return;
    const draw = (at: number, value: number): void => {
      vector[at]! += prior.precision[at]! * (prior.mean[at]! - value);
    };
    for (let i = 0; i < 6; i++) draw(FRAME_LAYOUT.hinges + i, frame.hinges[i]!);
    for (let k = 0; k < frame.expression.length; k++) draw(FRAME_LAYOUT.expression + k, frame.expression[k]!);
    for (const [k, precision] of prior.gazeAgreement.entries()) {
      const pull = precision * (frame.hinges[2 + k]! - frame.hinges[4 + k]!);
      vector[LEFT_GAZE + k]! -= pull;
      vector[RIGHT_GAZE + k]! += pull;
    }
  }

  /** Fills the rows and columns of `matrix` that belong to `unknowns`, at the last linearised state. */
  assemble(prior: FramePrior, unknowns: readonly number[]): void {
    const { size, matrix } = this;
    this.#jacobian.products(unknowns, matrix);
    for (const at of unknowns) matrix[at * size + at]! += prior.precision[at] ?? 0;
    for (const [k, precision] of prior.gazeAgreement.entries()) {
      const [left, right] = [LEFT_GAZE + k, RIGHT_GAZE + k];
      const takesPart = [left, right].map((at) => unknowns.includes(at));
      if (takesPart[0]) matrix[left * size + left]! += precision;
      if (takesPart[1]) matrix[right * size + right]! += precision;
      if (!takesPart[0] || !takesPart[1]) continue;
      matrix[left * size + right]! -= precision;
      matrix[right * size + left]! -= precision;
    }
  }

  #strength(): number {
    return this.#noise.independent / this.#model.pointCount;
  }
}

/** The small rotation from a frame to what is believed of it, world axes, radians. */
function turnToBelief({ rotation }: FrameState, prior: FramePrior): Float64Array {
  if (prior.rotation === undefined) return new Float64Array(3);
  return axisAngleFromRotation(multiplyRotations(prior.rotation, invertRotation(rotation)));
}

function priorCost(frame: FrameState, prior: FramePrior): number {
  const term = (at: number, value: number): number =>
    0.5 * prior.precision[at]! * (value - prior.mean[at]!) ** 2;
  let cost = 0;
  for (let i = 0; i < 6; i++) cost += term(FRAME_LAYOUT.hinges + i, frame.hinges[i]!);
  for (let k = 0; k < frame.expression.length; k++) {
    cost += term(FRAME_LAYOUT.expression + k, frame.expression[k]!);
  }
  for (const [axis, turn] of turnToBelief(frame, prior).entries()) {
    cost += 0.5 * prior.precision[FRAME_LAYOUT.turn + axis]! * turn ** 2;
  }
  for (const [k, precision] of prior.gazeAgreement.entries()) {
    cost += 0.5 * precision * (frame.hinges[2 + k]! - frame.hinges[4 + k]!) ** 2;
  }
  return cost;
}
