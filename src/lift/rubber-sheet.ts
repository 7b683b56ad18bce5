// What carries everything that is not the face: hair, ears, neck, shoulders, background. A sheet of rubber
// whose points move as the head's outline at the same angle does, less and less with the distance and towards
// the neck, and as the skull's surface where that is seen: the body and the background stay where they are. It maps target to source, so that every target pixel has a place.

import { type Camera, rotationAngle } from '../geometry/index.ts';
import { earsBeyond } from './ears-beyond.ts';
import { smoothstep } from './lift-geometry.ts';
import { binOf, median, type Outline, radiusAt } from './outline.ts';
import { COVER_BLOCK_PX, type CoverBlocks } from './person-layers.ts';

/** A map from target pixels to source pixels, on nodes `stepPx` apart; between them it is bilinear. */
export type SheetMap = {
  readonly columns: number;
  readonly rows: number;
  readonly stepPx: number;
  /** `rows columns 2`, source pixels. */
  readonly sources: Float32Array;
  /** `rows columns`, 0 to 1: the share of what is carried to the wrong place, as a rule. */
  readonly doubts: Float32Array;
};

/** How far the head's motion reaches into the picture, in widths of the head. */
const REACH_IN_HEAD_WIDTHS = 0.3;

/** How far beyond the skull's outline its hidden inside is filled from, in radii: from hair, where there is any. */
const RIM_SHARE = 0.2;
/** Within this share of how far the person reaches lies no mixed pixel. */
const WITHIN_PERSON = 0.92;
/** Where the head's hold on what lies beside it begins to end and is gone, in radii below the chin. */
const HOLD_ENDS = [-0.9, 0] as const;
/** Where the picture begins to be body and is nothing else, in radii below the chin. */
const BODY_BEGINS = [-0.5, -0.15] as const;

// Measured on synthetic subjects: of hair, ears and background about a head that turns by 25 degrees or more, two
// pixels in five are wrong.
const LARGEST_DOUBT = 0.4;
const DOUBTED_TURN_RADIANS = 0.44;

/** The sheet between two views of one head; `surface` says where the skull itself knows better. */
export function stretchSheet({
  from,
  to,
  fromCamera,
  toCamera,
  personRadiiPx,
  surface,
}: {
  readonly from: Outline;
  readonly to: Outline;
  readonly fromCamera: Camera;
  readonly toCamera: Camera;
  /** How far the person reaches in the still at the outline's angles: nothing of the head is taken from beyond. */
  readonly personRadiiPx: Float32Array | null;
  /** For a target pixel: source pixel and how far to believe it, 0 to 1. */
  surface(xPx: number, yPx: number, out: [x: number, y: number, belief: number]): void;
}): SheetMap {
  const stepPx = Math.max(2, Math.round(toCamera.width / 64));
  const columns = Math.ceil(toCamera.width / stepPx) + 1;
  const rows = Math.ceil(toCamera.height / stepPx) + 1;
  const moves = new Float32Array(columns * rows * 2);
  const doubts = new Float32Array(columns * rows);
  const doubt =
    LARGEST_DOUBT * smoothstep(0, DOUBTED_TURN_RADIANS, rotationAngle(from.headRotation, to.headRotation));
  const far: [number, number] = [0, 0];
  const guess: [number, number, number] = [0, 0, 0];
  const size = median(to.radiiPx);
  const chin = chinOf(to);
  const farPlace = farField(from, to, fromCamera, toCamera);
  const scale = median(from.radiiPx) / size;
  const reachPx = REACH_IN_HEAD_WIDTHS * 2 * size;
  const beyond = earsBeyond(from, to, scale);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const [x, y] = [column * stepPx, row * stepPx];
      const [dx, dy] = [x - to.centreXPx, y - to.centreYPx];
      const distance = Math.hypot(dx, dy);
      const angle = Math.atan2(dx, -dy) - to.upAngle;
      const bin = binOf(angle);
      const [own, theirs] = [radiusAt(to.radiiPx, bin), radiusAt(from.radiiPx, bin)];
      const outside = distance - own;
      // Inside, the sheet is the outline's, scaled; outside, its neighbourhood keeps its size.
      // Deep inside, only what the skull cannot show lands here: it takes what lies about the picture's rim.
      let radius = outside < 0 ? theirs * (1 - (outside / own) * RIM_SHARE) : theirs + beyond(outside, bin);
      if (outside < 0 && personRadiiPx !== null)
        radius = Math.min(radius, WITHIN_PERSON * radiusAt(personRadiiPx, bin));
      const turned = angle + from.upAngle;
      const near =
        (1 - smoothstep(0, 1, outside / reachPx)) * (1 - smoothstep(...HOLD_ENDS, (y - chin) / size));
      farPlace(x, y, far);
      let sourceX = far[0] + near * (from.centreXPx + radius * Math.sin(turned) - far[0]);
      let sourceY = far[1] + near * (from.centreYPx - radius * Math.cos(turned) - far[1]);

      const node = row * columns + column;
      surface(x, y, guess);
      sourceX += guess[2] * (guess[0] - sourceX);
      sourceY += guess[2] * (guess[1] - sourceY);
      doubts[node] = near * doubt;
      moves[2 * node] = sourceX - x;
      moves[2 * node + 1] = sourceY - y;
    }
  }
  const sources = smoothNodes(moves, columns, rows);
  for (let node = 0; node < columns * rows; node++) {
    sources[2 * node]! += (node % columns) * stepPx;
    sources[2 * node + 1]! += Math.floor(node / columns) * stepPx;
  }
  return { columns, rows, stepPx, sources, doubts };
}

/**
 * What lands in each cell between four nodes, `rows - 1 columns - 1`: 0 nothing of the person, 1 nothing but the
 * person, 0.5 either.
 */
export function cellCovers({ columns, rows, sources }: SheetMap, blocks: CoverBlocks): Float32Array {
  const covers = new Float32Array((columns - 1) * (rows - 1));
  const blockOf = (value: number, count: number): number =>
    Math.min(count - 1, Math.max(0, Math.floor(value / COVER_BLOCK_PX)));
  for (let cell = 0; cell < covers.length; cell++) {
    const node = 2 * (cell + Math.floor(cell / (columns - 1)));
    const below = node + 2 * columns;
    const [ax, bx, cx, dx] = [sources[node]!, sources[node + 2]!, sources[below]!, sources[below + 2]!];
    const [ay, by, cy, dy] = [
      sources[node + 1]!,
      sources[node + 3]!,
      sources[below + 1]!,
      sources[below + 3]!,
    ];
    const [left, right] = [Math.min(ax, bx, cx, dx), Math.max(ax, bx, cx, dx)];
    const [top, bottom] = [Math.min(ay, by, cy, dy), Math.max(ay, by, cy, dy)];
    let [least, most] = [255, 0];
    for (let row = blockOf(top, blocks.rows); row <= blockOf(bottom, blocks.rows); row++) {
      for (let column = blockOf(left, blocks.columns); column <= blockOf(right, blocks.columns); column++) {
        least = Math.min(least, blocks.least[row * blocks.columns + column]!);
        most = Math.max(most, blocks.most[row * blocks.columns + column]!);
      }
    }
    covers[cell] = most === 0 ? 0 : least === 255 ? 1 : 0.5;
  }
  return covers;
}

/** Reads a sheet at a target pixel position; clamped to the sheet. */
export function readSheet(sheet: SheetMap, x: number, y: number, out: Float64Array | [number, number]): void {
  const { columns, rows, stepPx, sources } = sheet;
  const cx = Math.min(columns - 1.001, Math.max(0, x / stepPx));
  const cy = Math.min(rows - 1.001, Math.max(0, y / stepPx));
  const x0 = Math.floor(cx);
  const y0 = Math.floor(cy);
  const fx = cx - x0;
  const fy = cy - y0;
  const node = (y0 * columns + x0) * 2;
  const below = node + columns * 2;
  for (let k = 0; k < 2; k++) {
    const top = sources[node + k]! + fx * (sources[node + 2 + k]! - sources[node + k]!);
    const bottom = sources[below + k]! + fx * (sources[below + 2 + k]! - sources[below + k]!);
    out[k] = top + fy * (bottom - top);
  }
}

/**
 * The way back through a sheet: a map from its source pixels to its target pixels, by fixed-point steps.
 * `size` is that of the source picture. Folds settle on one of their leaves. What is carried back returns to its
 * place: nothing new is doubted.
 */
export function invertSheet(
  sheet: SheetMap,
  size: { readonly width: number; readonly height: number },
): SheetMap {
  const { stepPx } = sheet;
  const columns = Math.ceil(size.width / stepPx) + 1;
  const rows = Math.ceil(size.height / stepPx) + 1;
  const sources = new Float32Array(columns * rows * 2);
  const there: [number, number] = [0, 0];
  for (let node = 0; node < columns * rows; node++) {
    const [x, y] = [(node % columns) * stepPx, Math.floor(node / columns) * stepPx];
    let [ax, ay] = [x, y];
    for (let step = 0; step < 10; step++) {
      readSheet(sheet, ax, ay, there);
      // Damped: the sheet stretches by up to two at the head's rim.
      ax += 0.7 * (x - there[0]);
      ay += 0.7 * (y - there[1]);
    }
    sources[2 * node] = ax;
    sources[2 * node + 1] = ay;
  }
  return { columns, rows, stepPx, sources, doubts: new Float32Array(columns * rows) };
}

/** The height of the chin on the picture, pixels. */
const chinOf = ({ centreYPx, radiiPx }: Outline): number => centreYPx + radiusAt(radiiPx, binOf(Math.PI));

/** Where the far background comes from: the same direction; below the head, where the body hangs. */
function farField(from: Outline, to: Outline, fromCamera: Camera, toCamera: Camera) {
  const scaleX = fromCamera.focalXPx / toCamera.focalXPx;
  const scaleY = fromCamera.focalYPx / toCamera.focalYPx;
  const place = (x: number, y: number): [number, number] => [
    (x - toCamera.centreXPx) * scaleX + fromCamera.centreXPx,
    (y - toCamera.centreYPx) * scaleY + fromCamera.centreYPx,
  ];
  const body = place(to.bodyXPx, to.bodyYPx);
  const [bodyX, bodyY] = [from.bodyXPx - body[0], from.bodyYPx - body[1]];
  const size = median(to.radiiPx);
  const chin = chinOf(to);
  return (x: number, y: number, out: [number, number]): void => {
    const isBody = smoothstep(...BODY_BEGINS, (y - chin) / size);
    const [px, py] = place(x, y);
    out[0] = px + isBody * bodyX;
    out[1] = py + isBody * bodyY;
  };
}

function smoothNodes(values: Float32Array, columns: number, rows: number): Float32Array {
  const pass = (
    input: Float32Array,
    stride: number,
    count: number,
    index: (node: number) => number,
  ): Float32Array => {
    const out = new Float32Array(input.length);
    for (let node = 0; node < columns * rows; node++) {
      const place = index(node);
      const before = place > 0 ? node - stride : node;
      const after = place < count - 1 ? node + stride : node;
      for (let k = 0; k < 2; k++) {
        out[2 * node + k] = (input[2 * before + k]! + 2 * input[2 * node + k]! + input[2 * after + k]!) / 4;
      }
    }
    return out;
  };
  const horizontal = pass(values, 1, columns, (node) => node % columns);
  return pass(horizontal, columns, rows, (node) => Math.floor(node / columns));
}

/**
 * How far to trust what a sheet carries, at its nodes, 0 to 1: full where a target pixel has at least three
 * quarters of a source pixel to itself (`scale` source pixels being the rule), none where it is torn or folded;
 * less what is carried to the wrong place.
 */
export function sheetTrust(
  { columns, rows, stepPx, sources, doubts }: SheetMap,
  scale: number,
): Float32Array {
  const trust = new Float32Array(columns * rows);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const node = row * columns + column;
      const [left, right] = [column > 0 ? node - 1 : node, column < columns - 1 ? node + 1 : node];
      const [above, below] = [row > 0 ? node - columns : node, row < rows - 1 ? node + columns : node];
      const across = (right - left) * stepPx * scale;
      const down = ((below - above) / columns) * stepPx * scale;
      const xx = (sources[2 * right]! - sources[2 * left]!) / across;
      const xy = (sources[2 * right + 1]! - sources[2 * left + 1]!) / across;
      const yx = (sources[2 * below]! - sources[2 * above]!) / down;
      const yy = (sources[2 * below + 1]! - sources[2 * above + 1]!) / down;
      const area = xx * yy - xy * yx;
      trust[node] = (1 - doubts[node]!) * smoothstep(0.2, 0.75, Math.min(area, xx, yy));
    }
  }
  return trust;
}
