// The element types of files of weights, and the way between them: bf16 is the upper half of fp32, fp16 has a form of
// its own, all else is cast.

import { elementCount, fromHalf, toHalf } from '../tensor/index.ts';

/** An element type as files store it. */
export type StoredType =
  | 'float64'
  | 'float32'
  | 'float16'
  | 'bfloat16'
  | 'int64'
  | 'int32'
  | 'int16'
  | 'int8'
  | 'uint8'
  | 'bool';

/** The types that weights are kept in. */
export type WeightType = 'float32' | 'float16' | 'bfloat16';

const BYTES: Readonly<Record<StoredType, number>> = {
  float64: 8,
  float32: 4,
  float16: 2,
  bfloat16: 2,
  int64: 8,
  int32: 4,
  int16: 2,
  int8: 1,
  uint8: 1,
  bool: 1,
};

/** Bytes of one element. */
export function bytesOf(type: StoredType): number {
  return BYTES[type];
}

/** Bytes of a tensor. */
export function byteLengthOf({ type, shape }: { type: StoredType; shape: readonly number[] }): number {
  return elementCount(shape) * BYTES[type];
}

/** Whether elements of a type are weights: floating-point numbers. */
export function isWeightType(type: StoredType): boolean {
  return type === 'float64' || type === 'float32' || type === 'float16' || type === 'bfloat16';
}

/** The numbers of little-endian bytes as float32. The bytes' memory may be shared with the result. */
export function toFloats(bytes: Uint8Array<ArrayBuffer>, type: StoredType): Float32Array<ArrayBuffer> {
  const aligned = bytes.byteOffset % 8 === 0 ? bytes : bytes.slice();
  const { buffer, byteOffset } = aligned;
  const length = bytes.length / BYTES[type];
  switch (type) {
    case 'float64':
      return Float32Array.from(new Float64Array(buffer, byteOffset, length));
    case 'float32':
      return new Float32Array(buffer, byteOffset, length);
    case 'float16':
      return fromHalf(new Uint16Array(buffer, byteOffset, length));
    case 'bfloat16':
      return fromBrain(new Uint16Array(buffer, byteOffset, length));
    case 'int64':
      return Float32Array.from(new BigInt64Array(buffer, byteOffset, length), Number);
    case 'int32':
      return Float32Array.from(new Int32Array(buffer, byteOffset, length));
    case 'int16':
      return Float32Array.from(new Int16Array(buffer, byteOffset, length));
    case 'int8':
      return Float32Array.from(new Int8Array(buffer, byteOffset, length));
    default:
      return Float32Array.from(aligned);
  }
}

/** Little-endian bytes of numbers in a type of weights; rounds to nearest, ties to even. */
export function fromFloats(values: Float32Array<ArrayBuffer>, type: WeightType): Uint8Array<ArrayBuffer> {
  if (type === 'float32') return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const halves = type === 'float16' ? toHalf(values) : toBrain(values);
  return new Uint8Array(halves.buffer);
}

function fromBrain(brains: Uint16Array): Float32Array<ArrayBuffer> {
  const bits = new Uint32Array(brains.length);
  for (let i = 0; i < brains.length; i++) bits[i] = brains[i]! << 16;
  return new Float32Array(bits.buffer);
}

function toBrain(values: Float32Array): Uint16Array<ArrayBuffer> {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const brains = new Uint16Array(values.length);
  for (let i = 0; i < bits.length; i++) {
    const b = bits[i]!;
    // NaN stays NaN, whatever its payload; all else rounds by what is cut off, with ties to the even upper half.
    const isNan = (b & 0x7fffffff) > 0x7f800000;
    brains[i] = isNan ? (b >>> 16) | 0x40 : (b + 0x7fff + ((b >>> 16) & 1)) >>> 16;
  }
  return brains;
}
