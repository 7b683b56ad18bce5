// The refinement of a clip against its pictures. After landmarks have placed the head in the keyframes, what
// the frames share (identity, focal length) is bettered by the colours that the keyframes show; then the
// texture of the keyframes is laid on every frame, which betters its pose.

import type { EventSink } from '../events/index.ts';
import type { ClipRefinement, SeenFrame } from './fit-clip.ts';
import { landmarkErrorOf } from './fit-portrait.ts';
import { FrameSystem } from './frame-system.ts';
import type { LandmarkModel } from './landmark-model.ts';
import { JOINT_STEPS, refineJointly } from './photometric-joint.ts';
import { createPhotometricPoints } from './photometric-points.ts';
import { createPoseRefiner, type PoseRefiner } from './photometric-pose.ts';
import { createPhotometricViewer } from './photometric-view.ts';

/** Refines clips of one head, whose frames carry crops of the face. */
export type PhotometricRefiner = {
  /** The refinement of one clip; it changes nothing where fewer than three keyframes have a crop. */
  refine(
    seen: readonly SeenFrame[],
    options: { readonly width: number; readonly height: number; readonly onEvent: EventSink },
  ): ClipRefinement;
};

const LEAST_KEYFRAMES = 3;

/** Prepares to refine clips. @param model the head's landmarks */
export function createPhotometricRefiner(model: LandmarkModel): PhotometricRefiner {
  const { model: points, surface, neighbours } = createPhotometricPoints(model.head);
  const viewer = createPhotometricViewer(model.head, surface);
  const system = new FrameSystem(model, { withShared: true });
  const small = new FrameSystem(model, { withShared: false });
  return {
    refine(seen, { width, height, onEvent }) {
      let refinePose: PoseRefiner | null = null;
      return {
        shared({ shared, sharedPrior, keyframes: all }) {
          const keyframes = all.flatMap((keyframe) => {
            const crop = seen[keyframe.index]?.crop;
            return crop === undefined ? [] : [{ ...keyframe, crop }];
          });
          if (keyframes.length < LEAST_KEYFRAMES) return shared;
          const size = { width, height };
          const problem = { model, points, neighbours, viewer, system, size, keyframes, sharedPrior };
          const start = { shared, frames: keyframes.map((keyframe) => keyframe.start) };
          const report = (done: number): void =>
            onEvent({ kind: 'progress', stage: 'refine', done, total: JOINT_STEPS, unit: 'steps' });
          report(0);
          let steps = 0;
          const refined = refineJointly(problem, start, () => report(++steps));
          report(JOINT_STEPS);
          refinePose = createPoseRefiner(problem, refined, small);
          return refined.shared;
        },
        frame(fitted, prior, index) {
          const crop = seen[index]?.crop;
          if (refinePose === null || crop === undefined) return fitted;
          const frame = refinePose({ frame: fitted.frame, seen: fitted.seen, prior, crop });
          return { frame, error: landmarkErrorOf(fitted.seen.landmarksPx, small.pixels) };
        },
      };
    },
  };
}
