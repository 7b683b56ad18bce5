// What is behind a subject, in linear light, out of focus: a studio's paper, a wall with what hangs on it, a
// room with shelves, a window, leaves in the sun, lights at night, a horizon, a street. Drawn from
// rectangles, discs and noise, once for all of a subject's pictures: it stands still while the head moves.

import { createRandom, deriveSeed, type Random } from '../tensor/index.ts';
import { Canvas } from './canvas.ts';
import { type Colour, mix, sampleColour, scaled } from './colour.ts';
import { createNoise, fractal, type NoiseField } from './noise.ts';
import type { SubjectTraits } from './traits.ts';

export const BACKGROUNDS = [
  'studio',
  'wall',
  'shelves',
  'window',
  'leaves',
  'lights',
  'horizon',
  'street',
] as const;

const CANVAS_PX = 160;

/** What a scene is painted with. */
type Brushes = {
  readonly canvas: Canvas;
  readonly random: Random;
  readonly noise: NoiseField;
  readonly colours: SubjectTraits['background']['colours'];
  /** Brightness of white things in the scene. */
  readonly light: number;
};

/** The background of a subject (`H W 3`, linear). */
export function paintBackground(
  { background, seed }: SubjectTraits,
  width: number,
  height: number,
): Float32Array {
  const { kind, colours, blur, light } = background;
  const canvas = new Canvas(CANVAS_PX);
  const random = createRandom(deriveSeed(seed, 51));
  SCENES[kind]({ canvas, random, noise: createNoise(seed ^ 0x2468ace), colours, light });
  canvas.blur(blur);
  return canvas.resized(width, height);
}

const SCENES: Readonly<Record<(typeof BACKGROUNDS)[number], (brushes: Brushes) => void>> = {
  studio({ canvas, random, noise, colours: [first], light }) {
    const [x0, y0] = [random.uniform(0.2, 0.8), random.uniform(0.1, 0.7)];
    const fall = random.uniform(0.2, 1.4);
    const mottle = random.uniform() < 0.4 ? random.uniform(0.1, 0.4) : 0;
    const paper = mix(first, [0.85, 0.85, 0.85], random.choose([0, 0.3, 0.9, 0.9]));
    canvas.fill((x, y) => {
      const far = (x - x0) ** 2 + (y - y0) ** 2;
      return scaled(paper, light * (1.15 - fall * far) * (1 + mottle * fractal(noise, 3, 3 * x, 3 * y, 0.5)));
    });
  },
  wall(brushes) {
    paintWall(brushes);
    const { canvas, random, colours, light } = brushes;
    for (let i = random.integer(4); i > 0; i--) {
      const [x, y] = [random.uniform(-0.1, 0.9), random.uniform(-0.15, 0.35)];
      const [w, h] = [random.uniform(0.12, 0.35), random.uniform(0.12, 0.35)];
      canvas.rectangle(x + 0.008, y + 0.012, w, h, scaled(colours[0], 0.4 * light), 0.6);
      canvas.rectangle(x, y, w, h, scaled(mix(colours[2], [0.1, 0.07, 0.05], 0.6), light));
      canvas.rectangle(x + 0.015, y + 0.015, w - 0.03, h - 0.03, scaled([0.75, 0.73, 0.68], light));
      const picture = scaled(sampleColour(random, 0.6), light);
      canvas.rectangle(x + 0.04, y + 0.04, w - 0.08, h - 0.08, picture);
      canvas.disc(x + w / 2, y + h / 2, 0.3 * Math.min(w, h), scaled(sampleColour(random, 0.4), light), 0.7);
    }
    if (random.uniform() < 0.35) {
      const left = random.choose([random.uniform(-0.2, 0.05), random.uniform(0.7, 0.9)]);
      const door = scaled(random.choose<Colour>([WOOD, [0.7, 0.68, 0.64], [0.2, 0.12, 0.07]]), light);
      canvas.rectangle(left - 0.02, 0.05, 0.36, 1, scaled(door, 1.25));
      canvas.rectangle(left, 0.07, 0.32, 1, door);
      for (const top of [0.13, 0.48]) canvas.rectangle(left + 0.05, top, 0.22, 0.28, scaled(door, 0.8), 0.8);
    }
  },
  shelves(brushes) {
    const { canvas, random, light } = brushes;
    paintWall(brushes);
    const wood = scaled(random.choose<Colour>([WOOD, [0.65, 0.62, 0.57], [0.12, 0.08, 0.05]]), light);
    const [left, right] = random.choose<readonly [number, number]>([
      [-0.1, 1.1],
      [-0.1, 0.45],
      [0.55, 1.1],
    ]);
    canvas.rectangle(left, 0, right - left, 1, scaled(wood, 0.45));
    for (let top = random.uniform(-0.15, 0); top < 1; top += 0.21) {
      for (let x = left + 0.02; x < right - 0.03; ) {
        const width = random.uniform(0.014, 0.045);
        if (random.uniform() < 0.8) {
          const height = random.uniform(0.1, 0.175);
          const tone = scaled(sampleColour(random, 0.5), light * random.uniform(0.5, 1.1));
          canvas.rectangle(x, top + 0.19 - height, width, height, tone);
          canvas.rectangle(x, top + 0.19 - height * 0.7, width, 0.012, scaled(tone, 1.8), 0.6);
        }
        x += width + random.uniform(0, 0.006);
      }
      canvas.rectangle(left, top + 0.19, right - left, 0.02, wood);
    }
    canvas.rectangle(left, 0, 0.02, 1, wood);
    canvas.rectangle(right - 0.02, 0, 0.02, 1, wood);
  },
  window(brushes) {
    const { canvas, random, noise, light } = brushes;
    paintWall(brushes);
    const left = random.choose([random.uniform(-0.15, 0.1), random.uniform(0.45, 0.75)]);
    const [width, top, height] = [random.uniform(0.35, 0.6), random.uniform(-0.1, 0.1), 0.75];
    canvas.rectangle(left - 0.03, top - 0.03, width + 0.06, height + 0.06, scaled([0.8, 0.79, 0.76], light));
    canvas.rectangle(left, top, width, height, scaled([0.75, 0.88, 1.05], 1.5 * light));
    for (let i = 0; i < 60; i++) {
      const [x, y] = [left + random.uniform() * width, top + height * random.uniform(0.45, 1)];
      const radius = random.uniform(0.01, 0.05);
      if (x < left + radius || x > left + width - radius || y > top + height - radius) continue;
      const green = mix(LEAF, SUNLIT, 0.5 + 0.5 * noise(i, 0.5, 0.5));
      canvas.disc(x, y, radius, scaled(green, 1.6 * light), 0.8);
    }
    for (const share of [0.33, 0.67]) {
      canvas.rectangle(left + share * width - 0.006, top, 0.012, height, scaled([0.8, 0.8, 0.8], light));
    }
    canvas.rectangle(left, top + 0.5 * height, width, 0.012, scaled([0.8, 0.8, 0.8], light));
    const curtain = scaled(sampleColour(random, 0.8), light);
    for (let i = 0; i < 14; i++) {
      const tone = scaled(curtain, 0.7 + 0.5 * Math.sin(i * 1.9) ** 2);
      canvas.rectangle(left + width + 0.01 * i, 0, 0.012, 1, tone, 0.9);
    }
  },
  leaves({ canvas, random, noise, light }) {
    canvas.fill((x, y) =>
      scaled(mix([0.02, 0.045, 0.015], LEAF, 0.5 + 0.6 * fractal(noise, 3, 5 * x, 5 * y, 0.5)), light),
    );
    const openSky = random.uniform(-0.2, 0.5);
    for (let i = 0; i < 420; i++) {
      const [x, y] = [random.uniform(), random.uniform()];
      const isSunlit = noise(3 * x, 3 * y, 7.5) + 0.4 * random.normal() > 0.2;
      const tone = isSunlit ? mix(LEAF, SUNLIT, random.uniform()) : scaled(LEAF, random.uniform(0.2, 0.9));
      canvas.disc(x, y, random.uniform(0.01, 0.045), scaled(tone, light), 0.85, random.uniform(0.5, 1.4));
    }
    for (let i = 0; i < 90; i++) {
      const [x, y] = [random.uniform(), random.uniform() ** 1.6];
      if (y > openSky + 0.3 * noise(4 * x, 0.5, 0.5)) continue;
      canvas.disc(x, y, random.uniform(0.01, 0.035), scaled([0.9, 1, 1.05], 1.4 * light), 0.7);
    }
  },
  lights({ canvas, random, colours, light }) {
    const night = scaled(mix(colours[0], [0.02, 0.02, 0.035], 0.85), 0.6);
    canvas.fill((_, y) => scaled(night, 0.5 + 0.8 * y));
    for (let i = 0; i < 40; i++) {
      const warm = random.choose<Colour>([
        [1, 0.6, 0.25],
        [1, 0.75, 0.45],
        [0.5, 0.7, 1],
        [1, 0.25, 0.15],
        [0.4, 1, 0.6],
      ]);
      const strength = light * random.uniform(0.1, 1.5);
      canvas.disc(
        random.uniform(),
        0.5 + 0.22 * random.normal(),
        random.uniform(0.02, 0.07),
        scaled(warm, strength),
        0.6,
      );
    }
  },
  horizon({ canvas, random, noise, light }) {
    const line = random.uniform(0.3, 0.75);
    const blue = mix([0.2, 0.42, 0.85], [0.62, 0.72, 0.85], random.uniform());
    const ground = random.choose<Colour>([
      [0.06, 0.2, 0.26],
      [0.55, 0.45, 0.3],
      [0.14, 0.22, 0.06],
      [0.3, 0.29, 0.27],
    ]);
    canvas.fill((x, y) => {
      if (y > line) {
        const ripple = 1 + 0.25 * fractal(noise, 3, 5 * x, 30 * y, 0.5);
        return scaled(mix(ground, [0.7, 0.75, 0.8], 0.35 * Math.exp((line - y) * 9)), light * ripple);
      }
      const cloud = Math.max(0, fractal(noise, 4, 2.5 * x, 6 * y, 3.5) + 0.1) * 1.6;
      const sky = mix(blue, [0.85, 0.9, 0.95], Math.min(1, (y / line) ** 2));
      return scaled(mix(sky, [0.95, 0.95, 0.95], Math.min(0.9, cloud)), 1.1 * light);
    });
    if (random.uniform() < 0.6) {
      const far = scaled(mix(LEAF, [0.2, 0.25, 0.3], random.uniform(0.2, 0.8)), light);
      for (let i = 0; i < 70; i++) {
        const x = i / 70;
        const height = 0.05 + 0.06 * (1 + noise(6 * x, 0.5, 9.5));
        canvas.rectangle(x, line - height, 0.02, height, scaled(far, random.uniform(0.8, 1.2)));
      }
    }
  },
  street({ canvas, random, light }) {
    canvas.fill((_, y) => scaled(mix([0.6, 0.75, 0.95], [0.85, 0.88, 0.9], y), 1.1 * light));
    for (let x = random.uniform(-0.3, 0); x < 1; ) {
      const width = random.uniform(0.2, 0.5);
      const top = random.uniform(-0.4, 0.35);
      const wall = scaled(mix(sampleColour(random, 0.8), [0.45, 0.4, 0.34], 0.6), light);
      canvas.rectangle(x, top, width, 1.5, wall);
      const [across, down] = [random.uniform(0.06, 0.1), random.uniform(0.09, 0.14)];
      const glass = scaled(random.choose<Colour>([[0.06, 0.08, 0.1], [0.35, 0.42, 0.5], WOOD]), light);
      for (let wy = top + 0.04; wy < 0.8; wy += down) {
        for (let wx = x + 0.02; wx < x + width - across * 0.6; wx += across) {
          canvas.rectangle(wx, wy, across * 0.55, down * 0.6, scaled(glass, random.uniform(0.6, 1.5)));
        }
      }
      x += width;
    }
    canvas.rectangle(0, random.uniform(0.8, 0.95), 1, 1, scaled([0.25, 0.25, 0.25], light));
    for (let i = random.integer(4); i > 0; i--) {
      const [x, paint] = [random.uniform(), scaled(sampleColour(random, 0.3), light)];
      canvas.rectangle(x, 0.72, 0.3, 0.14, paint);
      canvas.disc(x + 0.15, 0.72, 0.11, scaled([0.05, 0.06, 0.07], light), 1, 0.6);
    }
  },
};

const WOOD: Colour = [0.28, 0.15, 0.07];
const LEAF: Colour = [0.07, 0.17, 0.035];
const SUNLIT: Colour = [0.4, 0.52, 0.12];

/** A plain wall that light falls along, often with a corner. */
function paintWall({ canvas, random, noise, colours: [first, second], light }: Brushes): void {
  const wall = mix(first, [0.62, 0.6, 0.56], random.uniform(0.3, 1));
  const [towards, fall] = [random.uniform(0, 6.28), random.uniform(0.1, 0.6)];
  const corner = random.uniform() < 0.4 ? random.uniform(0.05, 0.95) : 2;
  const other = mix(wall, second, 0.25);
  canvas.fill((x, y) => {
    const shade = 1 + fall * ((x - 0.5) * Math.cos(towards) + (y - 0.5) * Math.sin(towards));
    const grain = 1 + 0.04 * fractal(noise, 2, 7 * x, 7 * y, 0.5);
    return scaled(x < corner ? wall : other, light * shade * grain * (x < corner ? 1 : 0.72));
  });
}
