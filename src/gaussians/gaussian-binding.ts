// Where the Gaussians sit: one per texel of a head's UV square, bound once to a triangle and the weights of
// its corners, and carried along by the posed vertices.
// Source: FlashAvatar (Xiang et al., 2024) for Gaussians by UV texels; Learn2Control for the rest.

import type { HeadModel, PartName, SurfacePoints } from '../head/index.ts';
import { PART_NAMES } from '../head/index.ts';

/** Gaussians on a head's surface; letters: N Gaussians. */
export type GaussianBinding = SurfacePoints & {
  readonly headName: string;
  /** Side of the UV square in texels. */
  readonly uvSize: number;
  /** `N` ascending texel indices, `row * uvSize + column`; row 0 is v = 0. */
  readonly texels: Uint32Array;
  /** `N 3`, the vertices of each Gaussian's triangle. */
  readonly corners: Uint32Array;
  /** `N 3`, weights of the corners (they add up to 0) whose sum points where u grows on the surface. */
  readonly alongU: Float32Array;
};

/** Options of `bindGaussians`. */
export type BindingOptions = {
  /** Default 128. */
  readonly uvSize?: number | undefined;
  /** Default: every part but the lashes, whose strips lie within a pixel of the lids. */
  readonly parts?: readonly PartName[];
};

const DEFAULT_PARTS = PART_NAMES.filter((name) => name !== 'lashes');

/**
 * Binds one Gaussian to every texel whose centre lies in a triangle of the parts.
 * Where triangles overlap in the chart, the first in the head's order has the texel.
 */
export function bindGaussians(head: HeadModel, options: BindingOptions = {}): GaussianBinding {
  const { uvSize = 128, parts = DEFAULT_PARTS } = options;
  const isWanted = PART_NAMES.map((name) => parts.includes(name));
  const owner = new Int32Array(uvSize * uvSize).fill(-1);
  const weights = new Float32Array(uvSize * uvSize * 3);
  const directions = new Float32Array(uvSize * uvSize * 3);
  for (let triangle = 0; triangle < head.triangleParts.length; triangle++) {
    if (isWanted[head.triangleParts[triangle]!])
      claimTexels(head, triangle, uvSize, { owner, weights, directions });
  }
  const texels = Uint32Array.from(owner.keys()).filter((texel) => owner[texel]! >= 0);
  const triangles = texels.map((texel) => owner[texel]!);
  const barycentrics = new Float32Array(texels.length * 3);
  const alongU = new Float32Array(texels.length * 3);
  const corners = new Uint32Array(texels.length * 3);
  for (const [i, texel] of texels.entries()) {
    barycentrics.set(weights.subarray(texel * 3, texel * 3 + 3), i * 3);
    alongU.set(directions.subarray(texel * 3, texel * 3 + 3), i * 3);
    corners.set(head.triangles.subarray(triangles[i]! * 3, triangles[i]! * 3 + 3), i * 3);
  }
  return { headName: head.name, uvSize, texels, triangles, barycentrics, corners, alongU };
}

/**
 * The means (`N 3`) of the Gaussians on posed vertices (`V 3`).
 * @param into an array to write to, instead of a new one
 */
export function poseGaussians(
  binding: Pick<GaussianBinding, 'corners' | 'barycentrics'>,
  vertices: Float32Array,
  into?: Float32Array,
): Float32Array {
  const { corners, barycentrics } = binding;
  const means = into ?? new Float32Array(corners.length);
  for (let i = 0; i < corners.length; i += 3) {
    const [a, b, c] = [corners[i]! * 3, corners[i + 1]! * 3, corners[i + 2]! * 3];
    const wa = barycentrics[i]!;
    const wb = barycentrics[i + 1]!;
    const wc = barycentrics[i + 2]!;
    for (let axis = 0; axis < 3; axis++) {
      means[i + axis] = wa * vertices[a + axis]! + wb * vertices[b + axis]! + wc * vertices[c + axis]!;
    }
  }
  return means;
}

/** Per texel of the UV square: its triangle or -1, its barycentric weights, and its `alongU`. */
type Claims = {
  readonly owner: Int32Array;
  readonly weights: Float32Array;
  readonly directions: Float32Array;
};

/** Gives a triangle the texel centres inside it that have no owner yet. */
function claimTexels(head: HeadModel, triangle: number, uvSize: number, claims: Claims): void {
  const { owner, weights, directions } = claims;
  const [a, b, c] = [0, 1, 2].map((corner) => {
    const at = head.uvTriangles[triangle * 3 + corner]! * 2;
    return { x: head.uvs[at]! * uvSize - 0.5, y: head.uvs[at + 1]! * uvSize - 0.5 };
  }) as [Point, Point, Point];
  const area = cross(a, b, c);
  if (area === 0) return;
  const firstColumn = Math.max(0, Math.ceil(Math.min(a.x, b.x, c.x)));
  const lastColumn = Math.min(uvSize - 1, Math.floor(Math.max(a.x, b.x, c.x)));
  const firstRow = Math.max(0, Math.ceil(Math.min(a.y, b.y, c.y)));
  const lastRow = Math.min(uvSize - 1, Math.floor(Math.max(a.y, b.y, c.y)));
  for (let y = firstRow; y <= lastRow; y++) {
    for (let x = firstColumn; x <= lastColumn; x++) {
      const texel = y * uvSize + x;
      if (owner[texel]! >= 0) continue;
      const point = { x, y };
      const wa = cross(b, c, point) / area;
      const wb = cross(c, a, point) / area;
      const wc = 1 - wa - wb;
      if (wa < 0 || wb < 0 || wc < 0) continue;
      owner[texel] = triangle;
      weights.set([wa, wb, wc], texel * 3);
      // How the barycentric weights change with u.
      directions.set([(b.y - c.y) / area, (c.y - a.y) / area, (a.y - b.y) / area], texel * 3);
    }
  }
}

type Point = { readonly x: number; readonly y: number };

/** Twice the signed area of a triangle. */
function cross(a: Point, b: Point, c: Point): number {
  return (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
}
