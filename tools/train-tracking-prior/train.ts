// Fits the prior's two linear maps by ridge regression. Every sample also counts mirrored. How far the maps
// are off is measured on a fifth of the subjects, by maps that have not seen them; the maps that are written
// have seen all.

import { rotationFromAxisAngle } from '../../src/geometry/index.ts';
import type { HeadModel } from '../../src/head/index.ts';
import {
  type Device,
  emitModel,
  encodeOnnxModel,
  encodeSafetensors,
  input,
  matmul,
  toHalf,
  transpose,
} from '../../src/tensor/index.ts';
import { EYE_PATCH } from '../../src/tracking/eye-patch.ts';
import { createLandmarkModel } from '../../src/tracking/landmark-model.ts';
import {
  IDENTITY_TARGETS,
  inputCount,
  LEARNED_PRIOR_FORMAT,
  medianRow,
  priorInputs,
  targetNames,
} from '../../src/tracking/learned-prior.ts';
import { factorCholesky, solveCholesky } from '../../src/tracking/small-algebra.ts';
import type { Sample } from './dataset.ts';

/** Weight of the squared weights; chosen on held-out subjects, flat over a factor of ten. */
const RIDGE = 0.1;
const MOST_GAIN = 2.5;
const GAIN_EXPONENT = 0.75;
/** Every fifth subject judges. */
const FOLDS = 5;
const CHUNK = 512;

/** Rows of inputs and of targets. */
type Table = { readonly inputs: Float32Array[]; readonly targets: Float32Array[] };
type LinearMap = { readonly weight: Float32Array; readonly bias: Float32Array };

/** Fits both maps. @returns the bytes of the prior's file, and lines for people */
export async function trainPrior(
  device: Device,
  head: HeadModel,
  samples: readonly Sample[],
): Promise<{ readonly file: Uint8Array<ArrayBuffer>; readonly report: readonly string[] }> {
  const names = targetNames(head);
  const mirror = createMirror(head);
  const neutrals = neutralFaces(samples);
  const report: string[] = [];
  const tensors: Record<string, Parameters<typeof encodeSafetensors>[0]['tensors'][string]> = {};
  const tableOf = (some: readonly Sample[]): Table => {
    const both = some.flatMap((sample) => {
      const neutral = neutrals.get(sample.subject)!;
      const inputs = priorInputs(sample.features, sample.eyes, neutral);
      return [{ inputs, targets: targetsOf(sample) }, mirror(sample, neutral)];
    });
    return { inputs: both.map((row) => row.inputs), targets: both.map((row) => row.targets) };
  };
  const unseen = tableOf(samples.filter(({ subject }) => subject % FOLDS === 0));
  const seenSums = await sumProducts(device, tableOf(samples.filter(({ subject }) => subject % FOLDS !== 0)));
  const allSums = addSums(seenSums, await sumProducts(device, unseen));
  for (const kind of ['image', 'clip'] as const) {
    // A picture's inputs are the first of a clip's.
    const width = inputCount(head.landmarkWeights!.length, kind === 'clip');
    const means = Float64Array.from(names, (_, t) => allSums.sum[allSums.width + t]! / allSums.count);
    const trial = solveRidge(seenSums, width);
    const gains = judge(trial, unseen, names).slopes.map((slope, t) =>
      t < head.expressionNames.length ? gainFor(slope) : 1,
    );
    const { deviation, lines } = judge(amplify(trial, gains, means), unseen, names);
    report.push(`${kind}, ${unseen.inputs.length} held-out rows`, ...lines);
    const { weight, bias } = amplify(solveRidge(allSums, width), gains, means);
    const shape = [names.length, width];
    tensors[`${kind}.weight`] = { dtype: 'float16', shape, data: toHalf(weight) };
    tensors[`${kind}.bias`] = { dtype: 'float32', shape: [names.length], data: bias };
    tensors[`${kind}.deviation`] = { dtype: 'float32', shape: [names.length], data: deviation };
  }
  const metadata = {
    format: LEARNED_PRIOR_FORMAT,
    version: '1',
    head: head.name,
    targets: names.join(' '),
    licence: 'CC0-1.0',
    source: `${samples.length} pictures of synthetic subjects, by tools/train-tracking-prior`,
  };
  return { file: encodeSafetensors({ metadata, tensors }), report };
}

/** The median residual of every subject. */
function neutralFaces(samples: readonly Sample[]): Map<number, Float32Array> {
  const rows = new Map<number, Float32Array[]>();
  for (const { subject, features } of samples) {
    rows.set(subject, [...(rows.get(subject) ?? []), features.residual]);
  }
  return new Map([...rows].map(([subject, residuals]) => [subject, medianRow(residuals)]));
}

/** In the order of `targetNames`. */
function targetsOf({ expression, jointRotations: j, features, identity }: Sample): Float32Array {
  const r = rotationFromAxisAngle(j.subarray(0, 3));
  const yaw = Math.atan2(r[2]!, r[8]!) - features.yaw;
  const pitch = Math.asin(-r[5]!) - features.pitch;
  const hinges = [j[6]!, (j[10]! + j[13]!) / 2, (j[9]! + j[12]!) / 2];
  return Float32Array.of(...expression, ...hinges, yaw, pitch, ...identity.subarray(0, IDENTITY_TARGETS));
}

/** A sample as seen in a mirror. */
function createMirror(
  head: HeadModel,
): (sample: Sample, neutral: Float32Array | null) => { inputs: Float32Array; targets: Float32Array } {
  const { template, pointCount, identity } = createLandmarkModel(
    head,
    head.landmarks!,
    head.landmarkWeights!,
  );
  const distance = (a: number, b: number): number =>
    Math.hypot(
      template[3 * a]! + template[3 * b]!,
      template[3 * a + 1]! - template[3 * b + 1]!,
      template[3 * a + 2]! - template[3 * b + 2]!,
    );
  const points = Array.from({ length: pointCount }, (_, l) => l);
  const partner = points.map((l) =>
    points.reduce((best, m) => (distance(l, m) < distance(l, best) ? m : best)),
  );
  const flip = (residual: Float32Array): Float32Array =>
    Float32Array.from(residual, (_, i) => {
      const value = residual[2 * partner[i >> 1]! + (i % 2)]!;
      return i % 2 === 0 ? -value : value;
    });
  const units = head.expressionNames.map((name) => {
    const other = name.endsWith('Left') ? name.replace(/Left$/, 'Right') : name.replace(/Right$/, 'Left');
    return head.expressionNames.indexOf(other);
  });
  const names = targetNames(head);
  // Coefficients of the identity are symmetric or mirrored.
  const oddCoefficients = new Set(
    identity.flatMap((row, k) => {
      const alike = points.reduce((sum, l) => {
        const m = partner[l]!;
        const [x, y, z] = [0, 1, 2].map((axis) => row[3 * l + axis]! * row[3 * m + axis]!);
        return sum - x! + y! + z!;
      }, 0);
      return alike < 0 ? [`identity${k}`] : [];
    }),
  );
  const plane = EYE_PATCH.width * EYE_PATCH.height;
  return (sample, neutral) => {
    const { residual, yaw, pitch } = sample.features;
    const eyes = new Uint8Array(sample.eyes.length);
    eyes.set(sample.eyes.subarray(plane), 0);
    eyes.set(sample.eyes.subarray(0, plane), plane);
    const features = { residual: flip(residual), yaw: -yaw, pitch };
    const own = targetsOf(sample);
    const targets = own.map((value, i) => {
      if (i < units.length) return own[units[i]!]!;
      const isOdd = /Yaw$/.test(names[i]!) || oddCoefficients.has(names[i]!);
      return isOdd ? -value : value;
    });
    return { inputs: priorInputs(features, eyes, neutral && flip(neutral)), targets };
  };
}

/** What a regression needs of its rows: count, sums, and sums of products of inputs with inputs and targets. */
type Sums = {
  readonly count: number;
  readonly width: number;
  readonly outputs: number;
  /** `width + outputs`. */
  readonly sum: Float64Array;
  /** `width (width + outputs)`. */
  readonly products: Float64Array;
};

/** Sums over all rows; the products run on the device. */
async function sumProducts(device: Device, { inputs, targets }: Table): Promise<Sums> {
  const [width, outputs] = [inputs[0]!.length, targets[0]!.length];
  const all = width + outputs;
  const both = input('both', [CHUNK, all]);
  const left = input('left', [CHUNK, width]);
  const model = emitModel({ name: 'products', outputs: { products: matmul(transpose(left, [1, 0]), both) } });
  await using session = await device.createSession(encodeOnnxModel(model), { spins: false });
  const sum = new Float64Array(all);
  const products = new Float64Array(width * all);
  for (let first = 0; first < inputs.length; first += CHUNK) {
    const leftRows = new Float32Array(CHUNK * width);
    const bothRows = new Float32Array(CHUNK * all);
    for (let r = 0; r < Math.min(CHUNK, inputs.length - first); r++) {
      leftRows.set(inputs[first + r]!, r * width);
      bothRows.set(inputs[first + r]!, r * all);
      bothRows.set(targets[first + r]!, r * all + width);
      for (let i = 0; i < all; i++) sum[i]! += bothRows[r * all + i]!;
    }
    const out = await session.run({
      left: { dtype: 'float32', shape: [CHUNK, width], data: leftRows },
      both: { dtype: 'float32', shape: [CHUNK, all], data: bothRows },
    });
    const part = out.products!.data as Float32Array;
    for (let i = 0; i < products.length; i++) products[i]! += part[i]!;
  }
  return { count: inputs.length, width, outputs, sum, products };
}

function addSums(a: Sums, b: Sums): Sums {
  return {
    ...a,
    count: a.count + b.count,
    sum: a.sum.map((value, i) => value + b.sum[i]!),
    products: a.products.map((value, i) => value + b.products[i]!),
  };
}

/** Solves (X'X + ridge) w = X'y about the means, for the first `used` inputs. */
function solveRidge({ count, width, outputs, sum, products }: Sums, used: number): LinearMap {
  const all = width + outputs;
  const centred = (i: number, j: number): number => products[i * all + j]! - (sum[i]! * sum[j]!) / count;
  const matrix = new Float64Array(used * used);
  for (let i = 0; i < used; i++) {
    for (let j = 0; j <= i; j++) matrix[i * used + j] = centred(i, j);
    matrix[i * used + i]! += RIDGE;
  }
  factorCholesky(matrix, used);
  const weight = new Float32Array(outputs * used);
  const bias = new Float32Array(outputs);
  for (let t = 0; t < outputs; t++) {
    const solution = Float64Array.from({ length: used }, (_, i) => centred(i, width + t));
    solveCholesky(matrix, used, solution);
    weight.set(solution, t * used);
    bias[t] = (sum[width + t]! - solution.reduce((total, w, i) => total + w * sum[i]!, 0)) / count;
  }
  return { weight, bias };
}

/**
 * A regression's estimates are as small as its errors are large: units that hardly show would stay near rest.
 * This gives back most of their amplitude, for somewhat larger errors.
 */
function gainFor(slope: number): number {
  return Math.min(MOST_GAIN, Math.max(slope, 0.01) ** -GAIN_EXPONENT);
}

/** The map with its values' distances from their means times a gain each. */
function amplify({ weight, bias }: LinearMap, gains: readonly number[], means: Float64Array): LinearMap {
  const width = weight.length / gains.length;
  return {
    weight: weight.map((value, i) => gains[Math.floor(i / width)]! * value),
    bias: bias.map((value, t) => means[t]! + gains[t]! * (value - means[t]!)),
  };
}

/** Root of the mean square error, correlation and slope of every target on rows that were not learned from. */
function judge(
  { weight, bias }: LinearMap,
  { inputs, targets }: Table,
  names: readonly string[],
): {
  readonly deviation: Float32Array;
  readonly slopes: readonly number[];
  readonly lines: readonly string[];
} {
  const width = weight.length / names.length;
  const deviation = new Float32Array(names.length);
  const slopes: number[] = [];
  const lines = names.map((name, t) => {
    const found = inputs.map((x) => {
      let value = bias[t]!;
      for (let i = 0; i < width; i++) value += weight[t * width + i]! * x[i]!;
      return value;
    });
    const truth = targets.map((y) => y[t]!);
    const mean = (values: readonly number[]): number => values.reduce((sum, v) => sum + v, 0) / values.length;
    const [mf, mt] = [mean(found), mean(truth)];
    const covariance = mean(found.map((f, i) => (f - mf) * (truth[i]! - mt)));
    const [vf, vt] = [mean(found.map((f) => (f - mf) ** 2)), mean(truth.map((v) => (v - mt) ** 2))];
    deviation[t] = Math.sqrt(mean(found.map((f, i) => (f - truth[i]!) ** 2)));
    slopes.push(vt > 0 ? covariance / vt : 1);
    return `  ${name}: deviation ${deviation[t].toFixed(3)}, slope ${slopes[t]!.toFixed(2)}, correlation ${(covariance / Math.sqrt(vf * vt)).toFixed(2)}`;
  });
  return { deviation, slopes, lines };
}
