// Conversion between float32 values and the raw bits of float16, for files that store halves.
// Rounds to nearest, ties to even (IEEE 754), as every other writer of fp16 does.

const floatView = new Float32Array(1);
const bitsView = new Uint32Array(floatView.buffer);
const HALF_COUNT = 65_536;
/** The value of each half, made when first many are read. */
let allHalves: Float32Array | undefined;

/** The float16 bits nearest to each value; out of range becomes infinity. */
export function toHalf(values: Float32Array): Uint16Array<ArrayBuffer> {
  const halves = new Uint16Array(values.length);
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < bits.length; i++) {
    const b = bits[i]!;
    const magnitude = b & 0x7fffffff;
    // Normal halves, which nearly all weights are, take a few integer operations.
    const isNormal = magnitude >= 0x38800000 && magnitude < 0x47800000;
    halves[i] = isNormal
      ? ((b >>> 16) & 0x8000) | ((magnitude - 0x38000000 + 0x0fff + ((magnitude >>> 13) & 1)) >>> 13)
      : halfBits(values[i]!);
  }
  return halves;
}

/** The float32 values of float16 bits. */
export function fromHalf(halves: Uint16Array): Float32Array<ArrayBuffer> {
  const values = new Float32Array(halves.length);
  if (halves.length < HALF_COUNT) {
    for (let i = 0; i < halves.length; i++) values[i] = halfValue(halves[i]!);
    return values;
  }
  allHalves ??= Float32Array.from({ length: HALF_COUNT }, (_, half) => halfValue(half));
  for (let i = 0; i < halves.length; i++) values[i] = allHalves[halves[i]!]!;
  return values;
}

function halfBits(value: number): number {
  floatView[0] = value;
  const bits = bitsView[0]!;
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x47800000) return sign | 0x7c00;
  if (magnitude < 0x38800000) {
    // Below the smallest normal half: count steps of 2^-24, rounding to even.
    return sign | roundToEven(Math.abs(value) * 2 ** 24);
  }
  const rounded = magnitude - 0x38000000 + 0x0fff + ((magnitude >>> 13) & 1);
  return sign | (rounded >>> 13);
}

function roundToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}

function halfValue(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
