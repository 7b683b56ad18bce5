// Laying the square around the head back into the whole portrait. A soft mask holds the head where it is now and
// where the portrait has it, and fades before the square's border; outside it every pixel is the portrait's own.

import type { CropWindow } from '../geometry/index.ts';
import { cropImage, pasteImage, type RgbImage, resizeImage } from '../media/index.ts';

/** Side of the masks, pixels: they are soft, so a few are enough. */
const MASK_SIZE = 64;
/**
 * How far the mask reaches beyond the head, and over what width it fades; shares of the square's side. What the
 * moving head drags along has come to rest there: nearer, both places would show through each other.
 */
const REACH = 0.18;
const FADE = 0.14;

/** Lays squares back into one portrait. */
export type PasteBack = {
  readonly width: number;
  readonly height: number;
  /** The whole portrait with `square` (of the window's size) in its place. `headMask`: 255 on the head, `S S`. */
  paste(square: RgbImage, headMask: Uint8Array): RgbImage;
};

/**
 * Prepares a portrait that was scaled so that the square's side is a whole number of pixels.
 * @param window the square in `canvas`, whole pixels
 * @param restMask where the head is in the portrait itself, `S S`
 */
export function createPasteBack(canvas: RgbImage, window: CropWindow, restMask: Uint8Array): PasteBack {
  const { sizePx } = window;
  const [left, top] = [Math.round(window.leftPx), Math.round(window.topPx)];
  const under = cropImage(canvas, { left, top, width: sizePx, height: sizePx });
  const rest = reducedMask(restMask, sizePx);
  const border = borderRamp(canvas, { leftPx: left, topPx: top, sizePx });
  return {
    width: canvas.width,
    height: canvas.height,
    paste(square, headMask) {
      const mask = softMask(reducedMask(headMask, sizePx), rest);
      for (const [i, share] of border.entries()) mask[i]! *= share;
      const patch = blend(under, square, mask);
      const whole = { ...canvas, data: canvas.data.slice() };
      pasteImage(whole, patch, left, top);
      return whole;
    },
  };
}

/** The share of each cell of a small grid that a mask covers. */
function reducedMask(mask: Uint8Array, sizePx: number): Float32Array {
  const cells = new Float32Array(MASK_SIZE * MASK_SIZE);
  const counts = new Float32Array(MASK_SIZE * MASK_SIZE);
  for (let y = 0; y < sizePx; y++) {
    const row = Math.floor((y * MASK_SIZE) / sizePx) * MASK_SIZE;
    for (let x = 0; x < sizePx; x++) {
      const cell = row + Math.floor((x * MASK_SIZE) / sizePx);
      cells[cell]! += mask[y * sizePx + x]! / 255;
      counts[cell]!++;
    }
  }
  return cells.map((sum, i) => (counts[i]! === 0 ? 0 : sum / counts[i]!));
}

/** Both heads with a margin, fading outwards. */
function softMask(now: Float32Array, rest: Float32Array): Float32Array {
  const both = now.map((value, i) => Math.max(value, rest[i]!));
  const grown = spread(both, Math.round((REACH + FADE / 2) * MASK_SIZE), Math.max);
  // Two means of half the width fade along a smooth curve.
  const half = Math.round((FADE / 4) * MASK_SIZE);
  return mean(mean(grown, half), half);
}

/** 1 inside, falling to 0 at those sides of the square that are not the portrait's own. */
function borderRamp({ width, height }: RgbImage, { leftPx, topPx, sizePx }: CropWindow): Float32Array {
  const isFree = [leftPx > 0, topPx > 0, leftPx + sizePx < width, topPx + sizePx < height];
  const cells = MASK_SIZE * FADE;
  return Float32Array.from({ length: MASK_SIZE * MASK_SIZE }, (_, i) => {
    const [x, y] = [i % MASK_SIZE, Math.floor(i / MASK_SIZE)];
    const distances = [x, y, MASK_SIZE - 1 - x, MASK_SIZE - 1 - y];
    return distances.reduce((share, distance, side) => {
      const t = isFree[side] ? Math.min(1, distance / cells) : 1;
      return Math.min(share, t * t * (3 - 2 * t));
    }, 1);
  });
}

function mean(cells: Float32Array, reach: number): Float32Array {
  return spread(cells, reach, (a, b) => a + b).map((sum) => sum / (2 * reach + 1) ** 2);
}

/** Combines each cell with those within `reach`, first along rows, then along columns; edges repeat. */
function spread(cells: Float32Array, reach: number, combine: (a: number, b: number) => number): Float32Array {
  const along = (input: Float32Array, step: number): Float32Array =>
    input.map((_, i) => {
      const place = step === 1 ? i % MASK_SIZE : Math.floor(i / MASK_SIZE);
      let value = input[i - Math.min(place, reach) * step]!;
      for (let offset = 1 - reach; offset <= reach; offset++) {
        const clamped = Math.min(MASK_SIZE - 1, Math.max(0, place + offset)) - place;
        value = combine(value, input[i + clamped * step]!);
      }
      return value;
    });
  return along(along(cells, 1), MASK_SIZE);
}

function blend(under: RgbImage, over: RgbImage, mask: Float32Array): RgbImage {
  const { width, height } = under;
  const levels = new Uint8Array(3 * MASK_SIZE * MASK_SIZE);
  mask.forEach((share, i) => {
    levels.fill(255 * Math.min(1, share) + 0.5, 3 * i, 3 * i + 3);
  });
  const weights = resizeImage({ width: MASK_SIZE, height: MASK_SIZE, data: levels }, width, height).data;
  const data = new Uint8Array(under.data.length);
  for (let i = 0; i < data.length; i++) {
    const [from, to] = [under.data[i]!, over.data[i]!];
    data[i] = from + ((to - from) * weights[i]!) / 255 + 0.5;
  }
  return { width, height, data };
}
