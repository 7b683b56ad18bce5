// Motion for clips of a subject: sampled, or replayed from a head track of somebody else, whose expression,
// joints and travel it takes over.

import { frameCount, type HeadModel, type HeadTrack } from '../head/index.ts';
import type { Random } from '../tensor/index.ts';
import type { Motion } from './motion.ts';
import { sampleMotionClip } from './motion-clip.ts';

/** How a head is held in one picture, and how far it has travelled from its usual place, metres. */
export type Take = { readonly motion: Motion; readonly shiftMetres: readonly [number, number, number] };

const FRAMES_PER_SECOND = 25;
/** A head that travels further leaves the picture. */
const MOST_SHIFT_METRES = 0.04;

/** A track's motion at 25 frames a second from a random moment on; it begins again where the track ends. */
export function replayTrack(track: HeadTrack, random: Random, frames: number): Take[] {
  const tracked = Array.from({ length: frameCount(track) }, (_, i) => i).filter(
    (i) => track.confidence[i]! > 0,
  );
  if (tracked.length === 0) throw new RangeError('a track without a tracked frame');
  const times = track.timestampsSeconds;
  const [start, end] = [times[tracked[0]!]!, times[tracked.at(-1)!]!];
  const span = Math.max(0.04, end - start);
  const begin = random.uniform(0, Math.max(0, span - frames / FRAMES_PER_SECOND));
  const row = (values: Float32Array, frame: number): Float32Array => {
    const width = values.length / times.length;
    return values.slice(frame * width, (frame + 1) * width);
  };
  const middle = [0, 1, 2].map(
    (k) => tracked.reduce((sum, frame) => sum + track.translation[3 * frame + k]!, 0) / tracked.length,
  );
  return Array.from({ length: frames }, (_, i) => {
    const wanted = start + ((begin + i / FRAMES_PER_SECOND) % span);
    // The last tracked frame before the moment: what the tracker lost is held.
    let frame = tracked[0]!;
    for (const other of tracked) if (times[other]! <= wanted + 1e-6) frame = other;
    const shift = [0, 1, 2].map((k) =>
      Math.min(
        MOST_SHIFT_METRES,
        Math.max(-MOST_SHIFT_METRES, track.translation[3 * frame + k]! - middle[k]!),
      ),
    );
    return {
      motion: { expression: row(track.expression, frame), jointRotations: row(track.jointRotations, frame) },
      shiftMetres: [shift[0]!, shift[1]!, shift[2]!],
    };
  });
}

/** A random motion of a head that stays in its place. */
export function sampleTakes(
  random: Random,
  head: HeadModel,
  options: { readonly frames: number; readonly yawDegrees: number; readonly pitchDegrees: number },
): Take[] {
  return sampleMotionClip(random, head, options).map((motion) => ({ motion, shiftMetres: [0, 0, 0] }));
}
