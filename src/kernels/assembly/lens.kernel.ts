// A picture's blur, and linear light to bytes. Plain functions over pointers. Light is encoded in doubles, so that it
// rounds as the reference does.

export function heapBase(): usize {
  return __heap_base;
}

/**
 * Blurs `picture` (`H W 3` floats) in place by five taps of weights `w2 w1 w0 w1 w2`; the border repeats. `middle` holds
 * a picture, `line` a row and four pixels; both are overwritten and may be read 16 bytes past their end.
 */
export function blur(
  picture: usize,
  width: i32,
  height: i32,
  w0: f32,
  w1: f32,
  w2: f32,
  line: usize,
  middle: usize,
): void {
  const row = <usize>width * 12;
  for (let y = 0; y < height; y++) {
    const from = picture + <usize>y * row;
    memory.copy(line + 24, from, row);
    memory.copy(line, from, 12);
    memory.copy(line + 12, from, 12);
    memory.copy(line + 24 + row, from + row - 12, 12);
    memory.copy(line + 36 + row, from + row - 12, 12);
    weigh(line, line + 12, line + 24, line + 36, line + 48, row, w0, w1, w2, middle + <usize>y * row);
  }
  const last = height - 1;
  for (let y = 0; y < height; y++) {
    weigh(
      middle + <usize>max(0, y - 2) * row,
      middle + <usize>max(0, y - 1) * row,
      middle + <usize>y * row,
      middle + <usize>min(last, y + 1) * row,
      middle + <usize>min(last, y + 2) * row,
      row,
      w0,
      w1,
      w2,
      picture + <usize>y * row,
    );
  }
}

/** Five lines of `bytes` to one. */
function weigh(
  a: usize,
  b: usize,
  c: usize,
  d: usize,
  e: usize,
  bytes: usize,
  w0: f32,
  w1: f32,
  w2: f32,
  out: usize,
): void {
  let at: usize = 0;
  for (; at + 16 <= bytes; at += 16) {
    const near = f32x4.add(v128.load(b + at), v128.load(d + at));
    const far = f32x4.add(v128.load(a + at), v128.load(e + at));
    const sum = f32x4.add(
      f32x4.add(f32x4.mul(f32x4.splat(w0), v128.load(c + at)), f32x4.mul(f32x4.splat(w1), near)),
      f32x4.mul(f32x4.splat(w2), far),
    );
    v128.store(out + at, sum);
  }
  for (; at < bytes; at += 4) {
    const near = load<f32>(b + at) + load<f32>(d + at);
    const far = load<f32>(a + at) + load<f32>(e + at);
    store<f32>(out + at, w0 * load<f32>(c + at) + w1 * near + w2 * far);
  }
}

/**
 * Reads `linear` (`pixels 3` floats), factors of red, green and blue, `tones` (`steps + 1` floats by the square root of light, `scale`
 * steps a unit), and 32 random bits a pixel; writes bytes (`pixels 3`).
 */
export function develop(
  linear: usize,
  pixels: i32,
  red: f64,
  green: f64,
  blue: f64,
  tones: usize,
  steps: i32,
  scale: f64,
  saturation: f64,
  noise: f64,
  bits: usize,
  out: usize,
): void {
  const last = <f64>(steps - 1);
  for (let pixel = 0; pixel < pixels; pixel++) {
    const light = linear + <usize>pixel * 12;
    const r = encode(tones, last, scale, <f64>load<f32>(light, 0) * red);
    const g = encode(tones, last, scale, <f64>load<f32>(light, 4) * green);
    const b = encode(tones, last, scale, <f64>load<f32>(light, 8) * blue);
    const grey = 0.3 * r + 0.59 * g + 0.11 * b;
    const random = load<u32>(bits + (<usize>pixel << 2));
    const shared = noise * 2.45 * (<f64>((random & 255) + ((random >>> 8) & 255)) / 255 - 1);
    const bytes = out + <usize>pixel * 3;
    store<u8>(bytes, developed(r, grey, saturation, shared, noise, random >>> 16), 0);
    store<u8>(bytes, developed(g, grey, saturation, shared, noise, random >>> 21), 1);
    store<u8>(bytes, developed(b, grey, saturation, shared, noise, random >>> 26), 2);
  }
}

// @ts-ignore: decorator
@inline
function encode(tones: usize, last: f64, scale: f64, light: f64): f64 {
  const place = Math.min(last, Math.sqrt(Math.max(0, light)) * scale);
  const step = <i32>place;
  const at = tones + (<usize>step << 2);
  const below = <f64>load<f32>(at);
  return below + (place - <f64>step) * (<f64>load<f32>(at, 4) - below);
}

// @ts-ignore: decorator
@inline
function developed(encoded: f64, grey: f64, saturation: f64, shared: f64, noise: f64, random: u32): i32 {
  const own = noise * (<f64>(random & 31) / 31 - 0.5);
  const value = grey + saturation * (encoded - grey) + shared + own;
  return <i32>Math.min(255, Math.max(0, Math.floor(value + 0.5)));
}
