// Where every pixel of a picture was in another: dense optical flow by Lucas and Kanade, coarse to fine. Small motions
// of faces between neighbouring frames are what it is for.
// Source: Lucas & Kanade, "An Iterative Image Registration Technique", 1981; Bouguet 2001 for the pyramid.

import type { RgbImage } from '../media/index.ts';

/** One channel, `H W`. */
export type Plane = { readonly width: number; readonly height: number; readonly data: Float32Array };

/** For every pixel where it was, relative to where it is, pixels. */
export type Flow = { readonly x: Float32Array; readonly y: Float32Array };

const LEVELS = 4;
const ITERATIONS = 3;
/** Windows reach so many pixels to each side. */
const REACH = 4;
/** Of grey levels squared: plain areas, where noise alone would say where they went, stay. */
const REGULARISER = 6;

/** The brightness of a picture, 0 to 255. */
export function luminance({ width, height, data }: RgbImage): Plane {
  const grey = Float32Array.from(
    { length: width * height },
    (_, i) => 0.299 * data[3 * i]! + 0.587 * data[3 * i + 1]! + 0.114 * data[3 * i + 2]!,
  );
  return { width, height, data: grey };
}

/** A plane less its mean around each pixel: flow between such is not led astray by brightness that jumps. */
export function localContrast({ width, height, data }: Plane): Plane {
  const mean = data.slice();
  for (let i = 0; i < 3; i++) boxMean(mean, width, height);
  return { width, height, data: data.map((value, at) => value - mean[at]!) };
}

/** The flow with which `before`, carried along, looks like `after`. */
export function opticalFlow(before: Plane, after: Plane): Flow {
  const pyramid = [{ before, after }];
  while (pyramid.length < LEVELS && Math.min(pyramid[0]!.before.width, pyramid[0]!.before.height) >= 32) {
    const { before: b, after: a } = pyramid[0]!;
    pyramid.unshift({ before: halved(b), after: halved(a) });
  }
  let flow: Flow | null = null;
  let coarse: Plane | null = null;
  for (const level of pyramid) {
    const size = level.before.width * level.before.height;
    flow =
      flow === null
        ? { x: new Float32Array(size), y: new Float32Array(size) }
        : enlarged(flow, coarse!, level.before);
    for (let i = 0; i < ITERATIONS; i++) improve(flow, level.before, level.after);
    coarse = level.before;
  }
  return flow!;
}

/** A plane looked up where the flow says; borders repeat. */
export function carried(plane: Plane, { x, y }: Flow): Plane {
  const { width, height } = plane;
  const data = new Float32Array(width * height);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const at = row * width + column;
      data[at] = sample(plane, column + x[at]!, row + y[at]!);
    }
  }
  return { width, height, data };
}

/** One step of Gauss and Newton, in place. */
function improve(flow: Flow, before: Plane, after: Plane): void {
  const { width, height } = before;
  const moved = carried(before, flow);
  const [xx, xy, yy, xt, yt] = Array.from({ length: 5 }, () => new Float32Array(width * height));
  for (let row = 0; row < height; row++) {
    const [up, down] = [Math.max(0, row - 1) * width, Math.min(height - 1, row + 1) * width];
    for (let column = 0; column < width; column++) {
      const at = row * width + column;
      const [left, right] = [Math.max(0, column - 1), Math.min(width - 1, column + 1)];
      const gx = (moved.data[row * width + right]! - moved.data[row * width + left]!) / 2;
      const gy = (moved.data[down + column]! - moved.data[up + column]!) / 2;
      const gt = after.data[at]! - moved.data[at]!;
      xx![at] = gx * gx;
      xy![at] = gx * gy;
      yy![at] = gy * gy;
      xt![at] = gx * gt;
      yt![at] = gy * gt;
    }
  }
  for (const plane of [xx!, xy!, yy!, xt!, yt!]) boxMean(plane, width, height);
  for (let at = 0; at < width * height; at++) {
    const [a, b, c] = [xx![at]! + REGULARISER, xy![at]!, yy![at]! + REGULARISER];
    const determinant = a * c - b * b;
    const dx = (c * xt![at]! - b * yt![at]!) / determinant;
    const dy = (a * yt![at]! - b * xt![at]!) / determinant;
    // More than a pixel at once is a guess: coarser levels have found the large part.
    flow.x[at]! += Math.max(-1, Math.min(1, dx));
    flow.y[at]! += Math.max(-1, Math.min(1, dy));
  }
  boxMean(flow.x, width, height);
  boxMean(flow.y, width, height);
}

/** The mean of each window, in place; at the border of what is inside. */
function boxMean(plane: Float32Array, width: number, height: number): void {
  const line = new Float64Array(Math.max(width, height) + 1);
  const along = (start: number, step: number, count: number): void => {
    for (let i = 0; i < count; i++) line[i + 1] = line[i]! + plane[start + i * step]!;
    for (let i = 0; i < count; i++) {
      const [from, to] = [Math.max(0, i - REACH), Math.min(count, i + REACH + 1)];
      plane[start + i * step] = (line[to]! - line[from]!) / (to - from);
    }
  };
  for (let row = 0; row < height; row++) along(row * width, 1, width);
  for (let column = 0; column < width; column++) along(column, width, height);
}

function halved({ width, height, data }: Plane): Plane {
  const [w, h] = [width >> 1, height >> 1];
  const half = new Float32Array(w * h);
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      const at = 2 * y * width + 2 * x;
      half[y * w + x] = (data[at]! + data[at + 1]! + data[at + width]! + data[at + width + 1]!) / 4;
    }
  }
  return { width: w, height: h, data: half };
}

function enlarged({ x, y }: Flow, from: Plane, to: Plane): Flow {
  const scale = to.width / from.width;
  const grown = (data: Float32Array): Float32Array => {
    const plane = { width: from.width, height: from.height, data };
    return Float32Array.from({ length: to.width * to.height }, (_, at) => {
      const [column, row] = [at % to.width, Math.floor(at / to.width)];
      return scale * sample(plane, (column + 0.5) / scale - 0.5, (row + 0.5) / scale - 0.5);
    });
  };
  return { x: grown(x), y: grown(y) };
}

function sample({ width, height, data }: Plane, x: number, y: number): number {
  const xInside = x < 0 ? 0 : Math.min(x, width - 1);
  const yInside = y < 0 ? 0 : Math.min(y, height - 1);
  const [x0, y0] = [Math.floor(xInside), Math.floor(yInside)];
  const [u, v] = [xInside - x0, yInside - y0];
  const at = y0 * width + x0;
  const right = x0 + 1 < width ? 1 : 0;
  const below = y0 + 1 < height ? width : 0;
  const upper = data[at]! + u * (data[at + right]! - data[at]!);
  const lower = data[at + below]! + u * (data[at + below + right]! - data[at + below]!);
  return upper + v * (lower - upper);
}
