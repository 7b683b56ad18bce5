// What the learned prior sees of a face: where the landmarks lie beside those of the mean head at rest in the
// same pose, and the eyes as pictures. The pose is fitted to the points that expressions move least.

import { apparentTurn, faceRay } from './apparent-turn.ts';
import { findFirstPose } from './first-pose.ts';
import { fitFrame } from './fit-frame.ts';
import type { FramePrior } from './fit-priors.ts';
import { createFramePrior } from './fit-priors.ts';
import { FrameSystem } from './frame-system.ts';
import type { FrameState } from './head-state.ts';
import type { LandmarkModel } from './landmark-model.ts';
import { type ImageCentre, type ShapedLandmarks, shapeLandmarks } from './landmark-projection.ts';
import { assumedFocalPx, focalAtDistance, observeLandmarks } from './observe.ts';

/** A face beside the mean head. */
export type FaceFeatures = {
  /** The mean head's pose, at rest, before a camera of `focalPx`. */
  readonly pose: FrameState;
  readonly focalPx: number;
  /** That pose as the picture shows it (`apparentTurn`), radians. */
  readonly yaw: number;
  readonly pitch: number;
  readonly roll: number;
  /** The ray of the focal length that the fit assumes: a small face may be far away. */
  readonly assumedRay: Float64Array;
  /** `478 2`: seen minus mean head, in sizes of the face, turned upright. */
  readonly residual: Float32Array;
};

/** Makes features; holds the memory of its fits. */
export type FaceFeaturesMaker = {
  /** @param near the pose of the frame before, where there is one */
  describe(landmarksPx: Float32Array, centre: ImageCentre, near?: FrameState | null): FaceFeatures;
};

const FIRST = { iterations: 12, tolerance: 1e-4 };
/** All faces are described as if they were this far away, whatever the camera: only so are they alike. */
const DISTANCE_METRES = 1;
/** Points count half where units move them this far, metres (root of the mean square). */
const HALF_TRUST_MOTION = 0.0006;

/** Prepares a head's features. */
export function createFaceFeatures(model: LandmarkModel): FaceFeaturesMaker {
  const steady: LandmarkModel = { ...model, weights: steadyWeights(model) };
  const system = new FrameSystem(steady, { withShared: false });
  const prior: FramePrior = createFramePrior(model.head);
  const shaped: ShapedLandmarks = shapeLandmarks(model, new Float64Array(model.identityCount));
  return {
    describe(landmarksPx, centre, near = null) {
      const focalPx = focalAtDistance(landmarksPx, DISTANCE_METRES);
      const frontal = observeLandmarks(steady, landmarksPx, centre, null);
      const start = near ?? findFirstPose(steady, system, frontal, shaped, focalPx, prior);
      const seen = observeLandmarks(steady, landmarksPx, centre, start.rotation);
      const { frame } = fitFrame(system, seen, start, shaped, focalPx, prior, FIRST, 'pose');
      const ray = faceRay(landmarksPx, centre, focalPx);
      const { yaw, pitch, roll } = apparentTurn(frame.rotation, ray);
      const [cosine, sine] = [Math.cos(roll), Math.sin(roll)];
      const residual = new Float32Array(2 * model.pointCount);
      for (let l = 0; l < model.pointCount; l++) {
        const x = (landmarksPx[2 * l]! - system.pixels[2 * l]!) / seen.scalePx;
        const y = (landmarksPx[2 * l + 1]! - system.pixels[2 * l + 1]!) / seen.scalePx;
        residual[2 * l] = cosine * x - sine * y;
        residual[2 * l + 1] = sine * x + cosine * y;
      }
      const size = { width: 2 * centre.xPx, height: 2 * centre.yPx };
      const assumedRay = faceRay(landmarksPx, centre, assumedFocalPx(size, landmarksPx));
      return { pose: frame, focalPx, yaw, pitch, roll, assumedRay, residual };
    },
  };
}

/** A head's weights, lowered where the face moves: what is left is skull. */
function steadyWeights(model: LandmarkModel): Float64Array {
  return model.weights.map((weight, l) => {
    let squares = 0;
    for (const row of model.expression) {
      for (let k = 0; k < 3; k++) squares += row[3 * l + k]! ** 2;
    }
    const motion = Math.sqrt(squares / Math.max(1, model.expressionCount));
    // What a hinge moves goes with the jaw or the eyes.
    const hinged = model.hingeWeights.reduce((sum, weights) => sum + weights[l]!, 0);
    return (weight * Math.max(0.02, 1 - hinged)) / (1 + (motion / HALF_TRUST_MOTION) ** 2);
  });
}
