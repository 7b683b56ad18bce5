// What the prior should say of a face as seen in a mirror.

import type { HeadModel } from '../../src/head/index.ts';
import { createLandmarkModel, type LandmarkModel } from '../../src/tracking/landmark-model.ts';
import { targetNames } from '../../src/tracking/learned-prior.ts';

/** The landmark at the other side of the face, for each. */
export function landmarkPartners({ template, pointCount }: LandmarkModel): number[] {
  const distance = (a: number, b: number): number =>
    Math.hypot(
      template[3 * a]! + template[3 * b]!,
      template[3 * a + 1]! - template[3 * b + 1]!,
      template[3 * a + 2]! - template[3 * b + 2]!,
    );
  const points = Array.from({ length: pointCount }, (_, l) => l);
  return points.map((l) => points.reduce((best, m) => (distance(l, m) < distance(l, best) ? m : best)));
}

/** Makes the map from targets (in the order of `targetNames`) to those of the mirrored face. */
export function createTargetMirror(head: HeadModel): (targets: Float32Array) => Float32Array {
  const model = createLandmarkModel(head, head.landmarks!, head.landmarkWeights!);
  const partner = landmarkPartners(model);
  const units = head.expressionNames.map((name) => {
    const other = name.endsWith('Left') ? name.replace(/Left$/, 'Right') : name.replace(/Right$/, 'Left');
    return head.expressionNames.indexOf(other);
  });
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
  const isOdd = targetNames(head).map((name) => /Yaw$/.test(name) || oddCoefficients.has(name));
  return (targets) =>
    targets.map((value, i) => {
      if (i < units.length) return targets[units[i]!]!;
      return isOdd[i] ? -value : value;
    });
}
