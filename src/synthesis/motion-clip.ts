// How a head moves over a clip: wandering and turns of the head, fixations and saccades of the eyes,
// blinks, gestures that come and go, brows and smiles, speech by syllables. For heads with the 52 ARKit units by name.
// Rates as commonly measured: a blink every 2 to 4 s, about 0.25 s long; 3 saccades a second, each some
// 25 ms and 2.2 ms for every degree; 4 to 5 syllables a second.

import { type HeadModel, JOINT_NAMES } from '../head/index.ts';
import type { Random } from '../tensor/index.ts';
import { type Curve, randomTimes, smoothCurve, smoothStep } from './curves.ts';
import { faceEvents, type UnitCurve } from './face-events.ts';
import { GESTURES, type Motion, rotationVector } from './motion.ts';

/** How long a clip is, how fast its frames come, how far its head turns. */
export type MotionClipOptions = {
  readonly frames: number;
  readonly framesPerSecond?: number;
  /** Largest yaw to either side. */
  readonly yawDegrees?: number;
  readonly pitchDegrees?: number;
  /** Probability that the subject talks. */
  readonly speech?: number;
};

const RADIANS = Math.PI / 180;
const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));

/** A random motion, frame by frame; the same state of `random` gives the same clip. */
export function sampleMotionClip(
  random: Random,
  head: HeadModel,
  { frames, framesPerSecond = 25, yawDegrees = 30, pitchDegrees = 13, speech = 0.65 }: MotionClipOptions,
): Motion[] {
  const durationSeconds = frames / framesPerSecond;
  const yaw = headAngle(random, durationSeconds, yawDegrees);
  const pitch = headAngle(random, durationSeconds, pitchDegrees);
  const roll = headAngle(random, durationSeconds, 9);
  const gaze = wanderingGaze(random, durationSeconds);
  const lids = blinking(random, durationSeconds);
  const gestures = comingAndGoing(random, head, durationSeconds);
  const mouth = random.uniform() < speech ? talking(random, durationSeconds) : silent(random);
  const events = faceEvents(random, durationSeconds);

  return Array.from({ length: frames }, (_, frame) => {
    const seconds = frame / framesPerSecond;
    const expression = new Float32Array(head.expressionNames.length);
    const add = (name: string, value: number): void => {
      const unit = head.expressionNames.indexOf(name);
      if (unit >= 0) expression[unit] = clamp(expression[unit]! + value, 0, 1);
    };
    for (const { name, curve } of gestures) add(name, curve(seconds));
    for (const { name, curve } of [...mouth.lips, ...events]) {
      if (head.expressionNames.includes(name)) add(name, curve(seconds));
      else for (const side of ['Left', 'Right']) add(name + side, curve(seconds));
    }
    const [gazeYaw, gazePitch] = gaze(seconds);
    for (const side of ['Left', 'Right']) {
      add(`eyeLookDown${side}`, clamp(gazePitch / 20, 0, 1) * 0.8);
      add(`eyeLookUp${side}`, clamp(-gazePitch / 20, 0, 1) * 0.8);
    }
    for (const unit of head.eyelidExpressions) expression[unit] = lids(seconds);

    const jointRotations = new Float32Array(3 * JOINT_NAMES.length);
    jointRotations.set(
      rotationVector(RADIANS * yaw(seconds), RADIANS * pitch(seconds), RADIANS * roll(seconds)),
    );
    jointRotations[3 * JOINT_NAMES.indexOf('jaw')] = RADIANS * mouth.jawDegrees(seconds);
    const eye = rotationVector(RADIANS * gazeYaw, RADIANS * gazePitch, 0);
    for (const joint of ['leftEye', 'rightEye'] as const)
      jointRotations.set(eye, 3 * JOINT_NAMES.indexOf(joint));
    return { expression, jointRotations };
  });
}

/** Degrees, within `limit`: a place of rest, slow wandering about it, small quick nods. */
function headAngle(random: Random, durationSeconds: number, limit: number): Curve {
  const rest = limit * clamp(0.55 * random.normal(), -1, 1);
  const liveliness = random.uniform(0.1, 0.6);
  const slow = smoothCurve(random, {
    durationSeconds,
    knotSeconds: 0.35,
    value: () => limit * liveliness * random.normal(),
  });
  const nod = random.uniform(0, 0.8);
  const quick = smoothCurve(random, {
    durationSeconds,
    knotSeconds: 0.12,
    value: () => nod * random.normal(),
  });
  return (seconds) => clamp(rest + slow(seconds) + quick(seconds), -limit, limit);
}

/** Yaw and pitch, degrees: fixations with quick jumps between them. */
function wanderingGaze(
  random: Random,
  durationSeconds: number,
): (seconds: number) => readonly [yaw: number, pitch: number] {
  type Fixation = { readonly start: number; readonly end: number; readonly place: readonly [number, number] };
  const draw = (): readonly [number, number] => [
    clamp(7 * random.normal(), -25, 25),
    clamp(5 * random.normal(), -15, 18),
  ];
  let place = draw();
  const fixations: Fixation[] = [{ start: -10, end: -10, place }];
  const times = randomTimes(random, { durationSeconds, meanSeconds: 0.7, leastSeconds: 0.15 });
  for (const start of times) {
    // Most saccades are small; some go elsewhere.
    const next = draw();
    const share = random.uniform() < 0.4 ? 1 : 0.25;
    const to = [place[0] + share * (next[0] - place[0]), place[1] + share * (next[1] - place[1])] as const;
    const degrees = Math.hypot(to[0] - place[0], to[1] - place[1]);
    fixations.push({ start, end: start + 0.025 + 0.0022 * degrees, place: to });
    place = to;
  }
  return (seconds) => {
    let [yaw, pitch] = fixations[0]!.place;
    for (const { start, end, place } of fixations) {
      const share = smoothStep(start, end, seconds);
      yaw += share * (place[0] - yaw);
      pitch += share * (place[1] - pitch);
    }
    return [yaw, pitch];
  };
}

/** How far the lids are closed, 0 to 1: nearly open, now and then a blink. */
function blinking(random: Random, durationSeconds: number): Curve {
  const rest = random.uniform() < 0.15 ? random.uniform(0.1, 0.35) : 0.1 * random.uniform();
  const blinks = randomTimes(random, { durationSeconds, meanSeconds: 2.2, leastSeconds: 0.3 }).map(
    (start) => ({ start, depth: random.uniform(0.85, 1), slowness: random.uniform(0.8, 1.4) }),
  );
  return (seconds) => {
    let closed = rest;
    for (const { start, depth, slowness } of blinks) {
      const time = (seconds - start) / slowness;
      const share = smoothStep(0, 0.08, time) * (1 - smoothStep(0.1, 0.26, time));
      closed = Math.max(closed, rest + share * (depth - rest));
    }
    return closed;
  };
}

/** Up to two gestures that swell and fade. */
function comingAndGoing(random: Random, head: HeadModel, durationSeconds: number): UnitCurve[] {
  const count = random.choose([0, 1, 1, 2]);
  return Array.from({ length: count }, () => {
    const strength = random.uniform(0.3, 1);
    const swell = smoothCurve(random, {
      durationSeconds,
      knotSeconds: 0.4,
      value: () => (random.uniform() < 0.4 ? 0 : random.uniform(0.4, 1)),
    });
    return Object.entries(random.choose(GESTURES)).flatMap(([name, [low, high]]) => {
      const full = strength * random.uniform(low, high);
      const curveOf =
        (share: number): Curve =>
        (seconds) =>
          full * share * swell(seconds);
      if (head.expressionNames.includes(name)) return [{ name, curve: curveOf(1) }];
      return ['Left', 'Right'].map((side) => ({
        name: name + side,
        curve: curveOf(random.uniform(0.8, 1.1)),
      }));
    });
  }).flat();
}

type Mouth = { readonly jawDegrees: Curve; readonly lips: readonly UnitCurve[] };

function silent(random: Random): Mouth {
  const opening = random.uniform() < 0.15 ? 8 * random.uniform() : 0.6 * random.uniform();
  return { jawDegrees: () => opening, lips: [] };
}

/** Shapes of the lips in speech; units without a side stand for both. */
const VISEMES: readonly Readonly<Record<string, number>>[] = [
  {},
  { mouthPucker: 1, mouthFunnel: 0.15 },
  { mouthPucker: 0.7, mouthFunnel: 0.2 },
  { mouthFunnel: 0.5 },
  { mouthStretch: 0.4, mouthLowerDown: 0.35 },
  { mouthRollLower: 0.45, mouthRollUpper: 0.4, mouthPress: 0.3 },
  { mouthSmile: 0.25, mouthUpperUp: 0.25 },
  { mouthLowerDown: 0.4, mouthUpperUp: 0.2 },
];

/** The jaw opens with every syllable, the lips go from shape to shape; with pauses. */
function talking(random: Random, durationSeconds: number): Mouth {
  const opening = random.uniform(6, 16);
  const knotSeconds = random.uniform(0.095, 0.13);
  const voiced = smoothCurve(random, {
    durationSeconds,
    knotSeconds: 0.4,
    value: () => (random.uniform() < 0.25 ? 0 : 1),
  });
  const jaw = smoothCurve(random, {
    durationSeconds,
    knotSeconds,
    value: (knot) => (knot % 2 === 0 ? 0 : random.uniform(0.3, 1.5)),
  });
  const shapes: Readonly<Record<string, number>>[] = [];
  const names = [...new Set(VISEMES.flatMap((viseme) => Object.keys(viseme)))];
  // All units go through the same shapes at the same time.
  const phase = random.uniform();
  const lips = names.map((name) => {
    const curve = smoothCurve(random, {
      durationSeconds,
      knotSeconds: 1.3 * knotSeconds,
      phase,
      value: (knot) => {
        while (shapes.length <= knot) shapes.push(random.choose(VISEMES));
        return shapes[knot]![name] ?? 0;
      },
    });
    return { name, curve: (seconds: number) => voiced(seconds) * curve(seconds) };
  });
  return { jawDegrees: (seconds) => 0.3 + opening * voiced(seconds) * jaw(seconds), lips };
}
