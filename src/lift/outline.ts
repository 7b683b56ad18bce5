// The head's outline on a picture in polar coordinates about its centre: what the rubber sheet moves with, and
// where the head ends.

import type { Camera } from '../geometry/index.ts';

/** The head's outline on the picture in polar coordinates about the head's centre. */
export type Outline = {
  /** Pixel of the head's centre. */
  readonly centreXPx: number;
  readonly centreYPx: number;
  /** Angle of the head's own up on the picture. */
  readonly upAngle: number;
  /** Radius in pixels for each of `OUTLINE_BINS` angles, from the head's up, clockwise on the picture. */
  readonly radiiPx: Float32Array;
  readonly ears: readonly EarOutline[];
  /** Where the body hangs: the posed root joint on the picture. */
  readonly bodyXPx: number;
  readonly bodyYPx: number;
  /** Rotation of the head in the world, row-major. */
  readonly headRotation: Readonly<ArrayLike<number>>;
};

/** How far an ear reaches on the picture, whether the head hides it or not. */
export type EarOutline = {
  /** Radius in pixels at the outline's angles, 0 where the ear is not. */
  readonly radiiPx: Float32Array;
  /** How much further from the camera than the head's centre it is, metres. */
  readonly behindMetres: number;
};

export const OUTLINE_BINS = 144;

/** What an outline is measured from; positions in world coordinates. */
export type OutlineInput = {
  readonly camera: Camera;
  /** `V 3`. */
  readonly vertices: Float32Array;
  /** `J 3`. */
  readonly joints: Float32Array;
  readonly skullWeights: Float32Array;
  readonly skullEdges: Uint32Array;
  readonly centreVertices: Uint32Array;
  readonly ears: readonly Uint32Array[];
  /** Rotation of the head in the world, row-major. */
  readonly headRotation: Readonly<ArrayLike<number>>;
};

/** Measures the outline of a posed head. */
export function measureOutline(input: OutlineInput): Outline {
  const { camera, vertices, joints, skullWeights, skullEdges, centreVertices, ears, headRotation } = input;
  const centre = [0, 0, 0];
  for (const v of centreVertices) {
    for (let k = 0; k < 3; k++) centre[k]! += vertices[3 * v + k]! / centreVertices.length;
  }
  const { rotation: r, translation: t } = camera.cameraFromWorld;
  const projected = new Float64Array(3);
  const project = (x: number, y: number, z: number): void => {
    const depth = r[6]! * x + r[7]! * y + r[8]! * z + t[2]!;
    const [right, down] = [
      r[0]! * x + r[1]! * y + r[2]! * z + t[0]!,
      r[3]! * x + r[4]! * y + r[5]! * z + t[1]!,
    ];
    projected[0] = (camera.focalXPx * right) / depth + camera.centreXPx;
    projected[1] = (camera.focalYPx * down) / depth + camera.centreYPx;
    projected[2] = depth;
  };
  project(centre[0]!, centre[1]!, centre[2]!);
  const [centreXPx, centreYPx, centreDepth] = [projected[0]!, projected[1]!, projected[2]!];
  const above = centre.map((value, k) => value + 0.08 * headRotation[3 * k + 1]!);
  project(above[0]!, above[1]!, above[2]!);
  const upAngle = Math.atan2(projected[0]! - centreXPx, centreYPx - projected[1]!);
  const radii = new Float32Array(OUTLINE_BINS);
  const polar = new Float32Array(skullWeights.length * 2);
  const place = (v: number): void => {
    project(vertices[3 * v]!, vertices[3 * v + 1]!, vertices[3 * v + 2]!);
    const dx = projected[0]! - centreXPx;
    const dy = projected[1]! - centreYPx;
    polar[2 * v] = binOf(Math.atan2(dx, -dy) - upAngle);
    polar[2 * v + 1] = Math.sqrt(dx * dx + dy * dy);
  };
  for (let v = 0; v < skullWeights.length; v++) if (skullWeights[v]! >= 0.5) place(v);
  for (let i = 0; i < skullEdges.length; i += 2) markEdge(radii, polar, skullEdges[i]!, skullEdges[i + 1]!);
  const earOutlines = ears.map((ear): EarOutline => {
    const reach = new Float32Array(OUTLINE_BINS);
    let behindMetres = 0;
    for (const v of ear) {
      place(v);
      const bin = Math.floor(polar[2 * v]!);
      reach[bin] = Math.max(reach[bin]!, polar[2 * v + 1]!);
      behindMetres += (projected[2]! - centreDepth) / ear.length;
    }
    return { radiiPx: reach, behindMetres };
  });
  project(joints[0]!, joints[1]!, joints[2]!);
  return {
    ...{ centreXPx, centreYPx, upAngle, headRotation },
    radiiPx: smoothRadii(radii),
    ears: earOutlines,
    bodyXPx: projected[0]!,
    bodyYPx: projected[1]!,
  };
}

/** Raises the radii of the bins whose centres lie between an edge's two ends. */
function markEdge(radii: Float32Array, polar: Float32Array, a: number, b: number): void {
  let [start, startRadius] = [polar[2 * a]!, polar[2 * a + 1]!];
  let [end, endRadius] = [polar[2 * b]!, polar[2 * b + 1]!];
  if (end < start) [start, startRadius, end, endRadius] = [end, endRadius, start, startRadius];
  // The short way round.
  if (end - start > OUTLINE_BINS / 2) {
    [start, startRadius, end, endRadius] = [end - OUTLINE_BINS, endRadius, start, startRadius];
  }
  if (end - start > OUTLINE_BINS / 8) return;
  for (let bin = Math.ceil(start - 0.5); bin + 0.5 <= end; bin++) {
    const share = (bin + 0.5 - start) / (end - start);
    const radius = startRadius + share * (endRadius - startRadius);
    const index = (bin + OUTLINE_BINS) % OUTLINE_BINS;
    radii[index] = Math.max(radii[index]!, radius);
  }
}

/** 255 where a pixel lies within `margin` times the outline, 0 elsewhere: `H W`. */
export function insideOutline(
  { centreXPx, centreYPx, upAngle, radiiPx }: Outline,
  { width, height }: { readonly width: number; readonly height: number },
  margin: number,
): Uint8Array {
  const mask = new Uint8Array(width * height);
  const largest = margin * radiiPx.reduce((best, radius) => Math.max(best, radius), 0);
  const smallest = margin * radiiPx.reduce((best, radius) => Math.min(best, radius), Infinity);
  const [left, right] = [Math.max(0, Math.floor(centreXPx - largest)), Math.min(width, centreXPx + largest)];
  const [top, bottom] = [Math.max(0, Math.floor(centreYPx - largest)), Math.min(height, centreYPx + largest)];
  for (let row = top; row < bottom; row++) {
    for (let column = left; column < right; column++) {
      const dx = column + 0.5 - centreXPx;
      const dy = row + 0.5 - centreYPx;
      const squared = dx * dx + dy * dy;
      if (squared > smallest * smallest) {
        if (squared > largest * largest) continue;
        const radius = radiusAt(radiiPx, binOf(Math.atan2(dx, -dy) - upAngle));
        if (squared > (margin * radius) ** 2) continue;
      }
      mask[row * width + column] = 255;
    }
  }
  return mask;
}

/** A place among the bins, 0 to `OUTLINE_BINS` (exclusive), for an angle. */
export function binOf(angle: number): number {
  const turns = angle / (2 * Math.PI);
  const bin = (turns - Math.floor(turns)) * OUTLINE_BINS;
  return bin >= OUTLINE_BINS ? 0 : bin;
}

export function radiusAt(radii: Float32Array, bin: number): number {
  const centred = bin - 0.5;
  const low = Math.floor(centred);
  const lower = radii[(low + OUTLINE_BINS) % OUTLINE_BINS]!;
  const upper = radii[(low + 1) % OUTLINE_BINS]!;
  return lower + (centred - low) * (upper - lower);
}

/** Fills empty bins from their neighbours and smooths over about 5 bins, around the circle. */
export function smoothRadii(radii: Float32Array): Float32Array {
  const filled = radii.map((radius, i) => {
    if (radius > 0) return radius;
    for (let reach = 1; reach < OUTLINE_BINS; reach++) {
      const left = radii[(i - reach + OUTLINE_BINS) % OUTLINE_BINS]!;
      const right = radii[(i + reach) % OUTLINE_BINS]!;
      if (left > 0 || right > 0) return Math.max(left, right);
    }
    return 1;
  });
  return smoothBins(filled);
}

const KERNEL = [1, 4, 6, 4, 1];

/** Smooths over about 5 bins, around the circle. */
export function smoothBins(values: Float32Array): Float32Array {
  return values.map((_, i) =>
    KERNEL.reduce(
      (sum, weight, k) => sum + (weight / 16) * values[(i + k - 2 + OUTLINE_BINS) % OUTLINE_BINS]!,
      0,
    ),
  );
}

/** The middle one of the values. */
export function median(values: Float32Array): number {
  return Float32Array.from(values).sort()[values.length >> 1]!;
}
