// Arrays as NumPy's files hold them, and the way from their raw bytes to plain row-major numbers.
// Source: the NumPy reference, "numpy.lib.format" and "The N-dimensional array", public.

import { BadInputError } from '../errors/index.ts';

/** An array of numbers, row-major whatever its order in the file. */
export type NumpyArray = {
  readonly shape: readonly number[];
  /**
   * Halves and singles as `Float32Array`, integers up to 16 bits, signed 32 bits and booleans as `Int32Array`, all
   * else as `Float64Array` (64-bit integers are exact up to 2^53).
   */
  readonly data: Float32Array | Float64Array | Int32Array;
};

/** An element type: NumPy's `descr` in parts. */
export type ElementType = {
  /** `f` float, `i` integer, `u` unsigned, `b` boolean, `O` objects. */
  readonly kind: 'f' | 'i' | 'u' | 'b' | 'O';
  readonly bytes: number;
  readonly isBigEndian: boolean;
};

/** An error that names the file; each reader of a file has its own. */
export type Reject = (problem: string, cause?: unknown) => BadInputError;

/** Makes the `Reject` of a file. */
export function rejectFile(name: string): Reject {
  return (problem, cause) =>
    new BadInputError({
      code: 'bad-numpy-file',
      message: `${name} cannot be read: ${problem}`,
      hint: 'the file is damaged, incomplete or of another kind: get it again from its source',
      cause,
    });
}

const SIZES: Readonly<Record<ElementType['kind'], readonly number[]>> = {
  f: [2, 4, 8],
  i: [1, 2, 4, 8],
  u: [1, 2, 4, 8],
  b: [1],
  O: [8],
};

/** Reads a `descr` such as `<f4` or `|b1`. @throws the reader's error for types that hold no plain numbers. */
export function parseElementType(descr: string, reject: Reject): ElementType {
  const match = /^([<>|=]?)([fiubO])(\d*)$/.exec(descr);
  const kind = match?.[2] as ElementType['kind'] | undefined;
  const bytes = Number(match?.[3] || (kind === 'b' ? 1 : 8));
  if (kind === undefined || !SIZES[kind].includes(bytes)) {
    throw reject(`it holds elements of type "${descr}", expected plain numbers`);
  }
  return { kind, bytes, isBigEndian: match?.[1] === '>' };
}

/** The number of elements of a shape. */
export function countOf(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

/**
 * Makes an array of raw bytes.
 * @param isFortran whether the first axis varies fastest in the bytes
 * @throws the reader's error where the bytes are not as many as the shape needs.
 */
export function arrayFromBytes(
  bytes: Uint8Array,
  type: ElementType,
  shape: readonly number[],
  isFortran: boolean,
  reject: Reject,
): NumpyArray {
  const count = countOf(shape);
  if (bytes.length !== count * type.bytes) {
    throw reject(
      `an array of shape (${shape.join(', ')}) needs ${count * type.bytes} bytes, has ${bytes.length}`,
    );
  }
  const data = readElements(bytes, type, count);
  return { shape, data: isFortran && shape.length > 1 ? fromFortran(data, shape) : data };
}

function readElements(bytes: Uint8Array, type: ElementType, count: number): NumpyArray['data'] {
  // A copy, so that it is aligned and keeps nothing of a large file alive.
  const plain = Uint8Array.prototype.slice.call(bytes);
  const view = new DataView(plain.buffer);
  const isLittle = !type.isBigEndian;
  if (isLittle && type.kind === 'f' && type.bytes === 8) return new Float64Array(plain.buffer);
  if (isLittle && type.kind === 'f' && type.bytes === 4) return new Float32Array(plain.buffer);
  if (isLittle && type.kind === 'i' && type.bytes === 4) return new Int32Array(plain.buffer);
  const read = elementReader(view, type, isLittle);
  const isWide = type.bytes === 8 || (type.kind === 'u' && type.bytes === 4);
  const data =
    type.kind === 'f' && type.bytes < 8
      ? new Float32Array(count)
      : isWide
        ? new Float64Array(count)
        : new Int32Array(count);
  for (let i = 0; i < count; i++) data[i] = read(i * type.bytes);
  return data;
}

function elementReader(view: DataView, type: ElementType, isLittle: boolean): (at: number) => number {
  switch (`${type.kind}${type.bytes}`) {
    case 'f2':
      return (at) => halfToNumber(view.getUint16(at, isLittle));
    case 'f4':
      return (at) => view.getFloat32(at, isLittle);
    case 'f8':
      return (at) => view.getFloat64(at, isLittle);
    case 'i1':
      return (at) => view.getInt8(at);
    case 'i2':
      return (at) => view.getInt16(at, isLittle);
    case 'i4':
      return (at) => view.getInt32(at, isLittle);
    case 'i8':
      return (at) => Number(view.getBigInt64(at, isLittle));
    case 'u2':
      return (at) => view.getUint16(at, isLittle);
    case 'u4':
      return (at) => view.getUint32(at, isLittle);
    case 'u8':
      return (at) => Number(view.getBigUint64(at, isLittle));
    default:
      return (at) => view.getUint8(at);
  }
}

function halfToNumber(half: number): number {
  const [sign, exponent, fraction] = [half & 0x8000 ? -1 : 1, (half >> 10) & 31, half & 1023];
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** Elements whose first axis varies fastest, in row-major order. */
function fromFortran(data: NumpyArray['data'], shape: readonly number[]): NumpyArray['data'] {
  const out = data.slice();
  const steps: number[] = [];
  let step = 1;
  for (const extent of shape) {
    steps.push(step);
    step *= extent;
  }
  const index = new Array<number>(shape.length).fill(0);
  let from = 0;
  for (let to = 0; to < out.length; to++) {
    out[to] = data[from]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += steps[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      from -= steps[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return out;
}
