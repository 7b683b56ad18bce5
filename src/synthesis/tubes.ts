// Tubes along lines: rims, temples, hoops.

import type { Material, Piece } from './scene.ts';

type Place = readonly [number, number, number];

/** A tube of `sides` sides along a line of places, closed into a ring or open. */
export function tubeAlong(
  line: readonly Place[],
  {
    radiusMetres,
    isRing,
    sides = 6,
  }: { readonly radiusMetres: number; readonly isRing: boolean; readonly sides?: number },
): { readonly vertices: number[]; readonly triangles: number[] } {
  const vertices: number[] = [];
  const triangles: number[] = [];
  const count = line.length;
  const at = (i: number): Place => line[isRing ? (i + count) % count : Math.min(count - 1, Math.max(0, i))]!;
  for (let i = 0; i < count; i++) {
    const along = unit(minus(at(i + 1), at(i - 1)));
    // Any direction that is not the tube's own starts a frame around it.
    const start: Place = Math.abs(along[1]) < 0.8 ? [0, 1, 0] : [0, 0, 1];
    const across = unit(cross(along, start));
    const up = cross(across, along);
    for (let side = 0; side < sides; side++) {
      const [c, s] = [Math.cos((2 * Math.PI * side) / sides), Math.sin((2 * Math.PI * side) / sides)];
      for (let k = 0; k < 3; k++) vertices.push(at(i)[k]! + radiusMetres * (c * across[k]! + s * up[k]!));
    }
  }
  const rings = isRing ? count : count - 1;
  for (let i = 0; i < rings; i++) {
    for (let side = 0; side < sides; side++) {
      const next = (side + 1) % sides;
      const [a, b] = [i * sides + side, i * sides + next];
      const [c, d] = [((i + 1) % count) * sides + side, ((i + 1) % count) * sides + next];
      triangles.push(a, b, c, b, d, c);
    }
  }
  return { vertices, triangles };
}

/** Meshes that move with the skull as one piece. */
export function pieceOf(
  meshes: readonly { readonly vertices: readonly number[]; readonly triangles: readonly number[] }[],
  material: Material,
): Piece {
  const vertices: number[] = [];
  const triangles: number[] = [];
  for (const mesh of meshes) {
    const first = vertices.length / 3;
    for (const value of mesh.vertices) vertices.push(value);
    for (const vertex of mesh.triangles) triangles.push(first + vertex);
  }
  const count = vertices.length / 3;
  return {
    vertices: Float32Array.from(vertices),
    triangles: Uint32Array.from(triangles),
    material,
    headness: new Float32Array(count).fill(1),
    extra: new Float32Array(2 * count),
    directions: null,
    uvs: null,
  };
}

const minus = (a: Place, b: Place): Place => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
const cross = (a: Place, b: Place): Place => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];
const unit = (v: Place): Place => {
  const length = Math.hypot(...v) || 1;
  return [v[0] / length, v[1] / length, v[2] / length];
};
