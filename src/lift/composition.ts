// Puts a lifted picture together, pixel by pixel: where each pixel comes from, what colour it takes, and
// how far to trust it. Trust: 255 seen squarely, less where stretched or grazing, about 90 from the
// mirrored side, 77 for teeth, tongue, cavity and eyes drawn anew, 15 invented. Never 0: an invented pixel
// still says more than none, so 0 is left to say that a picture holds nothing there.

import type { Camera } from '../geometry/index.ts';
import type { RgbImage } from '../media/index.ts';
import { earShown } from './bare-ears.ts';
import { FINE_SAMPLES, type FineWindow, isEdge } from './fine-windows.ts';
import { SURFACE_CLASSES, smoothstep } from './lift-geometry.ts';
import { insideOutline, type Outline } from './outline.ts';
import { coverAt, type PersonLayers } from './person-layers.ts';
import { cellCovers, readSheet, type SheetMap, sheetTrust, stretchSheet } from './rubber-sheet.ts';
import { SQUARE_FACING } from './skin-plausibility.ts';
import { softenOutline } from './soft-outline.ts';
import { ATTRIBUTE, ATTRIBUTE_COUNT, type SourceView, samplePicture, seesPoint } from './source-view.ts';
import { FILLED_TRUST, isSameView, type StillPlate } from './still-plate.ts';
import type { SurfaceReader } from './surface-reader.ts';

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
  readonly view: SourceView;
  readonly trust: Uint8Array | null;
  /** The still taken apart; `view` sees the person's colours then. */
  readonly layers: PersonLayers | null;
  /** Null without layers. */
  readonly plate: StillPlate | null;
  /** The head in the target view. */
  readonly surface: SurfaceReader;
  /** Parts of the target view that are drawn with more samples than pixels. */
  readonly fineWindows: readonly FineWindow[];
  readonly toCamera: Camera;
  readonly from: Outline;
  /** How far the person reaches in the still at the outline's angles; null without a mask. */
  readonly personRadiiPx: Float32Array | null;
  readonly to: Outline;
  /** A sheet to use instead of the one between the outlines. */
  readonly sheet: SheetMap | null;
};

const MIRRORED_TRUST = 0.35;
/** Mouth and eyes have the head's own shapes and colours, closer to the truth than skin or hair that is invented. */
const DRAWN_TRUST = 0.3;
/** How much less the sheet is trusted over hair, ears and neck that the still does not show. */
const HIDDEN_DOUBT = 0.55;
/** How much of the sheet's trust is left beside the head where it takes what the still shows of the head. */
const HEAD_BESIDE_HEAD = 0.3;

/** Composes the lifted picture; also returns the sheet that carried what is not face. */
export function composeLift(input: CompositionInput): { lifted: LiftedImage; sheet: SheetMap } {
  const { surface, fineWindows, toCamera, to } = input;
  const { width, height } = toCamera;
  const sheet = input.sheet ?? sheetOf(input);
  const painter = createPainter(input, sheet);
  const plate = isSameView(input.view.camera, toCamera) ? input.plate : null;
  const data = plate?.image.data.slice() ?? new Uint8Array(width * height * 3);
  const visibility = plate?.visibility.slice() ?? new Uint8Array(width * height);
  const personMask = input.layers && new Uint8Array(width * height);
  const headMask = insideOutline(to, toCamera, 1.12);
  const isHead = new Uint8Array(width * height);
  const write = (pixel: number, painted: Painted): void => {
    for (let k = 0; k < 3; k++) data[3 * pixel + k] = byte(painted[k]!);
    visibility[pixel] = Math.max(painted[PAINTED.trust]!, FILLED_TRUST) * 255 + 0.5;
    if (personMask !== null) personMask[pixel] = byte(255 * painted[PAINTED.cover]!);
    isHead[pixel] = painted[PAINTED.head]! >= 0.5 ? 1 : 0;
    if (painted[PAINTED.face]! > 0.3) headMask[pixel] = 255;
  };
  const showsPerson = plate && painter.personPixels(width, height);
  for (let row = 0, pixel = 0; row < height; row++) {
    for (let column = 0; column < width; column++, pixel++) {
      if (showsPerson !== null && showsPerson[pixel] === 0) continue;
      painter.paint(surface, pixel, column + 0.5, row + 0.5);
      write(pixel, painted);
    }
  }
  for (const window of fineWindows) paintFinely(window, painter, { width, height, data }, write);
  softenOutline(isHead, { width, height, data, mask: personMask });
  return { lifted: { image: { width, height, data }, visibility, headMask, personMask }, sheet };
}

const byte = (value: number): number => Math.min(255, Math.max(0, value + 0.5));

/** What a pixel is painted with: its colour (3, 0 to 255), and from 0 to 1 the rest. */
const PAINTED = { colour: 0, trust: 3, cover: 4, head: 5, face: 6 } as const;
type Painted = Float32Array;

// One pixel's, written by one step and read by the next: a lift makes no garbage by the pixel.
const painted: Painted = new Float32Array(7);
const colour = painted.subarray(0, 3);
const mean: Painted = new Float32Array(7);
/** Where the sheet takes it from, and where the head's surface does. */
const place = new Float64Array(2);
const own = new Float64Array(2);
const point = new Float32Array(ATTRIBUTE_COUNT);
const guessed = new Float32Array(3);
const behind = new Float32Array(3);

/** Works at a position of the target picture, where `surface` sees `pixel`. */
type Painter = {
  /** `H W`: 1 where there may be more than background. */
  personPixels(width: number, height: number): Uint8Array;
  /** Writes `painted`. */
  paint(surface: SurfaceReader, pixel: number, x: number, y: number): void;
};

function createPainter(input: CompositionInput, sheet: SheetMap): Painter {
  const { view, layers, toCamera } = input;
  const { columns, rows, stepPx } = sheet;
  const nodeTrust = sheetTrust(sheet, view.camera.focalXPx / toCamera.focalXPx);
  const cells = layers && cellCovers(sheet, layers.blocks);
  const coverOfCell = (x: number, y: number): number => {
    if (cells === null) return 1;
    const row = Math.min(rows - 2, Math.floor(y / stepPx));
    return cells[row * (columns - 1) + Math.min(columns - 2, Math.floor(x / stepPx))]!;
  };
  const paint: Painter['paint'] = (surface, pixel, x, y) => {
    const surfaceClass = surface.classAt(pixel);
    const cellCover = coverOfCell(x, y);
    let [cover, trust] = [0, 0];
    painted[PAINTED.head] = 0;
    painted[PAINTED.face] = 0;
    if (surfaceClass >= 0 || cellCover > 0) {
      readSheet(sheet, x, y, place);
      const node =
        Math.min(rows - 1, Math.round(y / stepPx)) * columns + Math.min(columns - 1, Math.round(x / stepPx));
      const sheetTrustHere = nodeTrust[node]! * sourceTrust(input, place[0]!, place[1]!);
      if (surfaceClass < 0) {
        trust = sheetTrustHere * (showsHead(view, place[0]!, place[1]!) ? HEAD_BESIDE_HEAD : 1);
        samplePicture(view.image, place[0]!, place[1]!, colour, 0);
        cover = layers === null || cellCover === 1 ? 1 : coverAt(layers, place[0]!, place[1]!);
      } else {
        surface.read(pixel, 0, ATTRIBUTE.fill, point);
        trust = composeHeadPixel(input, surface, pixel, surfaceClass, sheetTrustHere);
        relight();
        cover = layers === null ? 1 : headCover(input, layers, surfaceClass);
        painted[PAINTED.head] = 1;
        painted[PAINTED.face] = point[ATTRIBUTE.faceWeight]!;
      }
    }
    if (cover < 1) trust = layOverPlate(input, layers!, x, y, cover, trust);
    painted[PAINTED.trust] = trust;
    painted[PAINTED.cover] = cover;
  };
  const personPixels: Painter['personPixels'] = (width, height) => {
    const shown = new Uint8Array(width * height);
    for (let row = 0; row < height; row++) {
      for (let left = 0; left < width; left += stepPx) {
        if (coverOfCell(left, row) === 0) continue;
        shown.fill(1, row * width + left, row * width + Math.min(width, left + stepPx));
      }
    }
    for (let pixel = 0; pixel < shown.length; pixel++) {
      if (input.surface.classAt(pixel) >= 0) shown[pixel] = 1;
    }
    return shown;
  };
  return { paint, personPixels };
}

/** Paints those pixels of a window again whose colour is not their neighbours', as the mean of several samples. */
function paintFinely(
  { leftPx, topPx, widthPx, heightPx, surface }: FineWindow,
  { paint }: Painter,
  { width, data }: RgbImage,
  write: (pixel: number, painted: Painted) => void,
): void {
  const samples = FINE_SAMPLES * FINE_SAMPLES;
  const edges: number[] = [];
  for (let row = 1; row + 1 < heightPx; row++) {
    for (let column = 1; column + 1 < widthPx; column++) {
      if (isEdge(data, (topPx + row) * width + leftPx + column, width)) edges.push(row * widthPx + column);
    }
  }
  for (const at of edges) {
    const column = at % widthPx;
    const row = (at - column) / widthPx;
    mean.fill(0);
    for (let k = 0; k < samples; k++) {
      const x = column * FINE_SAMPLES + (k % FINE_SAMPLES);
      const y = row * FINE_SAMPLES + Math.floor(k / FINE_SAMPLES);
      const pixel = y * widthPx * FINE_SAMPLES + x;
      paint(surface, pixel, leftPx + (x + 0.5) / FINE_SAMPLES, topPx + (y + 0.5) / FINE_SAMPLES);
      for (let i = 0; i < mean.length; i++) mean[i]! += painted[i]! / samples;
    }
    write((topPx + row) * width + leftPx + column, mean);
  }
}

/** The sheet between the outlines, held to the skull where both views show it. */
function sheetOf({ view, surface, toCamera, from, to, personRadiiPx }: CompositionInput): SheetMap {
  const { width, height } = toCamera;
  return stretchSheet({
    ...{ from, to, fromCamera: view.camera, toCamera, personRadiiPx },
    surface(x, y, out) {
      const pixel = Math.min(height - 1, Math.floor(y)) * width + Math.min(width - 1, Math.floor(x));
      out[2] = 0;
      if (surface.classAt(pixel) !== 0) return;
      surface.read(pixel, 0, ATTRIBUTE.fill, point);
      const belief =
        point[ATTRIBUTE.carryWeight]! *
        smoothstep(0.15, 0.5, point[ATTRIBUTE.facing]!) *
        smoothstep(0.15, 0.5, point[ATTRIBUTE.targetFacing]!);
      if (belief === 0 || !seesPoint(view, point[0]!, point[1]!, point[2]!, 0)) return;
      projectPoint(view.camera);
      out[0] = own[0]! + x - Math.floor(x) - 0.5;
      out[1] = own[1]! + y - Math.floor(y) - 0.5;
      out[2] = belief;
    },
  });
}

/** Colours a pixel where the target sees the head, `point`; returns its trust. */
function composeHeadPixel(
  input: CompositionInput,
  surface: SurfaceReader,
  pixel: number,
  surfaceClass: number,
  sheetTrustHere: number,
): number {
  const { view } = input;
  const face = point[ATTRIBUTE.faceWeight]!;
  const facing = point[ATTRIBUTE.facing]!;
  const isSeen = seesPoint(view, point[0]!, point[1]!, point[2]!, surfaceClass);
  // Source pixels per target pixel, roughly; the depths' ratio cancels for a head that stays where it is.
  const stretch =
    (point[ATTRIBUTE.surfaceStretch]! * facing) / Math.max(0.25, point[ATTRIBUTE.targetFacing]!);
  let seen = isSeen ? Math.max(squareness(facing, stretch), outlineShare()) * (1 - skinDoubt()) : 0;

  if (face === 0) {
    samplePicture(view.image, place[0]!, place[1]!, colour, 0);
    return (1 - HIDDEN_DOUBT * point[ATTRIBUTE.carryWeight]! * (1 - seen)) * sheetTrustHere;
  }
  projectPoint(view.camera);
  const share = face * (isSeen ? 1 : 0);
  const x = place[0]! + share * (own[0]! - place[0]!);
  const y = place[1]! + share * (own[1]! - place[1]!);
  samplePicture(view.image, x, y, colour, 0);
  if (isEar(surfaceClass) && input.layers !== null) {
    surface.read(pixel, ATTRIBUTE.fill, ATTRIBUTE_COUNT, point);
    seen *= earShown(input.layers, point, colour, x, y);
  }
  const photoTrust = sourceTrust(input, x, y) * smoothstep(0.1, 0.7, stretch);
  const guessTrust = addGuess(input.view, surface, pixel, surfaceClass, face * (1 - seen));
  const faceTrust = seen * photoTrust + (1 - seen) * guessTrust;
  return face * faceTrust + (1 - face) * (0.2 + 0.8 * seen) * sheetTrustHere;
}

/** Whether the point is of an ear, and of nothing beside it. */
const isEar = (surfaceClass: number): boolean => surfaceClass === 0 && point[ATTRIBUTE.carryWeight] === 0;

/** How far a point is seen squarely enough for its colour to be its own. */
const squareness = (facing: number, stretch: number): number =>
  smoothstep(0.02, 0.1, facing) * smoothstep(0.2, 0.55, stretch);

/** How far a point lies on the outline of both views: what is seen there once is seen there again. */
function outlineShare(): number {
  const facing = point[ATTRIBUTE.facing]!;
  return facing <= 0 ? 0 : 1 - smoothstep(0.01, 0.05, point[ATTRIBUTE.targetFacing]! - facing);
}

/**
 * How much it matters that a point does not look like skin: where it grazes, the further it turns to the front, the more;
 * else the more it is stretched.
 */
function skinDoubt(): number {
  const implausible = 1 - point[ATTRIBUTE.plausibility]!;
  if (implausible <= 0) return 0;
  const facing = point[ATTRIBUTE.facing]!;
  const turnedToView = point[ATTRIBUTE.targetFacing]! - facing;
  const turned =
    (1 - smoothstep(SQUARE_FACING - 0.15, SQUARE_FACING, facing)) * smoothstep(0.05, 0.25, turnedToView);
  return implausible * Math.max(turned, 1 - smoothstep(0.6, 0.9, point[ATTRIBUTE.surfaceStretch]!));
}

/** Light stays where it is as skin turns in it. */
function relight(): void {
  const factor = 1 + point[ATTRIBUTE.faceWeight]! * (point[ATTRIBUTE.lightChange]! - 1);
  for (let k = 0; k < 3; k++) colour[k]! *= factor;
}

const TEETH = SURFACE_CLASSES.indexOf('teeth');

/** Blends in, by `amount`, what the mirrored side or the fill suggests; returns how far to trust that. */
function addGuess(
  view: SourceView,
  surface: SurfaceReader,
  pixel: number,
  surfaceClass: number,
  amount: number,
): number {
  if (amount === 0) return 0;
  surface.read(pixel, ATTRIBUTE.fill, ATTRIBUTE_COUNT, point);
  const { camera, image } = view;
  const mx = point[ATTRIBUTE.mirroredPosition]!;
  const my = point[ATTRIBUTE.mirroredPosition + 1]!;
  const mz = point[ATTRIBUTE.mirroredPosition + 2]!;
  // An ear's own colours are nearer to it than what a fit that is off shows of the other.
  const isPaired = (surfaceClass === 0 && point[ATTRIBUTE.carryWeight]! > 0) || surfaceClass === TEETH;
  const belief =
    isPaired && seesPoint(view, mx, my, mz, surfaceClass)
      ? smoothstep(0.2, 0.5, point[ATTRIBUTE.mirroredFacing]! * point[ATTRIBUTE.surfaceStretch]!)
      : 0;
  guessed.fill(0);
  if (belief > 0) {
    const x = (camera.focalXPx * mx) / mz + camera.centreXPx;
    samplePicture(image, x, (camera.focalYPx * my) / mz + camera.centreYPx, guessed, 0);
  }
  for (let k = 0; k < 3; k++) {
    const fill = point[ATTRIBUTE.fill + k]!;
    const mirroredColour = guessed[k]! + point[ATTRIBUTE.mirroredOffset + k]!;
    const guess = fill + belief * (mirroredColour - fill);
    colour[k]! += amount * (guess - colour[k]!);
  }
  const fillTrust = surfaceClass === 0 ? FILLED_TRUST : DRAWN_TRUST;
  return fillTrust + belief * (MIRRORED_TRUST - fillTrust);
}

/** From which turn to the view on, cosines, a gap beside a fitted outline begins to close, and is closed; an ear's folds turn apart. */
const GAP = [0.05, 0.3] as const;
const EAR_GAP = [0.02, 0.1] as const;

/** How far the person covers a pixel of their head, `point`. */
function headCover({ view }: CompositionInput, layers: PersonLayers, surfaceClass: number): number {
  const face = point[ATTRIBUTE.faceWeight]!;
  const carried = face === 1 ? 1 : coverAt(layers, place[0]!, place[1]!);
  if (face === 0) return carried;
  // Where the fitted outline stands off the person's, the gap stays open only while it is an outline.
  const facing = point[ATTRIBUTE.facing]!;
  const turnedToView = point[ATTRIBUTE.targetFacing]! - facing;
  let open = 0;
  const onEar = isEar(surfaceClass);
  const [closes, closed] = onEar ? EAR_GAP : GAP;
  if ((facing > 0 || onEar) && turnedToView < closed) {
    projectPoint(view.camera);
    open = (1 - coverAt(layers, own[0]!, own[1]!)) * (1 - smoothstep(closes, closed, turnedToView));
  }
  return carried + face * (1 - open - carried);
}

/** Lays the colour over the background, by its cover; returns how far to trust both together. */
function layOverPlate(
  { view: { camera }, trust: stillTrust, toCamera }: CompositionInput,
  { plate, plateTrust }: PersonLayers,
  x: number,
  y: number,
  cover: number,
  trust: number,
): number {
  const px = ((x - toCamera.centreXPx) * camera.focalXPx) / toCamera.focalXPx + camera.centreXPx;
  const py = ((y - toCamera.centreYPx) * camera.focalYPx) / toCamera.focalYPx + camera.centreYPx;
  samplePicture(plate, px, py, behind, 0);
  for (let k = 0; k < 3; k++) colour[k] = behind[k]! + cover * (colour[k]! - behind[k]!);
  let shown = 0;
  if (px >= 0 && py >= 0 && px < plate.width && py < plate.height) {
    const at = Math.floor(py) * plate.width + Math.floor(px);
    shown = (plateTrust[at]! / 255) * (stillTrust === null ? 1 : stillTrust[at]! / 255);
  }
  return shown + cover * (trust - shown);
}

/** Projects the point into the still: `own`. */
function projectPoint(camera: Camera): void {
  const z = point[2]!;
  own[0] = (camera.focalXPx * point[0]!) / z + camera.centreXPx;
  own[1] = (camera.focalYPx * point[1]!) / z + camera.centreYPx;
}

/** How far the still itself is trusted at a position: 1 without a trust of its own, 0 off the picture. */
function sourceTrust({ view, trust }: CompositionInput, x: number, y: number): number {
  const { width, height } = view.image;
  if (x < 0 || y < 0 || x >= width || y >= height) return 0;
  return trust === null ? 1 : trust[Math.floor(y) * width + Math.floor(x)]! / 255;
}

function showsHead({ surfaces, image }: SourceView, x: number, y: number): boolean {
  if (x < 0 || y < 0 || x >= image.width || y >= image.height) return false;
  return surfaces[Math.floor(y) * image.width + Math.floor(x)]! > 0;
}
