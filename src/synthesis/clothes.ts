// What covers the shoulders: a shell over the skin below a neckline, continued past the edge where the head
// model ends, so that no picture shows a cut. The neckline itself is painted on the skin (`garment.ts`).

import { boundaryEdges, vertexNormals } from '../geometry/index.ts';
import { type HeadModel, trianglesOfParts } from '../head/index.ts';
import { type ClothPoint, createTailor } from './garment.ts';
import { createNoise } from './noise.ts';
import type { Piece } from './scene.ts';
import type { SubjectTraits } from './traits.ts';

const UNDER_SKIN_METRES = -0.006;
const OVER_SKIN_METRES = 0.007;

// Beyond the edge: outwards and down from it, metres; a shoulder at the sides, a chest below.
const RINGS = [
  { out: 0.03, down: 0.012 },
  { out: 0.055, down: 0.04 },
  { out: 0.07, down: 0.1 },
  { out: 0.08, down: 0.4 },
] as const;

/** The clothes of a subject on its shaped head at rest (`V 3`). */
export function tailorClothes(head: HeadModel, shaped: Float32Array, traits: SubjectTraits): Piece {
  const { template } = head;
  const tailor = createTailor(traits.garment, createNoise(traits.seed));
  const cloth: ClothPoint = { inside: 0, albedo: new Float32Array(3), tilt: new Float32Array(3) };
  const noise = createNoise(traits.seed ^ 0x77abc);
  const own: number[] = [];
  const depthUnder = (v: number): number => {
    tailor(template[3 * v]!, template[3 * v + 1]!, template[3 * v + 2]!, cloth);
    return cloth.inside;
  };
  const skin = skinOf(head);
  for (let t = 0; t < skin.triangles.length; t += 3) {
    const corners = skin.triangles.subarray(t, t + 3);
    if (corners.every((v) => template[3 * v + 1]! < -0.1) && corners.some((v) => depthUnder(v) > 0)) {
      own.push(...corners);
    }
  }
  const normals = vertexNormals(shaped, skin.triangles);
  const newIndex = new Map<number, number>();
  const vertices: number[] = [];
  const headness: number[] = [];
  const extra: number[] = [];
  const joints = head.jointParents.length;
  for (const v of own) {
    if (newIndex.has(v)) continue;
    newIndex.set(v, vertices.length / 3);
    const under = depthUnder(v);
    // The neckline itself is painted on the skin: the shell comes out from under it where cloth is sure.
    const share = Math.min(1, Math.max(0, (under - 0.004) / 0.04));
    const fold = 0.002 * noise(template[3 * v]! * 40, template[3 * v + 1]! * 40, template[3 * v + 2]! * 40);
    const lift = UNDER_SKIN_METRES + share * (OVER_SKIN_METRES - UNDER_SKIN_METRES) + share * fold;
    for (let k = 0; k < 3; k++) vertices.push(shaped[3 * v + k]! + lift * normals[3 * v + k]!);
    headness.push(1 - head.skinningWeights[v * joints]!);
    extra.push(0, 0);
  }
  const shell = own.map((v) => newIndex.get(v)!);
  const piece = [...shell];
  const rim = skin.edges
    .filter(([from, to]) => template[3 * from + 1]! < -0.12 && newIndex.has(from) && newIndex.has(to))
    .map(([from, to]) => [newIndex.get(from)!, newIndex.get(to)!] as const);
  let previous = new Map(rim.flat().map((v) => [v, v]));
  for (const ring of RINGS) {
    const next = new Map<number, number>();
    for (const v of previous.keys()) {
      next.set(v, vertices.length / 3);
      const [x, y, z] = [vertices[3 * v]!, vertices[3 * v + 1]!, vertices[3 * v + 2]!];
      const side = Math.min(1, Math.max(0, (Math.abs(x) - 0.11) / 0.07));
      vertices.push(
        x + Math.sign(x) * (0.25 + side) * ring.out,
        y - ring.down,
        z * (1 + 0.2 * side * ring.out),
      );
      headness.push(0);
      extra.push(0, 0);
    }
    for (const [from, to] of rim) {
      const [a, b, c, d] = [previous.get(from)!, previous.get(to)!, next.get(from)!, next.get(to)!];
      piece.push(b, a, c, b, c, d);
    }
    previous = next;
  }
  return {
    vertices: Float32Array.from(vertices),
    triangles: Uint32Array.from(piece),
    material: 'clothes',
    headness: Float32Array.from(headness),
    extra: Float32Array.from(extra),
    directions: null,
    uvs: null,
  };
}

type Skin = { readonly triangles: Uint32Array; readonly edges: readonly (readonly [number, number])[] };

const skins = new WeakMap<HeadModel, Skin>();

/** A head's skin and where it ends, remembered. */
function skinOf(head: HeadModel): Skin {
  let skin = skins.get(head);
  if (!skin) {
    const triangles = trianglesOfParts(head, 'skin');
    skin = { triangles, edges: boundaryEdges(triangles) };
    skins.set(head, skin);
  }
  return skin;
}
