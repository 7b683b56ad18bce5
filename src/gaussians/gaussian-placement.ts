// Where and how the Gaussians of a field stand on a posed head: their means, and for an anisotropic field the
// axes of their triangles: along the surface where u grows, across it, along the normal.

import type { GaussianBinding } from './gaussian-binding.ts';
import { poseGaussians } from './gaussian-binding.ts';
import type { ActivatedField } from './gaussian-field.ts';
import { isAnisotropic } from './gaussian-field.ts';
import type { SplatScene } from './splat-scene.ts';

/** The part of a scene that the head's pose gives; rotations for an anisotropic field only. */
export type GaussianPlacement = Pick<SplatScene, 'means' | 'rotations'>;

/** What of a binding the placement needs. */
export type PlacementBinding = Pick<GaussianBinding, 'corners' | 'barycentrics' | 'alongU'>;

/**
 * Places a field's Gaussians on posed vertices (`V 3`).
 * @param into a placement of the same field to write to, instead of a new one
 */
export function placeGaussians(
  binding: PlacementBinding,
  field: Pick<ActivatedField, 'opacities' | 'scales'>,
  vertices: Float32Array,
  into?: GaussianPlacement,
): GaussianPlacement {
  const means = poseGaussians(binding, vertices, into?.means);
  if (!isAnisotropic(field)) return { means };
  return { means, rotations: poseRotations(binding, vertices, into?.rotations) };
}

/** Quaternions `N 4`: the world from the axes of each Gaussian's triangle; identity where it has no area. */
function poseRotations(
  { corners, alongU }: PlacementBinding,
  vertices: Float32Array,
  into: Float32Array = new Float32Array((corners.length / 3) * 4),
): Float32Array {
  const at = (vertex: number, axis: number): number => vertices[vertex * 3 + axis]!;
  for (let i = 0; i < corners.length / 3; i++) {
    const [a, b, c] = [corners[3 * i]!, corners[3 * i + 1]!, corners[3 * i + 2]!];
    const [wa, wb, wc] = [alongU[3 * i]!, alongU[3 * i + 1]!, alongU[3 * i + 2]!];
    const tx = wa * at(a, 0) + wb * at(b, 0) + wc * at(c, 0);
    const ty = wa * at(a, 1) + wb * at(b, 1) + wc * at(c, 1);
    const tz = wa * at(a, 2) + wb * at(b, 2) + wc * at(c, 2);
    const [bx, by, bz] = [at(b, 0) - at(a, 0), at(b, 1) - at(a, 1), at(b, 2) - at(a, 2)];
    const [cx, cy, cz] = [at(c, 0) - at(a, 0), at(c, 1) - at(a, 1), at(c, 2) - at(a, 2)];
    const [nx, ny, nz] = [by * cz - bz * cy, bz * cx - bx * cz, bx * cy - by * cx];
    const tangent = Math.sqrt(tx * tx + ty * ty + tz * tz);
    const normal = Math.sqrt(nx * nx + ny * ny + nz * nz);
    if (!(tangent > 0 && normal > 0)) {
      into.set([1, 0, 0, 0], 4 * i);
      continue;
    }
    writeQuaternion(
      into,
      4 * i,
      tx / tangent,
      ty / tangent,
      tz / tangent,
      nx / normal,
      ny / normal,
      nz / normal,
    );
  }
  return into;
}

/** The unit quaternion of the axes tangent (x), normal cross tangent (y), normal (z), by its largest component. */
function writeQuaternion(
  into: Float32Array,
  at: number,
  tx: number,
  ty: number,
  tz: number,
  nx: number,
  ny: number,
  nz: number,
): void {
  const [yx, yy, yz] = [ny * tz - nz * ty, nz * tx - nx * tz, nx * ty - ny * tx];
  // The components times the largest one times 4: the one itself squared, else sums and differences of entries.
  const [ww, xx] = [1 + tx + yy + nz, 1 + tx - yy - nz];
  const [vv, zz] = [1 - tx + yy - nz, 1 - tx - yy + nz];
  const [wx, wy, wz] = [yz - ny, nx - tz, ty - yx];
  const [xy, xz, yz2] = [yx + ty, nx + tz, ny + yz];
  const largest = Math.max(ww, xx, vv, zz);
  const scale = 0.5 / Math.sqrt(largest);
  const isW = largest === ww;
  const isX = largest === xx;
  const isY = largest === vv;
  into[at] = scale * (isW ? ww : isX ? wx : isY ? wy : wz);
  into[at + 1] = scale * (isW ? wx : isX ? xx : isY ? xy : xz);
  into[at + 2] = scale * (isW ? wy : isX ? xy : isY ? vv : yz2);
  into[at + 3] = scale * (isW ? wz : isX ? xz : isY ? yz2 : zz);
}
