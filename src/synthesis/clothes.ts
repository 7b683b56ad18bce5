// What covers the shoulders: a shell over the skin below a neckline, continued past the edge where the head
// model ends, so that no picture shows a cut. Where the shell dips under the skin, its neckline appears.

import { boundaryEdges, vertexNormals } from '../geometry/index.ts';
import { type HeadModel, PART_NAMES } from '../head/index.ts';
import { createNoise } from './noise.ts';
import type { Piece } from './scene.ts';
import type { SubjectTraits } from './traits.ts';

const UNDER_SKIN_METRES = -0.006;
const OVER_SKIN_METRES = 0.007;

// Height of the neckline at the side of the neck, and how far it drops at the front and the back.
const NECKLINES = {
  round: { side: -0.158, front: 0.035, back: -0.005, thick: 1 },
  deep: { side: -0.16, front: 0.085, back: 0, thick: 1 },
  collar: { side: -0.145, front: 0.045, back: -0.012, thick: 1.8 },
  high: { side: -0.128, front: 0.012, back: 0, thick: 1.3 },
} as const;

// Beyond the edge: outwards and down from it, metres; a shoulder at the sides, a chest below.
const RINGS = [
  { out: 0.022, down: 0.02 },
  { out: 0.038, down: 0.06 },
  { out: 0.045, down: 0.13 },
  { out: 0.05, down: 0.4 },
] as const;

/** The clothes of a subject on its shaped head at rest (`V 3`). */
export function tailorClothes(head: HeadModel, shaped: Float32Array, traits: SubjectTraits): Piece {
  const { template, triangles } = head;
  const line = NECKLINES[traits.clothes.neckline];
  const noise = createNoise(traits.seed ^ 0x77abc);
  const skin = PART_NAMES.indexOf('skin');
  const own: number[] = [];
  const skinTriangles: number[] = [];
  const depthUnder = (v: number): number => {
    const [x, y, z] = [template[3 * v]!, template[3 * v + 1]!, template[3 * v + 2]!];
    const front = Math.exp(-((x / 0.05) ** 2)) * (z > -0.075 ? 1 : 0);
    const back = z > -0.075 ? 0 : 1;
    return line.side - line.front * front - line.back * back - y;
  };
  head.triangleParts.forEach((part, t) => {
    if (part !== skin) return;
    const corners = triangles.subarray(3 * t, 3 * t + 3);
    skinTriangles.push(...corners);
    if (corners.some((v) => depthUnder(v) > -0.02) && corners.every((v) => template[3 * v + 1]! < -0.1)) {
      own.push(...corners);
    }
  });
  const normals = vertexNormals(shaped, Uint32Array.from(skinTriangles));
  const newIndex = new Map<number, number>();
  const vertices: number[] = [];
  const headness: number[] = [];
  const extra: number[] = [];
  const joints = head.jointParents.length;
  for (const v of own) {
    if (newIndex.has(v)) continue;
    newIndex.set(v, vertices.length / 3);
    const under = depthUnder(v);
    const share = Math.min(1, Math.max(0, 0.46 + under / 0.034));
    const fold = 0.002 * noise(template[3 * v]! * 40, template[3 * v + 1]! * 40, template[3 * v + 2]! * 40);
    const lift =
      UNDER_SKIN_METRES + share * (OVER_SKIN_METRES * line.thick - UNDER_SKIN_METRES) + share * fold;
    for (let k = 0; k < 3; k++) vertices.push(shaped[3 * v + k]! + lift * normals[3 * v + k]!);
    headness.push(1 - head.skinningWeights[v * joints]!);
    // A hem's own colour for the first two centimetres.
    extra.push(Math.max(-1, 1 - under / 0.034), 0);
  }
  const shell = own.map((v) => newIndex.get(v)!);
  const piece = [...shell];
  const rim = boundaryEdges(Uint32Array.from(skinTriangles))
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
