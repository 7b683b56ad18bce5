// A face as seen in a mirror: its patch, and what is to be said of it.

import { FACE_PATCH_SIZE } from './face-patch.ts';
import type { LandmarkModel } from './landmark-model.ts';
import { targetNames } from './learned-prior.ts';

/** A patch with left and right exchanged. */
export function mirroredPatch(patch: Uint8Array): Uint8Array {
  const last = FACE_PATCH_SIZE - 1;
  return patch.map((_, i) => patch[i + last - 2 * (i % FACE_PATCH_SIZE)]!);
}

/** A landmark this far from its mirror image may be its own partner. */
const MOST_OFF_MIDDLE_METRES = 0.0025;

/** The landmark at the other side of the face, for each; in the middle it may be itself. */
export function landmarkPartners({ template, pointCount }: LandmarkModel): number[] {
  const distance = (a: number, b: number): number =>
    Math.hypot(
      template[3 * a]! + template[3 * b]!,
      template[3 * a + 1]! - template[3 * b + 1]!,
      template[3 * a + 2]! - template[3 * b + 2]!,
    );
  const pairs: { readonly a: number; readonly b: number; readonly apart: number }[] = [];
  for (let a = 0; a < pointCount; a++) {
    for (let b = 0; b <= a; b++) {
      const apart = distance(a, b);
      if (b < a || apart < MOST_OFF_MIDDLE_METRES) pairs.push({ a, b, apart });
    }
  }
  // The surest first; so each is the partner of its partner.
  pairs.sort((one, other) => one.apart - other.apart);
  const partners = new Array<number>(pointCount).fill(-1);
  for (const { a, b } of pairs) {
    if (partners[a] !== -1 || partners[b] !== -1) continue;
    partners[a] = b;
    partners[b] = a;
  }
  return partners;
}

/** What becomes of a face's values in a mirror. */
export type FaceMirror = {
  /** In the order of `targetNames`. */
  targets(values: Float32Array): Float32Array;
  /** What the expression network reads: all targets, then the moving ones once more. */
  reading(values: Float32Array): Float32Array;
  /** Of every landmark how far it is to the right, and down. */
  places(values: Float32Array): Float32Array;
};

/** Makes the mirror of a head's faces. @param model of its surface, without a response */
export function createFaceMirror(model: LandmarkModel): FaceMirror {
  const partner = landmarkPartners(model);
  // Coefficients of the identity are symmetric or mirrored.
  const oddCoefficients = new Set(
    model.identity.flatMap((row, k) => {
      const alike = partner.reduce((sum, m, l) => {
        const [x, y, z] = [0, 1, 2].map((axis) => row[3 * l + axis]! * row[3 * m + axis]!);
        return sum - x! + y! + z!;
      }, 0);
      return alike < 0 ? [`identity${k}`] : [];
    }),
  );
  const names = targetNames(model.head);
  const sources = names.map((name, i) => {
    const other = name.endsWith('Left') ? name.replace(/Left$/, 'Right') : name.replace(/Right$/, 'Left');
    return other === name ? i : names.indexOf(other);
  });
  const signs = names.map((name) => (/Yaw$/.test(name) || oddCoefficients.has(name) ? -1 : 1));
  return {
    targets: (values) => values.map((_, i) => signs[i]! * values[sources[i]!]!),
    reading: (values) =>
      values.map((_, i) => {
        const [t, start] = i < names.length ? [i, 0] : [i - names.length, names.length];
        return signs[t]! * values[start + sources[t]!]!;
      }),
    places: (values) =>
      values.map((_, i) => (i % 2 === 0 ? -1 : 1) * values[2 * partner[i >> 1]! + (i % 2)]!),
  };
}
