// Where lids meet. An expression that closes round eyes carries the upper lid of narrow ones beyond the lower lid, by
// half the eye's height on a squinting face: lids of flesh stop at each other.

import { type HeadModel, neutralParameters } from './head-model.ts';
import { createHeadPoser } from './head-poser.ts';

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
 * Prepares the lids of an identity. How far they stand apart is linear in the expression, so that each unit is posed
 * once here.
 * @returns null for a head without landmarks or without expressions that close its lids
 */
export function createLidClosure(head: HeadModel, identity: Float32Array): LidClosure | null {
  const { landmarks, eyelidExpressions: units } = head;
  if (landmarks === null || units.length !== LIDS.length) return null;
  const poser = createHeadPoser(head);
  const vertices = new Float32Array(head.template.length);
  const neutral = neutralParameters(head);
  const heightOf = (point: number): number => {
    const corners = head.triangles.subarray(3 * landmarks.triangles[point]!);
    return [0, 1, 2].reduce(
      (sum, k) => sum + landmarks.barycentrics[3 * point + k]! * vertices[3 * corners[k]! + 1]!,
      0,
    );
  };
  /** Of each pair, how far the upper point stands above the lower one, metres. */
  const gapsOf = (expression: Float32Array): number[] => {
    poser.pose({ ...neutral, identity, expression }, vertices);
    return LIDS.flat().map(([upper, lower]) => heightOf(upper) - heightOf(lower));
  };
  const atRest = gapsOf(neutral.expression);
  const slopes = Array.from(neutral.expression, (_, unit) =>
    gapsOf(neutral.expression.with(unit, 1)).map((gap, pair) => gap - atRest[pair]!),
  );
  return (expression) =>
    units.map((unit, side) => {
      const meetings = LIDS[side]!.map((_, index) => {
        const pair = side * LIDS[side]!.length + index;
        const closing = -slopes[unit]![pair]!;
        const open = expression.reduce(
          (sum, value, k) => (k === unit ? sum : sum + value * slopes[k]![pair]!),
          atRest[pair]!,
        );
        return closing > 0 ? open / closing : 1;
      });
      return Math.max(0, ...meetings);
    });
}
