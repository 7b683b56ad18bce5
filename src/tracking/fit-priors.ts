// What the fit believes before it sees a face: how far each unknown may go, and how readily it goes there.
// One view hardly constrains a head, so the priors decide what a coefficient means; they were set on
// renders with known parameters, not by the landmark error, which misleads (docs/tracking.md).

import type { HeadModel } from '../head/index.ts';
import { rotationOfTurn } from './apparent-turn.ts';
import type { FaceFeatures } from './face-features.ts';
import { FRAME_LAYOUT, type FrameState } from './head-state.ts';
import { HINGE_TARGETS, type Prediction } from './learned-prior.ts';

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
  /** The rotation believed in, 3 x 3; `precision` of `turn` says how firmly, about the world's axes. */
  readonly rotation?: Float64Array;
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
    // FLAME has no units but those of its lids, where the files brought them.
    if (!hasUnits && !head.eyelidExpressions.includes(k)) {
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

/**
 * Landmarks of a frame err together, so what is predicted counts for more than its usual error says: that is taken times
 * this. Brows move the landmarks little, which the form of other people's brows explains as well.
 */
const CAUTION = { brows: 0.2, units: 0.7, hinges: 1, turn: 0.15 };
const BROWS = /^brow/;

/** No prediction is surer than this, in units or radians. */
const LEAST_DEVIATION = 0.03;

/** The prior of a frame of which something is predicted: drawn to that, as far as it is usually right. */
export function predictedPrior(
  head: HeadModel,
  prior: FramePrior,
  prediction: Prediction,
  features: FaceFeatures,
): FramePrior {
  const precision = prior.precision.slice();
  const mean = prior.mean.slice();
  const draw = (at: number, value: number, deviation: number): void => {
    if (prior.isFixed[at]) return;
    mean[at] = Math.min(prior.upper[at]!, Math.max(prior.lower[at]!, value));
    precision[at] = 1 / Math.max(LEAST_DEVIATION, deviation) ** 2;
  };
  for (const [k, value] of prediction.expression.entries()) {
    const caution = BROWS.test(head.expressionNames[k]!) ? CAUTION.brows : CAUTION.units;
    draw(FRAME_LAYOUT.expression + k, value, caution * prediction.expressionDeviation[k]!);
  }
  const hinge = (place: number, target: (typeof HINGE_TARGETS)[number]): void => {
    const k = HINGE_TARGETS.indexOf(target);
    draw(FRAME_LAYOUT.hinges + place, prediction.hinges[k]!, CAUTION.hinges * prediction.hingesDeviation[k]!);
  };
  hinge(1, 'jawPitch');
  for (const eye of [2, 4]) {
    hinge(eye, 'gazeYaw');
    hinge(eye + 1, 'gazePitch');
  }
  const turned = predictedRotation(features, prediction);
  precision.set(turned.precision, FRAME_LAYOUT.turn);
  return { ...prior, precision, mean, rotation: turned.rotation };
}

/** The prior with a rotation to be drawn to: that of the features, put right. */
function predictedRotation(
  { yaw, pitch, roll, assumedRay }: FaceFeatures,
  { turn, turnDeviation }: Prediction,
): {
  readonly rotation: Float64Array;
  readonly precision: readonly [x: number, y: number];
} {
  const rotation = rotationOfTurn({ yaw: yaw + turn[0]!, pitch: pitch + turn[1]!, roll }, assumedRay);
  const firmly = (deviation: number): number => 1 / (CAUTION.turn * deviation) ** 2;
  return { rotation, precision: [firmly(turnDeviation[1]!), firmly(turnDeviation[0]!)] };
}

/** A frame at the means of a prior, in a pose. */
export function stateAtMean(pose: FrameState, prior: FramePrior): FrameState {
  const { hinges, expression } = FRAME_LAYOUT;
  return {
    ...pose,
    hinges: Float64Array.from(pose.hinges, (_, i) => prior.mean[hinges + i]!),
    expression: Float64Array.from(pose.expression, (_, k) => prior.mean[expression + k]!),
  };
}
