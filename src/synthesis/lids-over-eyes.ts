// Lids lie on their eyes. A blend shape closes every eye along the mean head's path, and where a person's eye lies further
// out, the ball would show through the lid.

import { type HeadModel, PART_NAMES } from '../head/index.ts';
import { liftGeometry } from '../lift/index.ts';
import { solveSymmetric } from './least-squares.ts';

/** How far outside the ball a lid lies, metres: more than its triangles sag between their corners. */
const LID_METRES = 0.0006;

type Eye = {
  readonly ball: Uint32Array;
  /** Vertices of the lid that lie outside the ball at rest; those within are the socket's. */
  readonly lid: Uint32Array;
};

type Sphere = { readonly centre: readonly number[]; readonly radius: number };

const cache = new WeakMap<HeadModel, readonly Eye[]>();

/** Brings lids that have sunk into their eyes out, in place. @param posed `V 3`, metres */
export function layLidsOverEyes(head: HeadModel, posed: Float32Array): void {
  let eyes = cache.get(head);
  if (!eyes) {
    eyes = findEyes(head);
    cache.set(head, eyes);
  }
  for (const { ball, lid } of eyes) {
    const { centre, radius } = sphereOf(posed, ball);
    for (const v of lid) {
      const distance = distanceFrom(posed, v, centre);
      if (distance >= radius + LID_METRES) continue;
      const stretch = (radius + LID_METRES) / distance;
      for (let k = 0; k < 3; k++) posed[3 * v + k] = centre[k]! + stretch * (posed[3 * v + k]! - centre[k]!);
    }
  }
}

function findEyes(head: HeadModel): Eye[] {
  const balls = (['leftEyeball', 'rightEyeball'] as const).map((name) => {
    const part = PART_NAMES.indexOf(name);
    const corners = head.triangles.filter((_, i) => head.triangleParts[Math.floor(i / 3)] === part);
    return Uint32Array.from(new Set(corners));
  });
  const x = (v: number): number => head.template[3 * v]!;
  return liftGeometry(head).sockets.flatMap(({ lid }) => {
    const side = Math.sign(lid.reduce((sum, v) => sum + x(v), 0));
    const ball = balls.find(([first]) => first !== undefined && x(first) * side > 0);
    if (!ball) return [];
    const { centre, radius } = sphereOf(head.template, ball);
    return [{ ball, lid: lid.filter((v) => distanceFrom(head.template, v, centre) > radius) }];
  });
}

/** The sphere through a ball's vertices, by least squares: `|v|^2 = 2 v . centre + rest`. */
function sphereOf(vertices: Float32Array, ball: Uint32Array): Sphere {
  // About the first vertex: a head stands a metre from its camera, which would drown the ball's size.
  const origin = vertices.subarray(3 * ball[0]!, 3 * ball[0]! + 3);
  const matrix = Array.from({ length: 4 }, () => new Float64Array(4));
  const right = new Float64Array(4);
  for (const v of ball) {
    const place = [0, 1, 2].map((k) => vertices[3 * v + k]! - origin[k]!);
    const row = [...place.map((value) => 2 * value), 1];
    const square = place.reduce((sum, value) => sum + value * value, 0);
    for (let i = 0; i < 4; i++) {
      right[i]! += row[i]! * square;
      for (let j = 0; j < 4; j++) matrix[i]![j]! += row[i]! * row[j]!;
    }
  }
  const [x, y, z, rest] = solveSymmetric(matrix, right) as unknown as [number, number, number, number];
  const radius = Math.sqrt(rest + x * x + y * y + z * z);
  return { centre: [x, y, z].map((value, k) => value + origin[k]!), radius };
}

function distanceFrom(vertices: Float32Array, v: number, centre: readonly number[]): number {
  return Math.hypot(
    vertices[3 * v]! - centre[0]!,
    vertices[3 * v + 1]! - centre[1]!,
    vertices[3 * v + 2]! - centre[2]!,
  );
}
