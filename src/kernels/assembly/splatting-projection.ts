// Projects all Gaussians and sorts those that can be seen by depth (radix).

import { ALPHA_MIN, DETERMINANT_MAX, LOW_PASS_PX2, NEAR_DEPTH } from '../splatting-constants';
import { exp2Minus } from './splatting-coverage';
import { clearCounts, countLists } from './splatting-lists';
import {
  CURVE,
  E,
  E0,
  E1,
  EXTREME,
  LO,
  MEAN,
  RADIUS_Y,
  RECORD,
  SA,
  SB,
  SLOPE,
  UNSEEN,
  count,
  height,
  opacitiesAt,
  recordsAt,
  sortAt,
  width,
} from './splatting-scene';
import {
  cam,
  covXX,
  covXY,
  covYY,
  inverseZ,
  prepareView,
  viewCovariance,
  viewMean,
  viewX,
  viewY,
  viewZ,
} from './splatting-view';

const RADIX: i32 = 2048;
export const LOG2_E: f64 = 1.4426950408889634;
const LOG2_255: f64 = 7.994353436858858;
/** How much q may be off in float32: lists reach this much further, so that none lacks a pixel. */
const SLACK: f64 = 0.01;

export let orderAt: usize = 0; // u32 visible, near to far; lies in the sort buffer
/** Number of Gaussians that can be seen. */
export let visible: i32 = 0;

/** log2(x) of a positive normal number, to 1e-10: by the series of atanh on the mantissa. */
@inline
function log2Of(x: f32): f64 {
  const bits = reinterpret<i32>(x);
  // The mantissa in [sqrt(1/2), sqrt(2)).
  const exponent = (bits - 0x3f3504f3) >> 23;
  const m: f64 = reinterpret<f32>(bits - (exponent << 23));
  const s = (m - 1.0) / (m + 1.0);
  const s2 = s * s;
  const series = 1.0 + s2 * (1.0 / 3.0 + s2 * (0.2 + s2 * (1.0 / 7.0 + s2 * (1.0 / 9.0 + s2 / 11.0))));
  return f64(exponent) + 2.0 * LOG2_E * s * series;
}

/**
 * Projects all Gaussians, sorts those that can be seen by depth and counts their blocks and tiles.
 * Writes records, order, and the counts in ends and tileStarts.
 */
export function project(): void {
  const keys = sortAt;
  const order = sortAt + (count << 2);
  const histograms = sortAt + (count << 4);
  memory.fill(histograms, 0, RADIX * 12);
  clearCounts();
  prepareView();
  visible = 0;
  for (let i = 0; i < count; i++) {
    const record = recordsAt + (i as usize) * RECORD;
    store<f32>(record, UNSEEN, RADIUS_Y);
    viewMean(i);
    const opacity = load<f32>(opacitiesAt + (i << 2));
    if (!(viewZ >= NEAR_DEPTH) || !(opacity >= f32(ALPHA_MIN))) continue;
    viewCovariance(i);
    const xx = covXX + LOW_PASS_PX2;
    const yy = covYY + LOW_PASS_PX2;
    const determinant = xx * yy - covXY * covXY;
    if (!(determinant > 0 && determinant < DETERMINANT_MAX)) continue;
    const meanX = cam(12) * viewX * inverseZ + cam(14);
    const meanY = cam(13) * viewY * inverseZ + cam(15);
    // alpha >= ALPHA_MIN wherever q without LO is at most the limit.
    const logarithm = log2Of(opacity);
    const limit = logarithm + LOG2_255 + SLACK;
    const reach = (2.0 / LOG2_E) * limit;
    const radiusX = sqrt(reach * xx);
    const radiusY = sqrt(reach * yy);
    if (!(meanX + radiusX > 0 && meanX - radiusX < f64(width))) continue;
    if (!(meanY + radiusY > 0 && meanY - radiusY < f64(height))) continue;

    // q = a dx^2 + b dx dy + c dy^2 = a (dx + slope dy)^2 + e dy^2, with e = c - b^2 / 4a = LOG2_E / (2 yy).
    const inverseYY = 1.0 / yy;
    const slope = -covXY * inverseYY;
    const e1 = determinant * inverseYY * inverseYY;
    const rootA = sqrt((0.5 * LOG2_E * yy) / determinant);
    const e0 = reach * determinant * inverseYY; // limit / a
    store<f64>(record, meanX, MEAN);
    store<f64>(record, meanY, MEAN + 8);
    store<f32>(record, f32(rootA), SA);
    store<f32>(record, f32(rootA * slope), SB);
    store<f32>(record, f32(0.5 * LOG2_E * inverseYY), E);
    store<f32>(record, f32(-logarithm), LO);
    const second = f32((LOG2_E * xx) / determinant); // twice c
    store<f32>(record, f32x4.extract_lane(exp2Minus(f32x4.splat(second)), 0), CURVE);
    store<f32>(record, f32(slope), SLOPE);
    store<f32>(record, f32(e0), E0);
    store<f32>(record, f32(e1), E1);
    store<f32>(record, f32(radiusY), RADIUS_Y);
    store<f32>(record, f32((-covXY * radiusX) / xx), EXTREME);

    const key = reinterpret<u32>(f32(viewZ));
    store<u32>(keys + (visible << 2), key);
    store<u32>(order + (visible << 2), i);
    visible++;
    bump(histograms + ((key & 2047) << 2));
    bump(histograms + (RADIX << 2) + (((key >> 11) & 2047) << 2));
    bump(histograms + (RADIX << 3) + ((key >> 22) << 2));
    countLists(record, f32(radiusX));
  }
  sortByDepth();
}

@inline
function bump(at: usize): void {
  store<u32>(at, load<u32>(at) + 1);
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
