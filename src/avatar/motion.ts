// Whose head makes which motion: shape from the portrait; expression, joints and displacement from the driver,
// as they are (absolute) or as what they change from the driver's rest (relative).
//
// Relative is the default. Where the driver rests, the portrait is as in its picture, so the picture is carried
// least far; and what the fits of both have wrong all the time (a resting frown of the driver's shape, a smile that
// is seen too small) cancels. Absolute says "this pose, this expression", whatever the portrait's own.

import {
  axisAngleFromRotation,
  invertRotation,
  multiplyRotations,
  rotationFromAxisAngle,
} from '../geometry/index.ts';
import type { HeadModel, HeadParameters, HeadTrack } from '../head/index.ts';
import { createLidClosure, frameCount, JOINT_NAMES, parametersAt } from '../head/index.ts';
import { type DriverRest, driverRest, hasUnits } from './driver-rest.ts';
import { createRetargeting } from './retargeting.ts';

/** How a driver's motion becomes the portrait's. */
export type MotionOptions = {
  /**
   * `relative`: the driver's change from its rest is added to the portrait's own expression and pose; `absolute`:
   * the driver's expression and pose are taken as they are. Default: relative, or absolute for a driver of one
   * frame, which has no change. The place in the picture is always relative.
   */
  readonly motion?: 'relative' | 'absolute';
  /** `expression` leaves the head where the portrait has it, `pose` leaves its face as it is. Default `both`. */
  readonly drives?: 'both' | 'expression' | 'pose';
  /** What the driver's motion is measured from; by default what the track itself says (`driverRest`). */
  readonly rest?: HeadParameters;
  /** Factor on the driver's change from its rest, 0 (none) to 3; default 1. */
  readonly intensity?: number;
  /** Open and close the eyes by the share of their own range that the driver's are open, each for itself. */
  readonly retargetEyes?: boolean;
  /** Open the lips as far as the driver's, measured by the width of the mouth; closed lips close. */
  readonly retargetLips?: boolean;
};

/** The portrait's head in a frame of its driver. */
export type MotionTransfer = (frame: number) => HeadParameters;

const JAW = JOINT_NAMES.indexOf('jaw');
/** As far as the embedded head's jaw opens, radians; a FLAME jaw goes no further either. */
const JAW_LIMIT = 0.5;
/** As far as eyes turn, radians. */
const GAZE_LIMIT = 0.75;

/**
 * Prepares a driver's motion for a portrait.
 * @throws BadInputError `no-eyelids`, `no-landmarks` if the head lacks what retargeting needs.
 */
export function createMotionTransfer(
  head: HeadModel,
  portrait: HeadParameters,
  track: HeadTrack,
  options: MotionOptions = {},
): MotionTransfer {
  const { drives = 'both', intensity = 1 } = options;
  const isStill = options.rest === undefined && frameCount(track) === 1;
  const { motion = isStill ? 'absolute' : 'relative', rest = driverRest(head, track) } = options;
  const transfer: Transfer = {
    rest,
    // Where the driver's rest is laid.
    base: motion === 'relative' ? portrait : { ...rest, identity: portrait.identity },
    intensity,
    isBounded: hasUnits(head),
  };
  const retarget = createRetargeting(head, portrait, track, options);
  const stopLids = lidStop(head, portrait);
  const stopLips = lipStop(head);
  return (frame) => {
    const driver = parametersAt(track, frame);
    const moved = movedBy(transfer, driver, portrait);
    const face = drives === 'pose' ? portrait : stopLids(retarget(stopLips(moved), frame));
    const pose = drives === 'expression' ? portrait : moved;
    const jointRotations = Float32Array.from(face.jointRotations);
    jointRotations.set(pose.jointRotations.subarray(0, 3 * JAW));
    return {
      identity: portrait.identity,
      expression: face.expression,
      jointRotations,
      translation: pose.translation,
    };
  };
}

/** Lets lids close until they meet, or as far as the portrait's own are closed. */
function lidStop(head: HeadModel, portrait: HeadParameters): (parameters: HeadParameters) => HeadParameters {
  const closure = createLidClosure(head, portrait.identity);
  if (closure === null) return (parameters) => parameters;
  return (parameters) => {
    const expression = parameters.expression.slice();
    for (const [side, meeting] of closure(parameters.expression).entries()) {
      const unit = head.eyelidExpressions[side]!;
      expression[unit] = Math.min(expression[unit]!, Math.max(meeting, portrait.expression[unit]!));
    }
    return { ...parameters, expression };
  };
}

/** Two shapes of rounded lips, each of which takes them as far as they go. */
const ROUNDED_LIPS = ['mouthPucker', 'mouthFunnel'];

/** Lets lips be rounded once: a driver's pucker and funnel add up to no more than one of them whole. */
function lipStop(head: HeadModel): (parameters: HeadParameters) => HeadParameters {
  const units = ROUNDED_LIPS.map((name) => head.expressionNames.indexOf(name));
  if (units.includes(-1)) return (parameters) => parameters;
  return (parameters) => {
    const rounding = units.reduce((sum, unit) => sum + parameters.expression[unit]!, 0);
    if (rounding <= 1) return parameters;
    const expression = parameters.expression.slice();
    for (const unit of units) expression[unit]! /= rounding;
    return { ...parameters, expression };
  };
}

type Transfer = {
  readonly rest: DriverRest;
  readonly base: HeadParameters;
  readonly intensity: number;
  /** Whether expressions run from 0 to 1. */
  readonly isBounded: boolean;
};

function movedBy(
  { rest, base, intensity, isBounded }: Transfer,
  driver: HeadParameters,
  portrait: HeadParameters,
): HeadParameters {
  const added = (own: number, value: number, from: number): number => own + intensity * (value - from);
  const bounded = (own: number, value: number, from: number, limit: number): number =>
    withinRange(own, intensity * (value - from), from, limit);
  const jointRotations = Float32Array.from(base.jointRotations, (own, k) => {
    const [value, from] = [driver.jointRotations[k]!, rest.jointRotations[k]!];
    if (k === 3 * JAW) return bounded(own, value, from, JAW_LIMIT);
    return Math.min(GAZE_LIMIT, Math.max(-GAZE_LIMIT, added(own, value, from)));
  });
  for (let joint = 0; joint < JAW; joint++) {
    const of = ({ jointRotations: all }: HeadParameters): Float32Array =>
      all.subarray(3 * joint, 3 * joint + 3);
    jointRotations.set(turned(of(base), of(driver), of(rest), intensity), 3 * joint);
  }
  return {
    identity: portrait.identity,
    expression: base.expression.map((own, k) => {
      const [value, from] = [driver.expression[k]!, rest.expression[k]!];
      return isBounded ? bounded(own, value, from, 1) : added(own, value, from);
    }),
    jointRotations,
    translation: portrait.translation.map((own, axis) =>
      added(own, driver.translation[axis]!, rest.translation[axis]!),
    ),
  };
}

/**
 * A change of something that runs from 0 to `limit`. What is left above the portrait's own takes the place of what
 * is left above the driver's rest, so that a full blink is a full blink on narrow eyes too.
 */
function withinRange(own: number, change: number, from: number, limit: number): number {
  const room = change > 0 && from < limit ? Math.max(0, limit - own) / (limit - from) : 1;
  return Math.min(Math.max(limit, own), Math.max(0, own + room * change));
}

/** `own` turned, in the world's axes, as the driver is from its rest; axis-angle. */
function turned(
  own: Float32Array,
  driver: Float32Array,
  rest: Float32Array,
  intensity: number,
): Float64Array {
  const change = axisAngleFromRotation(
    multiplyRotations(rotationFromAxisAngle(driver), invertRotation(rotationFromAxisAngle(rest))),
  );
  const scaled = rotationFromAxisAngle(change.map((value) => intensity * value));
  return axisAngleFromRotation(multiplyRotations(scaled, rotationFromAxisAngle(own)));
}
