// The head's own texture layout, texel by texel.

import type { HeadModel } from '../head/index.ts';

/** Texels around a chart that take its border's colour, so that no look-up meets an empty one. */
const GUTTER_PX = 4;

/**
 * Visits every texel of the layout at `sizePx` squared with the triangle that covers it and its corners' weights;
 * texels just beside a chart come with the triangle at its border, and weights beyond 0 and 1.
 */
export function forEachTexel(
  { uvs, uvTriangles }: HeadModel,
  sizePx: number,
  visit: (texel: number, triangle: number, wa: number, wb: number, wc: number) => void,
): void {
  const owner = new Int32Array(sizePx * sizePx).fill(-1);
  const corner = (index: number, k: number): number => uvs[2 * uvTriangles[index]! + k]! * sizePx;
  for (let margin = 0; margin <= GUTTER_PX; margin += GUTTER_PX) {
    for (let t = 0; t < uvTriangles.length; t += 3) {
      const [ax, ay] = [corner(t, 0), corner(t, 1)];
      const [bx, by] = [corner(t + 1, 0), corner(t + 1, 1)];
      const [cx, cy] = [corner(t + 2, 0), corner(t + 2, 1)];
      const area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);
      if (area === 0) continue;
      const slack = margin === 0 ? 1e-4 : margin / Math.sqrt(Math.abs(area));
      const [left, right] = [
        Math.floor(Math.min(ax, bx, cx)) - margin,
        Math.ceil(Math.max(ax, bx, cx)) + margin,
      ];
      const [top, bottom] = [
        Math.floor(Math.min(ay, by, cy)) - margin,
        Math.ceil(Math.max(ay, by, cy)) + margin,
      ];
      for (let y = Math.max(0, top); y <= Math.min(sizePx - 1, bottom); y++) {
        for (let x = Math.max(0, left); x <= Math.min(sizePx - 1, right); x++) {
          const texel = y * sizePx + x;
          if (owner[texel]! >= 0) continue;
          const [px, py] = [x + 0.5, y + 0.5];
          const wb = ((px - ax) * (cy - ay) - (py - ay) * (cx - ax)) / area;
          const wc = ((bx - ax) * (py - ay) - (by - ay) * (px - ax)) / area;
          const wa = 1 - wb - wc;
          if (wa < -slack || wb < -slack || wc < -slack) continue;
          owner[texel] = t / 3;
          visit(texel, t / 3, wa, wb, wc);
        }
      }
    }
  }
}
