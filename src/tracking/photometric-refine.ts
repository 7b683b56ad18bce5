// The refinement of a clip against its pictures: after landmarks have placed the head in the keyframes, what
// the frames share (identity, focal length) is bettered by the colours that the keyframes show.

import type { EventSink } from '../events/index.ts';
import type { FirstPass, SeenFrame } from './fit-clip.ts';
import { FrameSystem } from './frame-system.ts';
import type { SharedState } from './head-state.ts';
import type { LandmarkModel } from './landmark-model.ts';
import { JOINT_STEPS, refineJointly } from './photometric-joint.ts';
import { createPhotometricPoints } from './photometric-points.ts';
import { createPhotometricViewer } from './photometric-view.ts';

/** Refines clips of one head, whose frames carry crops of the face. */
export type PhotometricRefiner = {
  /** What frames of `seen` share, bettered; as it was where fewer than three keyframes have a crop. */
  refine(
    pass: FirstPass,
    seen: readonly SeenFrame[],
    options: { readonly width: number; readonly height: number; readonly onEvent: EventSink },
  ): SharedState;
};

const LEAST_KEYFRAMES = 3;

/** Prepares to refine clips. @param model the head's landmarks */
export function createPhotometricRefiner(model: LandmarkModel): PhotometricRefiner {
  const { model: points, surface, neighbours } = createPhotometricPoints(model.head);
  const viewer = createPhotometricViewer(model.head, surface);
  const system = new FrameSystem(model, { withShared: true });
  return {
    refine({ shared, sharedPrior, keyframes }, seen, { width, height, onEvent }) {
      const cropped = keyframes.flatMap((keyframe) => {
        const crop = seen[keyframe.index]?.crop;
        return crop === undefined ? [] : [{ ...keyframe, crop }];
      });
      if (cropped.length < LEAST_KEYFRAMES) return shared;
      const size = { width, height };
      const problem = { model, points, neighbours, viewer, system, size, keyframes: cropped, sharedPrior };
      const start = { shared, frames: cropped.map((keyframe) => keyframe.start) };
      const report = (done: number): void =>
        onEvent({ kind: 'progress', stage: 'refine', done, total: JOINT_STEPS, unit: 'steps' });
      report(0);
      let steps = 0;
      const refined = refineJointly(problem, start, () => report(++steps));
      report(JOINT_STEPS);
      return refined.shared;
    },
  };
}
