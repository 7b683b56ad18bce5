// The plain statement of the openness kernel: pairs of depths on opposite sides of a pixel tell hollows from slopes.

import type { OpennessInput } from '../kernels/index.ts';

/** How open each pixel is to ambient light, 0 to 1 (`H W`). */
export function referenceOpenness(input: OpennessInput): Float32Array {
  const { width, height, depths, oneSurfaceMetres } = input;
  const openness = new Float32Array(width * height).fill(1);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = y * width + x;
      const depth = depths[at]!;
      if (depth === Infinity) continue;
      const first = (y & ~1) * width + (x & ~1);
      openness[at] =
        first !== at && Math.abs(depths[first]! - depth) < oneSurfaceMetres
          ? openness[first]!
          : opennessAt(input, x, y);
    }
  }
  return openness;
}

function opennessAt(input: OpennessInput, x: number, y: number): number {
  const { width, depths, focalPx, rings, rays } = input;
  const depth = depths[y * width + x]!;
  let occlusion = 0;
  for (let ring = 0; ring < rings.length; ring += 2) {
    const [radius, strength] = [rings[ring]!, rings[ring + 1]!];
    const reach = (radius * focalPx) / depth;
    for (const [alongX, alongY] of rays) {
      const dx = Math.round(alongX * reach);
      const dy = Math.round(alongY * reach);
      const both =
        hollow(input, x + dx, y + dy, depth, radius) + hollow(input, x - dx, y - dy, depth, radius);
      occlusion += strength * Math.max(0, both);
    }
  }
  return Math.exp(-occlusion);
}

/** How far a neighbour stands before a pixel, in radii, -1 to 1; far before it counts little. */
function hollow(
  { width, height, depths }: OpennessInput,
  x: number,
  y: number,
  depth: number,
  radius: number,
): number {
  if (x < 0 || y < 0 || x >= width || y >= height) return 0;
  const before = (depth - depths[y * width + x]!) / radius;
  return before > 3 ? 0.5 : Math.max(-1, Math.min(1, before));
}
