// Colours in linear light, 0 to 1 and beyond.

import type { Random } from '../tensor/index.ts';

export type Colour = readonly [red: number, green: number, blue: number];

/** Linear blend of two colours. */
export function mix(a: Colour, b: Colour, share: number): Colour {
  return [a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1]), a[2] + share * (b[2] - a[2])];
}

/** How bright a colour looks, 0 to 1. */
export function luminance([red, green, blue]: Colour): number {
  return 0.21 * red + 0.72 * green + 0.07 * blue;
}

/** A colour times a factor. */
export function scaled(colour: Colour, factor: number): Colour {
  return [colour[0] * factor, colour[1] * factor, colour[2] * factor];
}

/** A colour from a hue of any kind; `muted` in [0, 1] draws it towards grey. */
export function sampleColour(random: Random, muted: number): Colour {
  const hue = random.uniform(0, 6);
  const value = random.uniform(0.08, 0.9) ** 1.7;
  const saturation = random.uniform() ** 1.5 * (1 - 0.7 * muted * random.uniform());
  const channel = (shift: number): number => {
    const place = (hue + shift) % 6;
    const ramp = Math.min(1, Math.max(0, Math.abs(place - 3) - 1));
    return value * (1 - saturation * (1 - ramp));
  };
  return [channel(0), channel(4), channel(2)];
}
