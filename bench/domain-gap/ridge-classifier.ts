// A linear classifier of two groups by ridge regression in its dual form, cheap where features outnumber
// examples; judged on what it has not seen.

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
    const kernel = known.map((a) => Float64Array.from(known, (b) => dot(a, b)));
    const ridge = (RIDGE * kernel.reduce((sum, row, i) => sum + row[i]!, 0)) / size;
    kernel.forEach((row, i) => {
      row[i]! += ridge;
    });
    const weights = solve(
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

/** Solves a symmetric positive system by Cholesky's factors; changes `matrix`. */
function solve(matrix: readonly Float64Array[], right: Float64Array): Float64Array {
  const size = right.length;
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i]![j]!;
      for (let k = 0; k < j; k++) sum -= matrix[i]![k]! * matrix[j]![k]!;
      matrix[i]![j] = i === j ? Math.sqrt(sum) : sum / matrix[j]![j]!;
    }
  }
  const out = right.slice();
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < i; k++) out[i]! -= matrix[i]![k]! * out[k]!;
    out[i]! /= matrix[i]![i]!;
  }
  for (let i = size - 1; i >= 0; i--) {
    for (let k = i + 1; k < size; k++) out[i]! -= matrix[k]![i]! * out[k]!;
    out[i]! /= matrix[i]![i]!;
  }
  return out;
}
