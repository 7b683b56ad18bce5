// The mirror image of a head: the parameters with which a head looks as the flipped picture shows it. Left and right
// units change places by name where the head has names for them; bases without names are solved by least squares.
// Root, neck, jaw and eyes turn the other way, the eyes change places, and the head stands on the other side.

import { BadInputError } from '../errors/index.ts';
import {
  type Camera,
  factorCholesky,
  gramMatrix,
  projectResidual,
  solveCholesky,
} from '../geometry/index.ts';
import { type HeadModel, type HeadParameters, JOINT_NAMES, PART_NAMES, vertexCount } from '../head/index.ts';

/** Mirrors the parameters of one head; made once for a head. */
export type HeadMirror = {
  /** The parameters of the mirror image about the world's plane x = 0. @throws BadInputError `head-parameters`. */
  mirror(parameters: HeadParameters): HeadParameters;
  /** `V`: the vertex at the mirrored place of each. */
  readonly oppositeVertices: Uint32Array;
};

/** Coefficients as a linear map of coefficients: row i makes coefficient i, from a few others or from all. */
type CoefficientMap = readonly (readonly (readonly [from: number, weight: number])[])[];

/** A mirrored shape this close to a single component, as a share of its own size, is that component. */
const EXACT_SHARE = 0.02;
/** Enough vertices to solve for a hundred coefficients. */
const MAX_SOLVED_VERTICES = 2500;

/** Prepares the mirror of a head. */
export function createHeadMirror(head: HeadModel): HeadMirror {
  const opposite = oppositeVertices(head);
  const identityMap = mirrorBasis(head, head.identityBasis, head.identityCount, opposite);
  const names = head.expressionNames;
  const expressionMap = namedSwaps(names) ?? mirrorBasis(head, head.expressionBasis, names.length, opposite);
  const joints = JOINT_NAMES.map((name) => JOINT_NAMES.indexOf(mirroredName(name) as typeof name));
  return {
    oppositeVertices: opposite,
    mirror({ identity, expression, jointRotations, translation }) {
      const rotations = new Float32Array(jointRotations.length);
      for (const [joint, from] of joints.entries()) {
        // A rotation is a pseudovector: what lies in the mirror's plane changes its sign.
        rotations[3 * joint] = jointRotations[3 * from]!;
        rotations[3 * joint + 1] = -jointRotations[3 * from + 1]!;
        rotations[3 * joint + 2] = -jointRotations[3 * from + 2]!;
      }
      return {
        identity: mapped(identityMap, identity),
        expression: mapped(expressionMap, expression),
        jointRotations: rotations,
        translation: Float32Array.of(-translation[0]!, translation[1]!, translation[2]!),
      };
    },
  };
}

/** The camera of the flipped picture: it shows the mirrored head as `camera` shows the head. */
export function mirrorCamera(camera: Camera): Camera {
  const { rotation: r, translation: t } = camera.cameraFromWorld;
  // Flipping world and picture makes S R S and S t with S = diag(-1, 1, 1).
  const rotation = Float64Array.from({ length: 9 }, (_, i) =>
    (Math.floor(i / 3) === 0) !== (i % 3 === 0) ? -r[i]! : r[i]!,
  );
  return {
    ...camera,
    centreXPx: camera.width - camera.centreXPx,
    cameraFromWorld: { rotation, translation: [-t[0]!, t[1]!, t[2]!] },
  };
}

function mapped(map: CoefficientMap, values: Float32Array): Float32Array {
  if (values.length !== map.length) {
    throw new BadInputError({
      code: 'head-parameters',
      message: `expected ${map.length} coefficients, got ${values.length}`,
      hint: 'use parameters that were made for this head model',
    });
  }
  return Float32Array.from(map, (row) =>
    row.reduce((sum, [from, weight]) => sum + weight * values[from]!, 0),
  );
}

/** `eyeBlinkLeft` for `eyeBlinkRight`, `jawLeft` for `jawRight`, `leftEye` for `rightEye`; others as they are. */
function mirroredName(name: string): string {
  const swaps: Readonly<Record<string, string>> = {
    Left: 'Right',
    Right: 'Left',
    left: 'right',
    right: 'left',
  };
  return name.replace(/Left|Right|^left|^right/, (side) => swaps[side]!);
}

/** Swaps by name; null where no name has a side, or the other side is missing. */
function namedSwaps(names: readonly string[]): CoefficientMap | null {
  const from = names.map((name) => names.indexOf(mirroredName(name)));
  if (from.includes(-1) || from.every((other, i) => other === i)) return null;
  return from.map((other) => [[other, 1]]);
}

/** For every vertex the nearest of its part to its mirrored place. */
function oppositeVertices(head: HeadModel): Uint32Array {
  const { template } = head;
  const count = vertexCount(head);
  const parts = surfacesOf(head);
  const cell = 0.004;
  const cells = new Map<string, number[]>();
  const keyOf = (part: number, x: number, y: number, z: number): string => `${part} ${x} ${y} ${z}`;
  const index = (value: number): number => Math.round(value / cell);
  for (let v = 0; v < count; v++) {
    const key = keyOf(
      parts[v]!,
      index(template[3 * v]!),
      index(template[3 * v + 1]!),
      index(template[3 * v + 2]!),
    );
    const known = cells.get(key);
    if (known === undefined) cells.set(key, [v]);
    else known.push(v);
  }
  return Uint32Array.from({ length: count }, (_, v) => {
    const [x, y, z] = [-template[3 * v]!, template[3 * v + 1]!, template[3 * v + 2]!];
    const part = parts[v]!;
    let [best, bestSquared] = [v, Infinity];
    for (let dx = -1; dx <= 1; dx++) {
      for (let dy = -1; dy <= 1; dy++) {
        for (let dz = -1; dz <= 1; dz++) {
          for (const other of cells.get(keyOf(part, index(x) + dx, index(y) + dy, index(z) + dz)) ?? []) {
            const squared =
              (x - template[3 * other]!) ** 2 +
              (y - template[3 * other + 1]!) ** 2 +
              (z - template[3 * other + 2]!) ** 2;
            if (squared < bestSquared) [best, bestSquared] = [other, squared];
          }
        }
      }
    }
    return best;
  });
}

/**
 * `V`: which surface a vertex is of. Skin, lips and mouth are one, as their borders' vertices are of several; the
 * eyeballs are one, as they lie apart.
 */
function surfacesOf({ template, triangles, triangleParts }: HeadModel): Uint8Array {
  const [skin, eyes] = [PART_NAMES.indexOf('skin'), PART_NAMES.indexOf('leftEyeball')];
  const surfaces = new Uint8Array(template.length / 3).fill(PART_NAMES.length);
  for (const [i, part] of triangleParts.entries()) {
    const name = PART_NAMES[part]!;
    const surface = name === 'lips' || name === 'mouthCavity' ? skin : name === 'rightEyeball' ? eyes : part;
    for (let corner = 0; corner < 3; corner++) surfaces[triangles[3 * i + corner]!] = surface;
  }
  return surfaces;
}

/** How the mirror images of a basis' components (`rows V 3`) are made of the components. */
function mirrorBasis(
  head: HeadModel,
  basis: Float32Array,
  rows: number,
  opposite: Uint32Array,
): CoefficientMap {
  const stride = Math.max(1, Math.floor(opposite.length / MAX_SOLVED_VERTICES));
  const vertices = [...opposite.keys()].filter((v) => v % stride === 0);
  const length = head.template.length;
  const weights = new Float64Array(3 * vertices.length).fill(1);
  const sampled: Float64Array[] = [];
  const reflected: Float64Array[] = [];
  for (let row = 0; row < rows; row++) {
    const at = (v: number, axis: number): number => basis[row * length + 3 * v + axis]!;
    sampled.push(Float64Array.from(weights, (_, i) => at(vertices[Math.floor(i / 3)]!, i % 3)));
    reflected.push(
      Float64Array.from(weights, (_, i) => {
        const value = at(opposite[vertices[Math.floor(i / 3)]!]!, i % 3);
        return i % 3 === 0 ? -value : value;
      }),
    );
  }
  // Column r: the coefficients of component r's mirror image.
  const columns = signsOf(sampled, reflected) ?? solved(sampled, reflected, weights);
  return Array.from({ length: rows }, (_, row) =>
    columns.flatMap((column, from) => (column[row] === 0 ? [] : [[from, column[row]!] as const])),
  );
}

/** Each component its own mirror image, or its negative: where that holds for all. */
function signsOf(
  sampled: readonly Float64Array[],
  reflected: readonly Float64Array[],
): Float64Array[] | null {
  const columns: Float64Array[] = [];
  for (const [row, component] of sampled.entries()) {
    const [size, product] = [dot(component, component), dot(component, reflected[row]!)];
    const sign = Math.sign(product);
    // |component - sign image|^2, as both have one size.
    if (size > 0 && 2 * (size - Math.abs(product)) > EXACT_SHARE ** 2 * size) return null;
    const column = new Float64Array(sampled.length);
    column[row] = size > 0 ? sign : 1;
    columns.push(column);
  }
  return columns;
}

/** Least squares over all components, by Cholesky's factors of the normal matrix. */
function solved(
  sampled: readonly Float64Array[],
  reflected: readonly Float64Array[],
  weights: Float64Array,
): Float64Array[] {
  const count = sampled.length;
  const factor = gramMatrix(sampled, weights);
  // What has no shape at all keeps its own coefficient.
  const largest = Math.max(...sampled.map((_, i) => factor[i * count + i]!));
  for (let i = 0; i < count; i++) factor[i * count + i]! += 1e-9 * largest;
  factorCholesky(factor, count);
  return reflected.map((image) => {
    const x = projectResidual(sampled, weights, image);
    solveCholesky(factor, count, x);
    return x;
  });
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
