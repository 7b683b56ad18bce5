// Glasses, ear-rings, caps and scarves for a shaped head at rest. Glasses rest on the nose and clear brows and
// cheeks; caps and headscarves are shells over the skin.

import { vertexNormals } from '../geometry/index.ts';
import { type HeadModel, trianglesOfParts } from '../head/index.ts';
import { createNoise } from './noise.ts';
import type { Piece } from './scene.ts';
import type { SubjectTraits } from './traits.ts';
import { pieceOf, tubeAlong } from './tubes.ts';

type Place = readonly [number, number, number];

/** All that a subject wears on head and neck. */
export function makeAccessories(head: HeadModel, shaped: Float32Array, traits: SubjectTraits): Piece[] {
  const { glasses, earRings, headwear, neckScarf } = traits.worn;
  const pieces: Piece[] = [];
  if (glasses) pieces.push(makeGlasses(head, shaped, glasses));
  if (earRings && headwear !== 'headscarf') pieces.push(makeEarRings(shaped, head, earRings));
  if (headwear === 'cap') {
    pieces.push(
      wrap(head, shaped, traits, { clearance: 0.017 + 1.1 * traits.hair.volumeMetres, covers: isUnderCap }),
    );
  }
  if (headwear === 'headscarf') {
    pieces.push(wrap(head, shaped, traits, { clearance: 0.011, covers: isUnderHeadscarf }));
  }
  if (neckScarf && headwear !== 'headscarf') pieces.push(makeNeckScarf(traits));
  return pieces;
}

function makeGlasses(
  head: HeadModel,
  shaped: Float32Array,
  glasses: NonNullable<SubjectTraits['worn']['glasses']>,
): Piece {
  const { halfWidthMetres: half, halfHeightMetres: tall, squareness, thicknessMetres: radius } = glasses;
  const middleX = 0.008 + half;
  const y = -0.004;
  const rim = (side: number): [number, number][] =>
    Array.from({ length: 28 }, (_, i) => {
      const [c, s] = [Math.cos((2 * Math.PI * i) / 28), Math.sin((2 * Math.PI * i) / 28)];
      const round = (value: number): number => Math.sign(value) * Math.abs(value) ** (2 / squareness);
      return [side * (middleX + half * round(c)), y + tall * round(s) - 0.1 * tall * Math.max(0, s)];
    });
  // The lenses' plane curves a little around the face and clears all skin behind it.
  const bend = (x: number): number => -1.6 * x * x;
  let front = -1;
  for (const [x, height] of rim(1)) front = Math.max(front, skinFront(head, shaped, x, height) - bend(x));
  const z = (x: number): number => front + 0.003 + bend(x);
  const placed = (places: readonly [number, number][]): Place[] => places.map(([x, h]) => [x, h, z(x)]);
  const outer = middleX + half;
  const temple = (side: number): Place[] => [
    [side * outer, y + 0.4 * tall, z(outer)],
    [side * (outer + 0.004), y + 0.4 * tall, z(outer) - 0.006],
    [side * Math.max(0.073, outer + 0.006), y + 0.38 * tall, z(outer) - 0.03],
    [side * 0.077, y + 0.2 * tall, -0.065],
    [side * 0.077, y - 0.001, -0.088],
    [side * 0.074, y - 0.025, -0.1],
  ];
  const bridge: Place[] = [-1, -0.5, 0, 0.5, 1].map((share) => {
    const x = share * 0.0095;
    return [x, y + 0.25 * tall + 0.003 * (1 - share * share), z(0) + 0.001];
  });
  return pieceOf(
    [
      ...[-1, 1].map((side) => tubeAlong(placed(rim(side)), { radiusMetres: radius, isRing: true })),
      ...[-1, 1].map((side) => tubeAlong(temple(side), { radiusMetres: radius, isRing: false })),
      tubeAlong(bridge, { radiusMetres: radius, isRing: false }),
    ],
    'frame',
  );
}

/** The foremost skin near a place in front of the face. */
function skinFront(head: HeadModel, shaped: Float32Array, x: number, y: number): number {
  let front = -1;
  for (let v = 0; v < shaped.length / 3; v++) {
    // The nose stands between the rims; its bridge is narrower than their gap.
    if (Math.abs(head.template[3 * v]!) < 0.011) continue;
    if (Math.hypot(shaped[3 * v]! - x, shaped[3 * v + 1]! - y) < 0.006)
      front = Math.max(front, shaped[3 * v + 2]!);
  }
  return front;
}

function makeEarRings(
  shaped: Float32Array,
  { template }: HeadModel,
  { radiusMetres }: NonNullable<SubjectTraits['worn']['earRings']>,
): Piece {
  const isStud = radiusMetres < 0.004;
  const meshes = [-1, 1].map((side) => {
    const [x, y, z] = earLobe(shaped, template, side);
    const radius = isStud ? radiusMetres / 2 : radiusMetres;
    const ring = Array.from({ length: isStud ? 6 : 20 }, (_, i): Place => {
      const turn = (2 * Math.PI * i) / (isStud ? 6 : 20);
      return isStud
        ? [x + side * 0.003, y + 0.005 + radius * Math.cos(turn), z + 0.004 + radius * Math.sin(turn)]
        : [
            x + side * 0.002 + 0.3 * radius * Math.sin(turn),
            y + 0.004 - radius * (1 - Math.cos(turn)),
            z + 0.003 + 0.95 * radius * Math.sin(turn),
          ];
    });
    return tubeAlong(ring, { radiusMetres: isStud ? radius : 0.0009, isRing: true });
  });
  return pieceOf(meshes, 'jewel');
}

/** The lowest place of an ear. */
function earLobe(shaped: Float32Array, template: Float32Array, side: number): Place {
  let lowest = -1;
  for (let v = 0; v < template.length / 3; v++) {
    const [x, y, z] = [side * template[3 * v]!, template[3 * v + 1]!, template[3 * v + 2]!];
    if (x < 0.071 || x > 0.1 || y > 0.03 || y < -0.06 || z > -0.055 || z < -0.11) continue;
    if (lowest < 0 || y < template[3 * lowest + 1]!) lowest = v;
  }
  return [shaped[3 * lowest]!, shaped[3 * lowest + 1]!, shaped[3 * lowest + 2]!];
}

/** How far inside its edge a place of the mean head lies under a cloth, metres; negative outside. */
type Cover = (x: number, y: number, z: number) => number;

// A slanted line: low behind, above the brows in front, over the ears.
const isUnderCap: Cover = (_, y, z) => y - (0.05 + 0.28 * Math.min(0, z + 0.04));

// All but the face: an egg about its middle.
const isUnderHeadscarf: Cover = (x, y, z) => {
  if (y < -0.2) return -0.25 - y;
  if (z < -0.1) return 0.05;
  const egg = Math.hypot(x / 0.062, (y + 0.028) / (y > -0.028 ? 0.088 : 0.078)) - 1;
  return Math.max(0.06 * egg, -0.13 - y);
};

/** A shell of cloth over the skin that `covers` says. */
function wrap(
  head: HeadModel,
  shaped: Float32Array,
  { seed, worn }: SubjectTraits,
  { clearance, covers }: { readonly clearance: number; readonly covers: Cover },
): Piece {
  const { template } = head;
  const noise = createNoise(seed ^ 0x3c3c3c);
  const skin = trianglesOfParts(head, 'skin');
  const inside = (v: number): number => covers(template[3 * v]!, template[3 * v + 1]!, template[3 * v + 2]!);
  const kept: number[] = [];
  for (let at = 0; at < skin.length; at += 3) {
    const corners = skin.subarray(at, at + 3);
    if (corners.every((v) => inside(v) > -0.006)) kept.push(...corners);
  }
  const normals = vertexNormals(shaped, head.triangles);
  const joints = head.jointParents.length;
  const index = new Map<number, number>();
  const [vertices, headness, extra]: [number[], number[], number[]] = [[], [], []];
  for (const v of kept) {
    if (index.has(v)) continue;
    index.set(v, headness.length);
    const [x, y, z] = [template[3 * v]!, template[3 * v + 1]!, template[3 * v + 2]!];
    const depth = Math.max(0, inside(v));
    const raise =
      -0.001 + clearance * Math.min(1, 0.35 + depth / 0.02) + 0.004 * noise(x * 30, y * 45, z * 30);
    // Ears would print through: the cloth spans them.
    const ear = Math.abs(x) > 0.074 && y < 0.03 && y > -0.06 ? 0.4 : 1;
    for (let k = 0; k < 3; k++) vertices.push(shaped[3 * v + k]! + raise * ear * normals[3 * v + k]!);
    headness.push(1 - head.skinningWeights[v * joints]!);
    extra.push(worn.headwear === 'cap' && depth < 0.035 ? 1 : 0, 0);
  }
  return {
    vertices: Float32Array.from(vertices),
    triangles: Uint32Array.from(kept, (v) => index.get(v)!),
    material: 'wrap',
    headness: Float32Array.from(headness),
    extra: Float32Array.from(extra),
    directions: null,
    uvs: null,
  };
}

/** Three loose rolls around the neck. */
function makeNeckScarf({ seed }: SubjectTraits): Piece {
  const noise = createNoise(seed ^ 0x5a5a5a);
  const rolls = [0, 1, 2].map((roll) =>
    tubeAlong(
      Array.from({ length: 36 }, (_, i): Place => {
        const turn = (2 * Math.PI * i) / 36;
        const wander = 0.014 * noise(roll * 5 + 2 * Math.cos(turn), 2 * Math.sin(turn), 0.5);
        const reach = 0.064 + 0.013 * roll + wander;
        return [
          1.02 * reach * Math.sin(turn),
          -0.128 - 0.022 * roll - 0.02 * Math.max(0, Math.cos(turn)) + wander,
          -0.083 + 1.05 * reach * Math.cos(turn),
        ];
      }),
      { radiusMetres: 0.017, isRing: true, sides: 8 },
    ),
  );
  const piece = pieceOf(rolls, 'wrap');
  return {
    ...piece,
    headness: piece.headness.map((_, v) =>
      Math.min(1, Math.max(0, (piece.vertices[3 * v + 1]! + 0.19) / 0.15)),
    ),
  };
}
