// Tensors that live in host memory: what sessions take and give, and what files hold.
// The axis letters in `Tensor<'B C H W'>` document the shape; `expectShape` checks it at boundaries.

import { BadInputError } from '../errors/index.ts';

/** Element types that graphs and files use. */
export type DType = 'float32' | 'float16' | 'int32' | 'int64' | 'uint8' | 'bool';

/** The typed array that holds elements of a `DType`; float16 is held as raw bits. */
export type DataOf<D extends DType> = D extends 'float32'
  ? Float32Array
  : D extends 'float16'
    ? Uint16Array
    : D extends 'int32'
      ? Int32Array
      : D extends 'int64'
        ? BigInt64Array
        : Uint8Array;

/** A dense row-major array. `Axes` names the axes, e.g. `'T C H W'` (letters: ARCHITECTURE.md). */
export type Tensor<_Axes extends string = string, D extends DType = 'float32'> = {
  readonly dtype: D;
  readonly shape: readonly number[];
  readonly data: DataOf<D>;
};

/** A tensor of any element type. */
export type AnyTensor = { [D in DType]: Tensor<string, D> }[DType];

/** Wraps float32 data without copying. @throws BadInputError if the length does not fit the shape. */
export function tensor<Axes extends string>(data: Float32Array, shape: readonly number[]): Tensor<Axes> {
  if (data.length !== elementCount(shape)) {
    throw new BadInputError({
      code: 'tensor-length',
      message: `expected ${elementCount(shape)} values for shape [${shape}], got ${data.length}`,
      hint: 'pass data whose length is the product of the shape',
    });
  }
  return { dtype: 'float32', shape, data };
}

/** A float32 tensor of zeros. */
export function zeros<Axes extends string>(shape: readonly number[]): Tensor<Axes> {
  return { dtype: 'float32', shape, data: new Float32Array(elementCount(shape)) };
}

/** Arrays of one length, one behind the other: the data of a tensor with one more axis in front. */
export function stacked(parts: readonly Float32Array[]): Float32Array {
  const length = parts[0]!.length;
  const all = new Float32Array(parts.length * length);
  for (const [i, part] of parts.entries()) all.set(part, i * length);
  return all;
}

/** The product of the extents; 1 for a scalar. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

/**
 * Checks a shape at a public boundary; `null` extents match anything.
 * @throws BadInputError naming the tensor, what was expected and what came.
 */
export function expectShape(
  name: string,
  value: { readonly shape: readonly number[] },
  expected: readonly (number | null)[],
): void {
  const fits =
    value.shape.length === expected.length && expected.every((e, i) => e === null || e === value.shape[i]);
  if (fits) return;
  const wanted = expected.map((extent) => extent ?? '?').join(', ');
  throw new BadInputError({
    code: 'tensor-shape',
    message: `expected ${name} of shape [${wanted}], got [${value.shape.join(', ')}]`,
    hint: `check where ${name} comes from`,
  });
}
