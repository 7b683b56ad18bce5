// An eyeball of our own on each of MakeHuman's eye helpers: a sphere, dense around the pupil, whose axis
// at rest is exactly the head's +z. The helper's axis points some degrees down and outwards; taking +z
// makes zero rotation of the eye's joint mean "straight ahead". The unseen back is left out.

import type { BaseMesh } from './makehuman.ts';

const SEGMENTS = 24;
/** Angles from the pupil of the sphere's rings, degrees; the last is the rim. */
const RINGS = [4, 9, 14, 19, 23, 28, 36, 45, 55, 66, 78, 90, 105];
export const EYEBALL_RIM_DEGREES: number = RINGS.at(-1)!;

export type EyeballSource = {
  readonly count: number;
  readonly triangles: readonly (readonly [number, number, number])[];
  /** Base positions or offsets to the eyeball's, in the base mesh's units: shift and scale, no rotation. */
  carry(base: ArrayLike<number>): Float64Array;
};

/** The directions of the sphere's vertices, the pupil (+z) first, then ring by ring. */
export function eyeballDirections(): {
  direction: [number, number, number];
  ring: number;
  segment: number;
}[] {
  const directions = [{ direction: [0, 0, 1] as [number, number, number], ring: 0, segment: 0 }];
  for (const [i, degrees] of RINGS.entries()) {
    const polar = (degrees * Math.PI) / 180;
    for (let segment = 0; segment < SEGMENTS; segment++) {
      const around = (2 * Math.PI * segment) / SEGMENTS;
      const side = Math.sin(polar);
      directions.push({
        direction: [side * Math.cos(around), side * Math.sin(around), Math.cos(polar)],
        ring: i + 1,
        segment,
      });
    }
  }
  return directions;
}

export function buildEyeball(mesh: BaseMesh, side: 'left' | 'right'): EyeballSource {
  const group = side === 'left' ? 'helper-l-eye' : 'helper-r-eye';
  const helper = [
    ...new Set(
      mesh.polygons
        .filter((polygon) => polygon.group === group)
        .flatMap(({ corners }) => corners.map(({ vertex }) => vertex)),
    ),
  ];
  const directions = eyeballDirections();
  const rest = meanOf(mesh.positions, helper);
  const arms = helper.map((v) => rest.map((value, axis) => mesh.positions[3 * v + axis]! - value));
  const armsSquared = arms.flat().reduce((sum, value) => sum + value * value, 0);
  const { centre, radius } = fitSphere(mesh.positions, helper);

  return {
    count: directions.length,
    triangles: eyeballTriangles(),
    carry(base) {
      const shift = meanOf(base, helper);
      // The helper's least-squares scale: of positions it is 1, of offsets the change per unit.
      let scale = 0;
      for (const [i, v] of helper.entries()) {
        for (let axis = 0; axis < 3; axis++) scale += arms[i]![axis]! * (base[3 * v + axis]! - shift[axis]!);
      }
      scale /= armsSquared;
      return Float64Array.from(
        directions.flatMap(({ direction }) =>
          direction.map((d, axis) => shift[axis]! + scale * (centre[axis]! + radius * d - rest[axis]!)),
        ),
      );
    },
  };
}

function eyeballTriangles(): [number, number, number][] {
  const at = (ring: number, segment: number): number =>
    ring === 0 ? 0 : 1 + (ring - 1) * SEGMENTS + (segment % SEGMENTS);
  const triangles: [number, number, number][] = [];
  for (let segment = 0; segment < SEGMENTS; segment++) {
    triangles.push([0, at(1, segment), at(1, segment + 1)]);
    for (let ring = 1; ring < RINGS.length; ring++) {
      const [a, b] = [at(ring, segment), at(ring + 1, segment)];
      const [c, d] = [at(ring + 1, segment + 1), at(ring, segment + 1)];
      triangles.push([a, b, c], [a, c, d]);
    }
  }
  return triangles;
}

function meanOf(values: ArrayLike<number>, vertices: readonly number[]): [number, number, number] {
  const mean: [number, number, number] = [0, 0, 0];
  for (const v of vertices) {
    for (let axis = 0; axis < 3; axis++) mean[axis]! += values[3 * v + axis]! / vertices.length;
  }
  return mean;
}

/** The sphere through points: repeated averaging of centre and radius converges fast on a true sphere. */
function fitSphere(
  positions: ArrayLike<number>,
  vertices: readonly number[],
): { centre: [number, number, number]; radius: number } {
  const centre = meanOf(positions, vertices);
  let radius = 0;
  for (let iteration = 0; iteration < 500; iteration++) {
    radius = 0;
    const step = [0, 0, 0];
    for (const v of vertices) {
      const arm = centre.map((value, axis) => positions[3 * v + axis]! - value);
      const length = Math.hypot(...arm);
      radius += length / vertices.length;
      for (let axis = 0; axis < 3; axis++) step[axis]! += arm[axis]! / length / vertices.length;
    }
    // The mean of (arm - radius * unit arm) is the way to the centre; the plain mean is fixed.
    const plain = meanOf(positions, vertices);
    for (let axis = 0; axis < 3; axis++) centre[axis] = plain[axis]! - radius * step[axis]!;
  }
  return { centre, radius };
}
