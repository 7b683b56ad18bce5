// Pictures of the embedded head that the networks take for a person, in a pose of one's own.

import { frontCamera } from '../../src/geometry/index.ts';
import {
  createHeadPoser,
  type HeadModel,
  type HeadParameters,
  neutralParameters,
} from '../../src/head/index.ts';
import { createRasteriser } from '../../src/kernels/index.ts';
import type { RgbImage } from '../../src/media/index.ts';
import { type Paint, paintHead } from '../../tools/derive-landmarks/paint-head.ts';

/** Focal length over the picture's side. */
export const PAINTED_FOCAL = 1.6;

/** The head three quarters of a metre away, changed, in a square picture. */
export function paintedHead(
  head: HeadModel,
  sizePx: number,
  change: (parameters: HeadParameters) => void,
): RgbImage {
  const parameters = neutralParameters(head);
  parameters.translation.set([0, 0.02, -0.75]);
  change(parameters);
  const vertices = createHeadPoser(head).pose(parameters);
  const paint: Paint = {
    skin: [0.6, 0.42, 0.34],
    hair: [0.06, 0.04, 0.03],
    iris: [0.15, 0.09, 0.05],
    light: [0.3, 0.5, 1],
  };
  const camera = frontCamera(sizePx, sizePx, PAINTED_FOCAL * sizePx);
  return paintHead(createRasteriser(), head, vertices, camera, paint).image;
}
