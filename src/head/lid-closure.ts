// Where lids meet. An expression that closes round eyes carries the upper lid of narrow ones beyond the lower lid, by
// half the eye's height on a squinting face: lids of flesh stop at each other.

import type { HeadModel } from './head-model.ts';

/** Points of the face mesh on the upper and the lower lid, above each other, of the left and of the right eye. */
const LIDS = [
  [
    [385, 380],
    [386, 374],
    [387, 373],
  ],
  [
    [160, 144],
    [159, 145],
    [158, 153],
  ],
] as const;

/** For an expression, the values of the head's `eyelidExpressions` at which each eye's lids meet, everything else as it is. */
export type LidClosure = (expression: Float32Array) => number[];

/**
 * Prepares the lids of an identity. How far they stand apart is linear in the expression.
 * @returns null for a head without landmarks or without expressions that close its lids
 */
export function createLidClosure(head: HeadModel, identity: Float32Array): LidClosure | null {
  const { landmarks, template, eyelidExpressions: units } = head;
  if (landmarks === null || units.length !== LIDS.length) return null;
  /** Height of a landmark in row `row` of a basis, metres. */
  const heightIn = (basis: Float32Array, row: number, point: number): number => {
    const corners = head.triangles.subarray(3 * landmarks.triangles[point]!);
    return [0, 1, 2].reduce(
      (sum, k) =>
        sum + landmarks.barycentrics[3 * point + k]! * basis[row * template.length + 3 * corners[k]! + 1]!,
      0,
    );
  };
  const eyes = LIDS.map((pairs) =>
    pairs.map(([upper, lower]) => {
      const gapIn = (basis: Float32Array, row: number): number =>
        heightIn(basis, row, upper) - heightIn(basis, row, lower);
      return {
        atRest: identity.reduce(
          (sum, value, row) => sum + value * gapIn(head.identityBasis, row),
          gapIn(template, 0),
        ),
        slopes: head.expressionNames.map((_, row) => gapIn(head.expressionBasis, row)),
      };
    }),
  );
  return (expression) =>
    eyes.map((pairs, side) => {
      const unit = units[side]!;
      const meetings = pairs.map(({ atRest, slopes }) => {
        const open = slopes.reduce(
          (sum, slope, k) => (k === unit ? sum : sum + slope * expression[k]!),
          atRest,
        );
        return slopes[unit]! < 0 ? -open / slopes[unit]! : 1;
      });
      return Math.max(0, ...meetings);
    });
}
