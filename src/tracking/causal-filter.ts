// Takes the network's jitter off heads that are needed at once: each unknown follows the newest frame the
// more quickly, the faster it moves, so that a still head is steady and a moving one does not lag.
// Source: Casiez, Roussel and Vogel, "1 Euro Filter", CHI 2012; cutoffs by truth (docs/tracking.md).

import {
  axisAngleFromRotation,
  invertRotation,
  multiplyRotations,
  rotationFromAxisAngle,
} from '../geometry/index.ts';
import type { FrameState } from './head-state.ts';

/** Smooths frames one after another. */
export type CausalFilter = {
  /** The next frame, smoothed. @param seconds since the one before */
  next(frame: FrameState, seconds: number): FrameState;
  /** Forgets what was: the next frame stays as it is. */
  reset(): void;
};

/** What still things are smoothed to, and how much more is let through for each unit a second of speed. */
type Cutoff = { readonly stillHz: number; readonly hzPerSpeed: number };

/** Speeds in radians, metres, radians and units a second. */
const CUTOFFS = {
  rotation: { stillHz: 1.5, hzPerSpeed: 25 },
  translation: { stillHz: 1.5, hzPerSpeed: 100 },
  hinges: { stillHz: 4, hzPerSpeed: 20 },
  expression: { stillHz: 4, hzPerSpeed: 6 },
} as const satisfies Record<string, Cutoff>;
const SPEED_HZ = 3;

/** Makes a filter that has seen nothing. */
export function createCausalFilter(): CausalFilter {
  let last: FrameState | null = null;
  const follow = {
    rotation: createFollower(CUTOFFS.rotation, 'together'),
    translation: createFollower(CUTOFFS.translation, 'each'),
    hinges: createFollower(CUTOFFS.hinges, 'each'),
    expression: createFollower(CUTOFFS.expression, 'each'),
  };
  return {
    next(frame, seconds) {
      if (last === null) {
        last = frame;
        return frame;
      }
      const before = last;
      const near = (part: 'translation' | 'hinges' | 'expression'): Float64Array => {
        const ahead = frame[part].map((value, i) => value - before[part][i]!);
        const step = follow[part].next(ahead, seconds);
        return before[part].map((value, i) => value + step[i]!);
      };
      const turn = axisAngleFromRotation(multiplyRotations(frame.rotation, invertRotation(before.rotation)));
      const turned = rotationFromAxisAngle(follow.rotation.next(turn, seconds));
      last = {
        rotation: multiplyRotations(turned, before.rotation),
        translation: near('translation'),
        hinges: near('hinges'),
        expression: near('expression'),
      };
      return last;
    },
    reset() {
      last = null;
      for (const follower of Object.values(follow)) follower.reset();
    },
  };
}

type Follower = {
  /** The step to take towards what lies `ahead`. */
  next(ahead: Float64Array, seconds: number): Float64Array;
  reset(): void;
};

/** @param speeds `together` where the values are a vector: one speed for all, whichever way it points */
function createFollower({ stillHz, hzPerSpeed }: Cutoff, speeds: 'each' | 'together'): Follower {
  let speed: Float64Array | null = null;
  return {
    next(ahead, seconds) {
      speed ??= new Float64Array(ahead.length);
      const share = shareOf(SPEED_HZ, seconds);
      for (const [i, value] of ahead.entries()) speed[i]! += share * (value / seconds - speed[i]!);
      const length = Math.hypot(...speed);
      const shares = speed.map((v) =>
        shareOf(stillHz + hzPerSpeed * (speeds === 'each' ? Math.abs(v) : length), seconds),
      );
      return ahead.map((value, i) => shares[i]! * value);
    },
    reset() {
      speed = null;
    },
  };
}

/** How much of a step a first-order low-pass lets through. */
function shareOf(cutoffHz: number, seconds: number): number {
  return 1 / (1 + 1 / (2 * Math.PI * cutoffHz * seconds));
}
