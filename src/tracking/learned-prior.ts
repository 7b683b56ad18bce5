// What a face's landmarks, its eyes and what the expression network reads in its picture say of its expression, jaw
// and gaze, learned from rendered people by tools/train-tracking-prior: a linear map, with how far it is
// usually off. The fit takes it as a prior. Two maps: one for a single picture, one that also sees how the face
// differs from the clip's median face.

import { BadInputError } from '../errors/index.ts';
import type { HeadModel } from '../head/index.ts';
import { decodeWeights, type Weights } from '../nn/index.ts';
import { decodeSafetensors } from '../tensor/index.ts';
import { EYE_PATCH } from './eye-patch.ts';
import type { FaceFeatures } from './face-features.ts';
import type { UnitGains } from './kept-amplitude.ts';
import { type LandmarkResponse, responseOf } from './landmark-response.ts';

/** Format name in the metadata of the file. */
export const LEARNED_PRIOR_FORMAT = 'learn2control-tracking-prior';
export const LEARNED_PRIOR_VERSION = '6';

/** Before the names of the network's parameters in the file. */
export const NETWORK_PREFIX = 'network.';

/** In the file: `identityAgreement` of `Prediction`. */
export const AGREEMENT_TENSOR = 'identity.agreement';

/** Before the names of the units' gains in the file. */
const GAINS_PREFIX = 'gains.';

/** Gains as named arrays, for a file. */
export function gainTensors({ rest, motion, offset, gaze }: UnitGains): Record<string, Float32Array> {
  return {
    [`${GAINS_PREFIX}rest`]: rest,
    [`${GAINS_PREFIX}motion`]: motion,
    [`${GAINS_PREFIX}offset`]: offset,
    [`${GAINS_PREFIX}gaze`]: Float32Array.of(...gaze.usual, ...gaze.share),
  };
}

/** Targets beside the head's units: jaw pitch, and the eyes' common yaw and pitch, radians. */
export const HINGE_TARGETS = ['jawPitch', 'gazeYaw', 'gazePitch'] as const;
/** What the pose of the features is off by, as the picture shows it (`apparentTurn`), radians. */
export const TURN_TARGETS = ['turnYaw', 'turnPitch'] as const;
/** The identity's first coefficients: the rest hardly shows. */
export const IDENTITY_TARGETS = 40;

/** Targets that move from one picture of a person to the next: units and hinges, the first of all. */
export function movingNames(head: HeadModel): string[] {
  return [...head.expressionNames, ...HINGE_TARGETS];
}

/** All targets of a head with such units, in the order of the file. */
export function targetNames(head: HeadModel): string[] {
  const identity = Math.min(IDENTITY_TARGETS, head.identityCount);
  const coefficients = Array.from({ length: identity }, (_, k) => `identity${k}`);
  return [...movingNames(head), ...TURN_TARGETS, ...coefficients];
}

/** Values that the expression network gives: of every target, then of the moving ones once more (`readingInputs`). */
export function readingLength(head: HeadModel): number {
  return targetNames(head).length + movingNames(head).length;
}

/** What of a picture the prior sees beside the landmarks. */
export type Appearance = {
  /** As `eyePatches` gives them. */
  readonly eyes: Uint8Array;
  /** As an `ExpressionReader` gives it. */
  readonly reading: Float32Array;
};

/** What is believed of one frame: values with standard deviations. */
export type Prediction = {
  /** `E`, in the order of the head's units. */
  readonly expression: Float32Array;
  readonly expressionDeviation: Float32Array;
  /** In the order of `HINGE_TARGETS`. */
  readonly hinges: Float32Array;
  readonly hingesDeviation: Float32Array;
  /** In the order of `TURN_TARGETS`. */
  readonly turn: Float32Array;
  readonly turnDeviation: Float32Array;
  /** `IDENTITY_TARGETS`. */
  readonly identity: Float32Array;
  readonly identityDeviation: Float32Array;
  /** How far pictures of one person from different sides agree on each coefficient, 0 to 1: their correlation. */
  readonly identityAgreement: Float32Array;
};

/** A prior that was learned for a head's units. */
export type LearnedPrior = {
  /** The network that reads faces for it: the parameters of `expressionNetwork`. */
  readonly network: Weights;
  /** How landmarks answer to the head that it is of: the fit's landmark model needs it. */
  readonly response: LandmarkResponse;
  /** What of their amplitude units are to be given back after the fit. */
  readonly gains: UnitGains;
  /** @param neutral the median of the clip's `neutralRow`s; null for a picture by itself */
  predict(features: FaceFeatures, appearance: Appearance, neutral: Float32Array | null): Prediction;
};

/** What the median over a clip is taken of: the residuals, then the reading. */
export function neutralRow({ residual }: FaceFeatures, { reading }: Appearance): Float32Array {
  const row = new Float32Array(residual.length + reading.length);
  row.set(residual);
  row.set(reading, residual.length);
  return row;
}

/** Factors that bring the kinds of inputs to one size, so that one ridge serves all. */
const POSE_FACTOR = 0.3;
const EYE_FACTOR = 0.04;
/** Patches are averaged over squares of so many pixels: where the dark of an iris lies is enough. */
const POOLED = 2;
/** Grey levels added to a patch's deviation: a flat patch is no eye. */
const LEAST_CONTRAST = 8;
const POSE_TERMS = 6;
/** What a displaced landmark means depends on the view: residuals also enter times these terms of the pose. */
const VIEW_FACTOR = 1.5;
const factorsOfView = (yaw: number, pitch: number): readonly number[] => [yaw, pitch, Math.abs(yaw)];
const VIEW_TERMS = 3;

/** Number of inputs for a number of landmarks, with or without a clip's neutral face. */
export function inputCount(landmarks: number, withNeutral: boolean): number {
  return (
    2 * (1 + VIEW_TERMS + (withNeutral ? 1 : 0)) * landmarks +
    POSE_TERMS +
    (2 * EYE_PATCH.width * EYE_PATCH.height) / POOLED ** 2
  );
}

/** The inputs of the linear map: residuals, pose, eyes, residuals by view and, for a clip, beside the neutral face. */
export function priorInputs(
  { residual, yaw, pitch }: Pick<FaceFeatures, 'residual' | 'yaw' | 'pitch'>,
  eyes: Uint8Array,
  neutral: Float32Array | null,
): Float32Array {
  const inputs = new Float32Array(inputCount(residual.length / 2, neutral !== null));
  inputs.set(residual, 0);
  let at = residual.length;
  for (const term of [yaw, pitch, yaw * yaw, pitch * pitch, yaw * pitch, Math.abs(yaw)]) {
    inputs[at++] = POSE_FACTOR * term;
  }
  const pixels = eyes.length / 2;
  for (let eye = 0; eye < 2; eye++) {
    const patch = eyes.subarray(eye * pixels, (eye + 1) * pixels);
    const mean = patch.reduce((sum, v) => sum + v, 0) / pixels;
    const variance = patch.reduce((sum, v) => sum + (v - mean) ** 2, 0) / pixels;
    const scale = EYE_FACTOR / (POOLED ** 2 * (Math.sqrt(variance) + LEAST_CONTRAST));
    for (let y = 0; y < EYE_PATCH.height; y += POOLED) {
      for (let x = 0; x < EYE_PATCH.width; x += POOLED) {
        let sum = 0;
        for (let i = 0; i < POOLED ** 2; i++) {
          sum += patch[(y + Math.floor(i / POOLED)) * EYE_PATCH.width + x + (i % POOLED)]! - mean;
        }
        inputs[at++] = scale * sum;
      }
    }
  }
  for (const term of factorsOfView(yaw, pitch)) {
    for (let i = 0; i < residual.length; i++) inputs[at++] = VIEW_FACTOR * term * residual[i]!;
  }
  if (neutral !== null) {
    for (let i = 0; i < residual.length; i++) inputs[at++] = residual[i]! - neutral[i]!;
  }
  return inputs;
}

/** Inputs of one read target: the value read, and how far the face is from the neutral one. */
export const READING_TERMS = 2;

/**
 * The reading beside the features, `targets 2`. Its first values are those of all targets; turns are taken as what the pose of
 * the features is off by. The others tell a person's faces apart, of which only the difference from the neutral face
 * counts (0 without one, and for what does not move).
 * @param moving how many targets move: the first
 */
export function readingInputs(
  { yaw, pitch }: Pick<FaceFeatures, 'yaw' | 'pitch'>,
  reading: Float32Array,
  neutralReading: Float32Array | null,
  moving: number,
): Float32Array {
  const targets = reading.length - moving;
  const inputs = new Float32Array(READING_TERMS * targets);
  for (let t = 0; t < targets; t++) {
    inputs[READING_TERMS * t] = reading[t]! - ([yaw, pitch][t - moving] ?? 0);
    if (t >= moving || neutralReading === null) continue;
    inputs[READING_TERMS * t + 1] = reading[targets + t]! - neutralReading[targets + t]!;
  }
  return inputs;
}

/** From inputs to targets: a plain map of all inputs, and shares of what was read of the same target. */
export type PriorMap = {
  /** `targets inputs`. */
  readonly weight: Float32Array;
  readonly bias: Float32Array;
  /** `targets 2`. */
  readonly shares: Float32Array;
};

/**
 * Targets, by default all.
 * @param inputs as of `priorInputs`
 * @param read as of `readingInputs`
 */
export function applyPriorMap(
  { weight, bias, shares }: PriorMap,
  inputs: Float32Array,
  read: Float32Array,
  [first, end]: readonly [first: number, end: number] = [0, bias.length],
): Float32Array {
  return bias.subarray(first, end).map((start, k) => {
    const row = (first + k) * inputs.length;
    const sum = start + product(weight, row, inputs);
    if (shares.length === 0) return sum;
    const own = READING_TERMS * (first + k);
    return sum + shares[own]! * read[own]! + shares[own + 1]! * read[own + 1]!;
  });
}

/** A row of a matrix times a vector; four sums at a time, since each addition waits for the one before. */
function product(weight: Float32Array, row: number, inputs: Float32Array): number {
  const whole = inputs.length - (inputs.length % 4);
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let i = 0; i < whole; i += 4) {
    a += weight[row + i]! * inputs[i]!;
    b += weight[row + i + 1]! * inputs[i + 1]!;
    c += weight[row + i + 2]! * inputs[i + 2]!;
    d += weight[row + i + 3]! * inputs[i + 3]!;
  }
  for (let i = whole; i < inputs.length; i++) a += weight[row + i]! * inputs[i]!;
  return a + b + (c + d);
}

/**
 * Reads a learned prior; null where it does not know the head's units.
 * @throws BadInputError if the file is something else
 */
export function decodeLearnedPrior(bytes: Uint8Array, head: HeadModel): LearnedPrior | null {
  const { metadata } = decodeSafetensors(bytes, 'the tracking prior');
  if (metadata.format !== LEARNED_PRIOR_FORMAT || metadata.version !== LEARNED_PRIOR_VERSION) {
    throw new BadInputError({
      code: 'not-a-tracking-prior',
      message:
        `Expected a file of format ${LEARNED_PRIOR_FORMAT} ${LEARNED_PRIOR_VERSION}, ` +
        `but got ${metadata.format ?? 'none'} ${metadata.version ?? ''}.`,
      hint: 'Use models/tracking/expression-prior.safetensors, or train one with tools/train-tracking-prior.',
    });
  }
  // Units of the same names on another head move other points: the map is of the head that it names.
  if (metadata.head !== head.name || metadata.targets !== targetNames(head).join(' ')) return null;
  const counts = [head.expressionNames.length, HINGE_TARGETS.length, TURN_TARGETS.length];
  const [hinges, turn, identity] = counts.map((_, i) =>
    counts.slice(0, i + 1).reduce((sum, count) => sum + count, 0),
  ) as [number, number, number];
  const { weights } = decodeWeights(bytes, 'the tracking prior');
  const mapOf = (kind: string): PriorMap & { readonly deviation: Float32Array } => {
    const part = (name: string): Float32Array => weights[`${kind}.${name}`]!.data;
    return {
      weight: part('weight'),
      bias: part('bias'),
      shares: part('shares'),
      deviation: part('deviation'),
    };
  };
  const [image, clip] = [mapOf('image'), mapOf('clip')];
  const agreement = weights[AGREEMENT_TENSOR]!.data;
  const gaze = weights[`${GAINS_PREFIX}gaze`]!.data;
  const network = Object.entries(weights).flatMap(([name, weight]) =>
    name.startsWith(NETWORK_PREFIX) ? [[name.slice(NETWORK_PREFIX.length), weight] as const] : [],
  );
  return {
    network: Object.fromEntries(network),
    response: responseOf(weights),
    gains: {
      rest: weights[`${GAINS_PREFIX}rest`]!.data,
      motion: weights[`${GAINS_PREFIX}motion`]!.data,
      offset: weights[`${GAINS_PREFIX}offset`]!.data,
      gaze: { usual: [gaze[0]!, gaze[1]!], share: [gaze[2]!, gaze[3]!] },
    },
    predict(features, { eyes, reading }, neutral) {
      const points = features.residual.length;
      // Units and jaw. Where a clip's gaze, turn and form are always the same, they are in its neutral face too, so that
      // what differs from that says nothing of them: of these, each picture speaks for itself.
      const informed = neutral === null ? 0 : hinges + 1;
      const inputs = priorInputs(features, eyes, neutral?.subarray(0, points) ?? null);
      const alone = inputs.subarray(0, inputCount(points / 2, false));
      const read = readingInputs(features, reading, neutral?.subarray(points) ?? null, turn);
      const values = new Float32Array(image.bias.length);
      values.set(applyPriorMap(clip, inputs, read, [0, informed]));
      values.set(applyPriorMap(image, alone, read, [informed, values.length]), informed);
      const deviation = image.deviation.slice();
      deviation.set(clip.deviation.subarray(0, informed));
      return {
        expression: values.subarray(0, hinges),
        expressionDeviation: deviation.subarray(0, hinges),
        hinges: values.subarray(hinges, turn),
        hingesDeviation: deviation.subarray(hinges, turn),
        turn: values.subarray(turn, identity),
        turnDeviation: deviation.subarray(turn, identity),
        identity: values.subarray(identity),
        identityDeviation: deviation.subarray(identity),
        identityAgreement: agreement,
      };
    },
  };
}

/** The value in the middle of every column of some rows: what a face is like most of the time. */
export function medianRow(rows: readonly Float32Array[]): Float32Array {
  const column = new Float32Array(rows.length);
  return Float32Array.from(rows[0]!, (_, i) => {
    for (const [r, row] of rows.entries()) column[r] = row[i]!;
    column.sort();
    const middle = rows.length >> 1;
    return rows.length % 2 === 1 ? column[middle]! : (column[middle - 1]! + column[middle]!) / 2;
  });
}
