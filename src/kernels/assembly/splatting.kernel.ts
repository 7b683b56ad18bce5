// Isotropic 3D Gaussians to feature images, forward and backward, on 128-bit SIMD.
// The plain form of the same mathematics is src/gaussians/reference-splatting.ts; read that first.
//
// Road: project (float64, one record a Gaussian) -> radix sort by depth -> lists per 16 px tile -> blend.
// Four neighbouring pixels share a vector; within a tile the Gaussians are the outer loop, so that only
// pixels inside a Gaussian's ellipse are touched. The backward pass replays the same order front to back
// with the same arithmetic: what lies behind a Gaussian is one number a pixel, the rest of
// sum_c(dL/dC_c * C_c), so no per-channel state and no division by transmittance is needed.

import {
  ALPHA_MAX,
  ALPHA_MIN,
  FIELD_MARGIN,
  LOW_PASS_PX2,
  NEAR_DEPTH,
  TILE_SIZE,
  TRANSMITTANCE_MIN,
} from '../splatting-constants';

export function heapBase(): usize {
  return __heap_base;
}

const RADIX: i32 = 2048;
const GROUPS: i32 = TILE_SIZE / 4;
const LOG2_E: f64 = 1.4426950408889634;

// A projected Gaussian, 64 bytes. The exponent is q = a dx^2 + b dx dy + c dy^2 in powers of two, with
// (dx, dy) from the pixel's centre to the mean; on a row, dx spans -slope dy +- sqrt(e0 - e1 dy^2).
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
const RADIUS_X: usize = 44; // px
const RADIUS_Y: usize = 48; // px

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
let tilesX: i32 = 0;
let tilesY: i32 = 0;
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
let tileStartsAt: usize = 0; // u32 tiles + 1
let entriesAt: usize = 0; // u32, Gaussian of each tile entry
let imageAt: usize = 0; // f32 channels planes
let transmittanceAt: usize = 0; // f32 one plane; negative where the pixel was finished early
let tileAt: usize = 0; // f32 scratch: pixels of a tile x (channels + 2)

/** Names the scene. Reads nothing. */
export function setScene(
  sceneWidth: i32, sceneHeight: i32, sceneCount: i32, sceneChannels: i32,
  camera: usize, means: usize, scales: usize, opacities: usize, features: usize,
): void {
  width = sceneWidth;
  height = sceneHeight;
  count = sceneCount;
  channels = sceneChannels;
  tilesX = (width + TILE_SIZE - 1) / TILE_SIZE;
  tilesY = (height + TILE_SIZE - 1) / TILE_SIZE;
  strideBytes = (tilesX * TILE_SIZE * 4) as usize;
  planeBytes = strideBytes * height;
  cameraAt = camera;
  meansAt = means;
  scalesAt = scales;
  opacitiesAt = opacities;
  featuresAt = features;
}

/** Names the working memory (sizes beside the variables above). Reads nothing. */
export function setBuffers(
  records: usize, sort: usize, tileStarts: usize, image: usize, transmittance: usize, tile: usize,
): void {
  recordsAt = records;
  sortAt = sort;
  tileStartsAt = tileStarts;
  imageAt = image;
  transmittanceAt = transmittance;
  tileAt = tile;
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

/** At least log2(x), and at most 0.1 more, for x > 0. */
@inline
function log2Above(x: f32): f64 {
  const bits = reinterpret<i32>(x);
  const mantissa = reinterpret<f32>((bits & 0x7fffff) | 0x3f800000);
  return f64((bits >> 23) - 127) + f64(mantissa) - 1.0 + 0.09;
}

/**
 * Projects all Gaussians, sorts those that can be seen by depth and counts their tiles.
 * Writes records, order, tileStarts (as ends of the lists before each tile). Returns the number of entries.
 */
export function project(): i32 {
  const keys = sortAt;
  const order = sortAt + (count << 2);
  const histograms = sortAt + (count << 4);
  memory.fill(histograms, 0, RADIX * 12);
  memory.fill(tileStartsAt, 0, (tilesX * tilesY + 1) * 4);
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
    const record = recordsAt + i * RECORD;
    store<f64>(record, meanX, MEAN_X);
    store<f64>(record, meanY, MEAN_Y);
    store<f32>(record, f32(a), QA);
    store<f32>(record, f32(b), QB);
    store<f32>(record, f32(c), QC);
    store<f32>(record, opacity, OPACITY);
    const slope = b / (2.0 * a);
    store<f32>(record, f32(slope), SLOPE);
    store<f32>(record, f32(limit / a), E0);
    store<f32>(record, f32(c / a - slope * slope), E1);
    store<f32>(record, f32(radiusX), RADIUS_X);
    store<f32>(record, f32(radiusY), RADIUS_Y);

    const key = reinterpret<u32>(f32(viewZ));
    store<u32>(keys + (visible << 2), key);
    store<u32>(order + (visible << 2), i);
    visible++;
    bump(histograms + ((key & 2047) << 2));
    bump(histograms + (RADIX << 2) + (((key >> 11) & 2047) << 2));
    bump(histograms + (RADIX << 3) + ((key >> 22) << 2));
    countTiles(record);
  }
  sortByDepth();
  let start = 0;
  const tiles = tilesX * tilesY;
  for (let tile = 0; tile <= tiles; tile++) {
    const at = tileStartsAt + (tile << 2);
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

@inline
function tileOf(px: f64, tiles: i32): i32 {
  return min(tiles - 1, i32(max(0, px)) / TILE_SIZE);
}

@inline
function countTiles(record: usize): void {
  const meanX = load<f64>(record, MEAN_X);
  const meanY = load<f64>(record, MEAN_Y);
  const radiusX: f64 = load<f32>(record, RADIUS_X);
  const radiusY: f64 = load<f32>(record, RADIUS_Y);
  const x1 = tileOf(meanX + radiusX, tilesX);
  const y1 = tileOf(meanY + radiusY, tilesY);
  const x0 = tileOf(meanX - radiusX, tilesX);
  for (let y = tileOf(meanY - radiusY, tilesY); y <= y1; y++) {
    for (let x = x0; x <= x1; x++) bump(tileStartsAt + ((y * tilesX + x) << 2));
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

/** Fills the lists of the tiles, each near to far. Reads order and records; writes entries, tileStarts. */
export function fillTiles(entries: usize): void {
  entriesAt = entries;
  for (let k = 0; k < visible; k++) {
    const gaussian = load<u32>(orderAt + (k << 2));
    const record = recordsAt + gaussian * RECORD;
    const meanX = load<f64>(record, MEAN_X);
    const meanY = load<f64>(record, MEAN_Y);
    const radiusX: f64 = load<f32>(record, RADIUS_X);
    const radiusY: f64 = load<f32>(record, RADIUS_Y);
    const x1 = tileOf(meanX + radiusX, tilesX);
    const y1 = tileOf(meanY + radiusY, tilesY);
    const x0 = tileOf(meanX - radiusX, tilesX);
    for (let y = tileOf(meanY - radiusY, tilesY); y <= y1; y++) {
      for (let x = x0; x <= x1; x++) {
        const at = tileStartsAt + ((y * tilesX + x) << 2);
        const slot = load<u32>(at);
        store<u32>(at, slot + 1);
        store<u32>(entriesAt + (slot << 2), gaussian);
      }
    }
  }
  // Every start has moved to its list's end, which is the next list's start: shift by one.
  for (let tile = tilesX * tilesY; tile > 0; tile--) {
    store<u32>(tileStartsAt + (tile << 2), load<u32>(tileStartsAt + ((tile - 1) << 2)));
  }
  store<u32>(tileStartsAt, 0);
}

// 2^-q for q in [0, 126]: nearest integer by the magic constant, then a polynomial on [-1/2, 1/2].
@inline
function exp2Minus(q: v128): v128 {
  const magic = f32x4.splat(12582912.0);
  const x = f32x4.max(f32x4.neg(q), f32x4.splat(-120.0));
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

// The ellipse of the current Gaussian within the current tile.
let meanX: f32 = 0; // px from the tile's corner, minus half a pixel
let meanY: f32 = 0;
let rowFrom: i32 = 0;
let rowTo: i32 = 0;
let groupFrom: i32 = 0;
let groupTo: i32 = 0;

@inline
function enterTile(record: usize, left: i32, top: i32, rows: i32): void {
  meanX = f32(load<f64>(record, MEAN_X) - f64(left) - 0.5);
  meanY = f32(load<f64>(record, MEAN_Y) - f64(top) - 0.5);
  const radius = load<f32>(record, RADIUS_Y);
  rowFrom = i32(ceil(max<f32>(0, meanY - radius)));
  rowTo = i32(floor(min<f32>(f32(rows - 1), meanY + radius)));
  if (meanY + radius < 0) rowTo = -1;
}

@inline
function enterRow(record: usize, dy: f32, columns: i32): bool {
  const square = load<f32>(record, E0) - load<f32>(record, E1) * dy * dy;
  if (!(square > 0)) return false;
  const half = sqrt<f32>(square);
  const middle = meanX + load<f32>(record, SLOPE) * dy;
  if (middle + half < 0 || middle - half > f32(columns - 1)) return false;
  groupFrom = i32(ceil(max<f32>(0, middle - half))) >> 2;
  groupTo = i32(min<f32>(f32(columns - 1), middle + half)) >> 2;
  return true;
}

/** Blends all tiles. Reads records, tile lists, features; writes image and transmittance. */
export function blend(): void {
  for (let y = 0; y < tilesY; y++) {
    for (let x = 0; x < tilesX; x++) blendTile(y * tilesX + x, x * TILE_SIZE, y * TILE_SIZE);
  }
}

function blendTile(tile: i32, left: i32, top: i32): void {
  const rows = min(TILE_SIZE, height - top);
  const columns = min(TILE_SIZE, width - left);
  const pixelBytes: usize = TILE_SIZE * TILE_SIZE * 4;
  const groupBytes = (channels << 4) as usize;
  const transmittances = tileAt;
  const colours = tileAt + pixelBytes;
  const one = f32x4.splat(1);
  const sign = i32x4.splat(0x80000000);
  for (let at: usize = 0; at < pixelBytes; at += 16) v128.store(transmittances + at, one);
  memory.fill(colours, 0, pixelBytes * channels);
  let open = rows * columns;

  const end = load<u32>(tileStartsAt + (tile << 2), 4);
  for (let entry = load<u32>(tileStartsAt + (tile << 2)); entry < end && open > 0; entry++) {
    const gaussian = load<u32>(entriesAt + (entry << 2));
    const record = recordsAt + gaussian * RECORD;
    const features = featuresAt + ((gaussian * channels) << 2);
    enterTile(record, left, top, rows);
    const a = v128.load32_splat(record, QA);
    const opacity = v128.load32_splat(record, OPACITY);
    const dxBase = f32x4.sub(f32x4.splat(meanX), f32x4(0, 1, 2, 3));
    for (let row = rowFrom; row <= rowTo; row++) {
      const dy = meanY - f32(row);
      if (!enterRow(record, dy, columns)) continue;
      const rowB = f32x4.splat(load<f32>(record, QB) * dy);
      const rowC = f32x4.splat(load<f32>(record, QC) * dy * dy);
      for (let group = groupFrom; group <= groupTo; group++) {
        const dx = f32x4.sub(dxBase, f32x4.splat(f32(group << 2)));
        const q = f32x4.add(f32x4.mul(dx, f32x4.add(f32x4.mul(a, dx), rowB)), rowC);
        const alpha = f32x4.min(f32x4.mul(opacity, exp2Minus(q)), f32x4.splat(f32(ALPHA_MAX)));
        const cell = (row * GROUPS + group) as usize;
        const at = transmittances + (cell << 4);
        const before = v128.load(at);
        const light = f32x4.max(before, f32x4.splat(0));
        const share = f32x4.mul(light, alpha);
        const after = f32x4.sub(light, share);
        const covers = f32x4.ge(alpha, f32x4.splat(f32(ALPHA_MIN)));
        const stays = f32x4.gt(after, f32x4.splat(f32(TRANSMITTANCE_MIN)));
        const takes = v128.and(covers, stays);
        const closes = v128.andnot(covers, stays);
        if (v128.any_true(closes)) {
          const fresh = v128.and(closes, f32x4.gt(before, f32x4.splat(0)));
          open -= popcnt(columnMask(i32x4.bitmask(fresh), columns - (group << 2)));
          v128.store(at, v128.or(v128.bitselect(after, before, takes), v128.and(closes, sign)));
        } else {
          v128.store(at, v128.bitselect(after, before, takes));
        }
        if (!v128.any_true(takes)) continue;
        const weight = v128.and(share, takes);
        const cellColours = colours + cell * groupBytes;
        for (let c: usize = 0; c < groupBytes; c += 64) {
          const colour = cellColours + c;
          const feature = features + (c >> 2);
          v128.store(colour, f32x4.add(v128.load(colour), f32x4.mul(weight, v128.load32_splat(feature))));
          v128.store(colour, f32x4.add(v128.load(colour, 16), f32x4.mul(weight, v128.load32_splat(feature, 4))), 16);
          v128.store(colour, f32x4.add(v128.load(colour, 32), f32x4.mul(weight, v128.load32_splat(feature, 8))), 32);
          v128.store(colour, f32x4.add(v128.load(colour, 48), f32x4.mul(weight, v128.load32_splat(feature, 12))), 48);
        }
      }
    }
  }

  const corner = (top as usize) * strideBytes + (left << 2);
  for (let row = 0; row < rows; row++) {
    for (let group = 0; group < GROUPS; group++) {
      const cell = (row * GROUPS + group) as usize;
      const pixel = corner + row * strideBytes + (group << 4);
      v128.store(transmittanceAt + pixel, f32x4.abs(v128.load(transmittances + (cell << 4))));
      for (let c = 0; c < channels; c++) {
        v128.store(imageAt + pixel + c * planeBytes, v128.load(colours + cell * groupBytes + (c << 4)));
      }
    }
  }
}

/** The bits of a 4-bit lane mask whose columns lie inside the image. */
@inline
function columnMask(mask: i32, columnsLeft: i32): i32 {
  return columnsLeft >= 4 ? mask : mask & ((1 << columnsLeft) - 1);
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
  for (let y = 0; y < tilesY; y++) {
    for (let x = 0; x < tilesX; x++) blendTileBackward(y * tilesX + x, x * TILE_SIZE, y * TILE_SIZE);
  }
}

@inline
function total(v: v128): f32 {
  return (
    f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1) + (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3))
  );
}

@inline
function addTo(at: usize, value: f32): void {
  store<f32>(at, load<f32>(at) + value);
}

function blendTileBackward(tile: i32, left: i32, top: i32): void {
  const start = load<u32>(tileStartsAt + (tile << 2));
  const end = load<u32>(tileStartsAt + (tile << 2), 4);
  if (start == end) return;
  const rows = min(TILE_SIZE, height - top);
  const columns = min(TILE_SIZE, width - left);
  const pixelBytes: usize = TILE_SIZE * TILE_SIZE * 4;
  const groupBytes = (channels << 4) as usize;
  const transmittances = tileAt;
  const behinds = tileAt + pixelBytes; // sum_c dC_c C_c of what is behind, minus dA T at the very end
  const gradients = tileAt + 2 * pixelBytes;
  const featureSums = gradients + pixelBytes * channels;
  const zero = f32x4.splat(0);
  const one = f32x4.splat(1);
  const sign = i32x4.splat(0x80000000);
  let open = rows * columns;

  const corner = (top as usize) * strideBytes + (left << 2);
  for (let row = 0; row < rows; row++) {
    for (let group = 0; group < GROUPS; group++) {
      const cell = (row * GROUPS + group) as usize;
      const pixel = corner + row * strideBytes + (group << 4);
      let behind = f32x4.mul(f32x4.neg(v128.load(gradAlphaAt + pixel)), v128.load(transmittanceAt + pixel));
      for (let c = 0; c < channels; c++) {
        const gradient = v128.load(gradImageAt + pixel + c * planeBytes);
        v128.store(gradients + cell * groupBytes + (c << 4), gradient);
        behind = f32x4.add(behind, f32x4.mul(gradient, v128.load(imageAt + pixel + c * planeBytes)));
      }
      v128.store(behinds + (cell << 4), behind);
      v128.store(transmittances + (cell << 4), one);
    }
  }

  for (let entry = start; entry < end && open > 0; entry++) {
    const gaussian = load<u32>(entriesAt + (entry << 2));
    const record = recordsAt + gaussian * RECORD;
    const features = featuresAt + ((gaussian * channels) << 2);
    enterTile(record, left, top, rows);
    const a = v128.load32_splat(record, QA);
    const opacity = v128.load32_splat(record, OPACITY);
    const dxBase = f32x4.sub(f32x4.splat(meanX), f32x4(0, 1, 2, 3));
    memory.fill(featureSums, 0, groupBytes);
    let sumH = zero;
    let sumX = zero;
    let sumY = zero;
    let sumXX = zero;
    let sumXY = zero;
    let sumYY = zero;
    for (let row = rowFrom; row <= rowTo; row++) {
      const dy = meanY - f32(row);
      if (!enterRow(record, dy, columns)) continue;
      const rowB = f32x4.splat(load<f32>(record, QB) * dy);
      const rowC = f32x4.splat(load<f32>(record, QC) * dy * dy);
      let rowH = zero;
      let rowX = zero;
      for (let group = groupFrom; group <= groupTo; group++) {
        const dx = f32x4.sub(dxBase, f32x4.splat(f32(group << 2)));
        const q = f32x4.add(f32x4.mul(dx, f32x4.add(f32x4.mul(a, dx), rowB)), rowC);
        const peak = f32x4.mul(opacity, exp2Minus(q));
        const alpha = f32x4.min(peak, f32x4.splat(f32(ALPHA_MAX)));
        const cell = (row * GROUPS + group) as usize;
        const at = transmittances + (cell << 4);
        const before = v128.load(at);
        const light = f32x4.max(before, zero);
        const share = f32x4.mul(light, alpha);
        const after = f32x4.sub(light, share);
        const covers = f32x4.ge(alpha, f32x4.splat(f32(ALPHA_MIN)));
        const stays = f32x4.gt(after, f32x4.splat(f32(TRANSMITTANCE_MIN)));
        const takes = v128.and(covers, stays);
        const closes = v128.andnot(covers, stays);
        if (v128.any_true(closes)) {
          const fresh = v128.and(closes, f32x4.gt(before, zero));
          open -= popcnt(columnMask(i32x4.bitmask(fresh), columns - (group << 2)));
          v128.store(at, v128.or(v128.bitselect(after, before, takes), v128.and(closes, sign)));
        } else {
          v128.store(at, v128.bitselect(after, before, takes));
        }
        if (!v128.any_true(takes)) continue;
        const weight = v128.and(share, takes);
        const cellGradients = gradients + cell * groupBytes;
        let dot = zero;
        for (let c: usize = 0; c < groupBytes; c += 64) {
          const feature = features + (c >> 2);
          const sum = featureSums + c;
          const g0 = v128.load(cellGradients + c);
          const g1 = v128.load(cellGradients + c, 16);
          const g2 = v128.load(cellGradients + c, 32);
          const g3 = v128.load(cellGradients + c, 48);
          dot = f32x4.add(
            dot,
            f32x4.add(
              f32x4.add(f32x4.mul(g0, v128.load32_splat(feature)), f32x4.mul(g1, v128.load32_splat(feature, 4))),
              f32x4.add(f32x4.mul(g2, v128.load32_splat(feature, 8)), f32x4.mul(g3, v128.load32_splat(feature, 12))),
            ),
          );
          v128.store(sum, f32x4.add(v128.load(sum), f32x4.mul(weight, g0)));
          v128.store(sum, f32x4.add(v128.load(sum, 16), f32x4.mul(weight, g1)), 16);
          v128.store(sum, f32x4.add(v128.load(sum, 32), f32x4.mul(weight, g2)), 32);
          v128.store(sum, f32x4.add(v128.load(sum, 48), f32x4.mul(weight, g3)), 48);
        }
        const behindAt = behinds + (cell << 4);
        const behind = f32x4.sub(v128.load(behindAt), f32x4.mul(weight, dot));
        v128.store(behindAt, behind);
        const gradAlpha = f32x4.sub(f32x4.mul(light, dot), f32x4.div(behind, f32x4.sub(one, alpha)));
        // The cap at ALPHA_MAX passes no gradient on.
        const passes = v128.and(takes, f32x4.le(peak, f32x4.splat(f32(ALPHA_MAX))));
        const h = v128.and(f32x4.mul(alpha, gradAlpha), passes);
        const hx = f32x4.mul(h, dx);
        rowH = f32x4.add(rowH, h);
        rowX = f32x4.add(rowX, hx);
        sumXX = f32x4.add(sumXX, f32x4.mul(hx, dx));
      }
      const dyLanes = f32x4.splat(dy);
      const rowY = f32x4.mul(rowH, dyLanes);
      sumH = f32x4.add(sumH, rowH);
      sumX = f32x4.add(sumX, rowX);
      sumY = f32x4.add(sumY, rowY);
      sumXY = f32x4.add(sumXY, f32x4.mul(rowX, dyLanes));
      sumYY = f32x4.add(sumYY, f32x4.mul(rowY, dyLanes));
    }
    const sums = sumsAt + gaussian * SUMS;
    addTo(sums + SUM_H, total(sumH));
    addTo(sums + SUM_X, total(sumX));
    addTo(sums + SUM_Y, total(sumY));
    addTo(sums + SUM_XX, total(sumXX));
    addTo(sums + SUM_XY, total(sumXY));
    addTo(sums + SUM_YY, total(sumYY));
    const gradFeatures = gradFeaturesAt + ((gaussian * channels) << 2);
    for (let c = 0; c < channels; c++) {
      addTo(gradFeatures + (c << 2), total(v128.load(featureSums + (c << 4))));
    }
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
    const sums = sumsAt + i * SUMS;
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
