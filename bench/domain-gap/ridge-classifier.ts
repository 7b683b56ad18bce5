// A linear classifier of two groups by ridge regression in its dual form, cheap where features outnumber
// examples; judged on what it has not seen.

import { solvePositive } from '../../src/geometry/index.ts';

/** Penalty over the mean of the kernel's diagonal. */
const RIDGE = 0.1;

/** The share of examples told right when each fold is told by a classifier of the others; two groups of equal size. */
export function crossValidate(groups: readonly (readonly Float32Array[])[], folds: number): number {
  const examples = groups.flatMap((group, label) =>
    group.map((features, i) => ({ features, label: label === 0 ? -1 : 1, fold: i % folds })),
  );
  let right = 0;
  for (let fold = 0; fold < folds; fold++) {
    const train = examples.filter((example) => example.fold !== fold);
    const scale = standardiser(train.map(({ features }) => features));
    const known = train.map(({ features }) => scale(features));
    const size = known.length;
    const kernel = Float64Array.from({ length: size * size }, (_, at) =>
      dot(known[Math.floor(at / size)]!, known[at % size]!),
    );
    const ridge = (RIDGE * known.reduce((sum, _, i) => sum + kernel[i * size + i]!, 0)) / size;
    for (let i = 0; i < size; i++) kernel[i * size + i]! += ridge;
    const weights = solvePositive(
      kernel,
      Float64Array.from(train, ({ label }) => label),
    );
    for (const { features, label } of examples.filter((example) => example.fold === fold)) {
      const own = scale(features);
      const score = known.reduce((sum, other, i) => sum + weights[i]! * dot(own, other), 0);
      if (Math.sign(score) === label) right++;
    }
  }
  return right / examples.length;
}

/** To zero mean and unit variance of each feature of the examples. */
function standardiser(examples: readonly Float32Array[]): (features: Float32Array) => Float32Array {
  const length = examples[0]!.length;
  const [mean, square] = [new Float64Array(length), new Float64Array(length)];
  for (const features of examples) {
    for (let i = 0; i < length; i++) {
      mean[i]! += features[i]! / examples.length;
      square[i]! += features[i]! ** 2 / examples.length;
    }
  }
  return (features) =>
    features.map((value, i) => (value - mean[i]!) / Math.sqrt(Math.max(1e-8, square[i]! - mean[i]! ** 2)));
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
