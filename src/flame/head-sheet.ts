// A head on one sheet: random people, identity components, expressions, joints; below them the texture's layout, the
// landmarks, and what there is in numbers.

import { type HeadModel, type HeadParameters, PART_NAMES, vertexCount } from '../head/index.ts';
import {
  contactSheet,
  drawText,
  pasteImage,
  type RgbColour,
  type RgbImage,
  solidImage,
} from '../media/index.ts';
import { createRandom } from '../tensor/index.ts';
import { createHeadPainter, PART_COLOURS, turnedJoints } from './head-painter.ts';

/** A head in numbers, as `head inspect` reports it. */
export type HeadFacts = {
  readonly name: string;
  readonly licence: string;
  readonly vertices: number;
  readonly triangles: number;
  readonly textureVertices: number;
  readonly identities: number;
  readonly expressions: number;
  readonly hasEyelids: boolean;
  readonly hasPoseCorrectives: boolean;
  /** Landmarks that a fit may use, of 478. */
  readonly landmarks: number;
  /** Triangles of each part that the head has. */
  readonly parts: Readonly<Record<string, number>>;
  readonly sizeMillimetres: readonly [width: number, height: number, depth: number];
  readonly provenance: Readonly<Record<string, string>>;
};

/** Counts what a head has. */
export function describeHead(head: HeadModel): HeadFacts {
  const parts = PART_NAMES.map(
    (name, part) => [name, head.triangleParts.reduce((sum, own) => sum + (own === part ? 1 : 0), 0)] as const,
  );
  const extent = (axis: number): number => {
    let [low, high] = [Infinity, -Infinity];
    for (let i = axis; i < head.template.length; i += 3) {
      low = Math.min(low, head.template[i]!);
      high = Math.max(high, head.template[i]!);
    }
    return Math.round(1000 * (high - low));
  };
  return {
    name: head.name,
    licence: head.licence,
    vertices: vertexCount(head),
    triangles: head.triangles.length / 3,
    textureVertices: head.uvs.length / 2,
    identities: head.identityCount,
    expressions: head.expressionNames.length,
    hasEyelids: head.eyelidExpressions.length > 0,
    hasPoseCorrectives: head.poseCorrectives !== null,
    landmarks: head.landmarkWeights?.reduce((sum, weight) => sum + (weight > 0 ? 1 : 0), 0) ?? 0,
    parts: Object.fromEntries(parts.filter(([, count]) => count > 0)),
    sizeMillimetres: [extent(0), extent(1), extent(2)],
    provenance: head.provenance ?? {},
  };
}

type Tile = { readonly label: string; readonly changes: Partial<HeadParameters> };

const TILE = 160;
const COLUMNS = 8;
const MARGIN = 4;
const PEOPLE = 16;
const COMPONENTS = 4;
const BACKGROUND: RgbColour = [40, 40, 44];
/** The largest share of trust is painted green, none red. */
const FULL_TRUST = 1.5;

/** Paints the sheet. */
export function headSheet(head: HeadModel): RgbImage {
  const painter = createHeadPainter(head, TILE);
  const rows = [peopleTiles(head), componentTiles(head), expressionTiles(head), jointTiles()].filter(
    (tiles) => tiles.length > 0,
  );
  const tiles = contactSheet(
    rows.flatMap((row) => padded(row.map(({ changes }) => painter.paint(changes)))),
    {
      columns: COLUMNS,
      labels: rows.flatMap((row) =>
        padded(
          row.map(({ label }) => label),
          '',
        ),
      ),
      gap: MARGIN,
    },
  );
  const panel = Math.floor((tiles.width - 4 * MARGIN) / 3);
  const large = createHeadPainter(head, panel);
  const trustColour = (l: number): RgbColour | null => {
    const weight = head.landmarkWeights?.[l] ?? 0;
    if (weight === 0) return null;
    const share = Math.min(1, weight / FULL_TRUST);
    return [Math.round(255 * (1 - share)), Math.round(255 * share), 60];
  };
  const panels = [textureLayout(head, panel), large.paintLandmarks(trustColour), factsPanel(head, panel)];
  const sheet = solidImage(tiles.width, tiles.height + panel + MARGIN, BACKGROUND);
  pasteImage(sheet, tiles, 0, 0);
  for (const [i, image] of panels.entries()) {
    pasteImage(sheet, image, MARGIN + i * (panel + MARGIN), tiles.height);
  }
  return sheet;
}

/** Whole rows, so that the next group begins on a row of its own. */
function padded<T>(items: readonly T[], filler?: T): T[] {
  const missing = (COLUMNS - (items.length % COLUMNS)) % COLUMNS;
  const empty = filler ?? (solidImage(TILE, TILE, BACKGROUND) as T);
  return [...items, ...new Array<T>(missing).fill(empty)];
}

function peopleTiles(head: HeadModel): Tile[] {
  if (head.identityCount === 0) return [];
  return Array.from({ length: PEOPLE }, (_, seed) => {
    const random = createRandom(seed + 1);
    const identity = Float32Array.from({ length: head.identityCount }, () => random.normal());
    return { label: `person ${seed + 1}`, changes: { identity } };
  });
}

function componentTiles(head: HeadModel): Tile[] {
  const count = Math.min(COMPONENTS, head.identityCount);
  return Array.from({ length: count }, (_, k) => k).flatMap((k) =>
    [-2, 2].map((value) => {
      const identity = new Float32Array(head.identityCount);
      identity[k] = value;
      return { label: `identity ${k + 1} ${value < 0 ? '-2' : '+2'}`, changes: { identity } };
    }),
  );
}

/** Expressions of ARKit's units that show whether the head is alive. */
const UNIT_TILES: readonly (readonly [label: string, units: Readonly<Record<string, number>>])[] = [
  ['jaw open', { jawOpen: 1 }],
  ['blink', { eyeBlinkLeft: 1, eyeBlinkRight: 1 }],
  ['blink left', { eyeBlinkLeft: 1 }],
  ['smile', both({ mouthSmile: 1, cheekSquint: 1 })],
  ['pucker', { mouthPucker: 1 }],
  ['frown', both({ mouthFrown: 1, browDown: 1 })],
  ['surprise', both({ eyeWide: 1, browOuterUp: 1 })],
  ['funnel', { mouthFunnel: 1, jawOpen: 0.3 }],
  ['bared teeth', both({ mouthUpperUp: 1, mouthLowerDown: 1 })],
  ['tongue out', { tongueOut: 1, jawOpen: 0.6 }],
  ['mouth left', { mouthLeft: 1 }],
  ['jaw right', { jawRight: 1 }],
  ['cheek puff', { cheekPuff: 1 }],
  ['sneer, squint', both({ noseSneer: 1, eyeSquint: 1 })],
  ['lips rolled', { mouthRollLower: 1, mouthRollUpper: 1 }],
];

function both(units: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(units).flatMap(([stem, value]) => [
      [`${stem}Left`, value],
      [`${stem}Right`, value],
    ]),
  );
}

function expressionTiles(head: HeadModel): Tile[] {
  const { expressionNames: names, eyelidExpressions } = head;
  const tile = (label: string, values: ReadonlyMap<number, number>): Tile => ({
    label,
    changes: { expression: Float32Array.from(names, (_, k) => values.get(k) ?? 0) },
  });
  const neutral = tile('neutral', new Map());
  if (names.includes('jawOpen')) {
    const units = UNIT_TILES.map(([label, values]) =>
      tile(label, new Map(Object.entries(values).map(([name, value]) => [names.indexOf(name), value]))),
    );
    return [neutral, ...units];
  }
  const lids =
    eyelidExpressions.length > 0 ? [tile('lids', new Map(eyelidExpressions.map((k) => [k, 1])))] : [];
  const plain = names.length - eyelidExpressions.length;
  const shown = Math.min(plain, 7 - Math.min(1, lids.length) / 2);
  const components = Array.from({ length: Math.floor(shown) }, (_, k) => k).flatMap((k) => [
    tile(`expression ${k + 1} -2`, new Map([[k, -2]])),
    tile(`expression ${k + 1} +2`, new Map([[k, 2]])),
  ]);
  return [neutral, ...lids, ...components];
}

function jointTiles(): Tile[] {
  const gaze = (x: number, y: number): Partial<HeadParameters> =>
    turnedJoints({ leftEye: [x, y, 0], rightEye: [x, y, 0] });
  return [
    { label: 'root yaw', changes: turnedJoints({ root: [0, 0.6, 0] }) },
    { label: 'root profile', changes: turnedJoints({ root: [0, 1.4, 0] }) },
    { label: 'root pitch', changes: turnedJoints({ root: [0.4, 0, 0] }) },
    { label: 'root roll', changes: turnedJoints({ root: [0, 0, 0.4] }) },
    { label: 'neck yaw', changes: turnedJoints({ neck: [0, 0.6, 0] }) },
    { label: 'neck pitch', changes: turnedJoints({ neck: [0.35, 0, 0] }) },
    { label: 'jaw open', changes: turnedJoints({ jaw: [0.42, 0, 0] }) },
    { label: 'jaw left', changes: turnedJoints({ jaw: [0.2, 0.12, 0] }) },
    { label: 'gaze left', changes: gaze(0, 0.4) },
    { label: 'gaze right', changes: gaze(0, -0.4) },
    { label: 'gaze up', changes: gaze(-0.3, 0) },
    { label: 'gaze down', changes: gaze(0.3, 0) },
    { label: 'behind', changes: turnedJoints({ root: [0, Math.PI, 0] }) },
    { label: 'below', changes: turnedJoints({ root: [-0.5, 0, 0] }) },
    { label: 'half right', changes: turnedJoints({ root: [0, -0.8, 0], jaw: [0.3, 0, 0] }) },
    {
      label: 'half left',
      changes: turnedJoints({ root: [0, 0.8, 0], leftEye: [0, 0.3, 0], rightEye: [0, 0.3, 0] }),
    },
  ];
}

/** The texture's triangles by their edges, in the colours of their parts. */
function textureLayout(head: HeadModel, size: number): RgbImage {
  const image = solidImage(size, size, [20, 20, 24]);
  for (const [t, part] of head.triangleParts.entries()) {
    const colour = PART_COLOURS[PART_NAMES[part]!];
    for (let k = 0; k < 3; k++) {
      const [a, b] = [head.uvTriangles[3 * t + k]!, head.uvTriangles[3 * t + ((k + 1) % 3)]!];
      const [x0, y0] = [head.uvs[2 * a]! * size, head.uvs[2 * a + 1]! * size];
      const [x1, y1] = [head.uvs[2 * b]! * size, head.uvs[2 * b + 1]! * size];
      const steps = Math.max(1, Math.ceil(Math.max(Math.abs(x1 - x0), Math.abs(y1 - y0))));
      for (let s = 0; s <= steps; s++) {
        const x = Math.min(size - 1, Math.floor(x0 + ((x1 - x0) * s) / steps));
        const y = Math.min(size - 1, Math.floor(y0 + ((y1 - y0) * s) / steps));
        for (let c = 0; c < 3; c++) image.data[3 * (y * size + x) + c] = 0.75 * colour[c]!;
      }
    }
  }
  return image;
}

function factsPanel(head: HeadModel, size: number): RgbImage {
  const image = solidImage(size, size, BACKGROUND);
  const facts = describeHead(head);
  const lines = [
    facts.name,
    ...wrapped(facts.licence, 48),
    '',
    `${facts.vertices} vertices, ${facts.triangles} triangles`,
    `${facts.textureVertices} texture vertices`,
    `${facts.identities} identities, ${facts.expressions} expressions`,
    `eyelids: ${facts.hasEyelids ? 'yes' : 'no'}, pose correctives: ${facts.hasPoseCorrectives ? 'yes' : 'no'}`,
    `${facts.landmarks} of 478 landmarks`,
    `${facts.sizeMillimetres.join(' x ')} mm`,
    '',
    ...Object.entries(facts.parts).map(([name, count]) => `${name}: ${count} triangles`),
  ];
  for (const [i, line] of lines.entries()) drawText(image, line, { left: 12, top: 12 + 16 * i, scale: 2 });
  return image;
}

function wrapped(text: string, width: number): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const last = lines.at(-1)!;
    if (last.length + word.length + 1 > width && last !== '') lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines;
}
