// What a still does not show of mouth and eyes, drawn plainly: cavity, teeth and tongue as bright as the whites of the
// eyes or the still's own teeth say, darker with their depth; irises where both eyes are closed.

import type { HeadModel } from '../head/index.ts';
import { type LiftGeometry, SURFACE_CLASSES } from './lift-geometry.ts';

const CAVITY = SURFACE_CLASSES.indexOf('cavity');

/** How bright the eyes' whites are, 0 to 255: the upper quartile of what is seen of the eyeballs. */
export function whiteOfEyes(colours: Float32Array, isSeen: Uint8Array, vertexClasses: Uint8Array): number {
  const brightness: number[] = [];
  isSeen.forEach((seen, v) => {
    if (seen && vertexClasses[v] === 1) brightness.push(luma(colours, v));
  });
  brightness.sort((a, b) => a - b);
  const upper = brightness[Math.floor(brightness.length * 0.75)] ?? 160;
  return Math.min(225, Math.max(110, upper));
}

/** How bright a still's own teeth are: the upper quartile of what is seen between the lips, 0 if nothing is. */
export function whiteOfTeeth(colours: Float32Array, isSeen: Uint8Array, vertexClasses: Uint8Array): number {
  const brightness: number[] = [];
  isSeen.forEach((seen, v) => {
    if (seen && vertexClasses[v]! > CAVITY) brightness.push(luma(colours, v));
  });
  brightness.sort((a, b) => a - b);
  return Math.min(225, brightness[Math.floor(brightness.length * 0.75)] ?? 0);
}

/** Brightness of a vertex's colour, 0 to 255. */
export const luma = (colours: Float32Array, v: number): number =>
  0.299 * colours[3 * v]! + 0.587 * colours[3 * v + 1]! + 0.114 * colours[3 * v + 2]!;

// Colours relative to the white of the eyes.
const MOUTH_COLOURS: Readonly<Record<string, readonly [number, number, number]>> = {
  cavity: [0.42, 0.15, 0.14],
  teeth: [1.08, 1.02, 0.92],
  tongue: [0.8, 0.42, 0.4],
};
/** Over what depth the mouth's inside darkens. */
const DARKENING_METRES = 0.045;
/** Teeth that a still bares stand in the light; behind closed lips their far corner would be a grey slab. */
const TEETH_DARKENING_METRES = { bared: 0.09, hidden: 0.035 } as const;

/** Colours what is not seen of the mouth's inside; `white` is how bright teeth are, 0 to 255. */
export function paintMouth(
  head: HeadModel,
  { vertexClasses }: LiftGeometry,
  colours: Float32Array,
  isSeen: Uint8Array,
  isKnown: Uint8Array,
  white: number,
): void {
  const teeth = SURFACE_CLASSES.indexOf('teeth');
  let front = -Infinity;
  vertexClasses.forEach((surface, v) => {
    if (surface === teeth) front = Math.max(front, head.template[3 * v + 2]!);
  });
  const areBared = vertexClasses.some((surface, v) => surface === teeth && isSeen[v]);
  vertexClasses.forEach((surface, v) => {
    const colour = MOUTH_COLOURS[SURFACE_CLASSES[surface]!];
    if (!colour || isSeen[v]) return;
    const depth = Math.max(0, front - head.template[3 * v + 2]! - 0.002);
    const reach =
      surface === teeth ? TEETH_DARKENING_METRES[areBared ? 'bared' : 'hidden'] : DARKENING_METRES;
    const light = white * Math.exp(-depth / reach);
    isKnown[v] = 1;
    colour.forEach((value, k) => {
      colours[3 * v + k] = Math.min(255, value * light);
    });
  });
}

const IRIS_RADIUS_METRES = 0.0062;

/** Eyes of a still whose lids are closed: a brown iris about each eyeball's foremost point. */
export function paintEyes(
  head: HeadModel,
  { vertexClasses }: LiftGeometry,
  colours: Float32Array,
  isKnown: Uint8Array,
  white: number,
): void {
  const { template } = head;
  for (const side of [-1, 1]) {
    const own: number[] = [];
    vertexClasses.forEach((surface, v) => {
      if (surface === 1 && template[3 * v]! * side > 0) own.push(v);
    });
    const foremost = own.reduce(
      (best, v) => (template[3 * v + 2]! > template[3 * best + 2]! ? v : best),
      own[0] ?? 0,
    );
    for (const v of own) {
      const radius = Math.hypot(
        template[3 * v]! - template[3 * foremost]!,
        template[3 * v + 1]! - template[3 * foremost + 1]!,
      );
      const tone =
        radius < IRIS_RADIUS_METRES * 0.4
          ? [0.1, 0.1, 0.1]
          : radius < IRIS_RADIUS_METRES
            ? [0.4, 0.28, 0.18]
            : [1, 0.97, 0.94];
      tone.forEach((value, k) => {
        colours[3 * v + k] = value * white;
      });
      isKnown[v] = 1;
    }
  }
}
