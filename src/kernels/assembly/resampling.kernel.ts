// Bilinear samples of a part of an RGB picture under an affine map, averaged over each target pixel.
//
// `resample`: reads `source`, rows of RGB bytes, `width` x `height` (and a row and 8 bytes past them that may be anything),
//   and at `place` seven float64: the first sample's place (x, y) in pixel indices, its step from column to column (x, y),
//   from row to row (x, y), and the number of samples along each axis of a pixel, over which those steps are already divided;
//   `offsets` is room for 16 bytes a sample;
//   writes `out`, planes of float32, `targetWidth` x `targetHeight`: with `weights` 0 three planes of the averages'
//   `black + scale value`, else one plane of their products with the three float32 there.
//   Beyond the border lies the nearest pixel, or with `isBlack` nothing.

/** Shares across are integers of this much, rounded down; a sample is off by 0.016 of 255 at most. */
const ONE: i32 = 16384;
const SHARE_SHIFT: u32 = 18;
const HALF: i64 = 1 << 31;

export function heapBase(): usize {
  return __heap_base;
}

export function resample(
  out: usize,
  targetWidth: u32,
  targetHeight: u32,
  source: usize,
  width: u32,
  height: u32,
  place: usize,
  offsets: usize,
  weights: usize,
  black: f32,
  scale: f32,
  isBlack: u32,
): void {
  const firstX = fixed(load<f64>(place));
  const firstY = fixed(load<f64>(place, 8));
  const xByColumn = fixed(load<f64>(place, 16));
  const yByColumn = fixed(load<f64>(place, 24));
  const xByRow = fixed(load<f64>(place, 32));
  const yByRow = fixed(load<f64>(place, 40));
  const samples = <i32>load<f64>(place, 48);
  // From a pixel's first sample to each of them.
  const end: usize = offsets + 16 * samples * samples;
  for (let s = 0; s < samples * samples; s++) {
    const column = <i64>(s % samples);
    const row = <i64>(s / samples);
    store<i64>(offsets + 16 * s, xByColumn * column + xByRow * row);
    store<i64>(offsets + 16 * s, yByColumn * column + yByRow * row, 8);
  }
  const lastX = <i64>(width - 1) << 32;
  const lastY = <i64>(height - 1) << 32;
  const stride: usize = 3 * width;
  const plane: usize = (<usize>targetWidth * <usize>targetHeight) << 2;
  const blacks = f32x4.splat(black);
  const factor = f32x4.splat(scale / (<f32>ONE * <f32>(samples * samples)));
  const toGrey = weights ? v128.load(weights) : f32x4.splat(0);
  const xByPixel = xByColumn * samples;
  const yByPixel = yByColumn * samples;
  let to = out;
  for (let y: u32 = 0; y < targetHeight; y++) {
    let pixelU = firstX + xByRow * <i64>(y * samples);
    let pixelV = firstY + yByRow * <i64>(y * samples);
    for (let x: u32 = 0; x < targetWidth; x++, to += 4, pixelU += xByPixel, pixelV += yByPixel) {
      let sum = f32x4.splat(0);
      for (let at = offsets; at < end; at += 16) {
        const wantedU = pixelU + load<i64>(at);
        const wantedV = pixelV + load<i64>(at, 8);
        const u = clamped(wantedU, lastX);
        const v = clamped(wantedV, lastY);
        // Further than half a pixel beyond the border.
        if (isBlack && (isFar(wantedU, u) || isFar(wantedV, v))) continue;
        // What lies right of the last column and below the last row counts by a share of 0.
        const upper: usize = source + <usize>(v >> 32) * stride + 3 * <usize>(u >> 32);
        const right = <i32>(<u32>u >> SHARE_SHIFT);
        const shares = i32x4.splat((right << 16) + (ONE - right));
        const a = across(upper, shares);
        const b = across(upper + stride, shares);
        const shareY = f32x4.splat(<f32>(<i32>(<u32>v >> 1)) * <f32>(1.0 / 2147483648.0));
        sum = f32x4.add(sum, f32x4.add(a, f32x4.mul(shareY, f32x4.sub(b, a))));
      }
      const value = f32x4.add(blacks, f32x4.mul(factor, sum));
      if (weights) {
        const weighed = f32x4.mul(value, toGrey);
        const grey = f32x4.extract_lane(weighed, 0) + f32x4.extract_lane(weighed, 1) + f32x4.extract_lane(weighed, 2);
        store<f32>(to, grey);
      } else {
        v128.store_lane<f32>(to, value, 0);
        v128.store_lane<f32>(to + plane, value, 1);
        v128.store_lane<f32>(to + 2 * plane, value, 2);
      }
    }
  }
}

/** Places are integers of 2^-32 pixels. */
// @ts-ignore: decorator
@inline
function fixed(place: f64): i64 {
  return <i64>nearest<f64>(place * 4294967296.0);
}

// @ts-ignore: decorator
@inline
function clamped(value: i64, last: i64): i64 {
  const least: i64 = value > 0 ? value : 0;
  return least < last ? least : last;
}

// @ts-ignore: decorator
@inline
function isFar(wanted: i64, nearest: i64): bool {
  const apart = wanted - nearest;
  return apart <= -HALF || apart >= HALF;
}

/** Red, green, blue (and what does not matter) between two pixels, `ONE` times; `shares` of both in every lane. */
// @ts-ignore: decorator
@inline
function across(at: usize, shares: v128): v128 {
  const values = i16x8.extend_low_i8x16_u(v128.load64_zero(at));
  const pairs = v128.shuffle<i16>(values, values, 0, 3, 1, 4, 2, 5, 6, 7);
  return f32x4.convert_i32x4_s(i32x4.dot_i16x8_s(pairs, shares));
}
