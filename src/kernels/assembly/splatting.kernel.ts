// Isotropic 3D Gaussians to feature images, forward and backward, on 128-bit SIMD.
// The plain form of the same mathematics is src/gaussians/reference-splatting.ts; read that first.
//
// Road: project (float64, one record a Gaussian) -> radix sort by depth -> lists per block of 4 x 4 pixels
// -> blend. A block is four vectors of four pixels, whose four exponentials run side by side; only blocks
// that a Gaussian's ellipse touches know of it. The backward pass replays the same order front to back with
// the same arithmetic: what lies behind a Gaussian is one number a pixel, the rest of
// sum_c(dL/dC_c * C_c), so no per-channel state and no division by transmittance is needed.

import {
  ALPHA_MAX,
  ALPHA_MIN,
  BLOCK_SIZE,
  FIELD_MARGIN,
  LOW_PASS_PX2,
  NEAR_DEPTH,
  TRANSMITTANCE_MIN,
} from '../splatting-constants';

export function heapBase(): usize {
  return __heap_base;
}

const RADIX: i32 = 2048;
const TILE_BLOCKS: i32 = 4; // blocks are visited by tiles of 4 x 4, for the caches' sake
const LOG2_E: f64 = 1.4426950408889634;

// A projected Gaussian, 64 bytes. The exponent is q = a dx^2 + b dx dy + c dy^2 in powers of two, with
// (dx, dy) from the pixel's centre to the mean; on a row, the pixels mean + slope dy +- sqrt(e0 - e1 dy^2)
// can be covered.
const RECORD: usize = 64;
const MEAN_X: usize = 0; // f64, px
const MEAN_Y: usize = 8; // f64, px
const QA: usize = 16;
const QB: usize = 20;
const QC: usize = 24;
const OPACITY: usize = 28;
const SLOPE: usize = 32;
const E0: usize = 36;
const E1: usize = 40;
const RADIUS_Y: usize = 44; // px
const EXTREME: usize = 48; // the dy at which the ellipse reaches furthest right; its negative: left

// What the blending sums up for a Gaussian, 32 bytes, with h = alpha dL/dalpha over its pixels.
const SUMS: usize = 32;
const SUM_H: usize = 0;
const SUM_X: usize = 4;
const SUM_Y: usize = 8;
const SUM_XX: usize = 12;
const SUM_XY: usize = 16;
const SUM_YY: usize = 20;

// The scene and the buffers of the current call.
let width: i32 = 0;
let height: i32 = 0;
let strideBytes: usize = 0; // of a row of an image plane
let planeBytes: usize = 0;
let blocksX: i32 = 0;
let blocksY: i32 = 0;
let count: i32 = 0;
let channels: i32 = 0; // a multiple of 4
let visible: i32 = 0;
let cameraAt: usize = 0; // f64: rotation 9, translation 3, focal x y, centre x y
let meansAt: usize = 0; // f32 N 3
let scalesAt: usize = 0; // f32 N
let opacitiesAt: usize = 0; // f32 N
let featuresAt: usize = 0; // f32 N channels
let recordsAt: usize = 0; // N records
let sortAt: usize = 0; // u32: keys N, order N, keys N, order N, histograms 3 x RADIX
let orderAt: usize = 0; // u32 visible, near to far; lies in the sort buffer
let startsAt: usize = 0; // u32 blocks + 1: where each block's list begins
let entriesAt: usize = 0; // u32, the lists: Gaussians, near to far
let imageAt: usize = 0; // f32 channels planes
let transmittanceAt: usize = 0; // f32 one plane; negative where the pixel was finished early
let scratchAt: usize = 0; // channels x 4 vectors

/** Names the scene. Reads nothing. */
export function setScene(
  sceneWidth: i32, sceneHeight: i32, sceneCount: i32, sceneChannels: i32,
  camera: usize, means: usize, scales: usize, opacities: usize, features: usize,
): void {
  width = sceneWidth;
  height = sceneHeight;
  count = sceneCount;
  channels = sceneChannels;
  blocksX = (width + BLOCK_SIZE - 1) / BLOCK_SIZE;
  blocksY = (height + BLOCK_SIZE - 1) / BLOCK_SIZE;
  strideBytes = (blocksX * BLOCK_SIZE * 4) as usize;
  planeBytes = strideBytes * height;
  cameraAt = camera;
  meansAt = means;
  scalesAt = scales;
  opacitiesAt = opacities;
  featuresAt = features;
}

/** Names the working memory (sizes beside the variables above). Reads nothing. */
export function setBuffers(
  records: usize, sort: usize, starts: usize, image: usize, transmittance: usize, scratch: usize,
): void {
  recordsAt = records;
  sortAt = sort;
  startsAt = starts;
  imageAt = image;
  transmittanceAt = transmittance;
  scratchAt = scratch;
}

// The view of one Gaussian: camera coordinates, the tangent at which the Jacobian is taken, the covariance.
let viewX: f64 = 0;
let viewY: f64 = 0;
let viewZ: f64 = 0;
let tangentX: f64 = 0;
let tangentY: f64 = 0;
let isClampedX: bool = false;
let isClampedY: bool = false;
let covXX: f64 = 0; // without the low-pass
let covXY: f64 = 0;
let covYY: f64 = 0;

@inline
function cam(i: usize): f64 {
  return load<f64>(cameraAt + (i << 3));
}

/** Fills view*; the rest by `viewCovariance`, for Gaussians before the near plane. */
@inline
function viewMean(i: i32): void {
  const at = meansAt + i * 12;
  const x: f64 = load<f32>(at);
  const y: f64 = load<f32>(at, 4);
  const z: f64 = load<f32>(at, 8);
  viewX = cam(0) * x + cam(1) * y + cam(2) * z + cam(9);
  viewY = cam(3) * x + cam(4) * y + cam(5) * z + cam(10);
  viewZ = cam(6) * x + cam(7) * y + cam(8) * z + cam(11);
}

@inline
function viewCovariance(i: i32): void {
  const fx = cam(12);
  const fy = cam(13);
  const scale: f64 = load<f32>(scalesAt + (i << 2));
  const marginX = (FIELD_MARGIN * 0.5 * f64(width)) / fx;
  const marginY = (FIELD_MARGIN * 0.5 * f64(height)) / fy;
  const u = viewX / viewZ;
  const v = viewY / viewZ;
  tangentX = min((f64(width) - cam(14)) / fx + marginX, max(-cam(14) / fx - marginX, u));
  tangentY = min((f64(height) - cam(15)) / fy + marginY, max(-cam(15) / fy - marginY, v));
  isClampedX = tangentX != u;
  isClampedY = tangentY != v;
  const sx = (scale * fx) / viewZ;
  const sy = (scale * fy) / viewZ;
  covXX = sx * sx * (1.0 + tangentX * tangentX);
  covXY = sx * sy * tangentX * tangentY;
  covYY = sy * sy * (1.0 + tangentY * tangentY);
}

/** At least log2(x), and at most 0.1 more (0.014 at least), for x > 0. */
@inline
function log2Above(x: f32): f64 {
  const bits = reinterpret<i32>(x);
  const mantissa = reinterpret<f32>((bits & 0x7fffff) | 0x3f800000);
  return f64((bits >> 23) - 127) + f64(mantissa) - 1.0 + 0.1;
}

/**
 * Projects all Gaussians, sorts those that can be seen by depth and counts their blocks.
 * Writes records, order, starts. Returns the number of entries.
 */
export function project(): i32 {
  const keys = sortAt;
  const order = sortAt + (count << 2);
  const histograms = sortAt + (count << 4);
  memory.fill(histograms, 0, RADIX * 12);
  memory.fill(startsAt, 0, (blocksX * blocksY + 1) * 4);
  visible = 0;
  for (let i = 0; i < count; i++) {
    viewMean(i);
    const opacity = load<f32>(opacitiesAt + (i << 2));
    if (!(viewZ >= NEAR_DEPTH) || !(opacity >= f32(ALPHA_MIN))) continue;
    viewCovariance(i);
    const xx = covXX + LOW_PASS_PX2;
    const yy = covYY + LOW_PASS_PX2;
    const determinant = xx * yy - covXY * covXY;
    const meanX = (cam(12) * viewX) / viewZ + cam(14);
    const meanY = (cam(13) * viewY) / viewZ + cam(15);
    // alpha >= ALPHA_MIN wherever q <= log2(opacity / ALPHA_MIN).
    const limit = log2Above(opacity * f32(1.0 / ALPHA_MIN));
    const radiusX = sqrt(((2.0 * limit) / LOG2_E) * xx);
    const radiusY = sqrt(((2.0 * limit) / LOG2_E) * yy);
    if (!(meanX + radiusX > 0 && meanX - radiusX < f64(width))) continue;
    if (!(meanY + radiusY > 0 && meanY - radiusY < f64(height))) continue;

    const half = (0.5 * LOG2_E) / determinant;
    const a = half * yy;
    const b = -2.0 * half * covXY;
    const c = half * xx;
    const record = recordsAt + (i as usize) * RECORD;
    store<f64>(record, meanX, MEAN_X);
    store<f64>(record, meanY, MEAN_Y);
    store<f32>(record, f32(a), QA);
    store<f32>(record, f32(b), QB);
    store<f32>(record, f32(c), QC);
    store<f32>(record, opacity, OPACITY);
    const slope = b / (2.0 * a);
    const e0 = limit / a;
    const e1 = c / a - slope * slope;
    store<f32>(record, f32(slope), SLOPE);
    store<f32>(record, f32(e0), E0);
    store<f32>(record, f32(e1), E1);
    store<f32>(record, f32(radiusY), RADIUS_Y);
    store<f32>(record, f32(slope * sqrt(e0 / (e1 * e1 + slope * slope * e1))), EXTREME);

    const key = reinterpret<u32>(f32(viewZ));
    store<u32>(keys + (visible << 2), key);
    store<u32>(order + (visible << 2), i);
    visible++;
    bump(histograms + ((key & 2047) << 2));
    bump(histograms + (RADIX << 2) + (((key >> 11) & 2047) << 2));
    bump(histograms + (RADIX << 3) + ((key >> 22) << 2));
    listBlocks(record, i, false);
  }
  sortByDepth();
  let start = 0;
  const blocks = blocksX * blocksY;
  for (let block = 0; block <= blocks; block++) {
    const at = startsAt + (block << 2);
    const size = load<u32>(at);
    store<u32>(at, start);
    start += size;
  }
  return start;
}

@inline
function bump(at: usize): void {
  store<u32>(at, load<u32>(at) + 1);
}

/**
 * Visits the blocks in which a pixel centre can lie inside a Gaussian's ellipse: counts them, or appends the
 * Gaussian to their lists. On rows [lo, hi] the ellipse reaches furthest at its extreme, or nearest to it.
 */
@inline
function listBlocks(record: usize, gaussian: u32, appends: bool): void {
  const x = f32(load<f64>(record, MEAN_X) - 0.5);
  const y = f32(load<f64>(record, MEAN_Y) - 0.5);
  const slope = load<f32>(record, SLOPE);
  const e0 = load<f32>(record, E0);
  const e1 = load<f32>(record, E1);
  const radius = load<f32>(record, RADIUS_Y);
  const extreme = load<f32>(record, EXTREME);
  const lastRow = i32(min<f32>(f32(height - 1), y + radius));
  const lastColumn = f32(width - 1);
  for (let row = i32(max<f32>(0, y - radius)) / BLOCK_SIZE; row <= lastRow / BLOCK_SIZE; row++) {
    const lo = max<f32>(y - f32(row * BLOCK_SIZE + BLOCK_SIZE - 1), -radius);
    const hi = min<f32>(y - f32(row * BLOCK_SIZE), radius);
    if (lo > hi) continue;
    const atLeft = max<f32>(lo, min<f32>(hi, -extreme));
    const atRight = max<f32>(lo, min<f32>(hi, extreme));
    const left = x + slope * atLeft - sqrt<f32>(max<f32>(0, e0 - e1 * atLeft * atLeft));
    const right = x + slope * atRight + sqrt<f32>(max<f32>(0, e0 - e1 * atRight * atRight));
    if (right < 0 || left > lastColumn) continue;
    const first = i32(ceil(max<f32>(0, left)));
    const last = i32(min<f32>(lastColumn, right));
    if (first > last) continue;
    const end = startsAt + ((row * blocksX + last / BLOCK_SIZE) << 2);
    for (let at = startsAt + ((row * blocksX + first / BLOCK_SIZE) << 2); at <= end; at += 4) {
      const slot = load<u32>(at);
      store<u32>(at, slot + 1);
      if (appends) store<u32>(entriesAt + (slot << 2), gaussian);
    }
  }
}

/** Three stable passes over 11, 11 and 10 bits of the depth's float32 bits (positive, so ordered as integers). */
function sortByDepth(): void {
  let keys = sortAt;
  let order = sortAt + (count << 2);
  let keysOut = sortAt + (count << 3);
  let orderOut = sortAt + count * 12;
  const histograms = sortAt + (count << 4);
  for (let pass = 0; pass < 3; pass++) {
    const histogram = histograms + ((pass * RADIX) << 2);
    const shift: u32 = pass * 11;
    let start: u32 = 0;
    let isSorted = false;
    for (let digit = 0; digit < RADIX; digit++) {
      const at = histogram + (digit << 2);
      const size = load<u32>(at);
      if (size == u32(visible)) isSorted = true; // all share this digit
      store<u32>(at, start);
      start += size;
    }
    if (isSorted) continue;
    for (let k = 0; k < visible; k++) {
      const key = load<u32>(keys + (k << 2));
      const at = histogram + (((key >> shift) & 2047) << 2);
      const target = load<u32>(at);
      store<u32>(at, target + 1);
      store<u32>(keysOut + (target << 2), key);
      store<u32>(orderOut + (target << 2), load<u32>(order + (k << 2)));
    }
    const oldKeys = keys;
    const oldOrder = order;
    keys = keysOut;
    order = orderOut;
    keysOut = oldKeys;
    orderOut = oldOrder;
  }
  orderAt = order;
}

/** Fills the lists of the blocks. Reads order and records; writes entries, starts. */
export function fillLists(entries: usize): void {
  entriesAt = entries;
  for (let k = 0; k < visible; k++) {
    const gaussian = load<u32>(orderAt + (k << 2));
    listBlocks(recordsAt + gaussian * RECORD, gaussian, true);
  }
  // Every start has moved to its list's end, which is the next list's start: shift by one.
  for (let block = blocksX * blocksY; block > 0; block--) {
    store<u32>(startsAt + (block << 2), load<u32>(startsAt + ((block - 1) << 2)));
  }
  store<u32>(startsAt, 0);
}

// 2^-q for q in [0, 126]: nearest integer by the magic constant, then a polynomial on [-1/2, 1/2].
@inline
function exp2Minus(q: v128): v128 {
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
const P1: f32 = 0.6931469776;
const P2: f32 = 0.2402224208;
const P3: f32 = 0.05550733744;
const P4: f32 = 0.009671512661;
const P5: f32 = 0.00132647269;

// The current Gaussian over the current block: offsets from the pixels to the mean, and per row of the block
// opacity * 2^-q.
let dx: v128 = i64x2.splat(0);
let dy: f32 = 0; // on the block's first row
let peak0: v128 = i64x2.splat(0);
let peak1: v128 = i64x2.splat(0);
let peak2: v128 = i64x2.splat(0);
let peak3: v128 = i64x2.splat(0);

@inline
function falloff(record: usize, left: f64, top: f64): void {
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
let alpha: v128 = i64x2.splat(0);
let light: v128 = i64x2.splat(0); // transmittance before the Gaussian, 0 where finished
let takes: v128 = i64x2.splat(0);
let weight: v128 = i64x2.splat(0);
let anyCloses: v128 = i64x2.splat(0);

/** Carries a row's transmittance past the Gaussian; a finished pixel keeps its value with a minus sign. */
@inline
function pass(before: v128, peak: v128): v128 {
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
function isCovered(): bool {
  const most = f32x4.pmax(f32x4.pmax(peak0, peak1), f32x4.pmax(peak2, peak3));
  return v128.any_true(f32x4.ge(most, f32x4.splat(f32(ALPHA_MIN))));
}

@inline
function isOpen(t0: v128, t1: v128, t2: v128, t3: v128): bool {
  return v128.any_true(f32x4.gt(f32x4.pmax(f32x4.pmax(t0, t1), f32x4.pmax(t2, t3)), f32x4.splat(0)));
}

/** Transmittance 1 for the pixels of a row inside the image, finished beyond its border. */
@inline
function fresh(row: i32, left: i32): v128 {
  if (row >= height) return f32x4.splat(-1);
  const isInside = i32x4.lt_s(i32x4.add(i32x4.splat(left), i32x4(0, 1, 2, 3)), i32x4.splat(width));
  return v128.bitselect(f32x4.splat(1), f32x4.splat(-1), isInside);
}

/** Blends all blocks. Reads records, lists, features; writes image and transmittance. */
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
  const colours = scratchAt; // channels x 4 rows of vectors
  const colourBytes = (channels << 6) as usize;
  let t0 = fresh(top, left);
  let t1 = fresh(top + 1, left);
  let t2 = fresh(top + 2, left);
  let t3 = fresh(top + 3, left);
  memory.fill(colours, 0, colourBytes);

  const startAt = startsAt + ((blockY * blocksX + blockX) << 2);
  const end = entriesAt + (load<u32>(startAt, 4) << 2);
  for (let entry = entriesAt + (load<u32>(startAt) << 2); entry < end; entry += 4) {
    const gaussian = load<u32>(entry);
    falloff(recordsAt + gaussian * (RECORD as u32), left, top);
    if (!isCovered()) continue;
    anyCloses = i64x2.splat(0);
    t0 = pass(t0, peak0);
    const w0 = weight;
    t1 = pass(t1, peak1);
    const w1 = weight;
    t2 = pass(t2, peak2);
    const w2 = weight;
    t3 = pass(t3, peak3);
    const w3 = weight;
    let feature = featuresAt + ((gaussian * channels) << 2);
    for (let colour = colours; colour < colours + colourBytes; colour += 64) {
      const f = v128.load32_splat(feature);
      v128.store(colour, f32x4.add(v128.load(colour), f32x4.mul(w0, f)));
      v128.store(colour, f32x4.add(v128.load(colour, 16), f32x4.mul(w1, f)), 16);
      v128.store(colour, f32x4.add(v128.load(colour, 32), f32x4.mul(w2, f)), 32);
      v128.store(colour, f32x4.add(v128.load(colour, 48), f32x4.mul(w3, f)), 48);
      feature += 4;
    }
    if (v128.any_true(anyCloses) && !isOpen(t0, t1, t2, t3)) break;
  }

  const pixel = (top as usize) * strideBytes + (left << 2);
  writeRows(transmittanceAt + pixel, top, f32x4.abs(t0), f32x4.abs(t1), f32x4.abs(t2), f32x4.abs(t3));
  let plane = imageAt + pixel;
  for (let colour = colours; colour < colours + colourBytes; colour += 64) {
    writeRows(
      plane, top,
      v128.load(colour), v128.load(colour, 16), v128.load(colour, 32), v128.load(colour, 48),
    );
    plane += planeBytes;
  }
}

@inline
function writeRows(at: usize, top: i32, row0: v128, row1: v128, row2: v128, row3: v128): void {
  v128.store(at, row0);
  if (top + 1 < height) v128.store(at + strideBytes, row1);
  if (top + 2 < height) v128.store(at + 2 * strideBytes, row2);
  if (top + 3 < height) v128.store(at + 3 * strideBytes, row3);
}

let gradImageAt: usize = 0;
let gradAlphaAt: usize = 0;
let sumsAt: usize = 0;
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
    anyCloses = i64x2.splat(0);
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

/**
 * The gradient of the projection, after `blendBackward`.
 * Reads sums and the scene; writes gradMeans (f32 N 3), gradScales (f32 N), gradOpacities (f32 N).
 */
export function projectBackward(gradMeans: usize, gradScales: usize, gradOpacities: usize): void {
  memory.fill(gradMeans, 0, (count as usize) * 12);
  memory.fill(gradScales, 0, (count as usize) << 2);
  memory.fill(gradOpacities, 0, (count as usize) << 2);
  const fx = cam(12);
  const fy = cam(13);
  for (let k = 0; k < visible; k++) {
    const i: i32 = load<u32>(orderAt + (k << 2));
    const sums = sumsAt + (i as usize) * SUMS;
    viewMean(i);
    viewCovariance(i);
    const xx = covXX + LOW_PASS_PX2;
    const yy = covYY + LOW_PASS_PX2;
    const determinant = xx * yy - covXY * covXY;
    const kxx = yy / determinant;
    const kxy = -covXY / determinant;
    const kyy = xx / determinant;
    const h: f64 = load<f32>(sums, SUM_H);
    const sumX: f64 = load<f32>(sums, SUM_X);
    const sumY: f64 = load<f32>(sums, SUM_Y);
    store<f32>(gradOpacities + (i << 2), f32(h / f64(load<f32>(opacitiesAt + (i << 2)))));

    const gradMeanX = -(kxx * sumX + kxy * sumY);
    const gradMeanY = -(kxy * sumX + kyy * sumY);
    // dL/dK of K = inverse covariance, symmetric; then dL/dcov = -K dL/dK K.
    const gxx = -0.5 * load<f32>(sums, SUM_XX);
    const gxy = -0.5 * load<f32>(sums, SUM_XY);
    const gyy = -0.5 * load<f32>(sums, SUM_YY);
    const txx = kxx * gxx + kxy * gxy;
    const txy = kxx * gxy + kxy * gyy;
    const tyx = kxy * gxx + kyy * gxy;
    const tyy = kxy * gxy + kyy * gyy;
    const gradXX = -(txx * kxx + txy * kxy);
    const gradXY = -2.0 * (txx * kxy + txy * kyy);
    const gradYY = -(tyx * kxy + tyy * kyy);

    const homogeneous = covXX * gradXX + covXY * gradXY + covYY * gradYY;
    const scale: f64 = load<f32>(scalesAt + (i << 2));
    store<f32>(gradScales + (i << 2), f32(scale > 0 ? (2.0 * homogeneous) / scale : 0));
    const sx = (scale * fx) / viewZ;
    const sy = (scale * fy) / viewZ;
    const gradTangentX = isClampedX ? 0 : 2.0 * sx * sx * tangentX * gradXX + sx * sy * tangentY * gradXY;
    const gradTangentY = isClampedY ? 0 : 2.0 * sy * sy * tangentY * gradYY + sx * sy * tangentX * gradXY;
    const gradU = fx * gradMeanX + gradTangentX;
    const gradV = fy * gradMeanY + gradTangentY;
    const gradX = gradU / viewZ;
    const gradY = gradV / viewZ;
    const gradZ = -(gradU * viewX + gradV * viewY) / (viewZ * viewZ) - (2.0 * homogeneous) / viewZ;
    const at = gradMeans + i * 12;
    store<f32>(at, f32(cam(0) * gradX + cam(3) * gradY + cam(6) * gradZ));
    store<f32>(at, f32(cam(1) * gradX + cam(4) * gradY + cam(7) * gradZ), 4);
    store<f32>(at, f32(cam(2) * gradX + cam(5) * gradY + cam(8) * gradZ), 8);
  }
}
