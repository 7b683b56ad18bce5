// AdamW with clipping and a moving average of the weights, in one pass over memory.
//
// `sumOfSquares`: reads count floats; gives their squares' sum
// `update`, elementwise, counts being multiples of four (the host pads with zeros):
//   g = gradient * clip
//   first   = beta1 * first  + (1 - beta1) * g
//   second  = beta2 * second + (1 - beta2) * g * g
//   weight  = weight * decay - rate * first / (sqrt(second * secondCorrection) + epsilon)
//   average = average + emaRate * (weight - average)
//   reads  weight, gradient, first, second, average
//   writes weight, first, second, average in place
// Source: Loshchilov and Hutter, "Decoupled weight decay regularization", 2019, algorithm 2.

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
  first: usize,
  second: usize,
  average: usize,
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
    const spread = f32x4.add(f32x4.sqrt(f32x4.mul(v, corrections)), epsilons);
    const kept = f32x4.mul(v128.load(weight + at), decays);
    const w = f32x4.sub(kept, f32x4.div(f32x4.mul(m, rates), spread));
    const e = v128.load(average + at);
    v128.store(first + at, m);
    v128.store(second + at, v);
    v128.store(weight + at, w);
    v128.store(average + at, f32x4.add(e, f32x4.mul(f32x4.sub(w, e), emaRates)));
  }
}
