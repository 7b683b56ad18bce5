// What a subject may wear on the head and around the neck: glasses, ear-rings, a cap or a scarf, as choices
// of a seed; `accessories.ts` makes them.

import type { Random } from '../tensor/index.ts';
import { type Colour, sampleColour } from './colour.ts';

export type WornTraits = {
  readonly glasses: {
    readonly colour: Colour;
    /** Half width and half height of a rim, and how square it is (2: an ellipse). */
    readonly halfWidthMetres: number;
    readonly halfHeightMetres: number;
    readonly squareness: number;
    readonly thicknessMetres: number;
    /** 0: plastic, 1: metal. */
    readonly metal: number;
  } | null;
  readonly earRings: {
    readonly colour: Colour;
    /** Radius of a hoop; of a stud where it is below 4 mm. */
    readonly radiusMetres: number;
  } | null;
  /** On the head: a knitted cap, or a scarf around head and throat. */
  readonly headwear: 'none' | 'cap' | 'headscarf';
  /** A scarf around the neck. */
  readonly neckScarf: boolean;
  readonly clothColour: Colour;
};

const METALS: readonly Colour[] = [
  [0.75, 0.52, 0.2],
  [0.6, 0.6, 0.62],
];

/** Random choices: most people wear none of it. */
export function sampleWorn(random: Random, isMale: boolean): WornTraits {
  const [glasses, rings, head, neck] = [
    random.uniform(),
    random.uniform(),
    random.uniform(),
    random.uniform(),
  ];
  const metal = random.uniform() < 0.4 ? 1 : 0;
  const clothColour = sampleColour(random, 0.3);
  return {
    glasses:
      glasses < 0.16
        ? {
            colour: metal
              ? random.choose(METALS)
              : random.choose<Colour>([
                  [0.012, 0.012, 0.013],
                  [0.06, 0.025, 0.01],
                  sampleColour(random, 0.4),
                ]),
            halfWidthMetres: random.uniform(0.0235, 0.0275),
            halfHeightMetres: random.uniform(0.0165, 0.023),
            squareness: random.uniform(2, 3.6),
            thicknessMetres: metal ? random.uniform(0.0005, 0.0009) : random.uniform(0.0009, 0.0021),
            metal,
          }
        : null,
    earRings:
      rings < (isMale ? 0.06 : 0.4)
        ? {
            colour: random.choose(METALS),
            radiusMetres:
              random.uniform() < 0.5 ? random.uniform(0.002, 0.0035) : random.uniform(0.008, 0.022),
          }
        : null,
    headwear: head < (isMale ? 0.08 : 0.03) ? 'cap' : !isMale && head < 0.13 ? 'headscarf' : 'none',
    neckScarf: neck < 0.05,
    clothColour,
  };
}
