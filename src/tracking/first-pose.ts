// The first guess of a head's pose: placed by the eyes and the size of the face, then fitted as a rigid
// mean head from several yaws, because far views have a mirrored second best.

import { multiplyRotations, rotate, rotationFromAxisAngle } from '../geometry/index.ts';
import { fitFrame } from './fit-frame.ts';
import type { FramePrior } from './fit-priors.ts';
import type { FrameSystem, Observation } from './frame-system.ts';
import type { FrameState } from './head-state.ts';
import type { LandmarkModel } from './landmark-model.ts';
import type { ShapedLandmarks } from './landmark-projection.ts';

const START_YAWS = [0, 0.6, -0.6];
const [RIGHT_CORNER, LEFT_CORNER] = [33, 263];
const LIMITS = { iterations: 12, tolerance: 1e-4 };

/** Fits pose alone to landmarks. @returns the best start for a full fit */
export function findFirstPose(
  model: LandmarkModel,
  system: FrameSystem,
  seen: Observation,
  shaped: ShapedLandmarks,
  focalPx: number,
  prior: FramePrior,
): FrameState {
  let best: { frame: FrameState; cost: number } | null = null;
  for (const yaw of START_YAWS) {
    const start = placeHead(model, seen, shaped, focalPx, yaw);
    const fitted = fitFrame(system, seen, start, shaped, focalPx, prior, LIMITS, 'pose');
    if (best === null || fitted.cost < best.cost) best = fitted;
  }
  return best!.frame;
}

function placeHead(
  model: LandmarkModel,
  seen: Observation,
  shaped: ShapedLandmarks,
  focalPx: number,
  yaw: number,
): FrameState {
  const px = seen.landmarksPx;
  const at = (l: number): [number, number] => [px[2 * l]!, px[2 * l + 1]!];
  const [right, left] = [at(RIGHT_CORNER), at(LEFT_CORNER)];
  const roll = Math.atan2(right[1] - left[1], left[0] - right[0]);
  const rotation = multiplyRotations(rotationFromAxisAngle([0, 0, roll]), rotationFromAxisAngle([0, yaw, 0]));
  const point = (l: number): Float64Array => shaped.points.subarray(3 * l, 3 * l + 3);
  const [a, b] = [point(RIGHT_CORNER), point(LEFT_CORNER)];
  const width = Math.hypot(b[0]! - a[0]!, b[1]! - a[1]!, b[2]! - a[2]!);
  const depth = (focalPx * width) / seen.scalePx;
  const eyes = [
    (((right[0] + left[0]) / 2 - seen.centre.xPx) * depth) / focalPx,
    (-((right[1] + left[1]) / 2 - seen.centre.yPx) * depth) / focalPx,
    -depth,
  ];
  const pivot = shaped.joints.subarray(0, 3);
  const arm = rotate(
    rotation,
    a.map((value, k) => (value + b[k]!) / 2 - pivot[k]!),
  );
  return {
    rotation,
    translation: Float64Array.from(eyes, (value, k) => value - arm[k]! - pivot[k]!),
    hinges: new Float64Array(6),
    expression: new Float64Array(model.expressionCount),
  };
}
