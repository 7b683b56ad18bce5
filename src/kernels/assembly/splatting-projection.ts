// From Gaussians to lists: projects all, sorts those that can be seen by depth (radix), and lists them by
// block of 4 x 4 pixels.

import { ALPHA_MIN, BLOCK_SIZE, LOW_PASS_PX2, NEAR_DEPTH } from '../splatting-constants';
import {
  E0,
  E1,
  EXTREME,
  MEAN_X,
  MEAN_Y,
  OPACITY,
  QA,
  QB,
  QC,
  RADIUS_Y,
  RECORD,
  SLOPE,
  blocksX,
  blocksY,
  count,
  height,
  opacitiesAt,
  recordsAt,
  sortAt,
  startsAt,
  width,
} from './splatting-scene';
import { cam, covXX, covXY, covYY, viewCovariance, viewMean, viewX, viewY, viewZ } from './splatting-view';

const RADIX: i32 = 2048;
/** Beyond it a projection is no longer a number that can be worked with. */
const LARGEST: f64 = 1e60;
const LOG2_E: f64 = 1.4426950408889634;

export let entriesAt: usize = 0; // u32, the lists: Gaussians, near to far
export let orderAt: usize = 0; // u32 visible, near to far; lies in the sort buffer
/** Number of Gaussians that can be seen. */
export let visible: i32 = 0;
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
    if (!(determinant > 0 && determinant < LARGEST)) continue;
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
    const e0 = min(1e30, limit / a);
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
