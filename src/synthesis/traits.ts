// A subject's traits: everything that a seed decides about a person and their picture, as plain numbers.
// Colours are linear light, 0 to 1.

import type { HeadModel } from '../head/index.ts';
import { createRandom, deriveSeed, type Random } from '../tensor/index.ts';
import { BACKGROUNDS } from './background.ts';
import { type Colour, luminance, mix, sampleColour, scaled } from './colour.ts';
import { type GarmentTraits, sampleGarment } from './garment.ts';
import { type LensTraits, sampleLens } from './lens.ts';
import { skinTone } from './skin.ts';
import { sampleWorn, type WornTraits } from './worn.ts';

export const HAIR_STYLES = ['bald', 'buzz', 'short', 'swept', 'curly', 'bob', 'long', 'tied'] as const;
export type HairStyle = (typeof HAIR_STYLES)[number];

/** What a seed decides. Amounts without a unit run from 0 (none) to 1 (as strong as people have it). */
export type SubjectTraits = {
  readonly seed: number;
  /** `I`, unit variance. */
  readonly identity: Float32Array;
  readonly masculinity: number;
  readonly age: number;
  readonly skin: {
    readonly melanin: number;
    readonly haemoglobin: number;
    readonly blotches: number;
    readonly freckles: number;
    readonly moles: number;
    readonly wrinkles: number;
    readonly shine: number;
    readonly underEye: number;
  };
  readonly lips: { readonly colour: Colour; readonly strength: number };
  readonly brows: {
    readonly colour: Colour;
    readonly thickness: number;
    readonly density: number;
    readonly arch: number;
  };
  readonly eyes: {
    readonly iris: Colour;
    readonly ring: Colour;
    readonly pupil: number;
    readonly redness: number;
  };
  readonly hair: {
    readonly style: HairStyle;
    readonly colour: Colour;
    readonly grey: number;
    readonly recession: number;
    /** Parting, metres to the subject's left of the middle. */
    readonly partingMetres: number;
    readonly lengthMetres: number;
    readonly curl: number;
    readonly volumeMetres: number;
    readonly fringe: number;
  };
  readonly beard: { readonly stubble: number; readonly style: 'none' | 'moustache' | 'full' };
  readonly makeUp: {
    /** Shadow on the lids, a line at their rims, colour on the cheeks. */
    readonly lids: number;
    readonly lidColour: Colour;
    readonly liner: number;
    readonly blush: number;
  };
  readonly garment: GarmentTraits;
  readonly worn: WornTraits;
  readonly background: {
    readonly kind: (typeof BACKGROUNDS)[number];
    readonly colours: readonly [Colour, Colour, Colour];
    /** How far out of focus, a share of the picture's width. */
    readonly blur: number;
    /** Brightness of white things in it. */
    readonly light: number;
  };
  readonly light: {
    /** Unit vector towards the key light, world. */
    readonly keyDirection: readonly [number, number, number];
    readonly keyColour: Colour;
    readonly skyColour: Colour;
    readonly groundColour: Colour;
    /** Light from the side opposite the key. */
    readonly fillColour: Colour;
    readonly rimStrength: number;
    /** Blur of the key light's shadow, metres: small for the sun, large for a window. */
    readonly softnessMetres: number;
    /** A broad light from one side, as of a window or a bright wall. */
    readonly broadDirection: readonly [number, number, number];
    readonly broadColour: Colour;
  };
  readonly lens: LensTraits;
  readonly camera: {
    /** Focal length over image width. */
    readonly focalRatio: number;
    /** Extent of the picture over the avatar's usual one. */
    readonly frameScale: number;
    /** Where the head stands in the image, in shares of its width from the middle. */
    readonly offset: readonly [right: number, down: number];
  };
};

/** The traits of a seed. */
export function sampleTraits(seed: number, head: HeadModel): SubjectTraits {
  const stream = (part: number): Random => createRandom(deriveSeed(seed, part));
  const person = stream(1);
  const masculinity = person.uniform() < 0.5 ? person.uniform(0, 0.3) : person.uniform(0.7, 1);
  const age = person.uniform() ** 1.3;
  const melanin = sampleMelanin(person);
  const hairColour = sampleHairColour(person, melanin);
  const grey = Math.max(0, Math.min(1, (age - 0.7) * 3 + 0.2 * person.normal()));
  const identityRandom = stream(2);
  const identity = Float32Array.from(
    { length: head.identityCount },
    () => 0.9 * clampNormal(identityRandom, 2.3),
  );
  const face = stream(3);
  const skin = {
    melanin,
    haemoglobin: face.uniform(0.2, 0.9),
    blotches: face.uniform(0.2, 1),
    freckles: melanin < 0.35 && face.uniform() < 0.3 ? face.uniform(0.3, 1) : 0,
    moles: face.uniform(),
    wrinkles: Math.max(0, age - 0.25) * face.uniform(0.6, 1.3),
    shine: face.uniform(0.3, 1),
    underEye: face.uniform(0, 0.6) + 0.4 * age,
  };
  const lipStrength =
    masculinity < 0.5 && face.uniform() < 0.35 ? face.uniform(0.4, 1) : face.uniform(0, 0.25);
  return {
    seed,
    identity,
    masculinity,
    age,
    skin,
    lips: {
      colour: face.choose<Colour>([
        [0.45, 0.08, 0.09],
        [0.5, 0.16, 0.15],
        [0.3, 0.04, 0.07],
        [0.55, 0.2, 0.2],
      ]),
      strength: lipStrength,
    },
    brows: {
      colour: mix(hairColour, [0.03, 0.022, 0.018], 0.55),
      thickness: 0.85 + 0.55 * masculinity + 0.25 * face.normal() * 0.6,
      density: face.uniform(0.75, 1),
      arch: face.uniform(0.2, 1) * (1.2 - 0.6 * masculinity),
    },
    eyes: sampleEyes(stream(4), melanin),
    hair: sampleHair(stream(5), { masculinity, age, colour: hairColour, grey }),
    beard: sampleBeard(stream(6), masculinity),
    makeUp: sampleMakeUp(stream(11), masculinity),
    garment: sampleGarment(stream(7), masculinity > 0.5),
    worn: sampleWorn(stream(12), masculinity > 0.5),
    background: sampleBackground(stream(8)),
    light: exposed(sampleLight(stream(9)), skin),
    lens: sampleLens(stream(13)),
    camera: sampleCamera(stream(10)),
  };
}

function sampleMelanin(random: Random): number {
  // Three broad modes of equal weight: light, middle, dark.
  const centre = random.choose([0.1, 0.33, 0.75]);
  return Math.min(1, Math.max(0, centre + 0.1 * random.normal()));
}

function sampleHairColour(random: Random, melanin: number): Colour {
  const black: Colour = [0.012, 0.01, 0.009];
  const brown: Colour = [0.07, 0.035, 0.018];
  if (melanin > 0.5) return mix(black, brown, random.uniform(0, 0.35));
  const blond: Colour = [0.42, 0.28, 0.13];
  const red: Colour = [0.25, 0.07, 0.02];
  const kind = random.uniform();
  if (melanin > 0.25 || kind < 0.35) return mix(black, brown, random.uniform(0, 1));
  if (kind < 0.7) return mix(brown, blond, random.uniform(0, 0.6));
  if (kind < 0.9) return mix(brown, blond, random.uniform(0.6, 1));
  return mix(red, brown, random.uniform(0, 0.6));
}

function sampleEyes(random: Random, melanin: number): SubjectTraits['eyes'] {
  const darkBrown: Colour = [0.035, 0.015, 0.007];
  const light = random.choose<Colour>([
    [0.1, 0.18, 0.28],
    [0.16, 0.2, 0.22],
    [0.1, 0.15, 0.07],
    [0.18, 0.12, 0.04],
  ]);
  const isLight = random.uniform() < (melanin < 0.25 ? 0.6 : 0.06);
  const iris = isLight ? light : mix(darkBrown, [0.14, 0.06, 0.02], random.uniform() ** 2);
  return {
    iris,
    ring: mix(iris, [0.2, 0.12, 0.04], random.uniform(0, 0.7)),
    pupil: random.uniform(0.3, 0.5),
    redness: random.uniform(0, 0.6),
  };
}

function sampleHair(
  random: Random,
  { masculinity, age, colour, grey }: { masculinity: number; age: number; colour: Colour; grey: number },
): SubjectTraits['hair'] {
  const isMale = masculinity > 0.5;
  const style = random.choose<HairStyle>(
    isMale
      ? ['bald', 'buzz', 'buzz', 'short', 'short', 'short', 'swept', 'swept', 'curly', 'bob']
      : ['short', 'swept', 'curly', 'bob', 'bob', 'long', 'long', 'long', 'tied', 'tied', 'buzz'],
  );
  const lengths: Record<HairStyle, readonly [number, number]> = {
    bald: [0, 0],
    buzz: [0.004, 0.009],
    short: [0.02, 0.045],
    swept: [0.045, 0.09],
    curly: [0.04, 0.09],
    bob: [0.14, 0.2],
    long: [0.25, 0.38],
    tied: [0.12, 0.16],
  };
  return {
    style,
    colour,
    grey,
    recession: isMale ? Math.max(0, 0.8 * age - 0.1 + 0.3 * random.normal()) : 0.1 * random.uniform(),
    partingMetres: random.choose([-1, 1]) * random.uniform(0, 0.035),
    lengthMetres: random.uniform(...lengths[style]),
    curl: style === 'curly' ? random.uniform(0.6, 1) : random.uniform() ** 2 * 0.6,
    volumeMetres: style === 'curly' ? random.uniform(0.015, 0.04) : random.uniform(0.004, 0.016),
    fringe: random.uniform() < 0.3 ? random.uniform(0.4, 1) : 0,
  };
}

function sampleBeard(random: Random, masculinity: number): SubjectTraits['beard'] {
  if (masculinity < 0.5) return { stubble: 0, style: 'none' };
  const kind = random.uniform();
  const style = kind < 0.62 ? 'none' : kind < 0.74 ? 'moustache' : 'full';
  return { stubble: random.uniform() ** 1.5, style };
}

function sampleMakeUp(random: Random, masculinity: number): SubjectTraits['makeUp'] {
  const wears = masculinity < 0.5 && random.uniform() < 0.5;
  return {
    lids: wears ? random.uniform(0, 0.7) : 0,
    lidColour: random.choose<Colour>([
      [0.12, 0.06, 0.04],
      [0.07, 0.05, 0.05],
      [0.16, 0.07, 0.08],
      [0.09, 0.08, 0.1],
    ]),
    liner: wears ? random.uniform(0.2, 1) : 0,
    blush: wears ? random.uniform(0, 0.6) : 0,
  };
}

function sampleBackground(random: Random): SubjectTraits['background'] {
  const base = sampleColour(random, 0.7);
  return {
    kind: random.choose(BACKGROUNDS),
    colours: [base, mix(base, sampleColour(random, 0.5), 0.6), sampleColour(random, 0.6)],
    blur: 0.004 + 0.035 * random.uniform() ** 1.5,
    light: random.uniform(0.45, 1.15),
  };
}

function sampleLight(random: Random): SubjectTraits['light'] {
  const azimuth = random.uniform(-1.25, 1.25);
  const elevation = random.uniform(0.15, 1.0);
  const warmth = random.uniform(-1, 1);
  const tint = (strength: number, warm: number): Colour => [
    strength * (1 + 0.16 * warm),
    strength,
    strength * (1 - 0.2 * warm),
  ];
  const key = random.uniform(0.7, 2.1);
  const ambient = 0.85 * random.uniform(0.3, 0.75);
  return {
    keyDirection: [
      Math.sin(azimuth) * Math.cos(elevation),
      Math.sin(elevation),
      Math.cos(azimuth) * Math.cos(elevation),
    ],
    keyColour: tint(key, warmth),
    skyColour: tint(ambient, -0.5 * warmth),
    groundColour: tint(ambient * random.uniform(0.35, 0.8), 0.5 * warmth + 0.3),
    fillColour: tint(random.uniform(0.05, 0.5), random.uniform(-1, 1)),
    rimStrength: random.uniform() < 0.4 ? random.uniform(0.3, 1.2) : 0,
    softnessMetres: 0.003 + 0.022 * random.uniform() ** 1.5,
    ...sampleBroadLight(random, tint),
  };
}

/** Light as the camera exposes for: half way from what there is to what makes a face of middle brightness. */
function exposed(light: SubjectTraits['light'], skin: SubjectTraits['skin']): SubjectTraits['light'] {
  const { keyColour, skyColour, groundColour, fillColour, broadColour } = light;
  const arriving =
    0.55 * luminance(keyColour) +
    0.5 * (luminance(skyColour) + luminance(groundColour)) +
    0.3 * (luminance(fillColour) + luminance(broadColour));
  const gain = Math.min(2.2, Math.max(0.5, (0.3 / (arriving * luminance(skinTone({ skin })))) ** 0.45));
  return {
    ...light,
    keyColour: scaled(keyColour, gain),
    skyColour: scaled(skyColour, gain),
    groundColour: scaled(groundColour, gain),
    fillColour: scaled(fillColour, gain),
    broadColour: scaled(broadColour, gain),
  };
}

function sampleBroadLight(
  random: Random,
  tint: (strength: number, warm: number) => Colour,
): Pick<SubjectTraits['light'], 'broadDirection' | 'broadColour'> {
  const azimuth = random.choose([-1, 1]) * random.uniform(0.3, 1.5);
  const elevation = random.uniform(0, 0.7);
  return {
    broadDirection: [
      Math.sin(azimuth) * Math.cos(elevation),
      Math.sin(elevation),
      Math.cos(azimuth) * Math.cos(elevation),
    ],
    broadColour: tint(random.uniform(0.1, 0.7), random.uniform(-1, 1)),
  };
}

function sampleCamera(random: Random): SubjectTraits['camera'] {
  return {
    focalRatio: random.uniform(1.3, 3.4),
    frameScale: random.uniform(0.9, 1.2),
    offset: [0.02 * random.normal(), 0.02 * random.normal()],
  };
}

function clampNormal(random: Random, limit: number): number {
  return Math.min(limit, Math.max(-limit, random.normal()));
}
