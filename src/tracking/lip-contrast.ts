// Whether a mouth is to be seen: lips have another colour than the skin around them, and a mask, a hand or a
// microphone has one colour there. Landmarks do not tell, since the network draws a mouth where none shows.

import type { RgbImage } from '../media/index.ts';

/** A contrast below this means that the lips cannot be seen: covered, or the picture holds too little colour. */
export const HIDDEN_MOUTH = 0.012;

/** Points of the outer and the inner border of the lips, pairwise. */
const BORDERS = [
  ...[
    [0, 13],
    [37, 82],
    [267, 312],
    [39, 81],
    [269, 311],
  ],
  ...[
    [17, 14],
    [84, 87],
    [314, 317],
    [181, 178],
    [405, 402],
  ],
] as const;
/** Forehead, cheeks and the bridge of the nose. */
const SKIN = [9, 151, 50, 280, 6] as const;
/** Below this distance from grey the picture is taken for black and white. */
const GREY = 0.015;
/** Weighs dark samples down, whose colour is noise; sRGB sums over [0, 3]. */
const DARK = 0.05;
/** Side of the samples over the distance of the outer eye corners. */
const SAMPLE_SHARE = 0.025;
const [RIGHT_CORNER, LEFT_CORNER] = [33, 263] as const;

/**
 * The mean distance in colour (chromaticity, red and green) between the lips and the skin just outside them. On
 * 38 portraits and 8 clips 0.015 to 0.11; under painted masks, hands and large microphones mostly below 0.005. What
 * covers a part of the mouth alone is not found. NaN in black and white.
 * @param landmarksPx `478 2`
 */
export function lipContrast(image: RgbImage, landmarksPx: Float32Array): number {
  const at = (l: number): readonly [number, number] => [landmarksPx[2 * l]!, landmarksPx[2 * l + 1]!];
  const [right, left] = [at(RIGHT_CORNER), at(LEFT_CORNER)];
  const sidePx = Math.max(1, SAMPLE_SHARE * Math.hypot(left[0] - right[0], left[1] - right[1]));
  const isGrey = SKIN.every((l) => {
    const [red, green] = chromaticity(image, at(l), sidePx);
    return Math.hypot(red - 1 / 3, green - 1 / 3) < GREY;
  });
  if (isGrey) return Number.NaN;
  let sum = 0;
  for (const [outer, inner] of BORDERS) {
    const [[ox, oy], [ix, iy]] = [at(outer), at(inner)];
    const thickness = Math.max(1e-3, Math.hypot(ox - ix, oy - iy));
    const step = (1.5 * sidePx) / thickness;
    const lip = chromaticity(image, [(ox + ix) / 2, (oy + iy) / 2], sidePx);
    const skin = chromaticity(image, [ox + step * (ox - ix), oy + step * (oy - iy)], sidePx);
    sum += Math.hypot(lip[0] - skin[0], lip[1] - skin[1]);
  }
  return sum / BORDERS.length;
}

/** Shares of red and green in a square of pixels; the nearest ones at the picture's border. */
function chromaticity(
  { width, height, data }: RgbImage,
  [x, y]: readonly [number, number],
  sidePx: number,
): readonly [red: number, green: number] {
  const clamp = (value: number, count: number): number => Math.min(count - 1, Math.max(0, Math.floor(value)));
  const [x0, x1] = [clamp(x - sidePx, width), clamp(x + sidePx, width)];
  const [y0, y1] = [clamp(y - sidePx, height), clamp(y + sidePx, height)];
  let [red, green, blue] = [0, 0, 0];
  for (let row = y0; row <= y1; row++) {
    for (let column = x0; column <= x1; column++) {
      const pixel = 3 * (row * width + column);
      red += data[pixel]!;
      green += data[pixel + 1]!;
      blue += data[pixel + 2]!;
    }
  }
  const total = red + green + blue + 255 * DARK * (x1 - x0 + 1) * (y1 - y0 + 1);
  return [red / total, green / total];
}
