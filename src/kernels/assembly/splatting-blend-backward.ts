// The gradient of the blending: the same walk front to back, with the sums that each Gaussian needs. What lies
// behind a Gaussian is one number a pixel, the rest of sum_c(dL/dC_c * C_c).

import { ALPHA_MAX, BLOCK_SIZE } from '../splatting-constants';
import { madd, nmadd } from './splatting-arithmetic';
import {
  allEnded,
  anyEnds,
  cappedWhere,
  exp2Minus,
  freshLimit,
  goesOn,
  limitAfter,
} from './splatting-coverage';
import { entriesAt } from './splatting-lists';
import {
  CURVE,
  E,
  LO,
  MEAN,
  RECORD,
  SA,
  SB,
  SUMS,
  SUM_H,
  SUM_RY,
  TILE_BLOCKS,
  blocksX,
  blocksY,
  channels,
  count,
  endsAt,
  featuresAt,
  imageAt,
  planeBytes,
  recordsAt,
  startsAt,
  strideBytes,
  transmittanceAt,
} from './splatting-scene';

let gradImageAt: usize = 0;
let gradAlphaAt: usize = 0;
export let sumsAt: usize = 0;
let gradFeaturesAt: usize = 0;
let scratchAt: usize = 0;

/**
 * The gradient of the blending, after `blend` on the same scene.
 * Reads gradImage (f32 channels planes), gradAlpha (one plane), and what `blend` read and wrote;
 * writes gradFeatures (f32 N channels) and sums (N x 32 bytes). Scratch: channels x 64 bytes.
 */
export function blendBackward(
  gradImage: usize, gradAlpha: usize, sums: usize, gradFeatures: usize, scratch: usize,
): void {
  gradImageAt = gradImage;
  gradAlphaAt = gradAlpha;
  sumsAt = sums;
  gradFeaturesAt = gradFeatures;
  scratchAt = scratch;
  memory.fill(sums, 0, (count as usize) * SUMS);
  memory.fill(gradFeatures, 0, ((count * channels) << 2) as usize);
  for (let tileY = 0; tileY < blocksY; tileY += TILE_BLOCKS) {
    for (let tileX = 0; tileX < blocksX; tileX += TILE_BLOCKS) {
      for (let y = tileY; y < min(blocksY, tileY + TILE_BLOCKS); y++) {
        for (let x = tileX; x < min(blocksX, tileX + TILE_BLOCKS); x++) blendBlockBackward(x, y);
      }
    }
  }
}

/** The sums over the lanes of four vectors, as one vector. */
@inline
function totals(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 4, 1, 5), v128.shuffle<f32>(a, b, 2, 6, 3, 7));
  const cd = f32x4.add(v128.shuffle<f32>(c, d, 0, 4, 1, 5), v128.shuffle<f32>(c, d, 2, 6, 3, 7));
  return f32x4.add(v128.shuffle<f32>(ab, cd, 0, 1, 4, 5), v128.shuffle<f32>(ab, cd, 2, 3, 6, 7));
}

@inline
function addTo(at: usize, value: v128): void {
  v128.store(at, f32x4.add(v128.load(at), value));
}

/** alpha dL/dalpha of a row; the cap at ALPHA_MAX passes no gradient on. Where alpha is 0, so is this. */
@inline
function alphaGradient(peak: v128, alpha: v128, weight: v128, dot: v128, behind: v128): v128 {
  const share = f32x4.div(alpha, f32x4.sub(f32x4.splat(1), alpha));
  const gradient = nmadd(behind, share, f32x4.mul(weight, dot));
  return v128.and(gradient, f32x4.le(peak, f32x4.splat(f32(ALPHA_MAX))));
}

/** The first row of a block of light that no Gaussian took, times -dL/dalpha: what lies behind them all. */
@inline
function untouched(at: usize): v128 {
  return f32x4.neg(f32x4.mul(v128.load(gradAlphaAt + at), v128.load(transmittanceAt + at)));
}

function blendBlockBackward(blockX: i32, blockY: i32): void {
  const list = (blockY * blocksX + blockX) << 2;
  const start = entriesAt + (load<u32>(startsAt + list) << 2);
  const end = entriesAt + (load<u32>(endsAt + list) << 2);
  if (start == end) return;
  const left = blockX * BLOCK_SIZE;
  const top = blockY * BLOCK_SIZE;
  const stride = strideBytes;
  const records = recordsAt;
  const features = featuresAt;
  const gradFeatures = gradFeaturesAt;
  const allSums = sumsAt;
  const featureBytes = (channels << 2) as usize;
  const gradients = scratchAt; // channels x 4 rows of vectors
  const endOfGradients = gradients + (channels << 6);
  const corner = f64x2.replace_lane(f64x2.splat(f64(left) + 0.5), 1, f64(top) + 0.5);

  // What is behind the current Gaussian: sum_c dC_c C_c of it, and the untouched light's part of dA.
  const pixel = (top as usize) * stride + (left << 2);
  let behind0 = untouched(pixel);
  let behind1 = untouched(pixel + stride);
  let behind2 = untouched(pixel + 2 * stride);
  let behind3 = untouched(pixel + 3 * stride);
  let given = gradImageAt + pixel;
  let image = imageAt + pixel;
  for (let gradient = gradients; gradient < endOfGradients; gradient += 64) {
    const g0 = v128.load(given);
    const g1 = v128.load(given + stride);
    const g2 = v128.load(given + 2 * stride);
    const g3 = v128.load(given + 3 * stride);
    behind0 = madd(g0, v128.load(image), behind0);
    behind1 = madd(g1, v128.load(image + stride), behind1);
    behind2 = madd(g2, v128.load(image + 2 * stride), behind2);
    behind3 = madd(g3, v128.load(image + 3 * stride), behind3);
    v128.store(gradient, g0);
    v128.store(gradient, g1, 16);
    v128.store(gradient, g2, 32);
    v128.store(gradient, g3, 48);
    given += planeBytes;
    image += planeBytes;
  }

  let t0 = f32x4.splat(1);
  let t1 = f32x4.splat(1);
  let t2 = f32x4.splat(1);
  let t3 = f32x4.splat(1);
  let l0 = freshLimit(top, left);
  let l1 = freshLimit(top + 1, left);
  let l2 = freshLimit(top + 2, left);
  let l3 = freshLimit(top + 3, left);
  let entry = start;
  let isLast = false;
  do {
    // As in `blendBlock`.
    const gaussian = load<u32>(entry) as usize;
    const record = records + gaussian * RECORD;
    const d = f32x4.demote_f64x2_zero(f64x2.sub(v128.load(record, MEAN), corner));
    const dx = f32x4.sub(v128.shuffle<f32>(d, d, 0, 0, 0, 0), f32x4(0, 1, 2, 3));
    const dy = v128.shuffle<f32>(d, d, 1, 1, 1, 1);
    const dys = f32x4.sub(dy, f32x4(0, 1, 2, 3));
    const sb = v128.load32_splat(record, SB);
    const k = madd(f32x4.mul(v128.load32_splat(record, E), dys), dys, v128.load32_splat(record, LO));
    const r0 = madd(v128.load32_splat(record, SA), dx, f32x4.mul(sb, dy));
    const r1 = f32x4.sub(r0, sb);
    const r2 = f32x4.sub(r1, sb);
    const r3 = f32x4.sub(r2, sb);
    const q0 = madd(r0, r0, v128.shuffle<f32>(k, k, 0, 0, 0, 0));
    const q1 = madd(r1, r1, v128.shuffle<f32>(k, k, 1, 1, 1, 1));
    const q2 = madd(r2, r2, v128.shuffle<f32>(k, k, 2, 2, 2, 2));
    const q3 = madd(r3, r3, v128.shuffle<f32>(k, k, 3, 3, 3, 3));
    const c0 = f32x4.le(q0, l0);
    const c1 = f32x4.le(q1, l1);
    const c2 = f32x4.le(q2, l2);
    const c3 = f32x4.le(q3, l3);
    const curve = v128.load32_splat(record, CURVE);
    const peak0 = exp2Minus(q0);
    const factor0 = exp2Minus(f32x4.sub(q1, q0));
    const peak1 = f32x4.mul(peak0, factor0);
    const factor1 = f32x4.mul(factor0, curve);
    const peak2 = f32x4.mul(peak1, factor1);
    const peak3 = f32x4.mul(peak2, f32x4.mul(factor1, curve));
    let alpha0 = cappedWhere(c0, peak0);
    let alpha1 = cappedWhere(c1, peak1);
    let alpha2 = cappedWhere(c2, peak2);
    let alpha3 = cappedWhere(c3, peak3);
    let w0 = f32x4.mul(t0, alpha0);
    let w1 = f32x4.mul(t1, alpha1);
    let w2 = f32x4.mul(t2, alpha2);
    let w3 = f32x4.mul(t3, alpha3);
    let after0 = f32x4.sub(t0, w0);
    let after1 = f32x4.sub(t1, w1);
    let after2 = f32x4.sub(t2, w2);
    let after3 = f32x4.sub(t3, w3);
    if (anyEnds(after0, after1, after2, after3)) {
      const s0 = goesOn(after0);
      const s1 = goesOn(after1);
      const s2 = goesOn(after2);
      const s3 = goesOn(after3);
      alpha0 = v128.and(alpha0, s0);
      alpha1 = v128.and(alpha1, s1);
      alpha2 = v128.and(alpha2, s2);
      alpha3 = v128.and(alpha3, s3);
      w0 = v128.and(w0, s0);
      w1 = v128.and(w1, s1);
      w2 = v128.and(w2, s2);
      w3 = v128.and(w3, s3);
      after0 = v128.bitselect(after0, t0, s0);
      after1 = v128.bitselect(after1, t1, s1);
      after2 = v128.bitselect(after2, t2, s2);
      after3 = v128.bitselect(after3, t3, s3);
      l0 = limitAfter(l0, s0);
      l1 = limitAfter(l1, s1);
      l2 = limitAfter(l2, s2);
      l3 = limitAfter(l3, s3);
      isLast = allEnded(l0, l1, l2, l3);
    }
    t0 = after0;
    t1 = after1;
    t2 = after2;
    t3 = after3;

    let dot0 = f32x4.splat(0);
    let dot1 = f32x4.splat(0);
    let dot2 = f32x4.splat(0);
    let dot3 = f32x4.splat(0);
    let feature = features + gaussian * featureBytes;
    let gradFeature = gradFeatures + gaussian * featureBytes;
    let gradient = gradients;
    do {
      let sum0: v128;
      let sum1: v128;
      let sum2: v128;
      let sum3: v128;
      {
        const f = v128.load32_splat(feature);
        const g0 = v128.load(gradient);
        const g1 = v128.load(gradient, 16);
        const g2 = v128.load(gradient, 32);
        const g3 = v128.load(gradient, 48);
        dot0 = madd(g0, f, dot0);
        dot1 = madd(g1, f, dot1);
        dot2 = madd(g2, f, dot2);
        dot3 = madd(g3, f, dot3);
        sum0 = madd(w3, g3, madd(w2, g2, madd(w1, g1, f32x4.mul(w0, g0))));
      }
      {
        const f = v128.load32_splat(feature, 4);
        const g0 = v128.load(gradient, 64);
        const g1 = v128.load(gradient, 80);
        const g2 = v128.load(gradient, 96);
        const g3 = v128.load(gradient, 112);
        dot0 = madd(g0, f, dot0);
        dot1 = madd(g1, f, dot1);
        dot2 = madd(g2, f, dot2);
        dot3 = madd(g3, f, dot3);
        sum1 = madd(w3, g3, madd(w2, g2, madd(w1, g1, f32x4.mul(w0, g0))));
      }
      {
        const f = v128.load32_splat(feature, 8);
        const g0 = v128.load(gradient, 128);
        const g1 = v128.load(gradient, 144);
        const g2 = v128.load(gradient, 160);
        const g3 = v128.load(gradient, 176);
        dot0 = madd(g0, f, dot0);
        dot1 = madd(g1, f, dot1);
        dot2 = madd(g2, f, dot2);
        dot3 = madd(g3, f, dot3);
        sum2 = madd(w3, g3, madd(w2, g2, madd(w1, g1, f32x4.mul(w0, g0))));
      }
      {
        const f = v128.load32_splat(feature, 12);
        const g0 = v128.load(gradient, 192);
        const g1 = v128.load(gradient, 208);
        const g2 = v128.load(gradient, 224);
        const g3 = v128.load(gradient, 240);
        dot0 = madd(g0, f, dot0);
        dot1 = madd(g1, f, dot1);
        dot2 = madd(g2, f, dot2);
        dot3 = madd(g3, f, dot3);
        sum3 = madd(w3, g3, madd(w2, g2, madd(w1, g1, f32x4.mul(w0, g0))));
      }
      addTo(gradFeature, totals(sum0, sum1, sum2, sum3));
      feature += 16;
      gradFeature += 16;
      gradient += 256;
    } while (gradient < endOfGradients);
    behind0 = nmadd(w0, dot0, behind0);
    behind1 = nmadd(w1, dot1, behind1);
    behind2 = nmadd(w2, dot2, behind2);
    behind3 = nmadd(w3, dot3, behind3);
    const h0 = alphaGradient(peak0, alpha0, w0, dot0, behind0);
    const h1 = alphaGradient(peak1, alpha1, w1, dot1, behind1);
    const h2 = alphaGradient(peak2, alpha2, w2, dot2, behind2);
    const h3 = alphaGradient(peak3, alpha3, w3, dot3, behind3);
    // On row i of the block r is r0 - i sb, and y is dy - i: first the sums over the rows with i and i^2.
    const h = f32x4.add(f32x4.add(h0, h1), f32x4.add(h2, h3));
    const hi = madd(h3, f32x4.splat(3), f32x4.add(h1, f32x4.add(h2, h2)));
    const hii = madd(h3, f32x4.splat(9), madd(h2, f32x4.splat(4), h1));
    const hr = nmadd(sb, hi, f32x4.mul(r0, h));
    const hri = nmadd(sb, hii, f32x4.mul(r0, hi));
    const hy = f32x4.sub(f32x4.mul(dy, h), hi);
    const hrr = nmadd(sb, hri, f32x4.mul(r0, hr));
    const hry = f32x4.sub(f32x4.mul(dy, hr), hri);
    const hyy = f32x4.sub(f32x4.mul(dy, hy), f32x4.sub(f32x4.mul(dy, hi), hii));
    const sums = allSums + gaussian * SUMS;
    addTo(sums + SUM_H, totals(h, hr, hy, hrr));
    addTo(sums + SUM_RY, totals(hry, hyy, f32x4.splat(0), f32x4.splat(0)));
    entry += 4;
  } while (entry < end && !isLast);
}
