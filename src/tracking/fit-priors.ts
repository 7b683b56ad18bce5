// What the fit believes before it sees a face: how far each unknown may go, and how readily it goes there.
// One view hardly constrains a head, so the priors decide what a coefficient means; they were set on
// renders with known parameters, not by the landmark error, which misleads (docs/tracking.md).

import type { HeadModel } from '../head/index.ts';
import { FRAME_LAYOUT, type FrameState } from './head-state.ts';

/** Bounds, means and precisions of a frame's unknowns; `P` values each. */
export type FramePrior = {
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  /** What an unknown is drawn to. */
  readonly mean: Float64Array;
  /** 1 / variance; 0 where nothing draws. */
  readonly precision: Float64Array;
  /** Unknowns that stay where they are. */
  readonly isFixed: Uint8Array;
  /** 1 / variance of the difference between the two eyes' yaw, and pitch, radians. */
  readonly gazeAgreement: readonly [yaw: number, pitch: number];
};

/** Standard deviations of the ARKit units that are readily used; all others take `REST`. */
const UNIT_DEVIATIONS: readonly (readonly [pattern: RegExp, deviation: number])[] = [
  [/^eyeBlink/, 0.8],
  [/^eyeSquint|^eyeWide/, 0.35],
  [/^eyeLook/, 0.35],
  [/^mouthSmile/, 0.5],
  [/^mouthPucker|^mouthFunnel/, 0.5],
  [/^mouthClose/, 0.2],
  [/^mouth(Left|Right)/, 0.3],
  [/^mouth(Press|Dimple|Stretch)/, 0.2],
  [/^brow/, 0.5],
  [/^cheek|^noseSneer/, 0.2],
  [/^jaw(Forward|Left|Right)/, 0.2],
];
const REST = 0.3;
/** `jawOpen` is what the jaw's joint does; the others show nothing in the landmarks. */
const UNUSED_UNITS = /^(jawOpen|tongueOut|eyeLookIn|eyeLookOut)/;

const JAW_PITCH = { lower: 0, upper: 0.5, deviation: 0.2 };
const GAZE_LIMIT = 0.75;
const GAZE_DEVIATION = 0.35;
/** Eyes cross, but do not part upwards. */
const GAZE_AGREEMENT_DEVIATION = { yaw: 0.12, pitch: 0.05 };

/** The prior of a frame of this head that knows of no other frame. */
export function createFramePrior(head: HeadModel): FramePrior {
  const count = FRAME_LAYOUT.expression + head.expressionNames.length;
  const prior = {
    lower: new Float64Array(count).fill(-Infinity),
    upper: new Float64Array(count).fill(Infinity),
    mean: new Float64Array(count),
    precision: new Float64Array(count),
    isFixed: new Uint8Array(count),
    gazeAgreement: [1 / GAZE_AGREEMENT_DEVIATION.yaw ** 2, 1 / GAZE_AGREEMENT_DEVIATION.pitch ** 2] as const,
  };
  const set = (at: number, lower: number, upper: number, deviation: number): void => {
    prior.lower[at] = lower;
    prior.upper[at] = upper;
    prior.precision[at] = 1 / deviation ** 2;
  };
  const hinge = FRAME_LAYOUT.hinges;
  prior.isFixed[hinge] = 1;
  set(hinge + 1, JAW_PITCH.lower, JAW_PITCH.upper, JAW_PITCH.deviation);
  for (let at = hinge + 2; at < hinge + 6; at++) set(at, -GAZE_LIMIT, GAZE_LIMIT, GAZE_DEVIATION);
  const hasUnits = head.expressionNames.includes('jawOpen');
  for (const [k, name] of head.expressionNames.entries()) {
    const at = FRAME_LAYOUT.expression + k;
    if (!hasUnits) {
      set(at, -3, 3, 1);
      continue;
    }
    const deviation = UNIT_DEVIATIONS.find(([pattern]) => pattern.test(name))?.[1] ?? REST;
    set(at, 0, 1, deviation);
    if (UNUSED_UNITS.test(name)) prior.isFixed[at] = 1;
  }
  return prior;
}

/** How far an expression unit or hinge usually moves from one frame to the next. */
const STEP_DEVIATION = 0.25;
/** What moves so fast that the frame before says nothing. */
const FAST_UNITS = /^eyeBlink/;

/** The prior of a frame that follows another: drawn a little to where that was. */
export function followingPrior(prior: FramePrior, head: HeadModel, before: FrameState): FramePrior {
  const precision = prior.precision.slice();
  const mean = prior.mean.slice();
  const follow = 1 / STEP_DEVIATION ** 2;
  for (const [k, name] of head.expressionNames.entries()) {
    if (FAST_UNITS.test(name)) continue;
    const at = FRAME_LAYOUT.expression + k;
    precision[at] = prior.precision[at]! + follow;
    mean[at] = (prior.precision[at]! * prior.mean[at]! + follow * before.expression[k]!) / precision[at]!;
  }
  return { ...prior, precision, mean };
}
