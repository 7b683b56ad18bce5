// Which ears a still shows bare. A bare ear that turns to the view is carried by the head's own; one under hair or cloth by the
// rubber sheet, as all are while the head hardly turns.

import { type Camera, projectPoint } from '../geometry/index.ts';
import { type LiftGeometry, smoothstep } from './lift-geometry.ts';
import { coverAt, type PersonLayers } from './person-layers.ts';
import { ATTRIBUTE, ATTRIBUTE_COUNT, type SourceView, samplePicture } from './source-view.ts';

/** How far beyond an ear the background has to begin, and at what share of it. */
const BESIDE_METRES = 0.02;
const FREE_SHARE = 0.6;
/** The rim of an ear, and of how much of a person it is none. */
const RIM_METRES = 0.008;
const PURE_COVER = 0.95;

/**
 * Marks the vertices of ears that the still shows before its background: neither hair nor cloth lies beside or over them.
 * @param vertices `V 3`, world
 * @returns `V`: 0 elsewhere, 1 on such ears, 2 where no background is mixed in
 */
export function bareEars(
  { ears }: LiftGeometry,
  camera: Camera,
  vertices: Float32Array,
  layers: PersonLayers,
): Uint8Array {
  const marked = new Uint8Array(vertices.length / 3);
  const places = ears.map((ear) =>
    Array.from(ear, (v) =>
      projectPoint(camera, [vertices[3 * v]!, vertices[3 * v + 1]!, vertices[3 * v + 2]!]),
    ),
  );
  const centres = places.map((all) =>
    [0, 1].map((k) => all.reduce((sum, at) => sum + at[k]! / all.length, 0)),
  );
  for (const [i, ear] of ears.entries()) {
    const outwards = [0, 1].map((k) => centres[i]![k]! - centres[1 - i]![k]!);
    const length = Math.hypot(...outwards);
    const coverBeside = ([x, y, depth]: readonly [number, number, number], metres: number): number => {
      const reach = (metres * camera.focalXPx) / (depth * length);
      return coverAt(layers, x + reach * outwards[0]!, y + reach * outwards[1]!);
    };
    const free = places[i]!.filter((at) => coverBeside(at, BESIDE_METRES) < 0.5);
    if (free.length <= FREE_SHARE * ear.length) continue;
    for (const [k, v] of ear.entries()) {
      marked[v] = coverBeside(places[i]![k]!, RIM_METRES) > PURE_COVER ? 2 : 1;
    }
  }
  return marked;
}

/** By how much an ear, all in all, turns to the view where its own surface begins to carry it, and does so alone; cosines. */
const TURNED = [0.08, 0.2] as const;

/** Writes how far bare ears are carried by their own surface, once `targetFacing` is known. */
export function carryBareEars({ attributes, bareEars: marked }: SourceView, { ears }: LiftGeometry): void {
  if (marked === null) return;
  for (const ear of ears) {
    if (marked[ear[0]!] === 0) continue;
    const turn = ear.reduce((sum, v) => {
      const at = v * ATTRIBUTE_COUNT;
      return (
        sum + (attributes[at + ATTRIBUTE.targetFacing]! - attributes[at + ATTRIBUTE.facing]!) / ear.length
      );
    }, 0);
    const share = smoothstep(...TURNED, turn);
    for (const v of ear) attributes[v * ATTRIBUTE_COUNT + ATTRIBUTE.faceWeight] = share;
  }
}

/** From which share of the distance to the background on a colour is the ear's, and wholly so. */
const EAR_BEGINS = [0.4, 0.65] as const;
/** How squarely an ear has to be seen: its folds hide each other within a pixel. */
const EAR_FACING = [0.2, 0.45] as const;

const background = new Float32Array(3);

/**
 * How far the still shows a point of a bare ear, 0 to 1: what is mixed with the background is none.
 * @param point its attributes, the fill included
 * @param colour what the still has at its place there, `x`, `y`
 */
export function earShown(
  layers: PersonLayers,
  point: Float32Array,
  colour: Float32Array,
  x: number,
  y: number,
): number {
  samplePicture(layers.plate, x, y, background, 0);
  let [toPlate, toEar] = [1, 1];
  for (let k = 0; k < 3; k++) {
    toPlate += Math.abs(colour[k]! - background[k]!);
    toEar += Math.abs(colour[k]! - point[ATTRIBUTE.fill + k]!);
  }
  return (
    smoothstep(...EAR_FACING, point[ATTRIBUTE.facing]!) *
    smoothstep(0.7, 1, coverAt(layers, x, y)) *
    smoothstep(...EAR_BEGINS, toPlate / (toPlate + toEar))
  );
}
