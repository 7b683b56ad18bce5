// Hair grown by rule: ribbons of strands from roots on the scalp, combed, pulled down by their weight, kept
// off the skull and out of the face; over a cap that closes the gaps between them.

import { triangleArea, vertexNormals } from '../geometry/index.ts';
import { type HeadModel, trianglesOfParts } from '../head/index.ts';
import { createRandom, deriveSeed, type Random } from '../tensor/index.ts';
import { scalpCover } from './scalp.ts';
import type { Piece } from './scene.ts';
import { createSkullField, SKULL_CENTRE, type SkullField } from './skull-field.ts';
import type { HairStyle, SubjectTraits } from './traits.ts';

type Vector = [number, number, number];

/** How a style grows. */
type Growth = {
  readonly ribbons: number;
  readonly segments: number;
  readonly widthMetres: number;
  /** How much of a step's direction is gravity's. */
  readonly weight: number;
  /** How far strands stand off the skull at the root, 0 to 1. */
  readonly lift: number;
};

const GROWTH: Readonly<Record<Exclude<HairStyle, 'bald'>, Growth>> = {
  buzz: { ribbons: 1100, segments: 1, widthMetres: 0.006, weight: 0, lift: 0.8 },
  short: { ribbons: 1300, segments: 3, widthMetres: 0.008, weight: 0.05, lift: 0.35 },
  swept: { ribbons: 1300, segments: 5, widthMetres: 0.01, weight: 0.1, lift: 0.45 },
  curly: { ribbons: 1700, segments: 6, widthMetres: 0.007, weight: 0.08, lift: 2.5 },
  bob: { ribbons: 1300, segments: 8, widthMetres: 0.015, weight: 0.62, lift: 0.3 },
  long: { ribbons: 1400, segments: 11, widthMetres: 0.016, weight: 0.68, lift: 0.3 },
  tied: { ribbons: 900, segments: 7, widthMetres: 0.011, weight: 0, lift: 0.05 },
};
const KNOT: Vector = [0, 0.02, -0.2];
const FROM_CENTRE: Vector = [-SKULL_CENTRE[0], -SKULL_CENTRE[1], -SKULL_CENTRE[2]];

/** The hair of a subject on its shaped head at rest (`V 3`); nothing for a bald one. */
export function growHair(head: HeadModel, shaped: Float32Array, traits: SubjectTraits): Piece[] {
  const style = styleUnder(traits);
  if (style === 'bald') return [];
  const random = createRandom(deriveSeed(traits.seed, 21));
  const scalp = scalpOf(head, shaped, traits);
  if (scalp.triangles.length === 0) return [];
  const grower: Grower = { traits, random, growth: GROWTH[style], style, skull: scalp.skull };
  const strands: Strand[] = [];
  for (let i = 0; i < grower.growth.ribbons; i++)
    strands.push(growStrand(grower, ...sampleRoot(scalp, shaped, random)));
  if (style === 'tied') strands.push(...growTail(grower));
  return [capOf(scalp, shaped, grower), ribbonsOf(strands, style)];
}

/** What is left of a style under a cap or a headscarf. */
export function styleUnder({ hair: { style }, worn: { headwear } }: SubjectTraits): HairStyle {
  if (headwear === 'headscarf') return 'bald';
  return headwear === 'cap' && style !== 'long' && style !== 'bob' ? 'bald' : style;
}

type Scalp = {
  /** `F' 3` vertex indices of the head. */
  readonly triangles: Uint32Array;
  /** Cumulated areas, one per triangle. */
  readonly areas: Float64Array;
  readonly normals: Float32Array;
  readonly cover: Float32Array;
  readonly skull: SkullField;
};

function scalpOf(head: HeadModel, shaped: Float32Array, traits: SubjectTraits): Scalp {
  const { template } = head;
  const cover = new Float32Array(template.length / 3);
  for (let v = 0; v < cover.length; v++) {
    cover[v] = scalpCover(traits.hair, template[3 * v]!, template[3 * v + 1]!, template[3 * v + 2]!);
  }
  // Ears stand off the skull: no hair grows on them, and strands pass behind.
  const isEar = (v: number): boolean =>
    Math.abs(template[3 * v]!) > 0.073 && template[3 * v + 1]! < 0.03 && template[3 * v + 2]! < -0.04;
  const skin = trianglesOfParts(head, 'skin');
  const kept: number[] = [];
  const areas: number[] = [];
  let total = 0;
  for (let at = 0; at < skin.length; at += 3) {
    const corners = skin.subarray(at, at + 3);
    if (corners.some((v) => cover[v]! < 0.3 || isEar(v))) continue;
    kept.push(...corners);
    total += triangleArea(shaped, corners);
    areas.push(total);
  }
  const skull = createSkullField(
    shaped,
    (v) => template[3 * v + 1]! > -0.06 && !isEar(v) && (cover[v]! > 0 || template[3 * v + 2]! < -0.03),
  );
  return {
    triangles: Uint32Array.from(kept),
    areas: Float64Array.from(areas),
    normals: vertexNormals(shaped, head.triangles),
    cover,
    skull,
  };
}

/** A random root on the scalp and the normal there. */
function sampleRoot(scalp: Scalp, shaped: Float32Array, random: Random): [root: Vector, normal: Vector] {
  const { areas, triangles, normals } = scalp;
  const wanted = random.uniform(0, areas[areas.length - 1]!);
  let [low, high] = [0, areas.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (areas[middle]! < wanted) low = middle + 1;
    else high = middle;
  }
  let [s, t] = [random.uniform(), random.uniform()];
  if (s + t > 1) [s, t] = [1 - s, 1 - t];
  const weights = [1 - s - t, s, t];
  const blend = (source: Float32Array): Vector =>
    [0, 1, 2].map((k) =>
      weights.reduce(
        (sum, weight, corner) => sum + weight * source[3 * triangles[3 * low + corner]! + k]!,
        0,
      ),
    ) as Vector;
  return [blend(shaped), unit(blend(normals))];
}

type Grower = {
  readonly traits: SubjectTraits;
  readonly random: Random;
  readonly growth: Growth;
  readonly style: HairStyle;
  readonly skull: SkullField;
};

type Strand = {
  readonly points: readonly Vector[];
  /** Which way the ribbon's face looks at each point. */
  readonly outward: readonly Vector[];
  readonly widthMetres: number;
  /** 0 to 1, one per strand. */
  readonly tone: number;
};

function growStrand({ traits, random, growth, style, skull }: Grower, root: Vector, normal: Vector): Strand {
  const { hair } = traits;
  const length = hair.lengthMetres * random.uniform(0.75, 1.1);
  const step = length / growth.segments;
  const standOff =
    style === 'curly'
      ? 0.008 + hair.volumeMetres * (1.5 - 0.7 * random.uniform() ** 2)
      : 0.002 + hair.volumeMetres * random.uniform(0.2, 1);
  const comb = combDirection(traits, style, root, normal, random);
  let direction = unit(add(scaled(comb, 1), scaled(normal, growth.lift), scaled(randomVector(random), 0.18)));
  const points: Vector[] = [root];
  const outward: Vector[] = [normal];
  const phase = random.uniform(0, 6.28);
  let point = root;
  for (let i = 1; i <= growth.segments; i++) {
    const pull: Vector = style === 'tied' ? unit(add(KNOT, scaled(point, -1))) : [0, -1, 0];
    const weight = style === 'tied' ? 0.7 : growth.weight * Math.min(1, (2 * i) / growth.segments);
    direction = unit(add(scaled(direction, 1 - weight), scaled(pull, weight)));
    if (style === 'curly' && i > 1) direction = layDown(direction, outward[i - 1]!, 0.9);
    if (style !== 'curly' && style !== 'buzz') direction = layDown(direction, outward[i - 1]!, 0.75);
    const curl = hair.curl * (style === 'curly' ? 0.8 : 0.35);
    const twist = scaled(randomVector(random), curl * 0.9);
    const wave = scaled(unit(cross(direction, normal)), curl * 0.7 * Math.sin(phase + i * 1.9));
    const reach = style === 'tied' ? Math.min(step * 1.4, norm(add(KNOT, scaled(point, -1))) * 0.6) : step;
    point = add(point, scaled(unit(add(direction, twist, wave)), reach));
    if (style === 'curly') point = ontoShell(point, skull, standOff);
    const kept = keepOff(point, skull, standOff * Math.min(1, i / 2), hair.fringe === 0 || style === 'long');
    if (hair.fringe > 0 && style !== 'long') shortenFringe(kept, hair.fringe);
    direction = unit(add(scaled(direction, 0.6), scaled(unit(add(kept, scaled(points[i - 1]!, -1))), 0.4)));
    point = kept;
    points.push(point);
    outward.push(unit(add(point, FROM_CENTRE)));
  }
  return {
    points,
    outward,
    widthMetres: growth.widthMetres * random.uniform(0.7, 1.3),
    tone: random.uniform(),
  };
}

/** Draws a point in to a shell around the skull: curls stand off it, but coil back instead of pointing away. */
function ontoShell(point: Vector, skull: SkullField, standOff: number): Vector {
  const offset = add(point, FROM_CENTRE);
  const distance = norm(offset);
  const direction = scaled(offset, 1 / distance);
  const most = skull.radius(direction[0], direction[1], direction[2]) + standOff;
  return distance < most || point[1] < -0.07 ? point : add(SKULL_CENTRE, scaled(direction, most));
}

/** A direction with most of what points away from the skull taken out. */
function layDown(direction: Vector, outward: Vector, share: number): Vector {
  const away = Math.max(0, dot(direction, outward));
  return unit(add(direction, scaled(outward, -share * away)));
}

/** What a style's combing goes by at a root. */
type Comb = {
  readonly root: Vector;
  /** From the crown. */
  readonly away: Vector;
  /** -1 or 1: on which side of the parting. */
  readonly side: number;
  readonly fringe: number;
  /** A random direction, drawn for every style so that a seed's hair does not depend on it. */
  readonly tangle: Vector;
};

const COMB: Readonly<Record<HairStyle, (comb: Comb) => Vector>> = {
  bald: ({ away }) => away,
  buzz: ({ away }) => away,
  short: ({ away }) => away,
  swept: ({ side, fringe }) => [0.35 * side * (1 - fringe), 0.25, -1],
  curly: ({ tangle }) => tangle,
  bob: ({ root, side, fringe }) =>
    root[2] > -0.05 && fringe > 0.3 && Math.abs(root[0]) < 0.05
      ? [0.3 * side, -0.5, 1]
      : [side, 0.1, root[2] > -0.08 ? -0.35 : -0.8],
  long: ({ root, side }) => [side, 0.1, root[2] > -0.08 ? -0.45 : -0.9],
  tied: ({ root }) => add(KNOT, scaled(root, -1)),
};

/** Which way hair is combed at a root: a tangent of the skull. */
function combDirection(
  traits: SubjectTraits,
  style: HairStyle,
  root: Vector,
  normal: Vector,
  random: Random,
): Vector {
  const { partingMetres, fringe } = traits.hair;
  const crown: Vector = [0.01, 0.11, -0.13];
  const away = add(root, scaled(crown, -1));
  const side = Math.sign(root[0] - partingMetres) || 1;
  const raw = COMB[style]({ root, away, side, fringe, tangle: randomVector(random) });
  const wanted = unit(add(unit(raw), scaled(randomVector(random), style === 'short' ? 0.35 : 0.12)));
  const along = dot(wanted, normal);
  return unit(add(wanted, scaled(normal, -along)));
}

/** Moves a point out of the skull, the face and the throat. */
function keepOff(point: Vector, skull: SkullField, standOff: number, clearsFace: boolean): Vector {
  let moved = point;
  const offset = add(moved, FROM_CENTRE);
  const distance = norm(offset);
  const direction = scaled(offset, 1 / distance);
  if (moved[1] > -0.07) {
    const least = skull.radius(direction[0], direction[1], direction[2]) + standOff;
    if (distance < least) moved = add(SKULL_CENTRE, scaled(direction, least));
  } else {
    // Below the skull: around the neck, over the shoulders.
    const radius = norm([moved[0], 0, moved[2] + 0.09]);
    const least = 0.062 + standOff + Math.max(0, -0.16 - moved[1]) * 0.7;
    if (radius < least)
      moved = [(moved[0] * least) / radius, moved[1], -0.09 + ((moved[2] + 0.09) * least) / radius];
  }
  const faceHalf = 0.07 - Math.max(0, -0.06 - moved[1]) * 0.15;
  if (clearsFace && moved[1] < 0.05 && moved[2] > -0.06 && Math.abs(moved[0]) < faceHalf) {
    moved = [Math.sign(moved[0] || 1) * faceHalf, moved[1], Math.min(moved[2], -0.02)];
  }
  return moved;
}

/** Draws up what hangs before the eyes: a portrait shows them. */
function shortenFringe(point: Vector, fringe: number): void {
  const end = 0.042 - 0.012 * fringe;
  if (point[2] > -0.03 && Math.abs(point[0]) < 0.06 && point[1] < end)
    point[1] = end + 0.2 * (point[1] - end) * fringe;
}

/** The bundle behind the knot of tied hair. */
function growTail({ traits, random, growth }: Grower): Strand[] {
  const isBun = traits.hair.partingMetres > 0;
  return Array.from({ length: 160 }, () => {
    const points: Vector[] = [];
    const outward: Vector[] = [];
    const around = randomVector(random);
    let point = add(KNOT, scaled(around, 0.012));
    for (let i = 0; i <= 6; i++) {
      points.push(point);
      outward.push(unit(add(point, scaled(KNOT, -1), [0, 0.001, -0.01])));
      point = isBun
        ? add(KNOT, scaled(unit(add(around, scaled(randomVector(random), 0.9), [0, 0, -0.5])), 0.035))
        : add(point, [around[0] * 0.006, -0.045, i < 2 ? -0.02 : 0.004]);
    }
    return { points, outward, widthMetres: growth.widthMetres, tone: random.uniform() };
  });
}

function ribbonsOf(strands: readonly Strand[], style: HairStyle): Piece {
  const vertices: number[] = [];
  const triangles: number[] = [];
  const extra: number[] = [];
  const directions: number[] = [];
  const uvs: number[] = [];
  for (const { points, outward, widthMetres, tone } of strands) {
    const first = vertices.length / 3;
    points.forEach((point, i) => {
      const along = i / (points.length - 1);
      const direction = unit(
        add(points[Math.min(i + 1, points.length - 1)]!, scaled(points[Math.max(0, i - 1)]!, -1)),
      );
      const across = unit(cross(direction, outward[i]!));
      const half = (widthMetres / 2) * (style === 'buzz' ? 1 : 1 - 0.45 * along);
      for (const side of [-1, 1]) {
        vertices.push(...add(point, scaled(across, side * half)));
        extra.push(along, tone);
        directions.push(...direction);
        uvs.push(side < 0 ? 0 : 1, Math.min(0.98, along));
      }
      if (i === 0) return;
      const at = first + 2 * i;
      triangles.push(at - 2, at - 1, at, at, at - 1, at + 1);
    });
  }
  return {
    vertices: Float32Array.from(vertices),
    triangles: Uint32Array.from(triangles),
    material: 'hair',
    headness: new Float32Array(vertices.length / 3).fill(1),
    extra: Float32Array.from(extra),
    directions: Float32Array.from(directions),
    uvs: Float32Array.from(uvs),
  };
}

/** The scalp, raised by most of the hair's volume away from the hairline. */
function capOf(scalp: Scalp, shaped: Float32Array, { traits, random, style }: Grower): Piece {
  const newIndex = new Map<number, number>();
  const vertices: number[] = [];
  const extra: number[] = [];
  const directions: number[] = [];
  for (const v of scalp.triangles) {
    if (newIndex.has(v)) continue;
    newIndex.set(v, vertices.length / 3);
    const normal: Vector = [scalp.normals[3 * v]!, scalp.normals[3 * v + 1]!, scalp.normals[3 * v + 2]!];
    const root: Vector = [shaped[3 * v]!, shaped[3 * v + 1]!, shaped[3 * v + 2]!];
    const raise = style === 'tied' || style === 'buzz' ? 0.002 : 0.75 * traits.hair.volumeMetres;
    vertices.push(
      ...add(root, scaled(normal, -0.002 + (raise + 0.002) * Math.max(0, scalp.cover[v]! * 2.5 - 1.5))),
    );
    extra.push(0.3, random.uniform(0.1, 0.5));
    directions.push(...combDirection(traits, style, root, normal, random));
  }
  return {
    vertices: Float32Array.from(vertices),
    triangles: scalp.triangles.map((v) => newIndex.get(v)!),
    material: 'hair',
    headness: new Float32Array(vertices.length / 3).fill(1),
    extra: Float32Array.from(extra),
    directions: Float32Array.from(directions),
    uvs: null,
  };
}

const add = (a: Readonly<Vector>, b: Readonly<Vector>, c: Readonly<Vector> = ZERO): Vector => [
  a[0] + b[0] + c[0],
  a[1] + b[1] + c[1],
  a[2] + b[2] + c[2],
];
const ZERO: Vector = [0, 0, 0];
const scaled = (v: Readonly<Vector>, factor: number): Vector => [v[0] * factor, v[1] * factor, v[2] * factor];
const dot = (a: Readonly<Vector>, b: Readonly<Vector>): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const norm = (v: Readonly<Vector>): number => Math.sqrt(dot(v, v));
const cross = (a: Readonly<Vector>, b: Readonly<Vector>): Vector => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];
const unit = (v: Readonly<Vector>): Vector => scaled(v, 1 / (norm(v) || 1));
const randomVector = (random: Random): Vector => unit([random.normal(), random.normal(), random.normal()]);
