// The gradient of the blending: the same walk front to back, with the sums that each Gaussian needs.

import { ALPHA_MAX, BLOCK_SIZE } from '../splatting-constants';
import {
  alpha,
  anyCloses,
  dx,
  dy,
  falloff,
  fresh,
  isCovered,
  isOpen,
  light,
  pass,
  peak0,
  peak1,
  peak2,
  peak3,
  resetCloses,
  takes,
  weight,
} from './splatting-coverage';
import { entriesAt } from './splatting-projection';
import {
  RECORD,
  SUMS,
  SUM_H,
  SUM_XY,
  TILE_BLOCKS,
  blocksX,
  blocksY,
  channels,
  count,
  featuresAt,
  height,
  imageAt,
  planeBytes,
  recordsAt,
  scratchAt,
  startsAt,
  strideBytes,
  transmittanceAt,
} from './splatting-scene';

let gradImageAt: usize = 0;
let gradAlphaAt: usize = 0;
export let sumsAt: usize = 0;
let gradFeaturesAt: usize = 0;

/**
 * The gradient of the blending, after `blend` on the same scene.
 * Reads gradImage (f32 channels planes), gradAlpha (one plane), and what `blend` read and wrote;
 * writes gradFeatures (f32 N channels) and sums (N x 32 bytes).
 */
export function blendBackward(gradImage: usize, gradAlpha: usize, sums: usize, gradFeatures: usize): void {
  gradImageAt = gradImage;
  gradAlphaAt = gradAlpha;
  sumsAt = sums;
  gradFeaturesAt = gradFeatures;
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

/** alpha dL/dalpha of the row just passed; the cap at ALPHA_MAX passes no gradient on. */
@inline
function alphaGradient(peak: v128, a: v128, l: v128, took: v128, dot: v128, behind: v128): v128 {
  const gradient = f32x4.sub(f32x4.mul(l, dot), f32x4.div(behind, f32x4.sub(f32x4.splat(1), a)));
  const flows = v128.and(took, f32x4.le(peak, f32x4.splat(f32(ALPHA_MAX))));
  return v128.and(f32x4.mul(a, gradient), flows);
}

/** Row r of a plane at a block: zeros below the image. */
@inline
function readRow(plane: usize, top: i32, row: i32): v128 {
  return top + row < height ? v128.load(plane + row * strideBytes) : i64x2.splat(0);
}

/** What lies behind everything on a row, before the first Gaussian: minus dA T. */
@inline
function untouched(pixel: usize, top: i32, row: i32): v128 {
  const gradient = f32x4.neg(readRow(gradAlphaAt + pixel, top, row));
  return f32x4.mul(gradient, readRow(transmittanceAt + pixel, top, row));
}

function blendBlockBackward(blockX: i32, blockY: i32): void {
  const startAt = startsAt + ((blockY * blocksX + blockX) << 2);
  const start = load<u32>(startAt);
  const end = load<u32>(startAt, 4);
  if (start == end) return;
  const left = blockX * BLOCK_SIZE;
  const top = blockY * BLOCK_SIZE;
  const gradients = scratchAt; // channels x 4 rows of vectors
  const gradientBytes = (channels << 6) as usize;
  let t0 = fresh(top, left);
  let t1 = fresh(top + 1, left);
  let t2 = fresh(top + 2, left);
  let t3 = fresh(top + 3, left);

  // What is behind the current Gaussian: sum_c dC_c C_c of it, and the untouched light's part of dA.
  const pixel = (top as usize) * strideBytes + (left << 2);
  let behind0 = untouched(pixel, top, 0);
  let behind1 = untouched(pixel, top, 1);
  let behind2 = untouched(pixel, top, 2);
  let behind3 = untouched(pixel, top, 3);
  let plane = pixel;
  for (let gradient = gradients; gradient < gradients + gradientBytes; gradient += 64) {
    const g0 = readRow(gradImageAt + plane, top, 0);
    const g1 = readRow(gradImageAt + plane, top, 1);
    const g2 = readRow(gradImageAt + plane, top, 2);
    const g3 = readRow(gradImageAt + plane, top, 3);
    behind0 = f32x4.add(behind0, f32x4.mul(g0, readRow(imageAt + plane, top, 0)));
    behind1 = f32x4.add(behind1, f32x4.mul(g1, readRow(imageAt + plane, top, 1)));
    behind2 = f32x4.add(behind2, f32x4.mul(g2, readRow(imageAt + plane, top, 2)));
    behind3 = f32x4.add(behind3, f32x4.mul(g3, readRow(imageAt + plane, top, 3)));
    v128.store(gradient, g0);
    v128.store(gradient, g1, 16);
    v128.store(gradient, g2, 32);
    v128.store(gradient, g3, 48);
    plane += planeBytes;
  }

  for (let entry = start; entry < end; entry++) {
    const gaussian = load<u32>(entriesAt + (entry << 2));
    falloff(recordsAt + gaussian * (RECORD as u32), left, top);
    if (!isCovered()) continue;
    resetCloses();
    t0 = pass(t0, peak0);
    const alpha0 = alpha;
    const light0 = light;
    const takes0 = takes;
    const w0 = weight;
    t1 = pass(t1, peak1);
    const alpha1 = alpha;
    const light1 = light;
    const takes1 = takes;
    const w1 = weight;
    t2 = pass(t2, peak2);
    const alpha2 = alpha;
    const light2 = light;
    const takes2 = takes;
    const w2 = weight;
    t3 = pass(t3, peak3);
    const alpha3 = alpha;
    const light3 = light;
    const takes3 = takes;
    const w3 = weight;

    let dot0 = f32x4.splat(0);
    let dot1 = f32x4.splat(0);
    let dot2 = f32x4.splat(0);
    let dot3 = f32x4.splat(0);
    let feature = featuresAt + ((gaussian * channels) << 2);
    let gradFeature = gradFeaturesAt + ((gaussian * channels) << 2);
    for (let gradient = gradients; gradient < gradients + gradientBytes; gradient += 256) {
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
        dot0 = f32x4.add(dot0, f32x4.mul(g0, f));
        dot1 = f32x4.add(dot1, f32x4.mul(g1, f));
        dot2 = f32x4.add(dot2, f32x4.mul(g2, f));
        dot3 = f32x4.add(dot3, f32x4.mul(g3, f));
        sum0 = f32x4.add(
          f32x4.add(f32x4.mul(w0, g0), f32x4.mul(w1, g1)),
          f32x4.add(f32x4.mul(w2, g2), f32x4.mul(w3, g3)),
        );
      }
      {
        const f = v128.load32_splat(feature, 4);
        const g0 = v128.load(gradient, 64);
        const g1 = v128.load(gradient, 80);
        const g2 = v128.load(gradient, 96);
        const g3 = v128.load(gradient, 112);
        dot0 = f32x4.add(dot0, f32x4.mul(g0, f));
        dot1 = f32x4.add(dot1, f32x4.mul(g1, f));
        dot2 = f32x4.add(dot2, f32x4.mul(g2, f));
        dot3 = f32x4.add(dot3, f32x4.mul(g3, f));
        sum1 = f32x4.add(
          f32x4.add(f32x4.mul(w0, g0), f32x4.mul(w1, g1)),
          f32x4.add(f32x4.mul(w2, g2), f32x4.mul(w3, g3)),
        );
      }
      {
        const f = v128.load32_splat(feature, 8);
        const g0 = v128.load(gradient, 128);
        const g1 = v128.load(gradient, 144);
        const g2 = v128.load(gradient, 160);
        const g3 = v128.load(gradient, 176);
        dot0 = f32x4.add(dot0, f32x4.mul(g0, f));
        dot1 = f32x4.add(dot1, f32x4.mul(g1, f));
        dot2 = f32x4.add(dot2, f32x4.mul(g2, f));
        dot3 = f32x4.add(dot3, f32x4.mul(g3, f));
        sum2 = f32x4.add(
          f32x4.add(f32x4.mul(w0, g0), f32x4.mul(w1, g1)),
          f32x4.add(f32x4.mul(w2, g2), f32x4.mul(w3, g3)),
        );
      }
      {
        const f = v128.load32_splat(feature, 12);
        const g0 = v128.load(gradient, 192);
        const g1 = v128.load(gradient, 208);
        const g2 = v128.load(gradient, 224);
        const g3 = v128.load(gradient, 240);
        dot0 = f32x4.add(dot0, f32x4.mul(g0, f));
        dot1 = f32x4.add(dot1, f32x4.mul(g1, f));
        dot2 = f32x4.add(dot2, f32x4.mul(g2, f));
        dot3 = f32x4.add(dot3, f32x4.mul(g3, f));
        sum3 = f32x4.add(
          f32x4.add(f32x4.mul(w0, g0), f32x4.mul(w1, g1)),
          f32x4.add(f32x4.mul(w2, g2), f32x4.mul(w3, g3)),
        );
      }
      addTo(gradFeature, totals(sum0, sum1, sum2, sum3));
      feature += 16;
      gradFeature += 16;
    }
    behind0 = f32x4.sub(behind0, f32x4.mul(w0, dot0));
    behind1 = f32x4.sub(behind1, f32x4.mul(w1, dot1));
    behind2 = f32x4.sub(behind2, f32x4.mul(w2, dot2));
    behind3 = f32x4.sub(behind3, f32x4.mul(w3, dot3));
    const h0 = alphaGradient(peak0, alpha0, light0, takes0, dot0, behind0);
    const h1 = alphaGradient(peak1, alpha1, light1, takes1, dot1, behind1);
    const h2 = alphaGradient(peak2, alpha2, light2, takes2, dot2, behind2);
    const h3 = alphaGradient(peak3, alpha3, light3, takes3, dot3, behind3);
    const dy1 = f32x4.splat(dy - 1);
    const dy2 = f32x4.splat(dy - 2);
    const dy3 = f32x4.splat(dy - 3);
    const hy0 = f32x4.mul(h0, f32x4.splat(dy));
    const hy1 = f32x4.mul(h1, dy1);
    const hy2 = f32x4.mul(h2, dy2);
    const hy3 = f32x4.mul(h3, dy3);
    const h = f32x4.add(f32x4.add(h0, h1), f32x4.add(h2, h3));
    const hy = f32x4.add(f32x4.add(hy0, hy1), f32x4.add(hy2, hy3));
    const hyy = f32x4.add(
      f32x4.add(f32x4.mul(hy0, f32x4.splat(dy)), f32x4.mul(hy1, dy1)),
      f32x4.add(f32x4.mul(hy2, dy2), f32x4.mul(hy3, dy3)),
    );
    const hx = f32x4.mul(h, dx);
    const sums = sumsAt + gaussian * (SUMS as u32);
    addTo(sums + SUM_H, totals(h, hx, hy, f32x4.mul(hx, dx)));
    addTo(sums + SUM_XY, totals(f32x4.mul(hy, dx), hyy, f32x4.splat(0), f32x4.splat(0)));
    if (v128.any_true(anyCloses) && !isOpen(t0, t1, t2, t3)) break;
  }
}
