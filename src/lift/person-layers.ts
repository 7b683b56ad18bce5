// A still taken apart by its person mask: the person's own colours, how far they cover each pixel, and the
// background as a plate that goes on behind them. Both pictures are whole: the person's colours are spread
// beyond their edge, and what they hide of the background is filled smoothly from around it.

import type { RgbImage } from '../media/index.ts';
import { spreadColours } from './colour-spread.ts';
import { OUTLINE_BINS, type Outline, smoothRadii } from './outline.ts';

/** The layers of a still, all of its size. */
export type PersonLayers = {
  /** The person's colours, spread over the whole picture. */
  readonly person: RgbImage;
  /** `H W`: the share of a pixel that the person covers, 0 to 255. */
  readonly cover: Uint8Array;
  /** The background, filled behind the person. */
  readonly plate: RgbImage;
  /** `H W`: how far to trust the plate, 0 where it is filled to 255 where the still shows it. */
  readonly plateTrust: Uint8Array;
  readonly blocks: CoverBlocks;
};

/** The least and the most that the person covers of each square block of pixels, its rim of one pixel included. */
export type CoverBlocks = {
  readonly columns: number;
  readonly rows: number;
  /** `rows columns` each. */
  readonly least: Uint8Array;
  readonly most: Uint8Array;
};

export const COVER_BLOCK_PX = 8;

/** Cover of this little is background, of this much is person: neither is taken apart. */
const BACKGROUND_COVER = 4;
const PERSON_COVER = 250;
/** How far the colour of a mixed pixel may lie from the colours nearby, grey levels. */
const MIXED_REACH = 40;

/** Takes a still apart; `mask` is `H W`, 0 to 255. */
export function personLayers(image: RgbImage, mask: Uint8Array): PersonLayers {
  const { width, height, data } = image;
  const isPerson = mask.map((cover) => (cover >= PERSON_COVER ? 255 : 0));
  const isBackground = mask.map((cover) => (cover <= BACKGROUND_COVER ? 255 : 0));
  const person = spreadColours(image, isPerson);
  const plate = spreadColours(image, isBackground);
  for (let pixel = 0; pixel < mask.length; pixel++) {
    const cover = mask[pixel]! / 255;
    if (isPerson[pixel] || isBackground[pixel]) continue;
    for (let k = 3 * pixel; k < 3 * pixel + 3; k++) {
      const own = (data[k]! - (1 - cover) * plate.data[k]!) / cover;
      const near = person.data[k]!;
      person.data[k] = Math.min(
        near + MIXED_REACH,
        Math.max(near - MIXED_REACH, Math.min(255, Math.max(0, own))),
      );
    }
  }
  return {
    person: { width, height, data: person.data },
    cover: mask,
    plate,
    plateTrust: isBackground,
    blocks: coverBlocks(mask, width, height),
  };
}

function coverBlocks(cover: Uint8Array, width: number, height: number): CoverBlocks {
  const [columns, rows] = [Math.ceil(width / COVER_BLOCK_PX), Math.ceil(height / COVER_BLOCK_PX)];
  const least = new Uint8Array(columns * rows).fill(255);
  const most = new Uint8Array(columns * rows);
  const blockOf = (pixel: number, count: number): number =>
    Math.min(count - 1, Math.max(0, Math.floor(pixel / COVER_BLOCK_PX)));
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const value = cover[y * width + x]!;
      // Bilinear look-ups in a block reach one pixel beyond it.
      for (let row = blockOf(y - 1, rows); row <= blockOf(y + 1, rows); row++) {
        for (let column = blockOf(x - 1, columns); column <= blockOf(x + 1, columns); column++) {
          const block = row * columns + column;
          if (value < least[block]!) least[block] = value;
          if (value > most[block]!) most[block] = value;
        }
      }
    }
  }
  return { columns, rows, least, most };
}

/** Bilinear cover at a position, 0 to 1. */
export function coverAt({ cover, plate: { width, height } }: PersonLayers, x: number, y: number): number {
  const cx = Math.min(width - 1, Math.max(0, x - 0.5));
  const cy = Math.min(height - 1, Math.max(0, y - 0.5));
  const x0 = Math.floor(cx);
  const y0 = Math.floor(cy);
  const fx = cx - x0;
  const fy = cy - y0;
  const at = y0 * width + x0;
  const right = x0 + 1 < width ? 1 : 0;
  const below = y0 + 1 < height ? width : 0;
  const top = cover[at]! + fx * (cover[at + right]! - cover[at]!);
  const bottom = cover[at + below]! + fx * (cover[at + below + right]! - cover[at + below]!);
  return (top + fy * (bottom - top)) / 255;
}

/** How far hair is looked for, and how far a fit may stand over the person, in radii of the skull. */
const LARGEST_REACH = 1.6;
const SMALLEST_REACH = 0.85;

/** How far the person reaches without a gap from the skull's centre, at the angles of its outline, pixels. */
export function personRadii(skull: Outline, { cover, plate: { width, height } }: PersonLayers): Float32Array {
  const radii = Float32Array.from({ length: OUTLINE_BINS }, (_, bin) => {
    const angle = ((bin + 0.5) / OUTLINE_BINS) * 2 * Math.PI + skull.upAngle;
    const [dx, dy] = [Math.sin(angle), -Math.cos(angle)];
    const radius = skull.radiiPx[bin]!;
    let reached = SMALLEST_REACH * radius;
    for (; reached < LARGEST_REACH * radius; reached += 0.5) {
      const x = Math.floor(skull.centreXPx + reached * dx);
      const y = Math.floor(skull.centreYPx + reached * dy);
      if (x < 0 || y < 0 || x >= width || y >= height || cover[y * width + x]! < 128) break;
    }
    return reached;
  });
  return smoothRadii(radii);
}
