// Puts a lifted picture together, pixel by pixel: where each pixel comes from, what colour it takes, and
// how far to trust it. Trust: 255 seen squarely, less where stretched or grazing, about 90 from the
// mirrored side, 77 for teeth, tongue, cavity and eyes drawn anew, 15 invented. Never 0: an invented pixel
// still says more than none, so 0 is left to say that a picture holds nothing there.

import type { Camera } from '../geometry/index.ts';
import { NO_TRIANGLE, type VisibilityBuffer } from '../kernels/index.ts';
import type { RgbImage } from '../media/index.ts';
import { type LiftGeometry, SURFACE_CLASSES, smoothstep } from './lift-geometry.ts';
import { insideOutline, type Outline } from './outline.ts';
import type { PersonLayers } from './person-layers.ts';
import { readSheet, type SheetMap, sheetTrust, stretchSheet } from './rubber-sheet.ts';
import {
  ATTRIBUTE,
  ATTRIBUTE_COUNT,
  projectInCamera,
  type SourceView,
  samplePicture,
  seesPoint,
} from './source-view.ts';

/** A still at another placement of its head; all of the target camera's size. */
export type LiftedImage = {
  readonly image: RgbImage;
  /** `H W`: 255 seen squarely in the still, less where stretched or guessed, 15 invented. */
  readonly visibility: Uint8Array;
  /** `H W`: 255 on the head with a margin for its hair, 0 elsewhere. */
  readonly headMask: Uint8Array;
  /** `H W`: the share of each pixel that the person covers, 0 to 255; null without a mask of the still. */
  readonly personMask: Uint8Array | null;
};

/** What a lift is composed of. */
export type CompositionInput = {
  readonly geometry: LiftGeometry;
  readonly view: SourceView;
  readonly trust: Uint8Array | null;
  /** The still taken apart; `view` sees the person's colours then. */
  readonly layers: PersonLayers | null;
  /** The head in the target view, and its `ATTRIBUTE`s there (`H W ATTRIBUTE_COUNT`). */
  readonly buffer: VisibilityBuffer;
  readonly surface: Float32Array;
  readonly toCamera: Camera;
  readonly from: Outline;
  /** How far the person reaches in the still at the outline's angles; null without a mask. */
  readonly personRadiiPx: Float32Array | null;
  readonly to: Outline;
  /** A sheet to use instead of the one between the outlines. */
  readonly sheet: SheetMap | null;
};

const MIRRORED_TRUST = 0.35;
const FILLED_TRUST = 0.06;
/** Mouth and eyes have the head's own shapes and colours, closer to the truth than skin or hair that is invented. */
const DRAWN_TRUST = 0.3;
/** How much less the sheet is trusted over hair, ears and neck that the still does not show. */
const HIDDEN_DOUBT = 0.55;

/** Composes the lifted picture; also returns the sheet that carried what is not face. */
export function composeLift(input: CompositionInput): { lifted: LiftedImage; sheet: SheetMap } {
  const { geometry, view, layers, buffer, surface, toCamera, from, to } = input;
  const { width, height } = toCamera;
  const surfaceClassAt = (pixel: number): number => geometry.triangleClasses[buffer.triangleIds[pixel]!]!;

  const sheet =
    input.sheet ??
    stretchSheet({
      from,
      to,
      fromCamera: view.camera,
      toCamera,
      personRadiiPx: input.personRadiiPx,
      surface(x, y, out) {
        const pixel = Math.min(height - 1, Math.floor(y)) * width + Math.min(width - 1, Math.floor(x));
        out[2] = 0;
        if (buffer.triangleIds[pixel] === NO_TRIANGLE || surfaceClassAt(pixel) !== 0) return;
        const at = pixel * ATTRIBUTE_COUNT;
        const [px, py, pz] = [surface[at]!, surface[at + 1]!, surface[at + 2]!];
        const belief =
          surface[at + ATTRIBUTE.carryWeight]! *
          smoothstep(0.15, 0.5, surface[at + ATTRIBUTE.facing]!) *
          smoothstep(0.15, 0.5, surface[at + ATTRIBUTE.targetFacing]!);
        if (belief === 0 || !seesPoint(view, px, py, pz, 0)) return;
        const place = projectInCamera(view.camera, px, py, pz);
        out[0] = place[0] + x - Math.floor(x) - 0.5;
        out[1] = place[1] + y - Math.floor(y) - 0.5;
        out[2] = belief;
      },
    });
  const nodeTrust = sheetTrust(sheet, view.camera.focalXPx / toCamera.focalXPx);
  const data = new Uint8Array(width * height * 3);
  const visibility = new Uint8Array(width * height);
  const personMask = layers && new Uint8Array(width * height);
  const place: [number, number] = [0, 0];
  const colour = new Float32Array(3);
  for (let pixel = 0; pixel < width * height; pixel++) {
    const x = (pixel % width) + 0.5;
    const y = Math.floor(pixel / width) + 0.5;
    readSheet(sheet, x, y, place);
    const isHead = buffer.triangleIds[pixel] !== NO_TRIANGLE;
    let trust = readNodes(nodeTrust, sheet, x, y) * sourceTrust(input, place[0], place[1]);
    if (!isHead) {
      if (surfaceAt(view, place[0], place[1]) > 0) trust *= 0.3;
      samplePicture(view.image, place[0], place[1], colour, 0);
    } else {
      trust = composeHeadPixel(input, pixel, surfaceClassAt(pixel), place, trust, colour);
      relight(surface, pixel * ATTRIBUTE_COUNT, colour);
    }
    if (layers !== null) {
      const cover = isHead ? headCover(input, pixel, place) : coverAt(layers, place[0], place[1]);
      trust = layOverPlate(input, layers, { x, y, cover, trust }, colour);
      personMask![pixel] = Math.round(255 * cover);
    }
    for (let k = 0; k < 3; k++) data[3 * pixel + k] = Math.min(255, Math.max(0, colour[k]! + 0.5));
    visibility[pixel] = Math.round(Math.max(trust, FILLED_TRUST) * 255);
  }
  const headMask = insideOutline(to, toCamera, 1.12);
  buffer.triangleIds.forEach((id, pixel) => {
    if (id !== NO_TRIANGLE && surface[pixel * ATTRIBUTE_COUNT + ATTRIBUTE.faceWeight]! > 0.3)
      headMask[pixel] = 255;
  });
  return { lifted: { image: { width, height, data }, visibility, headMask, personMask }, sheet };
}

/** Colours a pixel where the target sees the head; returns its trust. `place` is the sheet's. */
function composeHeadPixel(
  input: CompositionInput,
  pixel: number,
  surfaceClass: number,
  place: readonly [number, number],
  sheetTrustHere: number,
  colour: Float32Array,
): number {
  const { view, surface } = input;
  const at = pixel * ATTRIBUTE_COUNT;
  const face = surface[at + ATTRIBUTE.faceWeight]!;
  const [px, py, pz] = [surface[at]!, surface[at + 1]!, surface[at + 2]!];
  const facing = surface[at + ATTRIBUTE.facing]!;
  const isSeen = seesPoint(view, px, py, pz, surfaceClass);
  // Source pixels per target pixel, roughly; the depths' ratio cancels for a head that stays where it is.
  const stretch = facing / Math.max(0.25, surface[at + ATTRIBUTE.targetFacing]!);
  const seen = isSeen ? smoothstep(0.02, 0.1, facing) * smoothstep(0.2, 0.55, stretch) : 0;

  if (face === 0 || (seen === 1 && face === 1)) {
    const [x, y] = face === 0 ? place : projectInCamera(view.camera, px, py, pz);
    samplePicture(view.image, x, y, colour, 0);
    if (face === 0) {
      return (1 - HIDDEN_DOUBT * surface[at + ATTRIBUTE.carryWeight]! * (1 - seen)) * sheetTrustHere;
    }
    return smoothstep(0.1, 0.7, stretch) * sourceTrust(input, x, y);
  }
  const own = projectInCamera(view.camera, px, py, pz);
  const share = face * (isSeen ? 1 : 0);
  const [x, y] = [place[0] + share * (own[0] - place[0]), place[1] + share * (own[1] - place[1])];
  samplePicture(view.image, x, y, colour, 0);
  const photoTrust = sourceTrust(input, x, y) * smoothstep(0.1, 0.7, stretch);
  const guessTrust = addGuess(input, at, surfaceClass, face * (1 - seen), colour);
  const faceTrust = seen * photoTrust + (1 - seen) * guessTrust;
  return face * faceTrust + (1 - face) * (0.2 + 0.8 * seen) * sheetTrustHere;
}

/** How far the person covers a pixel of their head. `place` is the sheet's. */
function headCover(
  { view, layers, surface }: CompositionInput,
  pixel: number,
  place: readonly [number, number],
): number {
  const at = pixel * ATTRIBUTE_COUNT;
  const face = surface[at + ATTRIBUTE.faceWeight]!;
  const carried = face === 1 ? 1 : coverAt(layers!, place[0], place[1]);
  if (face === 0) return carried;
  const [x, y] = projectInCamera(view.camera, surface[at]!, surface[at + 1]!, surface[at + 2]!);
  // Where the fitted outline stands off the person's, the gap stays open only while it is an outline.
  const facing = surface[at + ATTRIBUTE.facing]!;
  const turnedToView = surface[at + ATTRIBUTE.targetFacing]! - facing;
  const open = facing <= 0 ? 0 : (1 - coverAt(layers!, x, y)) * (1 - smoothstep(0.05, 0.3, turnedToView));
  return carried + face * (1 - open - carried);
}

const behind = new Float32Array(3);

/** Lays a colour over the background, by its cover; returns how far to trust both together. */
function layOverPlate(
  { view, trust: stillTrust, toCamera }: CompositionInput,
  { plate, plateTrust }: PersonLayers,
  {
    x,
    y,
    cover,
    trust,
  }: { readonly x: number; readonly y: number; readonly cover: number; readonly trust: number },
  colour: Float32Array,
): number {
  if (cover === 1) return trust;
  const { camera } = view;
  const px = ((x - toCamera.centreXPx) * camera.focalXPx) / toCamera.focalXPx + camera.centreXPx;
  const py = ((y - toCamera.centreYPx) * camera.focalYPx) / toCamera.focalYPx + camera.centreYPx;
  samplePicture(plate, px, py, behind, 0);
  for (let k = 0; k < 3; k++) colour[k] = behind[k]! + cover * (colour[k]! - behind[k]!);
  let own = 0;
  if (px >= 0 && py >= 0 && px < plate.width && py < plate.height) {
    const at = Math.floor(py) * plate.width + Math.floor(px);
    own = (plateTrust[at]! / 255) * (stillTrust === null ? 1 : stillTrust[at]! / 255);
  }
  return own + cover * (trust - own);
}

/** Bilinear cover at a position, 0 to 1. */
function coverAt({ cover, plate: { width, height } }: PersonLayers, x: number, y: number): number {
  const cx = Math.min(width - 1, Math.max(0, x - 0.5));
  const cy = Math.min(height - 1, Math.max(0, y - 0.5));
  const [x0, y0] = [Math.floor(cx), Math.floor(cy)];
  const [fx, fy] = [cx - x0, cy - y0];
  const at = y0 * width + x0;
  const right = x0 + 1 < width ? 1 : 0;
  const below = y0 + 1 < height ? width : 0;
  const top = cover[at]! + fx * (cover[at + right]! - cover[at]!);
  const bottom = cover[at + below]! + fx * (cover[at + below + right]! - cover[at + below]!);
  return (top + fy * (bottom - top)) / 255;
}

/** Light stays where it is as skin turns in it. */
function relight(surface: Float32Array, at: number, colour: Float32Array): void {
  const share = surface[at + ATTRIBUTE.faceWeight]!;
  const factor = 1 + share * (surface[at + ATTRIBUTE.lightChange]! - 1);
  for (let k = 0; k < 3; k++) colour[k]! *= factor;
}

const TEETH = SURFACE_CLASSES.indexOf('teeth');
const guessed = new Float32Array(3);

/** Blends in, by `amount`, what the mirrored side or the fill suggests; returns how far to trust that. */
function addGuess(
  { view, surface }: CompositionInput,
  at: number,
  surfaceClass: number,
  amount: number,
  colour: Float32Array,
): number {
  if (amount === 0) return 0;
  const mirrored = at + ATTRIBUTE.mirroredPosition;
  const [mx, my, mz] = [surface[mirrored]!, surface[mirrored + 1]!, surface[mirrored + 2]!];
  const facing = surface[at + ATTRIBUTE.mirroredFacing]!;
  const isPaired = surfaceClass === 0 || surfaceClass === TEETH;
  const belief = isPaired && seesPoint(view, mx, my, mz, surfaceClass) ? smoothstep(0.2, 0.5, facing) : 0;
  for (let k = 0; k < 3; k++) guessed[k] = 0;
  if (belief > 0) samplePicture(view.image, ...projectInCamera(view.camera, mx, my, mz), guessed, 0);
  for (let k = 0; k < 3; k++) {
    const fill = surface[at + ATTRIBUTE.fill + k]!;
    const mirroredColour = guessed[k]! + surface[at + ATTRIBUTE.mirroredOffset + k]!;
    const guess = fill + belief * (mirroredColour - fill);
    colour[k]! += amount * (guess - colour[k]!);
  }
  const fillTrust = surfaceClass === 0 ? FILLED_TRUST : DRAWN_TRUST;
  return fillTrust + belief * (MIRRORED_TRUST - fillTrust);
}

/** How far the still itself is trusted at a position: 1 without a trust of its own, 0 off the picture. */
function sourceTrust({ view, trust }: CompositionInput, x: number, y: number): number {
  const { width, height } = view.image;
  if (x < 0 || y < 0 || x >= width || y >= height) return 0;
  return trust === null ? 1 : trust[Math.floor(y) * width + Math.floor(x)]! / 255;
}

function surfaceAt({ surfaces, image }: SourceView, x: number, y: number): number {
  if (x < 0 || y < 0 || x >= image.width || y >= image.height) return 0;
  return surfaces[Math.floor(y) * image.width + Math.floor(x)]!;
}

function readNodes(values: Float32Array, { columns, rows, stepPx }: SheetMap, x: number, y: number): number {
  const column = Math.min(columns - 1, Math.round(x / stepPx));
  return values[Math.min(rows - 1, Math.round(y / stepPx)) * columns + column]!;
}
