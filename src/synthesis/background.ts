// What is behind a subject: plain, a gradient, soft clouds of colour, or a blurred room. Linear light; a
// function of the place in the image, so that it stands still while the head moves.

import { createNoise, fractal } from './noise.ts';
import { type Colour, mix, type SubjectTraits } from './traits.ts';

/** Writes the linear colour (3) at a place in the image, each axis 0 to 1. */
export type BackgroundPainter = (x: number, y: number, out: Float32Array) => void;

/** The background of a subject. */
export function createBackground({ background, seed }: SubjectTraits): BackgroundPainter {
  const { kind, colours } = background;
  const noise = createNoise(seed ^ 0x2468ace);
  const [first, second, third] = colours;
  const vignette = (x: number, y: number): number => 1 - 0.35 * ((x - 0.5) ** 2 + (y - 0.45) ** 2);
  const paint: Record<typeof kind, (x: number, y: number) => Colour> = {
    plain: () => first,
    gradient: (x, y) =>
      mix(first, second, 0.5 + 0.5 * Math.sin(1.6 * (y - 0.5) + 1.2 * (x - 0.5) + noise(0.5, 0.5, 9))),
    clouds: (x, y) => {
      const cloud = 0.5 + 0.8 * fractal(noise, 3, x * 2.2, y * 2.2, 0.5);
      const patch = 0.5 + 0.9 * noise(x * 3.1 + 40, y * 3.1, 0.5);
      return mix(mix(first, second, clamp(cloud)), third, 0.6 * clamp(patch) ** 2);
    },
    room: (x, y) => {
      // A few soft-edged upright shapes and a floor line, out of focus.
      let colour = mix(first, second, clamp(0.3 + 0.5 * y));
      for (let i = 0; i < 5; i++) {
        const left = 0.5 + 0.75 * noise(i * 5.1 + 0.5, 0.5, 0.5);
        const width = 0.1 + 0.12 * (1 + noise(i * 5.1 + 0.5, 3.5, 0.5));
        const top = 0.3 + 0.5 * noise(i * 5.1 + 0.5, 6.5, 0.5);
        const cover = soft(x - left) * soft(left + width - x) * soft(y - top);
        const tone = mix(third, second, 0.5 + 0.5 * noise(i * 5.1 + 0.5, 9.5, 0.5));
        colour = mix(colour, tone, 0.75 * cover);
      }
      return colour;
    },
  };
  return (x, y, out) => {
    const colour = paint[kind](x, y);
    const shade = vignette(x, y);
    for (let k = 0; k < 3; k++) out[k] = colour[k]! * shade;
  };
}

const clamp = (value: number): number => Math.min(1, Math.max(0, value));
const soft = (distance: number): number => clamp(0.5 + distance / 0.05);
