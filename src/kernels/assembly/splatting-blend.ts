// Blends the lists of all blocks into the images.
// A block takes its list by parts: first the weights of each Gaussian on the 16 pixels, then, two channels at a
// time, the sums over the part, which so stay in registers.

import { BLOCK_SIZE } from '../splatting-constants';
import { madd } from './splatting-arithmetic';
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
  TILE_BLOCKS,
  alphaAt,
  blocksX,
  blocksY,
  channels,
  endsAt,
  featuresAt,
  imageAt,
  planeBytes,
  recordsAt,
  startsAt,
  strideBytes,
  transmittanceAt,
} from './splatting-scene';

/** Entries of a list that are taken at once. */
const PART: usize = 64;
const WEIGHTS: usize = memory.data(64 * 64, 16); // f32 PART x 4 rows of vectors
const WEIGHED: usize = memory.data(64 * 4, 16); // u32 PART: where the features of each lie

/** Blends all blocks. Reads records, lists, features; writes image, transmittance, alpha. */
export function blend(): void {
  for (let tileY = 0; tileY < blocksY; tileY += TILE_BLOCKS) {
    for (let tileX = 0; tileX < blocksX; tileX += TILE_BLOCKS) {
      for (let y = tileY; y < min(blocksY, tileY + TILE_BLOCKS); y++) {
        for (let x = tileX; x < min(blocksX, tileX + TILE_BLOCKS); x++) blendBlock(x, y);
      }
    }
  }
}

function blendBlock(blockX: i32, blockY: i32): void {
  const left = blockX * BLOCK_SIZE;
  const top = blockY * BLOCK_SIZE;
  const pixel = (top as usize) * strideBytes + (left << 2);
  const list = (blockY * blocksX + blockX) << 2;
  const end = entriesAt + (load<u32>(endsAt + list) << 2);
  const records = recordsAt;
  const features = featuresAt;
  const featureBytes = (channels << 2) as usize;
  const corner = f64x2.replace_lane(f64x2.splat(f64(left) + 0.5), 1, f64(top) + 0.5);
  let t0 = f32x4.splat(1);
  let t1 = f32x4.splat(1);
  let t2 = f32x4.splat(1);
  let t3 = f32x4.splat(1);
  let l0 = freshLimit(top, left);
  let l1 = freshLimit(top + 1, left);
  let l2 = freshLimit(top + 2, left);
  let l3 = freshLimit(top + 3, left);
  let entry = entriesAt + (load<u32>(startsAt + list) << 2);
  if (entry == end) addPart(imageAt + pixel, WEIGHTS, true);
  let isFirst = true;
  let isLast = false;
  while (entry < end && !isLast) {
  const endOfPart = min(end, entry + (PART << 2));
  let weights = WEIGHTS;
  let weighed = WEIGHED;
  // Left at its end only, so that the compiler keeps all that does not change out of it.
  do {
    const gaussian = load<u32>(entry) as usize;
    const record = records + gaussian * RECORD;
    // q = (SA dx + SB dy)^2 + E dy^2 + LO on the four rows.
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
    // From row to row the coverage changes by a factor, which itself changes by one factor for all.
    const curve = v128.load32_splat(record, CURVE);
    const peak0 = exp2Minus(q0);
    const factor0 = exp2Minus(f32x4.sub(q1, q0));
    const peak1 = f32x4.mul(peak0, factor0);
    const factor1 = f32x4.mul(factor0, curve);
    const peak2 = f32x4.mul(peak1, factor1);
    const peak3 = f32x4.mul(peak2, f32x4.mul(factor1, curve));
    let w0 = f32x4.mul(t0, cappedWhere(c0, peak0));
    let w1 = f32x4.mul(t1, cappedWhere(c1, peak1));
    let w2 = f32x4.mul(t2, cappedWhere(c2, peak2));
    let w3 = f32x4.mul(t3, cappedWhere(c3, peak3));
    let after0 = f32x4.sub(t0, w0);
    let after1 = f32x4.sub(t1, w1);
    let after2 = f32x4.sub(t2, w2);
    let after3 = f32x4.sub(t3, w3);
    if (anyEnds(after0, after1, after2, after3)) {
      const s0 = goesOn(after0);
      const s1 = goesOn(after1);
      const s2 = goesOn(after2);
      const s3 = goesOn(after3);
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
    v128.store(weights, w0);
    v128.store(weights, w1, 16);
    v128.store(weights, w2, 32);
    v128.store(weights, w3, 48);
    store<u32>(weighed, features + gaussian * featureBytes);
    weights += 64;
    weighed += 4;
    entry += 4;
  } while (entry < endOfPart && !isLast);
  addPart(imageAt + pixel, weights, isFirst);
  isFirst = false;
  }

  storeRows(transmittanceAt + pixel, t0, t1, t2, t3);
  const one = f32x4.splat(1);
  storeRows(alphaAt + pixel, f32x4.sub(one, t0), f32x4.sub(one, t1), f32x4.sub(one, t2), f32x4.sub(one, t3));
}

/** Adds what a part of the list contributes to the block's pixels; the first part writes them. */
function addPart(block: usize, endOfWeights: usize, isFirst: bool): void {
  const stride = strideBytes;
  const pair: usize = 2 * planeBytes;
  const endOfFeatures = (channels << 2) as usize;
  let plane = block;
  for (let channel: usize = 0; channel < endOfFeatures; channel += 8) {
    const next = plane + planeBytes;
    let a0 = f32x4.splat(0);
    let a1 = f32x4.splat(0);
    let a2 = f32x4.splat(0);
    let a3 = f32x4.splat(0);
    let b0 = f32x4.splat(0);
    let b1 = f32x4.splat(0);
    let b2 = f32x4.splat(0);
    let b3 = f32x4.splat(0);
    if (!isFirst) {
      a0 = v128.load(plane);
      a1 = v128.load(plane + stride);
      a2 = v128.load(plane + 2 * stride);
      a3 = v128.load(plane + 3 * stride);
      b0 = v128.load(next);
      b1 = v128.load(next + stride);
      b2 = v128.load(next + 2 * stride);
      b3 = v128.load(next + 3 * stride);
    }
    let source = WEIGHED;
    let weights = WEIGHTS;
    if (weights < endOfWeights) do {
      const feature = (load<u32>(source) as usize) + channel;
      source += 4;
      const f = v128.load32_splat(feature);
      const g = v128.load32_splat(feature, 4);
      const w0 = v128.load(weights);
      const w1 = v128.load(weights, 16);
      const w2 = v128.load(weights, 32);
      const w3 = v128.load(weights, 48);
      a0 = madd(w0, f, a0);
      a1 = madd(w1, f, a1);
      a2 = madd(w2, f, a2);
      a3 = madd(w3, f, a3);
      b0 = madd(w0, g, b0);
      b1 = madd(w1, g, b1);
      b2 = madd(w2, g, b2);
      b3 = madd(w3, g, b3);
      weights += 64;
    } while (weights < endOfWeights);
    storeRows(plane, a0, a1, a2, a3);
    storeRows(next, b0, b1, b2, b3);
    plane += pair;
  }
}

@inline
function storeRows(at: usize, row0: v128, row1: v128, row2: v128, row3: v128): void {
  v128.store(at, row0);
  v128.store(at + strideBytes, row1);
  v128.store(at + 2 * strideBytes, row2);
  v128.store(at + 3 * strideBytes, row3);
}
