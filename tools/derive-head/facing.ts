// What rotations of a head and of its eyes mean. The samples are aligned by the whole head, and so by the skull: above one
// skull faces look higher or lower than above another, and so do the eyes at rest. A picture shows face and iris, so a
// person's face and eyes at rest look where the mean head's do: what a component turns the face by is taken out by turning
// the component, what it then turns an eyeball by is taken out of the ball.

import { solvePositive } from '../../src/geometry/index.ts';
import { mirrorPoints } from './identity.ts';

/** Vertices that move as one about a place. */
type Part = { readonly vertices: readonly number[]; readonly pivot: readonly number[] };

/** Unknowns of a part's motion: a turn about each axis, growth, a shift along each axis. */
const UNKNOWNS = 7;
const [GROWTH, SHIFT] = [3, 4];

/**
 * Components that turn neither the face nor the eyes; each as symmetric or antisymmetric as it was.
 * @param mean `V 3`, the mean head
 * @param options.face with what components turn about
 * @param options.eyeballs each with its centre
 * @param options.mirror vertex that lies opposite, `V`
 * @returns the components, `V 3` each, and how far people's faces were turned (standard deviations about each axis)
 */
export function faceForward(
  components: readonly Float64Array[],
  mean: Float64Array,
  options: {
    readonly face: Part;
    readonly eyeballs: readonly Part[];
    readonly mirror: Uint32Array;
  },
): { readonly basis: Float64Array[]; readonly deviationDegrees: number[] } {
  const { face, eyeballs, mirror } = options;
  const squares = [0, 0, 0];
  const basis = components.map((component) => {
    const found = motionOf(component, mean, face);
    // A symmetric component nods, an antisymmetric one turns and tilts.
    const turn = found.subarray(0, GROWTH).map((value, axis) => (isOf(component, mirror, axis) ? value : 0));
    for (const [axis, value] of turn.entries()) squares[axis]! += value ** 2;
    const straight = component.map((value, i) => value - turned(turn, mean, face.pivot, i));
    for (const ball of eyeballs) {
      const motion = motionOf(straight, mean, ball);
      for (const v of ball.vertices) {
        for (let k = 0; k < 3; k++) {
          const arm = mean[3 * v + k]! - ball.pivot[k]!;
          straight[3 * v + k] = motion[SHIFT + k]! + motion[GROWTH]! * arm;
        }
      }
    }
    return straight;
  });
  return { basis, deviationDegrees: squares.map((square) => (180 / Math.PI) * Math.sqrt(square)) };
}

/** Whether a component is of the kind that turns about an axis: symmetric ones about x, antisymmetric about y and z. */
function isOf(component: Float64Array, mirror: Uint32Array, axis: number): boolean {
  const mirrored = mirrorPoints(component, mirror);
  const likeness = component.reduce((sum, value, i) => sum + value * mirrored[i]!, 0);
  return likeness > 0 === (axis === 0);
}

/** One coordinate of the displacement of a point by a small turn. */
function turned(turn: Float64Array, points: Float64Array, pivot: readonly number[], i: number): number {
  const [at, axis] = [i - (i % 3), i % 3];
  const [j, k] = [(axis + 1) % 3, (axis + 2) % 3];
  return turn[j]! * (points[at + k]! - pivot[k]!) - turn[k]! * (points[at + j]! - pivot[j]!);
}

/** The turn (radians), growth and shift in a displacement of all vertices, by least squares over a part. */
function motionOf(displacement: Float64Array, mean: Float64Array, { vertices, pivot }: Part): Float64Array {
  const matrix = new Float64Array(UNKNOWNS * UNKNOWNS);
  const right = new Float64Array(UNKNOWNS);
  for (const v of vertices) {
    const [x, y, z] = [0, 1, 2].map((k) => mean[3 * v + k]! - pivot[k]!) as [number, number, number];
    const rows = [
      [0, z, -y, x, 1, 0, 0],
      [-z, 0, x, y, 0, 1, 0],
      [y, -x, 0, z, 0, 0, 1],
    ];
    for (const [axis, row] of rows.entries()) {
      for (let i = 0; i < UNKNOWNS; i++) {
        right[i]! += row[i]! * displacement[3 * v + axis]!;
        for (let j = 0; j < UNKNOWNS; j++) matrix[UNKNOWNS * i + j]! += row[i]! * row[j]!;
      }
    }
  }
  return solvePositive(matrix, right);
}
