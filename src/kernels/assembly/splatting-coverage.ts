// How much a Gaussian covers the pixels of a block. The constants of the inner loops stand here.
// All state of a block is held in local variables: a module's variables are memory, and reading and writing
// them for every Gaussian cost more than the arithmetic.

import { ALPHA_MAX, TRANSMITTANCE_MIN } from '../splatting-constants';
import { madd } from './splatting-arithmetic';
import { height, width } from './splatting-scene';

/** alpha >= ALPHA_MIN wherever q is at most this: log2(255). */
export const Q_LIMIT: f32 = 7.994353436858858;

/** 2^-q for q in [-126, 126]; anything elsewhere. Nearest integer by the magic constant, then a polynomial. */
@inline
export function exp2Minus(q: v128): v128 {
  const shifted = f32x4.add(q, f32x4.splat(12582912.0));
  const r = f32x4.sub(q, f32x4.sub(shifted, f32x4.splat(12582912.0)));
  let p = madd(r, f32x4.splat(-P5), f32x4.splat(P4));
  p = madd(p, r, f32x4.splat(-P3));
  p = madd(p, r, f32x4.splat(P2));
  p = madd(p, r, f32x4.splat(-P1));
  p = madd(p, r, f32x4.splat(1.0));
  return i32x4.sub(p, i32x4.shl(shifted, 23));
}
// Minimax fit of 2^r on [-1/2, 1/2] with p(0) = 1.
const P1: f32 = 0.6931469776;
const P2: f32 = 0.2402224208;
const P3: f32 = 0.05550733744;
const P4: f32 = 0.009671512661;
const P5: f32 = 0.00132647269;

/** min(peak, ALPHA_MAX) where the mask is set, else 0. */
@inline
export function cappedWhere(covers: v128, peak: v128): v128 {
  return v128.and(f32x4.pmin(peak, f32x4.splat(f32(ALPHA_MAX))), covers);
}

/** Does any pixel of the rows end, by a transmittance that falls to TRANSMITTANCE_MIN or below? */
@inline
export function anyEnds(t0: v128, t1: v128, t2: v128, t3: v128): bool {
  const least = f32x4.pmin(f32x4.pmin(t0, t1), f32x4.pmin(t2, t3));
  return v128.any_true(f32x4.le(least, f32x4.splat(f32(TRANSMITTANCE_MIN))));
}

/** The mask of pixels that go on. */
@inline
export function goesOn(transmittance: v128): v128 {
  return f32x4.gt(transmittance, f32x4.splat(f32(TRANSMITTANCE_MIN)));
}

/** A pixel that has ended takes no q: its limit is below all. */
@inline
export function limitAfter(limit: v128, stays: v128): v128 {
  return v128.bitselect(limit, f32x4.splat(-1e30), stays);
}

/** Is every pixel of the rows at its end? */
@inline
export function allEnded(l0: v128, l1: v128, l2: v128, l3: v128): bool {
  const most = f32x4.pmax(f32x4.pmax(l0, l1), f32x4.pmax(l2, l3));
  return !v128.any_true(f32x4.gt(most, f32x4.splat(0)));
}

/** The limit of q for the pixels of a row: beyond the image's border none. */
@inline
export function freshLimit(row: i32, left: i32): v128 {
  if (row >= height) return f32x4.splat(-1e30);
  const isInside = i32x4.lt_s(i32x4.add(i32x4.splat(left), i32x4(0, 1, 2, 3)), i32x4.splat(width));
  return v128.bitselect(f32x4.splat(Q_LIMIT), f32x4.splat(-1e30), isInside);
}
