// Where the eyes lie in the texture: for drawing irises and for knowing which texels are one.

import { type HeadModel, PART_NAMES } from './head-model.ts';

/** The chart of one eyeball: equal angles from the pupil lie at equal distances. */
export type EyeChart = {
  /** Texture coordinates of the pupil's centre, v down. */
  readonly pupilUv: readonly [u: number, v: number];
  /** Distance in the texture per radian of angle from the pupil, seen from the eyeball's centre. */
  readonly uvPerRadian: number;
  /** Radius of the eyeball on the mean head, metres. */
  readonly radiusMetres: number;
};

/**
 * The charts of the left and the right eyeball of the embedded head, whose pupils at rest face +z.
 * An iris of 5.9 mm radius reaches `asin(0.0059 / radiusMetres)` radians.
 */
export function eyeCharts(head: HeadModel): { readonly left: EyeChart; readonly right: EyeChart } {
  return { left: chartOf(head, 'leftEyeball', 3), right: chartOf(head, 'rightEyeball', 4) };
}

function chartOf(head: HeadModel, part: 'leftEyeball' | 'rightEyeball', joint: number): EyeChart {
  const vertices = head.template.length / 3;
  const centre = [0, 0, 0];
  for (let v = 0; v < vertices; v++) {
    const weight = head.jointRegressor[joint * vertices + v]!;
    for (let axis = 0; axis < 3; axis++) centre[axis]! += weight * head.template[3 * v + axis]!;
  }
  const corners: { z: number; uv: [number, number]; vertex: number }[] = [];
  for (const [t, own] of head.triangleParts.entries()) {
    if (PART_NAMES[own] !== part) continue;
    for (let c = 3 * t; c < 3 * t + 3; c++) {
      const [vertex, at] = [head.triangles[c]!, head.uvTriangles[c]!];
      const uv: [number, number] = [head.uvs[2 * at]!, head.uvs[2 * at + 1]!];
      corners.push({ z: head.template[3 * vertex + 2]!, uv, vertex });
    }
  }
  const pupil = corners.reduce((front, corner) => (corner.z > front.z ? corner : front));
  const radiusMetres = pupil.z - centre[2]!;
  const rim = corners.reduce((back, corner) => (corner.z < back.z ? corner : back));
  const angle = Math.acos((rim.z - centre[2]!) / radiusMetres);
  const reach = Math.hypot(rim.uv[0] - pupil.uv[0], rim.uv[1] - pupil.uv[1]);
  return { pupilUv: pupil.uv, uvPerRadian: reach / angle, radiusMetres };
}
