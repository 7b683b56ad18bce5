// Planes of luma and halved chroma to RGB, in 16.16 fixed point.
//
// `rgbFromI420`: reads rows of luma `strideY` bytes apart and of both chromas `strideC` bytes apart (and up to 7 bytes past
//   them), and at `factors` six int32: luma's zero and scale, red's of v, green's of u and of v, blue's of u;
//   writes rows of RGB without padding (and up to 21 bytes past the last).

export function heapBase(): usize {
  return __heap_base;
}

export function rgbFromI420(
  out: usize,
  width: u32,
  height: u32,
  luma: usize,
  strideY: u32,
  u: usize,
  v: usize,
  strideC: u32,
  factors: usize,
): void {
  const zero = i16x8.splat(<i16>load<i32>(factors));
  const scale = v128.load32_splat(factors, 4);
  const redV = v128.load32_splat(factors, 8);
  const greenU = v128.load32_splat(factors, 12);
  const greenV = v128.load32_splat(factors, 16);
  const blueU = v128.load32_splat(factors, 20);
  const half = i32x4.splat(32768);
  for (let y: u32 = 0; y < height; y++) {
    const rowY: usize = luma + <usize>y * strideY;
    const rowU: usize = u + <usize>(y >> 1) * strideC;
    const rowV: usize = v + <usize>(y >> 1) * strideC;
    // What is written past a row's end, the next one overwrites.
    const row: usize = out + 3 * <usize>y * width;
    for (let x: u32 = 0; x < width; x += 8) {
      const bright = i16x8.sub(v128.load8x8_u(rowY + x), zero);
      const first = i32x4.add(i32x4.mul(i32x4.extend_low_i16x8_s(bright), scale), half);
      const last = i32x4.add(i32x4.mul(i32x4.extend_high_i16x8_s(bright), scale), half);
      const cu = chroma(rowU + (x >> 1));
      const cv = chroma(rowV + (x >> 1));
      const red = bytes(first, last, i32x4.mul(cv, redV));
      const green = bytes(first, last, i32x4.add(i32x4.mul(cu, greenU), i32x4.mul(cv, greenV)));
      const blue = bytes(first, last, i32x4.mul(cu, blueU));
      const pairs = v128.shuffle<i8>(red, green, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
      const to: usize = row + 3 * x;
      v128.store(to, v128.shuffle<i8>(pairs, blue, 0, 1, 16, 2, 3, 17, 4, 5, 18, 6, 7, 19, 8, 9, 20, 10));
      const rest = v128.shuffle<i8>(pairs, blue, 11, 21, 12, 13, 22, 14, 15, 23, 0, 0, 0, 0, 0, 0, 0, 0);
      v128.store64_lane(to, rest, 0, 16);
    }
  }
}

/** Four samples about 0. */
// @ts-ignore: decorator
@inline
function chroma(at: usize): v128 {
  const wide = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(at)));
  return i32x4.sub(wide, i32x4.splat(128));
}

/** Eight pixels of a colour in the low bytes: luma, and what each pair adds. */
// @ts-ignore: decorator
@inline
function bytes(first: v128, last: v128, added: v128): v128 {
  const a = i32x4.shr_s(i32x4.add(first, v128.shuffle<i32>(added, added, 0, 0, 1, 1)), 16);
  const b = i32x4.shr_s(i32x4.add(last, v128.shuffle<i32>(added, added, 2, 2, 3, 3)), 16);
  const words = i16x8.narrow_i32x4_s(a, b);
  return i8x16.narrow_i16x8_u(words, words);
}
