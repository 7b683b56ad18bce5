// A small square picture in linear light to paint backgrounds on: rectangles, discs, and a blur as of a lens
// that looks at something nearer.

import type { Colour } from './colour.ts';

/** A square picture; places and lengths are shares of its side, y down. */
export class Canvas {
  readonly sizePx: number;
  /** `S S 3`. */
  readonly data: Float32Array;

  constructor(sizePx: number) {
    this.sizePx = sizePx;
    this.data = new Float32Array(sizePx * sizePx * 3);
  }

  /** Colours every place. */
  fill(colourAt: (x: number, y: number) => Colour): void {
    for (let i = 0; i < this.sizePx ** 2; i++) {
      const x = i % this.sizePx;
      this.data.set(colourAt((x + 0.5) / this.sizePx, ((i - x) / this.sizePx + 0.5) / this.sizePx), 3 * i);
    }
  }

  /** An upright rectangle. */
  rectangle(left: number, top: number, width: number, height: number, colour: Colour, cover = 1): void {
    this.#cover(left, top, left + width, top + height, colour, () => cover);
  }

  /** A disc or an upright ellipse, soft over its last tenth. */
  disc(x: number, y: number, radius: number, colour: Colour, cover = 1, tall = 1): void {
    this.#cover(x - radius, y - radius * tall, x + radius, y + radius * tall, colour, (px, py) => {
      const distance = Math.hypot((px - x) / radius, (py - y) / (radius * tall));
      return cover * Math.min(1, Math.max(0, (1 - distance) * 10));
    });
  }

  /** Blurs three times by a box: nearly a Gaussian of that standard deviation. */
  blur(sigma: number): void {
    const half = Math.round(sigma * this.sizePx);
    if (half < 1) return;
    const { sizePx, data } = this;
    const line = new Float32Array(sizePx);
    const average = (start: number, stride: number): void => {
      for (let i = 0; i < sizePx; i++) line[i] = data[start + i * stride]!;
      const at = (i: number): number => line[Math.min(sizePx - 1, Math.max(0, i))]!;
      let sum = 0;
      for (let i = -half; i <= half; i++) sum += at(i);
      for (let i = 0; i < sizePx; i++) {
        data[start + i * stride] = sum / (2 * half + 1);
        sum += at(i + half + 1) - at(i - half);
      }
    };
    for (let pass = 0; pass < 3; pass++) {
      for (let k = 0; k < 3; k++) {
        for (let i = 0; i < sizePx; i++) average(3 * i * sizePx + k, 3);
        for (let i = 0; i < sizePx; i++) average(3 * i + k, 3 * sizePx);
      }
    }
  }

  /** The picture at another size (`H W 3`), bilinear. */
  resized(width: number, height: number): Float32Array {
    const { sizePx, data } = this;
    const out = new Float32Array(width * height * 3);
    for (let y = 0; y < height; y++) {
      const fy = Math.min(sizePx - 1.001, Math.max(0, ((y + 0.5) / height) * sizePx - 0.5));
      const top = Math.floor(fy);
      for (let x = 0; x < width; x++) {
        const fx = Math.min(sizePx - 1.001, Math.max(0, ((x + 0.5) / width) * sizePx - 0.5));
        const left = Math.floor(fx);
        const at = 3 * (top * sizePx + left);
        const below = at + 3 * sizePx;
        for (let k = 0; k < 3; k++) {
          const upper = data[at + k]! + (fx - left) * (data[at + 3 + k]! - data[at + k]!);
          const lower = data[below + k]! + (fx - left) * (data[below + 3 + k]! - data[below + k]!);
          out[3 * (y * width + x) + k] = upper + (fy - top) * (lower - upper);
        }
      }
    }
    return out;
  }

  #cover(
    left: number,
    top: number,
    right: number,
    bottom: number,
    colour: Colour,
    coverAt: (x: number, y: number) => number,
  ): void {
    const { sizePx, data } = this;
    const [y0, y1] = [Math.max(0, Math.round(top * sizePx)), Math.min(sizePx, Math.round(bottom * sizePx))];
    const [x0, x1] = [Math.max(0, Math.round(left * sizePx)), Math.min(sizePx, Math.round(right * sizePx))];
    for (let y = y0; y < y1; y++) {
      for (let x = x0; x < x1; x++) {
        const share = coverAt((x + 0.5) / sizePx, (y + 0.5) / sizePx);
        const at = 3 * (y * sizePx + x);
        for (let k = 0; k < 3; k++) data[at + k]! += share * (colour[k]! - data[at + k]!);
      }
    }
  }
}
