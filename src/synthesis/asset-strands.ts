// Which way the strands of a hair asset run: the orientation of the strokes in its texture (the structure
// tensor about each vertex), carried to the surface by the texture's own axes there.

import type { AssetMesh } from './asset-mesh.ts';
import type { TexturePicture } from './asset-skin.ts';

const REACH_PX = 7;

/** The orientation of a texture's strokes about each vertex of a mesh (`N`), radians from its u axis to v. */
export function strokeAngles({ uvs }: AssetMesh, texture: TexturePicture): Float32Array {
  return Float32Array.from({ length: uvs.length / 2 }, (_, n) =>
    strokeAngle(texture, uvs[2 * n]!, uvs[2 * n + 1]!),
  );
}

/** Unit directions along the strands (`N 3`) of an asset placed at `vertices`; the sign means nothing. */
export function strandDirections(
  { triangles, uvs }: AssetMesh,
  vertices: Float32Array,
  strokes: Float32Array,
  { width, height }: TexturePicture,
): Float32Array {
  const count = vertices.length / 3;
  const [alongU, alongV] = [new Float32Array(3 * count), new Float32Array(3 * count)];
  for (let t = 0; t < triangles.length; t += 3) {
    const [a, b, c] = [triangles[t]!, triangles[t + 1]!, triangles[t + 2]!];
    const [u1, v1] = [uvs[2 * b]! - uvs[2 * a]!, uvs[2 * b + 1]! - uvs[2 * a + 1]!];
    const [u2, v2] = [uvs[2 * c]! - uvs[2 * a]!, uvs[2 * c + 1]! - uvs[2 * a + 1]!];
    const area = u1 * v2 - u2 * v1;
    if (Math.abs(area) < 1e-12) continue;
    for (let k = 0; k < 3; k++) {
      const e1 = vertices[3 * b + k]! - vertices[3 * a + k]!;
      const e2 = vertices[3 * c + k]! - vertices[3 * a + k]!;
      for (const v of [a, b, c]) {
        alongU[3 * v + k]! += (e1 * v2 - e2 * v1) / area;
        alongV[3 * v + k]! += (e2 * u1 - e1 * u2) / area;
      }
    }
  }
  const out = new Float32Array(3 * count);
  for (let n = 0; n < count; n++) {
    const [du, dv] = [Math.cos(strokes[n]!) / width, Math.sin(strokes[n]!) / height];
    const direction = [0, 1, 2].map((k) => du * alongU[3 * n + k]! + dv * alongV[3 * n + k]!);
    const length = Math.hypot(...direction) || 1;
    for (let k = 0; k < 3; k++) out[3 * n + k] = direction[k]! / length;
  }
  return out;
}

/** Angle of the strokes about (u, v) in the texture, from its u axis towards its v axis. */
function strokeAngle({ width, height, data }: TexturePicture, u: number, v: number): number {
  const [cx, cy] = [Math.floor(u * width), Math.floor(v * height)];
  let [xx, xy, yy] = [0, 0, 0];
  const grey = (x: number, y: number): number => {
    const at = 4 * (y * width + x);
    return ((data[at]! + 2 * data[at + 1]! + data[at + 2]!) * data[at + 3]!) / 1020;
  };
  for (let y = Math.max(1, cy - REACH_PX); y <= Math.min(height - 2, cy + REACH_PX); y++) {
    for (let x = Math.max(1, cx - REACH_PX); x <= Math.min(width - 2, cx + REACH_PX); x++) {
      const gx = grey(x + 1, y) - grey(x - 1, y);
      const gy = grey(x, y + 1) - grey(x, y - 1);
      xx += gx * gx;
      xy += gx * gy;
      yy += gy * gy;
    }
  }
  // The gradient's main axis lies across the strokes.
  return 0.5 * Math.atan2(2 * xy, xx - yy) + Math.PI / 2;
}
