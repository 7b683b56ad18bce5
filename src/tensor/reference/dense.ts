// Float64 arrays of any rank and the few loops over them that the reference interpreter is written in.

/** A dense row-major array; whole numbers and truth values are held as numbers, too. */
export type Dense = { readonly shape: readonly number[]; readonly data: Float64Array };

/** The product of the extents. */
export function countOf(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

/** Visits every multi-index in row-major order; the array it gets is reused. */
export function forEachIndex(shape: readonly number[], visit: (index: readonly number[]) => void): void {
  const index = shape.map(() => 0);
  for (let remaining = countOf(shape); remaining > 0; remaining--) {
    visit(index);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis]!++;
      if (index[axis]! < shape[axis]!) break;
      index[axis] = 0;
    }
  }
}

/** An array whose element at each multi-index is computed. */
export function generate(shape: readonly number[], at: (index: readonly number[]) => number): Dense {
  const data = new Float64Array(countOf(shape));
  let position = 0;
  forEachIndex(shape, (index) => {
    data[position++] = at(index);
  });
  return { shape, data };
}

/** The element at a multi-index; the array broadcasts to the index's rank as NumPy does. */
export function elementAt({ shape, data }: Dense, index: readonly number[]): number {
  const offset = index.length - shape.length;
  let position = 0;
  for (let axis = 0; axis < shape.length; axis++) {
    const extent = shape[axis]!;
    position = position * extent + (extent === 1 ? 0 : index[axis + offset]!);
  }
  return data[position]!;
}

/** Folds the elements over some axes; the result keeps them with extent 1. */
export function fold(
  x: Dense,
  axes: readonly number[],
  start: number,
  step: (accumulated: number, element: number) => number,
): Dense {
  const shape = x.shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent));
  const data = new Float64Array(countOf(shape)).fill(start);
  forEachIndex(x.shape, (index) => {
    let position = 0;
    for (let axis = 0; axis < shape.length; axis++) {
      position = position * shape[axis]! + (shape[axis] === 1 ? 0 : index[axis]!);
    }
    data[position] = step(data[position]!, elementAt(x, index));
  });
  return { shape, data };
}
