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
};

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
  return { person: { width, height, data: person.data }, cover: mask, plate, plateTrust: isBackground };
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
