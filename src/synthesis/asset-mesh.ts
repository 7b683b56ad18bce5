// An asset's mesh on the head: every vertex a fixed linear function of head vertices plus an offset that
// scales with the head, as MakeHuman's clothes files bind them.

import { damagedAsset } from './asset-text.ts';
import type { BaseMesh } from './base-mesh.ts';
import type { Mhclo } from './mhclo.ts';
import type { ObjMesh } from './obj-mesh.ts';

/** Plain data that a worker can be sent. */
export type AssetMesh = {
  /** Where the carriers of each vertex start; one more at the end. */
  readonly starts: Uint32Array;
  /** Head vertices and their weights. */
  readonly carriers: Uint32Array;
  readonly weights: Float32Array;
  /** `N 3`, in lengths of the axes' scale. */
  readonly offsets: Float32Array;
  /** For x, y, z: the two head vertices whose distance along the axis is its scale. */
  readonly scaleVertices: Uint32Array;
  readonly triangles: Uint32Array;
  /** `N 2`, v down, within the texture. */
  readonly uvs: Float32Array;
};

/** Binds an asset to the head. @throws BadInputError if its files do not fit each other or the base mesh. */
export function bindAsset(base: BaseMesh, mhclo: Mhclo, obj: ObjMesh, name: string): AssetMesh {
  const bound = mhclo.vertices.length / 3;
  if (obj.positions.length / 3 !== bound) {
    throw damagedAsset(name, `it binds ${bound} vertices of a mesh that has ${obj.positions.length / 3}`);
  }
  const beyond = mhclo.vertices.find((v) => v >= base.vertexCount);
  if (beyond !== undefined)
    throw damagedAsset(name, `it binds to vertex ${beyond}, which hm08 does not have`);
  const scaleVertices = mhclo.scales.flatMap(({ from, to }) =>
    [from, to].map((v) => {
      const own = base.headVertex(v);
      if (own === null) throw damagedAsset(name, `its scale uses vertex ${v}, which lies outside the head`);
      return own;
    }),
  );
  const { corners, points, triangles } = splitAtSeams(obj);
  const starts = [0];
  const [carriers, weights]: [number[], number[]] = [[], []];
  const offsets = new Float32Array(points.length * 3);
  points.forEach((point, n) => {
    for (let k = 0; k < 3; k++)
      offsets[3 * n + k] = mhclo.offsets[3 * point + k]! / mhclo.scales[k]!.reference;
    for (let j = 3 * point; j < 3 * point + 3; j++) {
      const weight = mhclo.weights[j]!;
      if (weight === 0) continue;
      const anchor = base.anchor(mhclo.vertices[j]!);
      anchor.vertices.forEach((v, i) => {
        carriers.push(v);
        weights.push(weight * anchor.weights[i]!);
      });
      for (let k = 0; k < 3; k++) {
        const scale = base.baseDistance(scaleVertices[2 * k]!, scaleVertices[2 * k + 1]!, k);
        offsets[3 * n + k]! += (weight * anchor.offset[k]!) / scale;
      }
    }
    starts.push(carriers.length);
  });
  const uvs = new Float32Array(points.length * 2);
  corners.forEach((uv, n) => {
    uvs[2 * n] = clampToTexture(obj.uvs[2 * uv] ?? 0);
    uvs[2 * n + 1] = clampToTexture(1 - (obj.uvs[2 * uv + 1] ?? 0));
  });
  return {
    starts: Uint32Array.from(starts),
    carriers: Uint32Array.from(carriers),
    weights: Float32Array.from(weights),
    offsets,
    scaleVertices: Uint32Array.from(scaleVertices),
    triangles,
    uvs,
  };
}

/** The lengths of the axes' scales on a head at rest (`V 3`), metres. */
export function assetScale({ scaleVertices }: AssetMesh, shaped: Float32Array): [number, number, number] {
  const along = (k: number): number =>
    Math.abs(shaped[3 * scaleVertices[2 * k]! + k]! - shaped[3 * scaleVertices[2 * k + 1]! + k]!);
  return [along(0), along(1), along(2)];
}

/**
 * The asset's vertices (`N 3`) on a head (`V 3`).
 * @param scale of the head at rest
 * @param turn `3 3` rows: how far the head has turned from rest; null at rest.
 */
export function placeAsset(
  { starts, carriers, weights, offsets }: AssetMesh,
  head: Float32Array,
  scale: readonly [number, number, number],
  turn: ArrayLike<number> | null = null,
): Float32Array {
  const count = starts.length - 1;
  const out = new Float32Array(3 * count);
  for (let n = 0; n < count; n++) {
    let [x, y, z] = [
      offsets[3 * n]! * scale[0],
      offsets[3 * n + 1]! * scale[1],
      offsets[3 * n + 2]! * scale[2],
    ];
    if (turn) {
      [x, y, z] = [
        turn[0]! * x + turn[1]! * y + turn[2]! * z,
        turn[3]! * x + turn[4]! * y + turn[5]! * z,
        turn[6]! * x + turn[7]! * y + turn[8]! * z,
      ];
    }
    for (let i = starts[n]!; i < starts[n + 1]!; i++) {
      const [weight, v] = [weights[i]!, 3 * carriers[i]!];
      x += weight * head[v]!;
      y += weight * head[v + 1]!;
      z += weight * head[v + 2]!;
    }
    out[3 * n] = x;
    out[3 * n + 1] = y;
    out[3 * n + 2] = z;
  }
  return out;
}

const clampToTexture = (value: number): number => Math.min(0.999, Math.max(0.001, value));

/** One vertex for each pair of position and texture vertex; polygons as fans. */
function splitAtSeams(obj: ObjMesh): { corners: number[]; points: number[]; triangles: Uint32Array } {
  const indexOf = new Map<string, number>();
  const [corners, points, triangles]: [number[], number[], number[]] = [[], [], []];
  const index = (corner: number): number => {
    const [point, uv] = [obj.corners[2 * corner]!, obj.corners[2 * corner + 1]!];
    const key = `${point} ${uv}`;
    const known = indexOf.get(key);
    if (known !== undefined) return known;
    indexOf.set(key, points.length);
    corners.push(uv);
    return points.push(point) - 1;
  };
  for (let p = 0; p + 1 < obj.starts.length; p++) {
    const first = obj.starts[p]!;
    for (let c = first + 1; c + 1 < obj.starts[p + 1]!; c++)
      triangles.push(index(first), index(c), index(c + 1));
  }
  return { corners, points, triangles: Uint32Array.from(triangles) };
}
