// Lids lie on their eyes, and what lines them behind. A blend shape closes every eye along the mean head's path: where a
// person's eye is larger, ball or lining would show through the lid.

import { type HeadModel, verticesOfParts } from '../head/index.ts';
import { liftGeometry } from '../lift/index.ts';
import { solveSymmetric } from './least-squares.ts';

/** How far outside the ball a lid lies, and inside it its lining, metres: more than triangles sag between their corners. */
const LID_METRES = 0.0006;

/** Skin so near to a ball is of its lids, the one that does not close among them. */
const NEAR_METRES = 0.003;

type Eye = {
  readonly ball: Uint32Array;
  /** Lids outside the ball of the mean head. */
  readonly lid: Uint32Array;
  /** Skin inside it. */
  readonly lining: Uint32Array;
};

type Sphere = { readonly centre: readonly number[]; readonly radius: number };

const cache = new WeakMap<HeadModel, readonly Eye[]>();

/** Brings lids out that have sunk into their eyes, and their lining in, in place. @param posed `V 3`, metres */
export function layLidsOverEyes(head: HeadModel, posed: Float32Array): void {
  let eyes = cache.get(head);
  if (!eyes) {
    eyes = findEyes(head);
    cache.set(head, eyes);
  }
  for (const { ball, lid, lining } of eyes) {
    const { centre, radius } = sphereOf(posed, ball);
    const hold = (vertices: Uint32Array, least: number, most: number): void => {
      for (const v of vertices) {
        const distance = distanceFrom(posed, v, centre);
        const stretch = Math.min(most, Math.max(least, distance)) / distance;
        if (stretch === 1) continue;
        for (let k = 0; k < 3; k++)
          posed[3 * v + k] = centre[k]! + stretch * (posed[3 * v + k]! - centre[k]!);
      }
    };
    hold(lid, radius + LID_METRES, Infinity);
    hold(lining, 0, radius - LID_METRES);
  }
}

function findEyes(head: HeadModel): Eye[] {
  const { template } = head;
  const skin = verticesOfParts(head, 'skin');
  const closing = new Set(liftGeometry(head).sockets.flatMap(({ lid }) => [...lid]));
  return (['leftEyeball', 'rightEyeball'] as const).flatMap((name) => {
    const ball = verticesOfParts(head, name);
    if (ball.length === 0) return [];
    const { centre, radius } = sphereOf(template, ball);
    const outside = (v: number): number => distanceFrom(template, v, centre) - radius;
    const isOfThisEye = (v: number): boolean => template[3 * v]! * centre[0]! > 0;
    const isLid = (v: number): boolean => outside(v) < NEAR_METRES || (closing.has(v) && isOfThisEye(v));
    return [
      {
        ball,
        lid: skin.filter((v) => outside(v) >= 0 && isLid(v)),
        lining: skin.filter((v) => outside(v) < 0),
      },
    ];
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
