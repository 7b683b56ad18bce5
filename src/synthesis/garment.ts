// Clothes as functions of the place on the mean head (canonical metres, as the skin's painter has them): where
// skin ends and cloth begins, the colour of the cloth and its relief. So a neckline is as sharp as the picture
// and lies as close as cloth does; the loose shell of `clothes.ts` takes over further down.

import type { Random } from '../tensor/index.ts';
import { type Colour, mix, sampleColour, scaled } from './colour.ts';
import { fractal, type NoiseField } from './noise.ts';

/** What a subject wears below the chin. */
export type GarmentTraits = {
  readonly neckline: 'crew' | 'scoop' | 'vee' | 'high' | 'shirt';
  /** What is worn over it, open at the front. */
  readonly layer: 'none' | 'jacket' | 'cardigan';
  readonly pattern: 'plain' | 'stripes' | 'checks' | 'dots' | 'flowers' | 'knit' | 'marl';
  /** Repeats of the pattern a metre. */
  readonly repeats: number;
  readonly colour: Colour;
  readonly second: Colour;
  readonly layerColour: Colour;
  /** Depth of its folds, 0 to 1. */
  readonly folds: number;
  /** A tie under a shirt's collar. */
  readonly tie: Colour | null;
  /** A chain around the neck. */
  readonly chain: Colour | null;
};

/** Random clothes. */
export function sampleGarment(random: Random, isMale: boolean): GarmentTraits {
  const white: Colour = [0.78, 0.77, 0.74];
  const cloth = (): Colour =>
    random.choose<Colour>([white, [0.02, 0.02, 0.024], [0.03, 0.045, 0.1], ...Array(5).fill(null)]) ??
    sampleColour(random, 0.5);
  const neckline = random.choose<GarmentTraits['neckline']>(
    isMale
      ? ['crew', 'crew', 'crew', 'vee', 'shirt', 'shirt', 'shirt', 'high']
      : ['crew', 'crew', 'scoop', 'scoop', 'scoop', 'vee', 'vee', 'shirt', 'high'],
  );
  const layer =
    random.uniform() < 0.32
      ? random.choose<GarmentTraits['layer']>(['jacket', 'jacket', 'cardigan'])
      : 'none';
  const isShirt = neckline === 'shirt';
  const pattern = random.choose<GarmentTraits['pattern']>(
    isShirt
      ? ['plain', 'plain', 'plain', 'stripes', 'checks']
      : isMale
        ? ['plain', 'plain', 'plain', 'marl', 'stripes', 'knit']
        : ['plain', 'plain', 'stripes', 'dots', 'flowers', 'flowers', 'knit', 'marl'],
  );
  return {
    neckline,
    layer,
    pattern,
    repeats: random.uniform(18, 60),
    colour: cloth(),
    second: cloth(),
    layerColour: mix(cloth(), [0.03, 0.03, 0.04], random.choose([0, 0.7])),
    folds: random.uniform(0.3, 1),
    tie: isShirt && layer === 'jacket' && random.uniform() < 0.6 ? sampleColour(random, 0.3) : null,
    chain: random.uniform() < (isMale ? 0.06 : 0.3) ? [0.75, 0.52, 0.2] : null,
  };
}

/** A place on a garment. */
export type ClothPoint = {
  /** Metres inside the garment's edge; negative on bare skin. */
  inside: number;
  /** Albedo, linear (3). */
  readonly albedo: Float32Array;
  /** What the relief adds to the normal (3), on the head at rest. */
  readonly tilt: Float32Array;
};

/** Tells a place's garment. */
export type Tailor = (x: number, y: number, z: number, out: ClothPoint) => void;

/** Height of the neckline beside the neck; its drop at the front; half its width there; 1: a vee, less: round. */
const NECKLINES = {
  crew: { side: -0.147, drop: 0.028, half: 0.055, power: 0.5 },
  scoop: { side: -0.16, drop: 0.075, half: 0.085, power: 0.42 },
  vee: { side: -0.15, drop: 0.1, half: 0.062, power: 1.05 },
  high: { side: -0.118, drop: 0.012, half: 0.06, power: 0.5 },
  shirt: { side: -0.128, drop: 0.075, half: 0.042, power: 1.2 },
} as const;
const HEM_METRES = 0.016;
const COLLAR_METRES = 0.034;

/** The tailor of a garment; `noise` varies its folds and prints. */
export function createTailor(garment: GarmentTraits, noise: NoiseField): Tailor {
  const line = NECKLINES[garment.neckline];
  const isShirt = garment.neckline === 'shirt';
  const hemTone = garment.pattern === 'plain' || isShirt ? garment.colour : garment.second;
  return (x, y, z, out) => {
    out.inside = -1;
    if (y > -0.095) return;
    const side = Math.abs(x);
    // The drop belongs to the front; beside and behind the neck the line runs level.
    const front = smooth(-0.095, -0.065, z);
    const reach = Math.max(0, 1 - side / line.half);
    const height = line.side - line.drop * front * reach ** line.power + 0.012 * (1 - front);
    out.inside = height - y;
    const layer = garment.layer === 'none' ? -1 : insideLayer(side, y, z);
    if (layer > out.inside || (layer > 0 && out.inside > 0)) {
      out.inside = Math.max(layer, out.inside);
      if (layer > 0) {
        dress(garment.layerColour, out);
        const isLapel = garment.layer === 'jacket' && layer < 0.036 - 0.16 * Math.max(0, -0.2 - y);
        fold(garment, noise, x, y, z, isLapel ? 0.2 : 1, out);
        if (isLapel) edge(layer - (0.036 - 0.16 * Math.max(0, -0.2 - y)), 0.004, 0.5, out);
        edge(layer, 0.006, garment.layer === 'cardigan' ? 0.45 : 0.3, out);
        if (garment.layer === 'cardigan') knit(x, y, out);
        return;
      }
    }
    if (out.inside <= 0) {
      if (garment.chain && isChain(x, y, z)) {
        out.inside = 0.001;
        dress(garment.chain, out);
        out.tilt.fill(0);
      }
      return;
    }
    print(garment, noise, x, y, z, out.albedo);
    fold(garment, noise, x, y, z, 1, out);
    const collar = isShirt ? COLLAR_METRES + 0.5 * Math.max(0, 0.03 - side) * front : 0;
    if (isShirt && out.inside < collar) {
      dress(garment.colour, out);
      out.tilt.fill(0);
      edge(collar - out.inside, 0.005, 0.35, out);
    } else if (isShirt) {
      edge(out.inside - collar, 0.008, 0.35, out);
      if (front > 0.5 && side < 0.016) placket(x, y, out);
    } else if (out.inside < HEM_METRES) {
      dress(hemTone, out);
      edge(HEM_METRES - out.inside, 0.002, 0.25, out);
      out.tilt[1]! += 0.35 * (1 - out.inside / HEM_METRES);
    }
    if (garment.tie && front > 0.5) tie(garment.tie, side, y, line.side - line.drop, out);
    edge(out.inside, 0.002, 0.3, out);
  };
}

/** Metres inside an open jacket: from the side of the neck, apart by a growing wedge. */
function insideLayer(side: number, y: number, z: number): number {
  if (z < -0.09) return -0.135 - y;
  const opening = 0.062 - 0.24 * Math.max(0, -0.15 - y);
  return Math.min(side - Math.max(0.012, opening), -0.14 - y + 0.1 * side);
}

function dress(colour: Colour, out: ClothPoint): void {
  out.albedo.set(colour);
}

/** Darkens what lies within `width` of an edge. */
function edge(distance: number, width: number, strength: number, out: ClothPoint): void {
  const share = Math.abs(distance) / width;
  if (share > 2) return;
  const dark = 1 - strength * Math.exp(-share * share);
  for (let k = 0; k < 3; k++) out.albedo[k]! *= dark;
}

/** Folds that hang from the shoulders. */
function fold(
  { folds }: GarmentTraits,
  noise: NoiseField,
  x: number,
  y: number,
  z: number,
  strength: number,
  out: ClothPoint,
): void {
  // Seen along the pull, from the neck outwards and down, folds are long.
  const across = x * 26 + Math.sign(x) * y * 12;
  const along = y * 7 + z * 5;
  const amount = strength * folds;
  out.tilt[0] = amount * (0.4 * noise(across, along, 3.5) + 0.16 * noise(across * 3, along * 3, 5.5));
  out.tilt[1] = amount * 0.22 * noise(across * 0.7 + 9, along * 2, 1.5);
  out.tilt[2] = 0;
}

function print(
  garment: GarmentTraits,
  noise: NoiseField,
  x: number,
  y: number,
  z: number,
  out: Float32Array,
): void {
  const { pattern, colour, second, repeats } = garment;
  // Prints run around the body: across is the way along the surface, roughly.
  const across = x + Math.sign(x) * 0.6 * Math.max(0, -z);
  const share = PRINTS[pattern](across * repeats, y * repeats, z * repeats, noise);
  const weave =
    1 + 0.06 * fractal(noise, 2, x * 420, y * 420, z * 420) + 0.05 * noise(x * 25, y * 18, z * 25);
  for (let k = 0; k < 3; k++) out[k] = (colour[k]! + share * (second[k]! - colour[k]!)) * weave;
}

const PRINTS: Readonly<
  Record<GarmentTraits['pattern'], (u: number, v: number, w: number, noise: NoiseField) => number>
> = {
  plain: () => 0,
  stripes: (_, v) => smooth(-0.1, 0.1, Math.sin(2 * Math.PI * v) - 0.25),
  checks: (u, v) => {
    const across = Math.sin(2 * Math.PI * u);
    const down = Math.sin(2 * Math.PI * v);
    return 0.45 * smooth(-0.1, 0.1, across) + 0.45 * smooth(-0.1, 0.1, down);
  },
  dots: (u, v) => {
    const row = Math.floor(v);
    const [dx, dy] = [u + 0.5 * (row & 1) - Math.floor(u + 0.5 * (row & 1)) - 0.5, v - row - 0.5];
    return smooth(0.3, 0.22, Math.hypot(dx, dy));
  },
  flowers: (u, v, w, noise) => {
    const petals = noise(u * 1.3, v * 1.3, w * 0.4) + 0.5 * noise(u * 3.1 + 7, v * 3.1, 2.5);
    return smooth(0.12, 0.22, petals) * (0.7 + 0.3 * noise(u * 5, v * 5, 8.5));
  },
  knit: (u, v) => 0.25 + 0.25 * Math.sin(u * 20 + 2 * Math.sin(v * 20)),
  marl: (u, v, w, noise) => 0.5 + 0.5 * noise(u * 14, v * 4, w * 14),
};

/** Ribs. */
function knit(x: number, y: number, out: ClothPoint): void {
  out.tilt[0]! += 0.25 * Math.sin(x * 900);
  out.tilt[1]! += 0.1 * Math.sin(y * 700);
}

/** A shirt's buttons on their strip. */
function placket(x: number, y: number, out: ClothPoint): void {
  edge(Math.abs(x) - 0.014, 0.0025, 0.25, out);
  const button = Math.hypot(x, ((((y / 0.075) % 1) + 1) % 1) * 0.075 - 0.037);
  if (button < 0.0055) out.albedo.set([0.5, 0.48, 0.44]);
}

function tie(colour: Colour, side: number, y: number, top: number, out: ClothPoint): void {
  const below = top + 0.024 - y;
  if (below < 0) return;
  const half = below < 0.03 ? 0.019 - 0.2 * below : Math.min(0.036, 0.0145 + 0.2 * (below - 0.03));
  if (side > half) return;
  const stripe = 0.7 + 0.3 * Math.sign(Math.sin((y + 0.7 * side) * 300));
  dress(scaled(colour, below < 0.03 ? 0.8 : stripe), out);
  out.tilt[0] = 0;
  edge(half - side, 0.002, 0.4, out);
}

function isChain(x: number, y: number, z: number): boolean {
  const height = -0.15 - 0.045 * smooth(-0.095, -0.05, z) * (1 - (Math.abs(x) / 0.075) ** 2);
  const link = Math.sin(x * 2600) > -0.6;
  return z > -0.09 && Math.abs(x) < 0.075 && Math.abs(y - height) < 0.0012 && link;
}

function smooth(low: number, high: number, value: number): number {
  const t = Math.min(1, Math.max(0, (value - low) / (high - low)));
  return t * t * (3 - 2 * t);
}
