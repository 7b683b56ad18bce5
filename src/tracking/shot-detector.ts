// Says where a clip's picture cuts: a small grey copy of the frame and its colours, both unlike those of
// the frame before. A fast pan or a flash changes one of the two, or changes them in every frame.

import type { RgbImage } from '../media/index.ts';

/** The state of looking for cuts; pictures are given in order. */
export type ShotDetector = {
  /** Whether the next picture begins a new shot; false for the first. */
  isCut(image: RgbImage): boolean;
};

const [COLUMNS, ROWS] = [32, 18];
/** Pixels of a cell that stand for it, along each side. */
const SAMPLES = 3;
/** Levels of red, green and blue that colours are counted by. */
const LEVELS = 4;
/** Mean difference of the small copies, grey levels, and share of pixels that changed colour. */
const LEAST_DIFFERENCE = 18;
const LEAST_COLOUR_CHANGE = 0.25;
/** A cut stands out: this many times the changes just before it. */
const STANDS_OUT = 3;
/** Share of the newest change in the running mean. */
const NEWEST = 0.2;

type Look = { readonly grey: Float32Array; readonly colours: Float32Array };

/** Starts looking for cuts. */
export function createShotDetector(): ShotDetector {
  let before: Look | null = null;
  let usual = 0;
  return {
    isCut(image) {
      const now = lookAt(image);
      const last = before;
      before = now;
      if (last === null) return false;
      const difference = distance(now.grey, last.grey) / now.grey.length;
      const colourChange = distance(now.colours, last.colours) / 2;
      const isCut =
        difference > LEAST_DIFFERENCE &&
        difference > STANDS_OUT * usual &&
        colourChange > LEAST_COLOUR_CHANGE;
      // What came before a cut says nothing of how lively the new shot is.
      usual = isCut ? 0 : usual + NEWEST * (difference - usual);
      return isCut;
    },
  };
}

/** A small grey copy and the shares of coarse colours. */
function lookAt({ width, height, data }: RgbImage): Look {
  const grey = new Float32Array(COLUMNS * ROWS);
  const colours = new Float32Array(LEVELS ** 3);
  const share = 1 / (COLUMNS * ROWS * SAMPLES * SAMPLES);
  for (let row = 0; row < ROWS; row++) {
    for (let column = 0; column < COLUMNS; column++) {
      for (let j = 0; j < SAMPLES; j++) {
        const y = Math.floor(((row + (j + 0.5) / SAMPLES) * height) / ROWS);
        for (let i = 0; i < SAMPLES; i++) {
          const x = Math.floor(((column + (i + 0.5) / SAMPLES) * width) / COLUMNS);
          const at = 3 * (y * width + x);
          const [r, g, b] = [data[at]!, data[at + 1]!, data[at + 2]!];
          grey[row * COLUMNS + column]! += (0.299 * r + 0.587 * g + 0.114 * b) / (SAMPLES * SAMPLES);
          const bin =
            ((r * LEVELS) >> 8) * LEVELS * LEVELS + ((g * LEVELS) >> 8) * LEVELS + ((b * LEVELS) >> 8);
          colours[bin]! += share;
        }
      }
    }
  }
  return { grey, colours };
}

/** Sum of absolute differences. */
function distance(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += Math.abs(a[i]! - b[i]!);
  return sum;
}
