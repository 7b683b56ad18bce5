// The cutout of hair ribbons: strands side by side, u across the ribbon, v from root (0) to tip (1), frayed
// towards the tip. One texture for all subjects.

import { createRandom } from '../tensor/index.ts';

const [WIDTH, HEIGHT] = [64, 128];
const STRANDS = 26;

/** 8-bit alpha, v down. */
export const STRAND_TEXTURE: { readonly width: number; readonly height: number; readonly data: Uint8Array } =
  {
    width: WIDTH,
    height: HEIGHT,
    data: drawStrands(),
  };

function drawStrands(): Uint8Array {
  const random = createRandom(4711);
  const data = new Uint8Array(WIDTH * HEIGHT);
  for (let strand = 0; strand < STRANDS; strand++) {
    const root = random.uniform(0.06, 0.94) * WIDTH;
    const tip = root + random.uniform(-0.12, 0.12) * WIDTH;
    const length = random.uniform(0.55, 1) * HEIGHT;
    const half = random.uniform(0.8, 2.1);
    for (let y = 0; y < length; y++) {
      const along = y / HEIGHT;
      const centre = root + (tip - root) * along * along;
      const reach = half * (1 - 0.75 * (y / length) ** 3);
      for (let x = Math.max(0, Math.ceil(centre - reach)); x <= Math.min(WIDTH - 1, centre + reach); x++) {
        data[y * WIDTH + x] = 255;
      }
    }
  }
  return data;
}
