// A subject before its camera: framed as the avatar frames heads, with the jitter of the subject's traits.

import { CENTRE_BELOW_EYES_METRES, FRAME_METRES } from '../avatar/index.ts';
import type { Camera } from '../geometry/index.ts';
import { frontCamera } from '../geometry/index.ts';
import type { HeadParameters } from '../head/index.ts';
import type { Motion } from './motion.ts';
import type { SubjectTraits } from './traits.ts';

/** The head of a subject in a motion, before the subject's camera of `sizePx` squared. */
export function placeSubject(
  { identity, camera }: SubjectTraits,
  motion: Motion,
  sizePx: number,
  /** Moves the head beside its usual place, metres. */
  shiftMetres: readonly [number, number, number] = [0, 0, 0],
): { parameters: HeadParameters; camera: Camera } {
  const extent = FRAME_METRES * camera.frameScale;
  const depth = camera.focalRatio * extent;
  const translation = Float32Array.of(
    camera.offset[0] * extent + shiftMetres[0],
    CENTRE_BELOW_EYES_METRES - camera.offset[1] * extent + shiftMetres[1],
    -depth + shiftMetres[2],
  );
  return {
    parameters: { identity, ...motion, translation },
    camera: frontCamera(sizePx, sizePx, camera.focalRatio * sizePx),
  };
}
