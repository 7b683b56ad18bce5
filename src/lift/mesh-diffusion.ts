// Colours that spread over a mesh from the vertices that have one to those that have none.

import type { VertexNeighbours } from '../geometry/index.ts';

/**
 * Solves Laplace's equation over the mesh, in place: values (`V 3`) of vertices with `isKnown` stay, the
 * others become the mean of their neighbours. Vertices that no known one reaches keep what they had.
 * @param sweeps Gauss-Seidel sweeps; the start is the nearest known value, so few are enough.
 */
export function diffuseOverMesh(
  values: Float32Array,
  isKnown: Uint8Array,
  { starts, indices }: VertexNeighbours,
  sweeps = 24,
): void {
  const isReached = Uint8Array.from(isKnown);
  let front: number[] = [];
  isKnown.forEach((known, v) => {
    if (known) front.push(v);
  });
  const order: number[] = [];
  while (front.length > 0) {
    const next: number[] = [];
    for (const v of front) {
      for (let i = starts[v]!; i < starts[v + 1]!; i++) {
        const neighbour = indices[i]!;
        if (isReached[neighbour]) continue;
        isReached[neighbour] = 1;
        for (let k = 0; k < 3; k++) values[3 * neighbour + k] = values[3 * v + k]!;
        next.push(neighbour);
      }
    }
    order.push(...next);
    front = next;
  }
  for (let sweep = 0; sweep < sweeps; sweep++) {
    for (const v of order) {
      const [start, end] = [starts[v]!, starts[v + 1]!];
      for (let k = 0; k < 3; k++) {
        let sum = 0;
        for (let i = start; i < end; i++) sum += values[3 * indices[i]! + k]!;
        values[3 * v + k] = sum / (end - start);
      }
    }
  }
}
