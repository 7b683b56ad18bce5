// What training minimises, as graphs.

import { fixedScope, type Weights } from '../nn/index.ts';
import type { Value } from '../tensor/index.ts';
import { abs, add, averagePool2d, div, mean, mul, slice, sqrt, square, sub, sum } from '../tensor/index.ts';
import { faceTrunk } from '../tracking/index.ts';

/** Mean absolute difference. */
export function absoluteLoss(a: Value, b: Value): Value {
  return mean(abs(sub(a, b)));
}

/** Mean absolute difference of two `B C H W` pictures, each pixel counting `weight` (`B 1 H W`). */
export function weightedAbsoluteLoss(a: Value, b: Value, weight: Value): Value {
  return mean(mul(abs(sub(a, b)), weight));
}

/** Mean absolute difference of the horizontal and vertical differences of two `B C H W` pictures. */
export function gradientLoss(a: Value, b: Value): Value {
  const difference = sub(a, b);
  const steps = [2, 3].map((axis) => {
    const end = difference.shape[axis]!;
    const after = slice(difference, { axis, start: 1, end });
    return mean(abs(sub(after, slice(difference, { axis, start: 0, end: end - 1 }))));
  });
  return add(steps[0]!, steps[1]!);
}

/**
 * One minus the mean structural similarity of `B C H W` pictures in [-1, 1], over blocks of `block`
 * pixels side by side. Source: Wang et al., "Image quality assessment", 2004 (eq. 13).
 * Departs: blocks do not overlap and have no Gaussian weights; random crops move them instead.
 */
export function structureLoss(a: Value, b: Value, block = 4): Value {
  const [c1, c2] = [(0.01 * 2) ** 2, (0.03 * 2) ** 2];
  const local = (x: Value): Value => averagePool2d(x, block);
  const [meanA, meanB] = [local(a), local(b)];
  const product = mul(meanA, meanB);
  const squares = add(square(meanA), square(meanB));
  const covariance = sub(local(mul(a, b)), product);
  const variances = sub(local(add(square(a), square(b))), squares);
  const luminance = div(add(mul(product, 2), c1), add(squares, c1));
  const contrast = div(add(mul(covariance, 2), c2), add(variances, c2));
  return sub(1, mean(mul(luminance, contrast)));
}

/** Maps that the distance looks at: details of 2, 4 and 8 pixels. */
const TRUNK_MAPS = 3;

/**
 * Mean distance of what the landmark network's first layers see in `B 3 S S` pictures in [-1, 1]: unit-length channel
 * vectors, squared differences. Source: as `featureDistance` of evaluation (LPIPS, with even weights).
 * @param trunk weights of `faceTrunk`
 */
export function perceptualLoss(a: Value, b: Value, trunk: Weights): Value {
  const maps = (picture: Value): Value[] =>
    faceTrunk(fixedScope(trunk), mul(add(picture, 1), 0.5), TRUNK_MAPS).map(unitVectors);
  const truth = maps(b);
  const distances = maps(a).map((map, i) => mean(sum(square(sub(map, truth[i]!)), { axes: [1] })));
  return mul(
    distances.reduce((total, one) => add(total, one)),
    1 / TRUNK_MAPS,
  );
}

function unitVectors(map: Value): Value {
  return div(map, sqrt(add(sum(square(map), { axes: [1], keepDims: true }), 1e-6)));
}
