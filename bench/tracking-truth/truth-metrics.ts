// How far tracked heads are from the truth: angles, units, blinks as events, slopes, shape.

import {
  rotationAngle,
  rotationFromAxisAngle,
  solvePositive,
  vertexNormals,
} from '../../src/geometry/index.ts';
import {
  createHeadPoser,
  type HeadModel,
  JOINT_NAMES,
  neutralParameters,
  verticesOfParts,
} from '../../src/head/index.ts';

const DEGREES = 180 / Math.PI;

/** One frame: what is true and what was found; `J 3` joint rotations and `E` units each. */
export type ComparedFrame = {
  readonly trueJoints: Float32Array;
  readonly trueUnits: Float32Array;
  readonly foundJoints: Float32Array;
  readonly foundUnits: Float32Array;
  /** Which clip the frame is of. */
  readonly clip: number;
};

/** The median of numbers; NaN of none. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

const mean = (values: readonly number[]): number => values.reduce((sum, v) => sum + v, 0) / values.length;

/** Angle between two rotations given as axis-angle, degrees. */
export function angleBetween(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return DEGREES * rotationAngle(rotationFromAxisAngle(a), rotationFromAxisAngle(b));
}

const joint = (joints: Float32Array, name: (typeof JOINT_NAMES)[number]): Float32Array => {
  const at = 3 * JOINT_NAMES.indexOf(name);
  return joints.subarray(at, at + 3);
};

/** Angle between the directions of an eye, degrees. */
function gazeError(a: Float32Array, b: Float32Array): number {
  const [ra, rb] = [rotationFromAxisAngle(a), rotationFromAxisAngle(b)];
  const dot = ra[2]! * rb[2]! + ra[5]! * rb[5]! + ra[8]! * rb[8]!;
  return DEGREES * Math.acos(Math.min(1, Math.max(-1, dot)));
}

/** Medians and means over frames, and how amplitudes compare. */
export type FrameComparison = {
  readonly rotationDegrees: number;
  /** With lids open, both eyes' mean. */
  readonly gazeDegrees: number;
  readonly jawDegrees: number;
  /** Where the jaw is open. */
  readonly jawOpenDegrees: number;
  /** Mean absolute error over units and frames; then only where the true unit exceeds 0.1. */
  readonly unitsError: number;
  readonly movingUnitsError: number;
  readonly worstUnits: readonly (readonly [name: string, error: number])[];
  readonly slopes: Readonly<Record<string, Slope>>;
  /** The same for what departs from each clip's own mean: a person's motion, apart from how people differ. */
  readonly slopesWithinClips: Readonly<Record<string, Slope>>;
};

/** Compares found heads with true ones. */
export function compareFrames(head: HeadModel, frames: readonly ComparedFrame[]): FrameComparison {
  const names = head.expressionNames;
  const unit = (units: Float32Array, pattern: RegExp): number =>
    mean(names.flatMap((name, i) => (pattern.test(name) ? [units[i]!] : [])));
  const isOpen = ({ trueUnits }: ComparedFrame): boolean => unit(trueUnits, /^eyeBlink/) < 0.5;
  const gaze = (frame: ComparedFrame): number =>
    mean(
      (['leftEye', 'rightEye'] as const).map((eye) =>
        gazeError(joint(frame.trueJoints, eye), joint(frame.foundJoints, eye)),
      ),
    );
  const open = frames.filter(isOpen);
  const jawError = ({ trueJoints, foundJoints }: ComparedFrame): number =>
    DEGREES * Math.abs(joint(trueJoints, 'jaw')[0]! - joint(foundJoints, 'jaw')[0]!);
  // The tongue and the unit that the jaw's joint stands for are in no truth; eyeLookIn and Out are the eyes' own.
  const judged = names.flatMap((name, i) =>
    /^(jawOpen|tongueOut|eyeLookIn|eyeLookOut)/.test(name) ? [] : [i],
  );
  const unitErrors = judged.map((i) => mean(frames.map((f) => Math.abs(f.trueUnits[i]! - f.foundUnits[i]!))));
  const moving = frames.flatMap((f) =>
    judged.flatMap((i) => (f.trueUnits[i]! > 0.1 ? [Math.abs(f.trueUnits[i]! - f.foundUnits[i]!)] : [])),
  );
  const within: Record<string, Slope> = {};
  const pick = (
    name: string,
    of: (joints: Float32Array, units: Float32Array) => number,
    some = frames,
  ): Slope => {
    const truth = some.map((f) => of(f.trueJoints, f.trueUnits));
    const found = some.map((f) => of(f.foundJoints, f.foundUnits));
    const clips = some.map(({ clip }) => clip);
    within[name] = slopeOf(withoutMeans(truth, clips), withoutMeans(found, clips));
    return slopeOf(truth, found);
  };
  const units = (name: string, pattern: RegExp): Slope => pick(name, (_, all) => unit(all, pattern));
  const turned =
    (row: number) =>
    (joints: Float32Array): number => {
      const r = rotationFromAxisAngle(joint(joints, 'root'));
      return row === 0 ? Math.atan2(r[2]!, r[8]!) : Math.asin(-r[5]!);
    };
  const eye =
    (axis: number) =>
    (joints: Float32Array): number =>
      (joint(joints, 'leftEye')[axis]! + joint(joints, 'rightEye')[axis]!) / 2;
  return {
    rotationDegrees: median(
      frames.map((f) => angleBetween(joint(f.trueJoints, 'root'), joint(f.foundJoints, 'root'))),
    ),
    gazeDegrees: median(open.map(gaze)),
    jawDegrees: median(frames.map(jawError)),
    jawOpenDegrees: median(frames.filter((f) => joint(f.trueJoints, 'jaw')[0]! > 0.06).map(jawError)),
    unitsError: mean(unitErrors),
    movingUnitsError: mean(moving),
    worstUnits: judged
      .map((i, k) => [names[i]!, Number(unitErrors[k]!.toFixed(3))] as const)
      .sort((a, b) => b[1] - a[1])
      .slice(0, 6),
    slopes: {
      yaw: pick('yaw', turned(0)),
      pitch: pick('pitch', turned(1)),
      jaw: pick('jaw', (joints) => joint(joints, 'jaw')[0]!),
      smile: units('smile', /^mouthSmile/),
      blink: units('blink', /^eyeBlink/),
      browUp: units('browUp', /^browInnerUp|^browOuterUp/),
      browDown: units('browDown', /^browDown/),
      pucker: units('pucker', /^mouthPucker/),
      funnel: units('funnel', /^mouthFunnel/),
      squint: units('squint', /^eyeSquint/),
      gazeYaw: pick('gazeYaw', eye(1), open),
      gazePitch: pick('gazePitch', eye(0), open),
    },
    slopesWithinClips: within,
  };
}

/** Values less the mean of their clip. */
function withoutMeans(values: readonly number[], clips: readonly number[]): number[] {
  const sums = new Map<number, { sum: number; count: number }>();
  for (const [i, clip] of clips.entries()) {
    const { sum, count } = sums.get(clip) ?? { sum: 0, count: 0 };
    sums.set(clip, { sum: sum + values[i]!, count: count + 1 });
  }
  return values.map((value, i) => value - sums.get(clips[i]!)!.sum / sums.get(clips[i]!)!.count);
}

/** Regression of what was found on what is true, and their correlation. */
export type Slope = { readonly slope: number; readonly correlation: number };

function slopeOf(truth: readonly number[], found: readonly number[]): Slope {
  const [meanTruth, meanFound] = [mean(truth), mean(found)];
  let [xx, xy, yy] = [0, 0, 0];
  for (const [i, t] of truth.entries()) {
    const [x, y] = [t - meanTruth, found[i]! - meanFound];
    xx += x * x;
    xy += x * y;
    yy += y * y;
  }
  return { slope: xy / xx, correlation: xy / Math.sqrt(xx * yy) };
}

/** Blinks of a clip: true ones and found ones, true ones that were found, found ones that are true. */
export type BlinkCounts = Readonly<Record<'real' | 'seen' | 'recalled' | 'correct', number>>;

/** Counts the blinks of a clip from how far the lids are closed in each frame. */
export function countBlinks(truth: readonly number[], found: readonly number[]): BlinkCounts {
  const [real, seen] = [blinksOf(truth), blinksOf(found)];
  const near = (a: Blink, b: Blink): boolean => a.first <= b.last + 2 && b.first <= a.last + 2;
  return {
    real: real.length,
    seen: seen.length,
    recalled: real.filter((blink) => seen.some((other) => near(blink, other))).length,
    correct: seen.filter((blink) => real.some((other) => near(blink, other))).length,
  };
}

type Blink = { readonly first: number; readonly last: number };
const CLOSED = 0.5;

function blinksOf(closure: readonly number[]): Blink[] {
  const blinks: Blink[] = [];
  let first = -1;
  for (let i = 0; i <= closure.length; i++) {
    const isClosed = i < closure.length && closure[i]! > CLOSED;
    if (isClosed && first < 0) first = i;
    if (!isClosed && first >= 0) {
      blinks.push({ first, last: i - 1 });
      first = -1;
    }
  }
  return blinks;
}

/**
 * Mean distance of two identities' faces at rest after rigid alignment (no scaling), millimetres: the skin
 * from forehead to chin that faces forward. With `ignoresSize` the first is first scaled to the size of the second:
 * no picture tells how large a head is.
 */
export function createShapeComparison(
  head: HeadModel,
): (a: Float32Array, b: Float32Array, options?: { readonly ignoresSize?: boolean }) => number {
  const normals = vertexNormals(head.template, head.triangles);
  const { chin, top } = faceHeight(head);
  const front = [...verticesOfParts(head, 'skin', 'lips').sort()].filter((v) => {
    const y = head.template[3 * v + 1]!;
    return normals[3 * v + 2]! > 0.3 && y > chin && y < top;
  });
  const poser = createHeadPoser(head);
  const shape = (identity: Float32Array): Float64Array => {
    const vertices = poser.pose({ ...neutralParameters(head), identity });
    return Float64Array.from(
      front.flatMap((v) => [vertices[3 * v]!, vertices[3 * v + 1]!, vertices[3 * v + 2]!]),
    );
  };
  return (a, b, { ignoresSize = false } = {}) => 1000 * distanceAligned(shape(a), shape(b), ignoresSize);
}

/** From just below the lowest landmark to just above the highest. */
function faceHeight(head: HeadModel): { chin: number; top: number } {
  const heights = Array.from(
    head.landmarks!.triangles,
    (triangle) => head.template[3 * head.triangles[3 * triangle]! + 1]!,
  );
  return { chin: Math.min(...heights) - 0.005, top: Math.max(...heights) + 0.005 };
}

/** Mean distance after the least-squares rigid motion of `a` onto `b`, by small turns. */
function distanceAligned(a: Float64Array, b: Float64Array, ignoresSize: boolean): number {
  const [from, to] = [centred(a), centred(b)];
  if (ignoresSize) {
    const scale = Math.hypot(...to) / Math.hypot(...from);
    for (let i = 0; i < from.length; i++) from[i]! *= scale;
  }
  for (let round = 0; round < 8; round++) {
    const matrix = new Float64Array(9);
    const side = new Float64Array(3);
    for (let i = 0; i < from.length; i += 3) {
      const [x, y, z] = [from[i]!, from[i + 1]!, from[i + 2]!];
      const [dx, dy, dz] = [to[i]! - x, to[i + 1]! - y, to[i + 2]! - z];
      const add = [
        y * y + z * z,
        -x * y,
        -x * z,
        -x * y,
        x * x + z * z,
        -y * z,
        -x * z,
        -y * z,
        x * x + y * y,
      ];
      for (let k = 0; k < 9; k++) matrix[k]! += add[k]!;
      side[0]! += y * dz - z * dy;
      side[1]! += z * dx - x * dz;
      side[2]! += x * dy - y * dx;
    }
    const turn = rotationFromAxisAngle(solvePositive(matrix, side));
    for (let i = 0; i < from.length; i += 3) {
      const p = [from[i]!, from[i + 1]!, from[i + 2]!];
      for (let k = 0; k < 3; k++)
        from[i + k] = turn[3 * k]! * p[0]! + turn[3 * k + 1]! * p[1]! + turn[3 * k + 2]! * p[2]!;
    }
  }
  let sum = 0;
  for (let i = 0; i < from.length; i += 3)
    sum += Math.hypot(from[i]! - to[i]!, from[i + 1]! - to[i + 1]!, from[i + 2]! - to[i + 2]!);
  return (3 * sum) / from.length;
}

function centred(points: Float64Array): Float64Array {
  const middle = [0, 0, 0];
  for (let i = 0; i < points.length; i++) middle[i % 3]! += (3 * points[i]!) / points.length;
  return points.map((value, i) => value - middle[i % 3]!);
}
