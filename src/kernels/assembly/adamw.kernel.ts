// AdamW with clipping and a moving average of the weights, in one pass over memory.
//
// `sumOfSquares`: reads count floats; gives their squares' sum
// `update`, elementwise, counts being multiples of four (the host pads with zeros):
//   g = gradient * clip
//   first   = beta1 * first  + (1 - beta1) * g
//   second  = beta2 * second + (1 - beta2) * g * g
//   weight  = weight * decay - rate * first / (sqrt(second * secondCorrection) + epsilon)
//   average = average + emaRate * (weight - average)
//   reads  weight, gradient, average, first, second
//   writes weight, average, first, second in place
// `updateQuantised`: as `update`, with moments in 8 bits (block-floats.ts), blocks of 256 that share a unit each
//   first: sign, 4 bits of exponent, 3 of mantissa, rounded to the nearest
//   second: its root, 3 bits of exponent, 5 of mantissa, never less than the least code, rounded by chance
//   reads  weight, gradient, average, codes and units of both moments
//   writes all but the gradient in place
// Source: Loshchilov and Hutter, "Decoupled weight decay regularization", 2019, algorithm 2; Dettmers et al., "8-bit
// optimizers via block-wise quantization", 2022.
// Departs: Dettmers et al. store the second moment itself, in codes of a dynamic tree, rounded to the nearest. A step changes
// it by about a thousandth, less than half the way to the next code: it would move with its block's greatest alone.
// Rounded by chance its mean is right. Its root needs no more range than the first moment, and these codes no table.

import { decode, drawn, encode, greatest, loadCodes, storeCodes } from './block-floats';

const BLOCK: u32 = 256;
/** The next moments of a block, while its greatest are not known: 256 first, 256 roots of second. */
const NEXT = memory.data(2048, 16);

export function heapBase(): usize {
  return __heap_base;
}

export function sumOfSquares(x: usize, count: u32): f64 {
  // Float32 partial sums over short runs, float64 across them: many small squares are not lost.
  let total: f64 = 0;
  let i: u32 = 0;
  while (i < count) {
    const end: u32 = min(i + 1024, count);
    let sum = f32x4.splat(0);
    for (; i < end; i += 4) {
      const v = v128.load(x + (<usize>i << 2));
      sum = f32x4.add(sum, f32x4.mul(v, v));
    }
    total += <f64>f32x4.extract_lane(sum, 0) + <f64>f32x4.extract_lane(sum, 1);
    total += <f64>f32x4.extract_lane(sum, 2) + <f64>f32x4.extract_lane(sum, 3);
  }
  return total;
}

export function update(
  weight: usize,
  gradient: usize,
  average: usize,
  first: usize,
  second: usize,
  count: u32,
  clip: f32,
  beta1: f32,
  beta2: f32,
  epsilon: f32,
  decay: f32,
  rate: f32,
  secondCorrection: f32,
  emaRate: f32,
): void {
  const clips = f32x4.splat(clip);
  const keepsFirst = f32x4.splat(beta1);
  const takesFirst = f32x4.splat(1 - beta1);
  const keepsSecond = f32x4.splat(beta2);
  const takesSecond = f32x4.splat(1 - beta2);
  const epsilons = f32x4.splat(epsilon);
  const decays = f32x4.splat(decay);
  const rates = f32x4.splat(rate);
  const corrections = f32x4.splat(secondCorrection);
  const emaRates = f32x4.splat(emaRate);
  for (let i: u32 = 0; i < count; i += 4) {
    const at: usize = <usize>i << 2;
    const g = f32x4.mul(v128.load(gradient + at), clips);
    const m = f32x4.add(f32x4.mul(v128.load(first + at), keepsFirst), f32x4.mul(g, takesFirst));
    const v = f32x4.add(f32x4.mul(v128.load(second + at), keepsSecond), f32x4.mul(f32x4.mul(g, g), takesSecond));
    v128.store(first + at, m);
    v128.store(second + at, v);
    move(weight + at, average + at, m, v, corrections, epsilons, decays, rates, emaRates);
  }
}

export function updateQuantised(
  weight: usize,
  gradient: usize,
  average: usize,
  first: usize,
  second: usize,
  firstUnits: usize,
  secondUnits: usize,
  count: u32,
  clip: f32,
  beta1: f32,
  beta2: f32,
  epsilon: f32,
  decay: f32,
  rate: f32,
  secondCorrection: f32,
  emaRate: f32,
  seed: i32,
): void {
  const clips = f32x4.splat(clip);
  const keepsFirst = f32x4.splat(beta1);
  const takesFirst = f32x4.splat(1 - beta1);
  const keepsSecond = f32x4.splat(beta2);
  const takesSecond = f32x4.splat(1 - beta2);
  const epsilons = f32x4.splat(epsilon);
  const decays = f32x4.splat(decay);
  const rates = f32x4.splat(rate);
  const corrections = f32x4.splat(secondCorrection);
  const emaRates = f32x4.splat(emaRate);
  const signs = i32x4.splat(0x80);
  const lanes = i32x4(0, 1, 2, 3);
  for (let start: u32 = 0; start < count; start += BLOCK) {
    const end = min(start + BLOCK, count);
    const unitAt: usize = <usize>(start / BLOCK) << 2;
    const firstUnit = f32x4.splat(load<f32>(firstUnits + unitAt));
    const secondUnit = f32x4.splat(load<f32>(secondUnits + unitAt));
    let greatestFirst = f32x4.splat(0);
    let greatestRoot = f32x4.splat(0);
    for (let i = start; i < end; i += 4) {
      const at: usize = <usize>i << 2;
      const codes = loadCodes(first + i);
      const size = f32x4.mul(decode(v128.andnot(codes, signs), 4, 3), firstUnit);
      const before = v128.or(size, i32x4.shl(v128.and(codes, signs), 24));
      const rootBefore = f32x4.mul(decode(loadCodes(second + i), 3, 5), secondUnit);
      const g = f32x4.mul(v128.load(gradient + at), clips);
      const m = f32x4.add(f32x4.mul(before, keepsFirst), f32x4.mul(g, takesFirst));
      const squared = f32x4.mul(f32x4.mul(rootBefore, rootBefore), keepsSecond);
      const v = f32x4.add(squared, f32x4.mul(f32x4.mul(g, g), takesSecond));
      move(weight + at, average + at, m, v, corrections, epsilons, decays, rates, emaRates);
      const root = f32x4.sqrt(v);
      const next: usize = NEXT + (<usize>(i - start) << 2);
      v128.store(next, m);
      v128.store(next, root, 1024);
      greatestFirst = f32x4.max(greatestFirst, f32x4.abs(m));
      greatestRoot = f32x4.max(greatestRoot, root);
    }
    const nextFirstUnit = unitOf(greatestFirst, 3);
    const nextSecondUnit = unitOf(greatestRoot, 5);
    store<f32>(firstUnits + unitAt, nextFirstUnit);
    store<f32>(secondUnits + unitAt, nextSecondUnit);
    const perFirst = f32x4.splat(nextFirstUnit > 0 ? 1 / nextFirstUnit : 0);
    const perSecond = f32x4.splat(nextSecondUnit > 0 ? 1 / nextSecondUnit : 0);
    for (let i = start; i < end; i += 4) {
      const next: usize = NEXT + (<usize>(i - start) << 2);
      const m = v128.load(next);
      const size = encode(f32x4.mul(f32x4.abs(m), perFirst), i32x4.splat(1 << 19), 4, 3);
      storeCodes(first + i, v128.or(size, v128.and(i32x4.shr_u(m, 24), signs)));
      const noise = i32x4.shr_u(drawn(i32x4.add(i32x4.splat(<i32>i ^ seed), lanes)), 14);
      const root = encode(f32x4.mul(v128.load(next, 1024), perSecond), noise, 3, 5);
      storeCodes(second + i, i32x4.max_s(root, i32x4.splat(1)));
    }
  }
}

/** Moves four weights by their moments, and their averages towards them. */
@inline
function move(
  weight: usize,
  average: usize,
  first: v128,
  second: v128,
  corrections: v128,
  epsilons: v128,
  decays: v128,
  rates: v128,
  emaRates: v128,
): void {
  const spread = f32x4.add(f32x4.sqrt(f32x4.mul(second, corrections)), epsilons);
  const kept = f32x4.mul(v128.load(weight), decays);
  const w = f32x4.sub(kept, f32x4.div(f32x4.mul(first, rates), spread));
  const e = v128.load(average);
  v128.store(weight, w);
  v128.store(average, f32x4.add(e, f32x4.mul(f32x4.sub(w, e), emaRates)));
}

/** The unit in which the greatest of four is the greatest code; 0 where a unit would be no normal number. */
@inline
function unitOf(numbers: v128, mantissa: i32): f32 {
  const pairs = max(f32x4.extract_lane(numbers, 0), f32x4.extract_lane(numbers, 1));
  const others = max(f32x4.extract_lane(numbers, 2), f32x4.extract_lane(numbers, 3));
  const unit = max(pairs, others) / greatest(mantissa);
  return unit < 1.2e-37 ? 0 : unit;
}
