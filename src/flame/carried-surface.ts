// What a head's files leave out, carried over from a reference head that lies on it: what each triangle is, where
// landmarks are that no embedding names.

import { createSurfaceSearch, vertexNormals } from '../geometry/index.ts';
import { type HeadModel, JOINT_NAMES, PART_NAMES, type PartName } from '../head/index.ts';
import { isSkin, type Registration } from './head-registration.ts';
import { type KnownLandmarks, MESH_POINTS } from './landmark-embedding.ts';

const [LEFT_EYE, RIGHT_EYE] = [3, 4] as const;
const FIRST_IRIS = 468;
const partIndex = (name: PartName): number => PART_NAMES.indexOf(name);

/** `F`: eyeballs by the joints that move them, the rest skin. */
export function partsBySkinning(weights: Float32Array, triangles: Uint32Array): Uint8Array {
  return Uint8Array.from({ length: triangles.length / 3 }, (_, t) => {
    const follows = (joint: number): boolean =>
      [0, 1, 2].every((c) => weights[triangles[3 * t + c]! * JOINT_NAMES.length + joint]! > 0.5);
    if (follows(LEFT_EYE)) return partIndex('leftEyeball');
    return follows(RIGHT_EYE) ? partIndex('rightEyeball') : partIndex('skin');
  });
}

/** `F`: the target's parts, its skin divided into skin, lips and the mouth's inside as on the reference. */
export function carryParts(
  target: HeadModel,
  reference: HeadModel,
  { fitted }: Registration,
  lipVertices: ReadonlySet<number> | null,
): Uint8Array {
  const wanted = new Set([partIndex('skin'), partIndex('lips'), partIndex('mouthCavity')]);
  const search = createSurfaceSearch(fitted, reference.triangles, (t) =>
    wanted.has(reference.triangleParts[t]!),
  );
  const normals = vertexNormals(target.template, target.triangles);
  return target.triangleParts.map((part, t) => {
    if (part !== partIndex('skin')) return part;
    const corners = [0, 1, 2].map((c) => target.triangles[3 * t + c]!);
    if (lipVertices !== null && corners.every((v) => lipVertices.has(v))) return partIndex('lips');
    const middle = meanOf(target.template, corners);
    const hit = search.nearest(middle, { normal: meanOf(normals, corners), minCosine: 0.2, reach: 0.02 });
    const carried = hit === null ? part : reference.triangleParts[hit.triangle]!;
    return lipVertices !== null && carried === partIndex('lips') ? part : carried;
  });
}

/** Landmarks of the skin and the irises that are not known yet, by the places they have on the reference. */
export function carryLandmarks(
  target: HeadModel,
  reference: HeadModel,
  { fitted }: Registration,
  known: KnownLandmarks,
): KnownLandmarks {
  const places = reference.landmarks;
  const all = new Map(known);
  if (places === null) return all;
  const skin = createSurfaceSearch(target.template, target.triangles, isSkin(target));
  const normals = vertexNormals(Float32Array.from(fitted), reference.triangles);
  for (let l = 0; l < MESH_POINTS; l++) {
    if (all.has(l) || (reference.landmarkWeights?.[l] ?? 0) === 0) continue;
    const corners = [0, 1, 2].map((c) => reference.triangles[3 * places.triangles[l]! + c]!);
    const weights = places.barycentrics.subarray(3 * l, 3 * l + 3);
    const point = meanOf(fitted, corners, weights);
    const hit =
      l < FIRST_IRIS
        ? skin.nearest(point, { normal: meanOf(normals, corners, weights), reach: 0.02 })
        : frontOfEye(target, l < FIRST_IRIS + 5 ? 'rightEyeball' : 'leftEyeball', point);
    if (hit !== null) all.set(l, { triangle: hit.triangle, barycentrics: [...hit.barycentrics] });
  }
  return all;
}

/** The point of an eyeball straight before `point`: irises keep their size on eyeballs of any size. */
function frontOfEye(
  head: HeadModel,
  part: 'leftEyeball' | 'rightEyeball',
  [x, y]: readonly number[],
): { triangle: number; barycentrics: [number, number, number] } | null {
  let best: { triangle: number; barycentrics: [number, number, number]; depth: number } | null = null;
  for (const [t, own] of head.triangleParts.entries()) {
    if (own !== partIndex(part)) continue;
    const [a, b, c] = [0, 1, 2].map((k) => 3 * head.triangles[3 * t + k]!) as [number, number, number];
    const at = (v: number, axis: number): number => head.template[v + axis]!;
    const area = (bx: number, by: number, cx: number, cy: number): number => bx * cy - by * cx;
    const whole = area(at(b, 0) - at(a, 0), at(b, 1) - at(a, 1), at(c, 0) - at(a, 0), at(c, 1) - at(a, 1));
    if (whole <= 0) continue;
    const part0 = area(at(b, 0) - x!, at(b, 1) - y!, at(c, 0) - x!, at(c, 1) - y!) / whole;
    const part1 = area(at(c, 0) - x!, at(c, 1) - y!, at(a, 0) - x!, at(a, 1) - y!) / whole;
    const part2 = 1 - part0 - part1;
    if (part0 < 0 || part1 < 0 || part2 < 0) continue;
    const depth = part0 * at(a, 2) + part1 * at(b, 2) + part2 * at(c, 2);
    if (best === null || depth > best.depth)
      best = { triangle: t, barycentrics: [part0, part1, part2], depth };
  }
  return best;
}

/** The weighted mean of a per-vertex row (`V 3`) over some vertices. */
export function meanOf(
  row: ArrayLike<number>,
  vertices: readonly number[],
  weights: ArrayLike<number> = vertices.map(() => 1 / vertices.length),
): [number, number, number] {
  const mean: [number, number, number] = [0, 0, 0];
  for (const [c, v] of vertices.entries()) {
    for (let k = 0; k < 3; k++) mean[k]! += weights[c]! * row[3 * v + k]!;
  }
  return mean;
}
