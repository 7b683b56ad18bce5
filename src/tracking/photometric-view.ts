// Which points of the face a frame shows, and which way they look: from the posed head's own depths.

import { cropCamera, frontCamera, vertexNormals } from '../geometry/index.ts';
import { createHeadPoser, type HeadModel, type SurfacePoints } from '../head/index.ts';
import { createRasteriser, NO_TRIANGLE, type VisibilityBuffer } from '../kernels/index.ts';
import { type FrameState, parametersOf, type SharedState } from './head-state.ts';
import type { FaceCrop } from './photometric-image.ts';

/** The points as one frame shows them. */
export type PhotometricView = {
  /** `N`: 0 where a point is hidden, turned away or beside an edge of the head, else up to 1. */
  readonly weights: Float64Array;
  /** `3N`: unit normals, world axes. */
  readonly normals: Float64Array;
};

/** Looks at posed heads again and again. */
export type PhotometricViewer = {
  /** @param marginPx how far from the head's outline a point must lie, pixels of the crop */
  see(
    frame: FrameState,
    shared: SharedState,
    crop: FaceCrop,
    size: { readonly width: number; readonly height: number },
    marginPx: number,
  ): PhotometricView;
};

/** Cosines to the camera between which a point's weight grows from 0 to 1. */
const [EDGE_ON, FACING] = [0.2, 0.5];
/** A point lies on what is seen if it is no further behind it, metres. */
const DEPTH_TOLERANCE_METRES = 0.003;
/** Neighbouring pixels with depths further apart than this have an outline between them, metres. */
const OUTLINE_METRES = 0.012;

/** Prepares to look at points of a head. */
export function createPhotometricViewer(head: HeadModel, points: SurfacePoints): PhotometricViewer {
  const poser = createHeadPoser(head);
  const rasteriser = createRasteriser();
  const count = points.triangles.length;
  return {
    see(frame, shared, crop, { width, height }, marginPx) {
      const vertices = poser.pose(parametersOf(head, frame, shared.identity));
      const whole = frontCamera(width, height, shared.focalPx);
      const window = { leftPx: crop.leftPx, topPx: crop.topPx, sizePx: crop.sizePx * crop.step };
      const camera = cropCamera(whole, window, crop.sizePx);
      const buffer = rasteriser.rasterise({ camera, vertices, triangles: head.triangles });
      const isOutline = widenedOutline(buffer, Math.ceil(marginPx));
      const vertexDirections = vertexNormals(vertices, head.triangles);
      const normals = atPoints(head, points, vertexDirections);
      const places = atPoints(head, points, vertices);
      const weights = new Float64Array(count);
      for (let t = 0; t < count; t++) {
        const length = Math.hypot(normals[3 * t]!, normals[3 * t + 1]!, normals[3 * t + 2]!);
        for (let k = 0; k < 3; k++) normals[3 * t + k]! /= length;
        const [x, y, z] = [places[3 * t]!, places[3 * t + 1]!, places[3 * t + 2]!];
        const facing =
          -(normals[3 * t]! * x + normals[3 * t + 1]! * y + normals[3 * t + 2]! * z) / Math.hypot(x, y, z);
        if (facing <= EDGE_ON) continue;
        const column = Math.floor(camera.centreXPx - (camera.focalXPx * x) / z);
        const row = Math.floor(camera.centreYPx + (camera.focalYPx * y) / z);
        if (column < 0 || row < 0 || column >= crop.sizePx || row >= crop.sizePx) continue;
        const pixel = row * crop.sizePx + column;
        if (isOutline[pixel] || -z > buffer.depths[pixel]! + DEPTH_TOLERANCE_METRES) continue;
        weights[t] = Math.min(1, (facing - EDGE_ON) / (FACING - EDGE_ON));
      }
      return { weights, normals };
    },
  };
}

function atPoints(head: HeadModel, points: SurfacePoints, rows: Float32Array): Float64Array {
  const values = new Float64Array(3 * points.triangles.length);
  for (const [t, triangle] of points.triangles.entries()) {
    for (let corner = 0; corner < 3; corner++) {
      const vertex = head.triangles[3 * triangle + corner]!;
      const weight = points.barycentrics[3 * t + corner]!;
      for (let k = 0; k < 3; k++) values[3 * t + k]! += weight * rows[3 * vertex + k]!;
    }
  }
  return values;
}

/** `H W`: 1 within `margin` pixels of where the depth jumps or the head ends. */
function widenedOutline(
  { width, height, triangleIds, depths }: VisibilityBuffer,
  margin: number,
): Uint8Array {
  const jumps = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = y * width + x;
      if (triangleIds[at] === NO_TRIANGLE) jumps[at] = 1;
      else if (x + 1 < width && Math.abs(depths[at]! - depths[at + 1]!) > OUTLINE_METRES) jumps[at] = 1;
      else if (y + 1 < height && Math.abs(depths[at]! - depths[at + width]!) > OUTLINE_METRES) jumps[at] = 1;
    }
  }
  const along = (source: Uint8Array, stride: number, length: number, lines: number, lineStride: number) => {
    const wide = new Uint8Array(source.length);
    for (let line = 0; line < lines; line++) {
      for (let i = 0; i < length; i++) {
        if (!source[line * lineStride + i * stride]) continue;
        for (let j = Math.max(0, i - margin); j <= Math.min(length - 1, i + margin); j++)
          wide[line * lineStride + j * stride] = 1;
      }
    }
    return wide;
  };
  return along(along(jumps, 1, width, height, width), width, height, width, 1);
}
