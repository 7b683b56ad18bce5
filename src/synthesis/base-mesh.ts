// The embedded head seen from MakeHuman's base mesh (hm08), of which it is a cut: which head vertex a base
// vertex is, where the base mesh's texture lies on the head, and how base vertices beyond the cut (the hair
// helper) follow the head.

import { type HeadModel, verticesOfParts } from '../head/index.ts';
import { decodeSafetensors } from '../tensor/index.ts';
import { damagedAsset } from './asset-text.ts';
import type { ObjMesh } from './obj-mesh.ts';

const METRES_PER_UNIT = 0.1;
/** How many skin vertices carry a base vertex that the head does not have. */
const CARRIERS = 12;

/** A base vertex as the head sees it: sum of weight * head vertex + offset. */
export type BaseAnchor = {
  readonly vertices: readonly number[];
  readonly weights: readonly number[];
  /** Metres on the base mesh. */
  readonly offset: readonly [number, number, number];
};

/** The head and the base mesh, side by side. */
export type BaseMesh = {
  anchor(baseVertex: number): BaseAnchor;
  /** The head vertex that a base vertex is, null where the cut left it out. */
  headVertex(baseVertex: number): number | null;
  /** How long a head distance is on the base mesh, metres along `axis`. */
  baseDistance(from: number, to: number, axis: number): number;
  /** `F 3 2`: the base mesh's texture coordinates (v down) of the head's corners; -1 where it has none. */
  readonly cornerUvs: Float32Array;
  readonly vertexCount: number;
};

/**
 * Joins the head, the table of `models/head/base-vertices.safetensors` and MakeHuman's base.obj.
 * @throws BadInputError if they do not belong together.
 */
export function joinBaseMesh(head: HeadModel, table: Uint8Array, base: ObjMesh, name: string): BaseMesh {
  const { metadata, tensors } = decodeSafetensors(table, 'base-vertices.safetensors');
  const [ends, shares] = [tensors.ends?.data, tensors.shares?.data];
  if (!(ends instanceof Int32Array) || !(shares instanceof Float32Array) || metadata.headName !== head.name) {
    throw damagedAsset('base-vertices.safetensors', `it is not the table of the head "${head.name}"`);
  }
  const baseCount = base.positions.length / 3;
  if (ends.some((v) => v >= baseCount)) {
    throw damagedAsset(name, `it has ${baseCount} vertices, fewer than MakeHuman's base mesh hm08`);
  }
  const own = new Map<number, number>();
  const places = new Float32Array(shares.length * 3);
  shares.forEach((share, v) => {
    const [a, b] = [ends[2 * v]!, ends[2 * v + 1]!];
    if (share === 0) own.set(a, v);
    for (let k = 0; k < 3; k++) {
      const place = (1 - share) * base.positions[3 * a + k]! + share * base.positions[3 * b + k]!;
      places[3 * v + k] = METRES_PER_UNIT * place;
    }
  });
  const skin = [...verticesOfParts(head, 'skin')];
  const anchors = new Map<number, BaseAnchor>();
  return {
    vertexCount: baseCount,
    cornerUvs: cornerUvsOf(head, ends, shares, base),
    headVertex: (baseVertex) => own.get(baseVertex) ?? null,
    baseDistance: (from, to, axis) => Math.abs(places[3 * from + axis]! - places[3 * to + axis]!),
    anchor(baseVertex) {
      const known = anchors.get(baseVertex);
      if (known) return known;
      const vertex = own.get(baseVertex);
      const anchor: BaseAnchor =
        vertex !== undefined
          ? { vertices: [vertex], weights: [1], offset: [0, 0, 0] }
          : carryBeyondCut(
              [0, 1, 2].map((k) => METRES_PER_UNIT * base.positions[3 * baseVertex + k]!),
              places,
              skin,
            );
      anchors.set(baseVertex, anchor);
      return anchor;
    },
  };
}

/** What lies off the skin moves as the skin nearest to it does. */
function carryBeyondCut(place: readonly number[], places: Float32Array, skin: readonly number[]): BaseAnchor {
  const near = skin
    .map((v) => ({ v, far: Math.hypot(...place.map((value, k) => value - places[3 * v + k]!)) }))
    .sort((a, b) => a.far - b.far)
    .slice(0, CARRIERS);
  const raw = near.map(({ far }) => 1 / (far + 0.005) ** 2);
  const total = raw.reduce((sum, weight) => sum + weight, 0);
  const weights = raw.map((weight) => weight / total);
  const offset = place.map(
    (value, k) => value - near.reduce((sum, { v }, i) => sum + weights[i]! * places[3 * v + k]!, 0),
  ) as [number, number, number];
  return { vertices: near.map(({ v }) => v), weights, offset };
}

function cornerUvsOf(head: HeadModel, ends: Int32Array, shares: Float32Array, base: ObjMesh): Float32Array {
  // Polygons by vertex: a head triangle lies in the one that all ends of its corners share.
  const polygonsOf = new Map<number, number[]>();
  for (let p = 0; p + 1 < base.starts.length; p++) {
    for (let c = base.starts[p]!; c < base.starts[p + 1]!; c++) {
      const vertex = base.corners[2 * c]!;
      const list = polygonsOf.get(vertex);
      if (list) list.push(p);
      else polygonsOf.set(vertex, [p]);
    }
  }
  const uvOf = (polygon: number, vertex: number, k: number): number => {
    for (let c = base.starts[polygon]!; c < base.starts[polygon + 1]!; c++) {
      if (base.corners[2 * c] === vertex) return base.uvs[2 * base.corners[2 * c + 1]! + k]!;
    }
    return 0;
  };
  const uvs = new Float32Array(head.triangles.length * 2).fill(-1);
  for (let t = 0; t < head.triangles.length; t += 3) {
    const corners = [...head.triangles.subarray(t, t + 3)];
    if (corners.some((v) => v >= shares.length)) continue;
    const all = new Set(
      corners.flatMap((v) => (shares[v] === 0 ? [ends[2 * v]!] : [ends[2 * v]!, ends[2 * v + 1]!])),
    );
    const polygon = polygonsOf
      .get(ends[2 * corners[0]!]!)
      ?.find((p) => [...all].every((v) => polygonsOf.get(v)?.includes(p)));
    if (polygon === undefined) continue;
    corners.forEach((v, i) => {
      for (let k = 0; k < 2; k++) {
        const share = shares[v]!;
        const first = uvOf(polygon, ends[2 * v]!, k);
        const value = share === 0 ? first : (1 - share) * first + share * uvOf(polygon, ends[2 * v + 1]!, k);
        uvs[2 * (t + i) + k] = k === 0 ? value : 1 - value;
      }
    });
  }
  return uvs;
}
