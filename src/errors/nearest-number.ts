// The number that was probably meant, for messages about ones that do not fit.

/** The divisor of all of some whole numbers above 0 that is nearest to another number. */
export function nearestDivisor(near: number, numbers: readonly number[]): number {
  const common = numbers.reduce((a, b) => greatestCommonDivisor(a, b));
  const divisors = Array.from({ length: common }, (_, i) => i + 1).filter((n) => common % n === 0);
  return divisors.reduce((best, n) => (Math.abs(n - near) < Math.abs(best - near) ? n : best));
}

/** The multiple of `unit`, above 0 and at most `most`, that is nearest to another number. */
export function nearestMultiple(near: number, unit: number, most: number): number {
  return unit * Math.min(Math.max(1, Math.round(near / unit)), Math.floor(most / unit));
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
