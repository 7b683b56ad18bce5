// What a JPEG's cosine transform and rounding lose, over pointers; bytes of RGB in place. Rows and columns of a block of 8 x 8 floats
// are two vectors each: columns are transformed, the block is turned over, columns are transformed again.

export function heapBase(): usize {
  return __heap_base;
}

/**
 * Takes `rgb` (`H W 3` bytes) to a JPEG's planes and back. `cosines` are `8 8` floats (frequency, sample), `lumaSteps` and `chromaSteps`
 * `8 8` floats; `luma` holds `H W` floats, `blue` and `red` a quarter (odd sides rounded up); `block` 128 floats.
 */
export function compress(
  rgb: usize,
  width: i32,
  height: i32,
  cosines: usize,
  lumaSteps: usize,
  chromaSteps: usize,
  luma: usize,
  blue: usize,
  red: usize,
  block: usize,
): void {
  const halfWidth = (width + 1) >> 1;
  const halfHeight = (height + 1) >> 1;
  for (let top = 0; top < halfHeight; top++) {
    for (let left = 0; left < halfWidth; left++) {
      let b: f32 = 0;
      let r: f32 = 0;
      let count: f32 = 0;
      for (let y = 2 * top; y < min(height, 2 * top + 2); y++) {
        for (let x = 2 * left; x < min(width, 2 * left + 2); x++) {
          const pixel = <usize>(y * width + x);
          const bytes = rgb + 3 * pixel;
          const red8 = <f32>load<u8>(bytes, 0);
          const blue8 = <f32>load<u8>(bytes, 2);
          const bright: f32 = 0.299 * red8 + 0.587 * <f32>load<u8>(bytes, 1) + 0.114 * blue8;
          store<f32>(luma + (pixel << 2), bright - 128);
          b += 0.564 * (blue8 - bright);
          r += 0.713 * (red8 - bright);
          count += 1;
        }
      }
      const half = <usize>(top * halfWidth + left) << 2;
      store<f32>(blue + half, b / count);
      store<f32>(red + half, r / count);
    }
  }
  quantise(luma, width, height, cosines, lumaSteps, block);
  quantise(blue, halfWidth, halfHeight, cosines, chromaSteps, block);
  quantise(red, halfWidth, halfHeight, cosines, chromaSteps, block);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const pixel = <usize>(y * width + x);
      const half = <usize>((y >> 1) * halfWidth + (x >> 1)) << 2;
      const bright = load<f32>(luma + (pixel << 2)) + 128;
      const b = load<f32>(blue + half);
      const r = load<f32>(red + half);
      const bytes = rgb + 3 * pixel;
      store<u8>(bytes, toByte(bright + 1.402 * r), 0);
      store<u8>(bytes, toByte(bright - 0.344 * b - 0.714 * r), 1);
      store<u8>(bytes, toByte(bright + 1.772 * b), 2);
    }
  }
}

// @ts-ignore: decorator
@inline
function toByte(value: f32): i32 {
  return <i32>min<f32>(255, max<f32>(0, Mathf.floor(value + 0.5)));
}

/** Rounds the cosine coefficients of a plane, block by block; blocks repeat the plane's border beyond it. */
function quantise(plane: usize, width: i32, height: i32, cosines: usize, steps: usize, block: usize): void {
  const other = block + 256;
  for (let top = 0; top < height; top += 8) {
    for (let left = 0; left < width; left += 8) {
      const isWhole = top + 8 <= height && left + 8 <= width;
      for (let i = 0; i < 8; i++) {
        const row = plane + (<usize>(min(height - 1, top + i) * width) << 2);
        const to = block + (<usize>i << 5);
        if (isWhole) {
          memory.copy(to, row + (<usize>left << 2), 32);
          continue;
        }
        for (let j = 0; j < 8; j++) {
          store<f32>(to + (<usize>j << 2), load<f32>(row + (<usize>min(width - 1, left + j) << 2)));
        }
      }
      forward(block, other, cosines);
      transpose(other, block);
      forward(block, other, cosines);
      transpose(other, block);
      for (let at: usize = 0; at < 256; at += 16) {
        const step = v128.load(steps + at);
        v128.store(block + at, f32x4.mul(f32x4.nearest(f32x4.div(v128.load(block + at), step)), step));
      }
      inverse(block, other, cosines);
      transpose(other, block);
      inverse(block, other, cosines);
      transpose(other, block);
      for (let i = 0; i < min(8, height - top); i++) {
        const row = plane + (<usize>((top + i) * width + left) << 2);
        memory.copy(row, block + (<usize>i << 5), <usize>min(8, width - left) << 2);
      }
    }
  }
}

/** Columns to coefficients: even ones are of the sums of samples that mirror each other, odd ones of their differences. */
function forward(from: usize, to: usize, cosines: usize): void {
  for (let half: usize = 0; half < 32; half += 16) {
    const p = from + half;
    const a = v128.load(p, 0);
    const b = v128.load(p, 32);
    const c = v128.load(p, 64);
    const d = v128.load(p, 96);
    const e = v128.load(p, 128);
    const f = v128.load(p, 160);
    const g = v128.load(p, 192);
    const h = v128.load(p, 224);
    for (let k: usize = 0; k < 8; k += 2) {
      const even = four(cosines + (k << 5), f32x4.add(a, h), f32x4.add(b, g), f32x4.add(c, f), f32x4.add(d, e));
      v128.store(to + half + (k << 5), even);
      const odd = four(
        cosines + ((k + 1) << 5),
        f32x4.sub(a, h),
        f32x4.sub(b, g),
        f32x4.sub(c, f),
        f32x4.sub(d, e),
      );
      v128.store(to + half + ((k + 1) << 5), odd);
    }
  }
}

/** Four vectors, weighed by the first four cosines of a row, summed. */
// @ts-ignore: decorator
@inline
function four(row: usize, a: v128, b: v128, c: v128, d: v128): v128 {
  return f32x4.add(
    f32x4.add(f32x4.mul(v128.load32_splat(row, 0), a), f32x4.mul(v128.load32_splat(row, 4), b)),
    f32x4.add(f32x4.mul(v128.load32_splat(row, 8), c), f32x4.mul(v128.load32_splat(row, 12), d)),
  );
}

/** Coefficients to columns: a sample and the one that mirrors it share both sums. */
function inverse(from: usize, to: usize, cosines: usize): void {
  for (let half: usize = 0; half < 32; half += 16) {
    for (let x: usize = 0; x < 4; x++) {
      let even = f32x4.splat(0);
      let odd = even;
      for (let k: usize = 0; k < 8; k += 2) {
        const row = cosines + (k << 5) + (x << 2);
        const p = from + half + (k << 5);
        even = f32x4.add(even, f32x4.mul(v128.load32_splat(row, 0), v128.load(p, 0)));
        odd = f32x4.add(odd, f32x4.mul(v128.load32_splat(row, 32), v128.load(p, 32)));
      }
      v128.store(to + half + (x << 5), f32x4.add(even, odd));
      v128.store(to + half + ((7 - x) << 5), f32x4.sub(even, odd));
    }
  }
}

function transpose(from: usize, to: usize): void {
  transposeQuarter(from, to);
  transposeQuarter(from + 16, to + 128);
  transposeQuarter(from + 128, to + 16);
  transposeQuarter(from + 144, to + 144);
}

/** 4 x 4 floats of a block whose rows are 32 bytes apart. */
function transposeQuarter(from: usize, to: usize): void {
  const a = v128.load(from, 0);
  const b = v128.load(from, 32);
  const c = v128.load(from, 64);
  const d = v128.load(from, 96);
  const ab = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
  const cd = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
  const abHigh = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
  const cdHigh = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<f32>(ab, cd, 0, 1, 4, 5), 0);
  v128.store(to, v128.shuffle<f32>(ab, cd, 2, 3, 6, 7), 32);
  v128.store(to, v128.shuffle<f32>(abHigh, cdHigh, 0, 1, 4, 5), 64);
  v128.store(to, v128.shuffle<f32>(abHigh, cdHigh, 2, 3, 6, 7), 96);
}
