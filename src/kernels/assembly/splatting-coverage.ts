// How much a Gaussian covers the pixels of a block, and what transmittance it leaves.

import { ALPHA_MAX, ALPHA_MIN, TRANSMITTANCE_MIN } from '../splatting-constants';
import { MEAN_X, MEAN_Y, OPACITY, QA, QB, QC, height, width } from './splatting-scene';

// 2^-q for q in [0, 126]: nearest integer by the magic constant, then a polynomial on [-1/2, 1/2].
@inline
export function exp2Minus(q: v128): v128 {
  const magic = f32x4.splat(12582912.0);
  const x = f32x4.pmax(f32x4.neg(q), f32x4.splat(-120.0));
  const shifted = f32x4.add(x, magic);
  const r = f32x4.sub(x, f32x4.sub(shifted, magic));
  let p = f32x4.splat(P5);
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(P4));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(P3));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(P2));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(P1));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.0));
  return i32x4.add(p, i32x4.shl(shifted, 23));
}
// Minimax fit of 2^r on [-1/2, 1/2] with p(0) = 1.
export const P1: f32 = 0.6931469776;
export const P2: f32 = 0.2402224208;
export const P3: f32 = 0.05550733744;
export const P4: f32 = 0.009671512661;
export const P5: f32 = 0.00132647269;

// The current Gaussian over the current block: offsets from the pixels to the mean, and per row of the block
// opacity * 2^-q.
export let dx: v128 = i64x2.splat(0);
export let dy: f32 = 0; // on the block's first row
export let peak0: v128 = i64x2.splat(0);
export let peak1: v128 = i64x2.splat(0);
export let peak2: v128 = i64x2.splat(0);
export let peak3: v128 = i64x2.splat(0);

@inline
export function falloff(record: usize, left: f64, top: f64): void {
  dx = f32x4.sub(f32x4.splat(f32(load<f64>(record, MEAN_X) - left - 0.5)), f32x4(0, 1, 2, 3));
  dy = f32(load<f64>(record, MEAN_Y) - top - 0.5);
  const adx = f32x4.mul(v128.load32_splat(record, QA), dx);
  const b = load<f32>(record, QB);
  const c = load<f32>(record, QC);
  const dy1 = dy - 1;
  const dy2 = dy - 2;
  const dy3 = dy - 3;
  const q0 = f32x4.add(f32x4.mul(dx, f32x4.add(adx, f32x4.splat(b * dy))), f32x4.splat(c * dy * dy));
  const q1 = f32x4.add(f32x4.mul(dx, f32x4.add(adx, f32x4.splat(b * dy1))), f32x4.splat(c * dy1 * dy1));
  const q2 = f32x4.add(f32x4.mul(dx, f32x4.add(adx, f32x4.splat(b * dy2))), f32x4.splat(c * dy2 * dy2));
  const q3 = f32x4.add(f32x4.mul(dx, f32x4.add(adx, f32x4.splat(b * dy3))), f32x4.splat(c * dy3 * dy3));
  const opacity = v128.load32_splat(record, OPACITY);
  peak0 = f32x4.mul(opacity, exp2Minus(q0));
  peak1 = f32x4.mul(opacity, exp2Minus(q1));
  peak2 = f32x4.mul(opacity, exp2Minus(q2));
  peak3 = f32x4.mul(opacity, exp2Minus(q3));
}

// One row of a block under the current Gaussian.
export let alpha: v128 = i64x2.splat(0);
export let light: v128 = i64x2.splat(0); // transmittance before the Gaussian, 0 where finished
export let takes: v128 = i64x2.splat(0);
export let weight: v128 = i64x2.splat(0);
export let anyCloses: v128 = i64x2.splat(0);

/** Starts a Gaussian: no pixel of the block is closed by it yet. */
@inline
export function resetCloses(): void {
  anyCloses = i64x2.splat(0);
}

/** Carries a row's transmittance past the Gaussian; a finished pixel keeps its value with a minus sign. */
@inline
export function pass(before: v128, peak: v128): v128 {
  alpha = f32x4.pmin(peak, f32x4.splat(f32(ALPHA_MAX)));
  light = f32x4.pmax(before, f32x4.splat(0));
  const share = f32x4.mul(light, alpha);
  const after = f32x4.sub(light, share);
  const covers = f32x4.ge(alpha, f32x4.splat(f32(ALPHA_MIN)));
  const stays = f32x4.gt(after, f32x4.splat(f32(TRANSMITTANCE_MIN)));
  const closes = v128.andnot(covers, stays);
  takes = v128.and(covers, stays);
  weight = v128.and(share, takes);
  anyCloses = v128.or(anyCloses, closes);
  return v128.or(v128.bitselect(after, before, takes), v128.and(closes, i32x4.splat(0x80000000)));
}

/** Is any pixel of the block above ALPHA_MIN under the current Gaussian? */
@inline
export function isCovered(): bool {
  const most = f32x4.pmax(f32x4.pmax(peak0, peak1), f32x4.pmax(peak2, peak3));
  return v128.any_true(f32x4.ge(most, f32x4.splat(f32(ALPHA_MIN))));
}

@inline
export function isOpen(t0: v128, t1: v128, t2: v128, t3: v128): bool {
  return v128.any_true(f32x4.gt(f32x4.pmax(f32x4.pmax(t0, t1), f32x4.pmax(t2, t3)), f32x4.splat(0)));
}

/** Transmittance 1 for the pixels of a row inside the image, finished beyond its border. */
@inline
export function fresh(row: i32, left: i32): v128 {
  if (row >= height) return f32x4.splat(-1);
  const isInside = i32x4.lt_s(i32x4.add(i32x4.splat(left), i32x4(0, 1, 2, 3)), i32x4.splat(width));
  return v128.bitselect(f32x4.splat(1), f32x4.splat(-1), isInside);
}
