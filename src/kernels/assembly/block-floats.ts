// Numbers of 8 bits as floating-point numbers of few bits: what moments of an optimiser are held in, block by block, with
// one fp32 unit a block. `exponent` and `mantissa` are compile-time constants; together at most 8 bits. A code counts
// from 0 to the greatest number, 2 - 2^-mantissa units; codes below 2^mantissa are evenly spaced (subnormal).

/** The greatest number, in units. */
@inline
export function greatest(mantissa: i32): f32 {
  return 2 - reinterpret<f32>((127 - mantissa) << 23);
}

/** The numbers of four codes (i32), in units. */
@inline
export function decode(codes: v128, exponent: i32, mantissa: i32): v128 {
  const normal = i32x4.add(i32x4.shl(codes, 23 - mantissa), i32x4.splat((128 - (1 << exponent)) << 23));
  const even = f32x4.mul(f32x4.convert_i32x4_s(codes), f32x4.splat(spacing(exponent, mantissa)));
  return v128.bitselect(even, normal, i32x4.lt_s(codes, i32x4.splat(1 << mantissa)));
}

/**
 * The codes (i32) of four numbers in units, none below zero: rounded up by `noise` / 2^(23 - mantissa) of the distance
 * between codes, down beyond. Noise of half that range rounds to the nearest, even noise keeps the mean.
 */
@inline
export function encode(numbers: v128, noise: v128, exponent: i32, mantissa: i32): v128 {
  const cut = 23 - mantissa;
  const bounded = f32x4.min(numbers, f32x4.splat(greatest(mantissa)));
  const bits = i32x4.sub(i32x4.add(bounded, noise), i32x4.splat((128 - (1 << exponent)) << 23));
  const normal = i32x4.shr_u(bits, cut);
  const share = f32x4.mul(f32x4.convert_i32x4_s(noise), f32x4.splat(reinterpret<f32>((127 - cut) << 23)));
  const counted = f32x4.mul(bounded, f32x4.splat(1 / spacing(exponent, mantissa)));
  const even = i32x4.trunc_sat_f32x4_s(f32x4.add(counted, share));
  const least = f32x4.splat(reinterpret<f32>((129 - (1 << exponent)) << 23));
  const codes = v128.bitselect(even, normal, f32x4.lt(bounded, least));
  return i32x4.min_s(codes, i32x4.splat((1 << (exponent + mantissa)) - 1));
}

/** Four codes at `pointer` as i32. */
@inline
export function loadCodes(pointer: usize): v128 {
  return i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(pointer)));
}

/** Writes four codes (i32) at `pointer`. */
@inline
export function storeCodes(pointer: usize, codes: v128): void {
  const halves = i16x8.narrow_i32x4_u(codes, codes);
  v128.store_lane<u32>(pointer, i8x16.narrow_i16x8_u(halves, halves), 0);
}

/** 32 bits that look drawn, from four counters. Source: Wellons, "Prospecting for hash functions", 2018 (lowbias32). */
@inline
export function drawn(counters: v128): v128 {
  let x = v128.xor(counters, i32x4.shr_u(counters, 16));
  x = i32x4.mul(x, i32x4.splat(0x7feb352d));
  x = v128.xor(x, i32x4.shr_u(x, 15));
  x = i32x4.mul(x, i32x4.splat(<i32>0x846ca68b));
  return v128.xor(x, i32x4.shr_u(x, 16));
}

/** The distance between the codes that are evenly spaced. */
@inline
function spacing(exponent: i32, mantissa: i32): f32 {
  return reinterpret<f32>((129 - (1 << exponent) - mantissa) << 23);
}
