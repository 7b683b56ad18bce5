// Betters the pose of one frame while identity and expression stay: the face's own texture, learned from the
// keyframes, is laid on what the frame shows. Landmarks and priors count as in the fit before.

import { solveFree } from './fit-frame.ts';
import type { FramePrior } from './fit-priors.ts';
import type { FrameSystem, Observation } from './frame-system.ts';
import { FRAME_LAYOUT, type FrameState, stepFrame } from './head-state.ts';
import { shapeLandmarks } from './landmark-projection.ts';
import { PhotometricFrame } from './photometric-frame.ts';
import { type FaceCrop, photometricLevel } from './photometric-image.ts';
import { type JointProblem, type JointState, lookAt, MIXING } from './photometric-joint.ts';
import { lightAgainst, meanAlbedo } from './photometric-light.ts';
import { halfSquares, weighAgainst } from './photometric-residuals.ts';

/** A frame as landmarks placed it. */
export type PosedFrame = {
  readonly frame: FrameState;
  readonly seen: Observation;
  readonly prior: FramePrior;
  readonly crop: FaceCrop;
};

/** Lays one face's texture on its frames. */
export type PoseRefiner = (posed: PosedFrame) => FrameState;

const BLUR_PX = 2;
const ITERATIONS = 4;
const DAMPING = 1e-4;
const POSE = Array.from({ length: FRAME_LAYOUT.hinges }, (_, k) => k);

/**
 * Learns the texture of keyframes whose state is known.
 * @param small the landmarks' system, made without `withShared`
 */
export function createPoseRefiner(problem: JointProblem, state: JointState, small: FrameSystem): PoseRefiner {
  const { model, points, neighbours, viewer, size, keyframes } = problem;
  const { shared } = state;
  const { albedo, isKnown } = textureOf(problem, state);
  const shapedPoints = shapeLandmarks(points, shared.identity);
  const shapedLandmarks = shapeLandmarks(model, shared.identity);
  const look = new PhotometricFrame(points, { withShared: false });
  const centre = keyframes[0]!.seen.centre;
  return ({ frame: start, seen, prior, crop }) => {
    const level = photometricLevel(crop, BLUR_PX);
    const costOfLandmarks = (frame: FrameState): number =>
      small.evaluate(seen, frame, shapedLandmarks, shared.focalPx, prior);
    let frame = start;
    for (let iteration = 0; iteration < ITERATIONS; iteration++) {
      const view = viewer.see(frame, shared, crop, size, MIXING * BLUR_PX);
      look.look(level, frame, shapedPoints, shared.focalPx, centre);
      const shown = {
        values: look.values,
        normals: view.normals,
        weights: view.weights.map((weight, t) => weight * look.isInside[t]! * isKnown[t]!),
      };
      const { weights, residual, lit } = weighAgainst(shown, albedo, (own) =>
        lightAgainst(own, albedo, neighbours),
      );
      const cost = costOfLandmarks(frame) + halfSquares(residual, weights);
      small.linearise(frame, prior, 'pose');
      small.assemble(prior, POSE);
      const [matrix, vector] = [small.matrix.slice(), small.vector.slice()];
      const columns = look.differentiate(POSE, 'pose');
      for (const [a, row] of columns.entries()) {
        const weighed = row.map((value, t) => value * weights[t]!);
        for (let t = 0; t < row.length; t++) vector[a]! -= weighed[t]! * residual[t]!;
        for (const [b, column] of columns.entries()) {
          for (let t = 0; t < row.length; t++) matrix[a * small.size + b]! += weighed[t]! * column[t]!;
        }
      }
      const tried = stepFrame(frame, solveFree(matrix, vector, small.size, POSE, DAMPING), prior);
      look.look(level, tried, shapedPoints, shared.focalPx, centre);
      const triedResidual = look.values.map((value, t) => value - lit[t]! - albedo[t]!);
      const inside = weights.map((weight, t) => weight * look.isInside[t]!);
      if (costOfLandmarks(tried) + halfSquares(triedResidual, inside) >= cost) break;
      frame = tried;
    }
    // The system's landmarks are those of the pose that is kept.
    costOfLandmarks(frame);
    return frame;
  };
}

/** The albedo that keyframes agree on, and where they show any. */
function textureOf(
  problem: JointProblem,
  state: JointState,
): { readonly albedo: Float64Array; readonly isKnown: Float64Array } {
  const looks = problem.keyframes.map(() => new PhotometricFrame(problem.points, { withShared: false }));
  const levels = problem.keyframes.map(({ crop }) => photometricLevel(crop, BLUR_PX));
  const { weights, lit } = lookAt(problem, looks, levels, state, null, MIXING * BLUR_PX);
  const frames = looks.map(({ values }, i) => ({ values, weights: weights[i]!, normals: values }));
  const isKnown = new Float64Array(problem.points.pointCount);
  for (const row of weights) for (let t = 0; t < row.length; t++) if (row[t]! > 0) isKnown[t] = 1;
  return { albedo: meanAlbedo(frames, lit), isKnown };
}
