// Difficult pictures, made from the project's own sample and its own head: things over a face, faces at the
// border, turned away, tiny or huge.

import { frontCamera } from '../../src/geometry/index.ts';
import { createHeadPoser, neutralParameters } from '../../src/head/index.ts';
import { createRasteriser } from '../../src/kernels/index.ts';
import type { RgbColour, RgbImage } from '../../src/media/index.ts';
import { loadEmbeddedHead } from '../../src/node/index.ts';
import { type Paint, paintHead } from '../../tools/derive-landmarks/paint-head.ts';

type Point = readonly [x: number, y: number];
/** The colour of a place, or null where the picture stays. */
type Brush = (x: number, y: number) => RgbColour | null;

/** What may cover a face. */
export const COVERS = ['mask', 'hand', 'microphone', 'glasses'] as const;
export type Cover = (typeof COVERS)[number];

/** A picture with something drawn over the face whose landmarks (`478 2`, pixels) are given. */
export function coverFace(image: RgbImage, landmarksPx: Float32Array, cover: Cover): RgbImage {
  const at = (l: number): Point => [landmarksPx[2 * l]!, landmarksPx[2 * l + 1]!];
  const middle = ([ax, ay]: Point, [bx, by]: Point): Point => [(ax + bx) / 2, (ay + by) / 2];
  const unit = Math.hypot(at(263)[0] - at(33)[0], at(263)[1] - at(33)[1]);
  const [nose, chin, mouth] = [at(4), at(152), middle(at(13), at(14))];
  /** Whether a place lies in an ellipse whose radii are shares of the eyes' distance. */
  const isIn = (x: number, y: number, [cx, cy]: Point, [rx, ry]: Point): boolean =>
    Math.hypot((x - cx) / (rx * unit), (y - cy) / (ry * unit)) < 1;
  const eyes = [middle(at(33), at(133)), middle(at(362), at(263))];
  const brushes: Readonly<Record<Cover, Brush>> = {
    mask: (x, y) =>
      y > nose[1] && isIn(x, y, nose, [0.85, (chin[1] - nose[1]) / unit + 0.1]) ? [205, 222, 235] : null,
    hand: (x, y) => {
      const shade = 10 * Math.sin((12 * x) / unit);
      return isIn(x, y, mouth, [0.75, 0.42]) ? [190 + shade, 140 + shade, 118 + shade] : null;
    },
    microphone: (x, y) => {
      if (isIn(x, y, mouth, [0.38, 0.38])) return [35, 35, 38];
      return Math.abs(x - mouth[0]) < 0.08 * unit && y > mouth[1] ? [20, 20, 22] : null;
    },
    glasses: (x, y) => {
      const isRim = eyes.some((eye) => isIn(x, y, eye, [0.27, 0.22]) && !isIn(x, y, eye, [0.24, 0.19]));
      const [bridgeX, bridgeY] = at(168);
      const isBridge = Math.abs(y - bridgeY) < 0.02 * unit && Math.abs(x - bridgeX) < 0.14 * unit;
      return isRim || isBridge ? [20, 20, 20] : null;
    },
  };
  return painted(image, brushes[cover]);
}

function painted(image: RgbImage, brush: Brush): RgbImage {
  const data = Uint8Array.from(image.data);
  for (let y = 0; y < image.height; y++) {
    for (let x = 0; x < image.width; x++) {
      const colour = brush(x + 0.5, y + 0.5);
      if (colour !== null) data.set(colour, 3 * (y * image.width + x));
    }
  }
  return { ...image, data };
}

/** The embedded head, turned to the side. */
export async function turnedHead(yawDegrees: number, sizePx = 384): Promise<RgbImage> {
  const head = await loadEmbeddedHead();
  const parameters = neutralParameters(head);
  parameters.translation.set([0, 0.02, -0.75]);
  parameters.jointRotations[1] = (yawDegrees * Math.PI) / 180;
  const paint: Paint = {
    skin: [0.6, 0.42, 0.34],
    hair: [0.06, 0.04, 0.03],
    iris: [0.15, 0.09, 0.05],
    light: [0.3, 0.5, 1],
  };
  const vertices = createHeadPoser(head).pose(parameters);
  const camera = frontCamera(sizePx, sizePx, 1.6 * sizePx);
  return paintHead(createRasteriser(), head, vertices, camera, paint).image;
}
