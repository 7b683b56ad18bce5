// Eyes and lips by what they look like rather than by their coefficients: how far they are open on the driver's
// head says how far they shall be open on the portrait's. Faces differ: the same coefficient closes round eyes
// and leaves narrow ones ajar, or parts full lips and not thin ones.

import { BadInputError } from '../errors/index.ts';
import {
  createHeadPoser,
  frameCount,
  type HeadModel,
  type HeadParameters,
  type HeadPoser,
  type HeadTrack,
  JOINT_NAMES,
  neutralParameters,
  parametersAt,
} from '../head/index.ts';
import { quantile } from './driver-rest.ts';
import type { MotionOptions } from './motion.ts';

/** Sets eyes and lips of the head in a frame of the driver. */
export type Retargeting = (parameters: HeadParameters, frame: number) => HeadParameters;

/** Points of the face mesh: upper and lower lid of the left and of the right eye, inner lips, corners of the mouth. */
const LIDS = [
  [386, 374],
  [159, 145],
] as const;
const INNER_LIPS = [13, 14] as const;
const MOUTH_CORNERS = [78, 308] as const;
const JAW_HINGE = 3 * JOINT_NAMES.indexOf('jaw');

/** How far open eyes are: all but the widest tenth of a clip. */
const OPEN_SHARE = 0.9;
/** Eyes may be opened this much further than they usually are. */
const WIDEST = 1.3;
/** Eyes of a portrait that are open less than this share of a resting head's are taken for closed. */
const CLOSED_SHARE = 0.4;
const JAW_LIMIT = 0.5;
const SOLVER_STEPS = 4;

/**
 * Prepares retargeting by the options; without any it changes nothing.
 * @throws BadInputError `no-eyelids`, `no-landmarks`.
 */
export function createRetargeting(
  head: HeadModel,
  portrait: HeadParameters,
  track: HeadTrack,
  { retargetEyes = false, retargetLips = false }: MotionOptions,
): Retargeting {
  if (!retargetEyes && !retargetLips) return (parameters) => parameters;
  const gauge = createGauge(head);
  const eyes = retargetEyes ? eyeRetargeting(gauge, portrait, track) : null;
  const lips = retargetLips ? lipRetargeting(gauge, portrait, track) : null;
  return (parameters, frame) => {
    const looking = eyes === null ? parameters : eyes(parameters, frame);
    return lips === null ? looking : lips(looking, frame);
  };
}

/** Measures openings on posed heads. */
type Gauge = {
  readonly head: HeadModel;
  /** Height of the first point over the second, metres, with the head upright. */
  gap(parameters: HeadParameters, pair: readonly [number, number]): number;
  /** Distance of two points, metres. */
  distance(parameters: HeadParameters, pair: readonly [number, number]): number;
};

function createGauge(head: HeadModel): Gauge {
  const { landmarks } = head;
  if (landmarks === null) {
    throw new BadInputError({
      code: 'no-landmarks',
      message: `Retargeting expects a head that knows its lids and lips, but ${head.name} has no landmarks.`,
      hint: 'Leave --retarget-eyes and --retarget-lips out, or use another head.',
    });
  }
  const poser: HeadPoser = createHeadPoser(head);
  const vertices = new Float32Array(head.template.length);
  const pointOf = (index: number): number[] => {
    const triangle = 3 * landmarks.triangles[index]!;
    return [0, 1, 2].map((axis) =>
      [0, 1, 2].reduce((sum, corner) => {
        const vertex = head.triangles[triangle + corner]!;
        return sum + landmarks.barycentrics[3 * index + corner]! * vertices[3 * vertex + axis]!;
      }, 0),
    );
  };
  const difference = (parameters: HeadParameters, [a, b]: readonly [number, number]): number[] => {
    const jointRotations = Float32Array.from(parameters.jointRotations);
    jointRotations.fill(0, 0, JAW_HINGE);
    poser.pose({ ...parameters, jointRotations }, vertices);
    const [first, second] = [pointOf(a), pointOf(b)];
    return first.map((value, axis) => value - second[axis]!);
  };
  return {
    head,
    gap: (parameters, pair) => difference(parameters, pair)[1]!,
    distance: (parameters, pair) => Math.hypot(...difference(parameters, pair)),
  };
}

/** Opening of an eye without its blink, and what a full blink takes from it; metres. Both are linear in expressions. */
function eyeRetargeting(gauge: Gauge, portrait: HeadParameters, track: HeadTrack): Retargeting {
  const { head } = gauge;
  if (head.eyelidExpressions.length !== 2) {
    throw new BadInputError({
      code: 'no-eyelids',
      message: `--retarget-eyes expects a head whose lids close by an expression of their own, but ${head.name} has none.`,
      hint: 'Leave --retarget-eyes out, or use another head.',
    });
  }
  const sides = head.eyelidExpressions.map((unit, side) => {
    const pair = LIDS[side]!;
    const openingOf = (parameters: HeadParameters): number => gauge.gap(parameters, pair);
    const withBlink = (parameters: HeadParameters, blink: number): HeadParameters => ({
      ...parameters,
      expression: parameters.expression.with(unit, blink),
    });
    const atRest = (identity: Float32Array): HeadParameters => ({ ...neutralParameters(head), identity });
    // A full blink carries lids beyond each other, which is no more than closed.
    const closedOf = (identity: Float32Array): number =>
      Math.max(0, openingOf(withBlink(atRest(identity), 1)));
    const [driverClosed, closed] = [closedOf(track.identity), closedOf(portrait.identity)];
    const openings = framesOf(track).map((parameters) => Math.max(0, openingOf(parameters) - driverClosed));
    const open = Math.max(quantile(openings, OPEN_SHARE), 1e-4);
    const ownRest = openingOf(atRest(portrait.identity)) - closed;
    const own = openingOf(portrait) - closed;
    const ownOpen = own > CLOSED_SHARE * ownRest ? own : ownRest;
    return (parameters: HeadParameters, frame: number): number => {
      const wanted = closed + ownOpen * Math.min(WIDEST, Math.max(0, openings[frame]! / open));
      const unblinking = openingOf(withBlink(parameters, 0));
      const blinking = openingOf(withBlink(parameters, 1));
      return Math.min(1, Math.max(0, (unblinking - wanted) / Math.max(1e-5, unblinking - blinking)));
    };
  });
  return (parameters, frame) => {
    const expression = parameters.expression.slice();
    for (const [side, blinkAt] of sides.entries())
      expression[head.eyelidExpressions[side]!] = blinkAt(parameters, frame);
    return { ...parameters, expression };
  };
}

function lipRetargeting(gauge: Gauge, portrait: HeadParameters, track: HeadTrack): Retargeting {
  const { head } = gauge;
  const atRest = (identity: Float32Array): HeadParameters => ({ ...neutralParameters(head), identity });
  /** How far the lips are parted beyond a resting head's, in widths of the mouth. */
  const partingOf = (identity: Float32Array): ((parameters: HeadParameters) => number) => {
    const rest = atRest(identity);
    const [closed, width] = [gauge.gap(rest, INNER_LIPS), gauge.distance(rest, MOUTH_CORNERS)];
    return (parameters) => (gauge.gap(parameters, INNER_LIPS) - closed) / width;
  };
  const ofDriver = partingOf(track.identity);
  const wanted = framesOf(track).map((parameters) => Math.max(0, ofDriver(parameters)));
  const ofPortrait = partingOf(portrait.identity);
  const mouth = head.expressionNames.map((name) => /^(mouth|jaw)/.test(name));
  /** 0 to 1 opens the jaw; below 0 the jaw is shut and what else parts the lips fades. */
  const opened = (parameters: HeadParameters, opening: number): HeadParameters => ({
    ...parameters,
    jointRotations: parameters.jointRotations.with(JAW_HINGE, JAW_LIMIT * Math.max(0, opening)),
    expression:
      opening >= 0
        ? parameters.expression
        : parameters.expression.map((value, k) => (mouth[k] ? value * (1 + opening) : value)),
  });
  return (parameters, frame) => {
    const target = wanted[frame]!;
    const excess = (opening: number): number => ofPortrait(opened(parameters, opening)) - target;
    const shut = excess(0);
    // Whatever opens further than the limit, or parts closed lips, stays at its end.
    const opening = shut > 0 ? rootBetween(excess, [-1, 0], shut) : rootBetween(excess, [0, 1], shut);
    return opened(parameters, opening);
  };
}

/** Where a rising function is zero, by false position with halving (Illinois); the nearer end if nowhere. */
function rootBetween(
  rising: (x: number) => number,
  [low, high]: readonly [number, number],
  known: number,
): number {
  let [a, b] = [low, high];
  let [atA, atB] = known > 0 ? [rising(a), known] : [known, rising(b)];
  if (atA >= 0) return low;
  if (atB <= 0) return high;
  for (let step = 0; step < SOLVER_STEPS; step++) {
    const x = (a * atB - b * atA) / (atB - atA);
    const value = rising(x);
    if (value > 0) {
      [b, atB] = [x, value];
      atA /= 2;
    } else {
      [a, atA] = [x, value];
      atB /= 2;
    }
  }
  return (a * atB - b * atA) / (atB - atA);
}

function framesOf(track: HeadTrack): HeadParameters[] {
  return Array.from({ length: frameCount(track) }, (_, t) => parametersAt(track, t));
}
