// High dynamic range to the 8-bit sRGB that everything here sees: PQ or HLG light, relative to reference
// white, gamut brought from BT.2020 to BT.709, highlights rolled off, encoded as sRGB.
// Source: ITU-R BT.2100-2 tables 4 and 5 (PQ, HLG), BT.2408-7 (reference white, 203 cd/m2), BT.2087-0
// (gamut), IEC 61966-2-1 (sRGB).

import type { RgbImage } from './image.ts';
import { LUMA, type YuvColour, type YuvLayout } from './yuv.ts';

/** How an HDR stream codes light. */
export type HdrTransfer = 'pq' | 'hlg';

/** A planar frame whose samples are 8 bits in bytes, or up to 16 bits in little-endian pairs of bytes. */
export type HdrFrame = {
  readonly width: number;
  readonly height: number;
  readonly layout: YuvLayout;
  readonly colour: YuvColour;
  /** Bits of a sample: 8, 10 or 12. */
  readonly bitDepth: number;
  readonly transfer: HdrTransfer;
  /** Whether colours are mixed from BT.2020's wide primaries rather than BT.709's. */
  readonly isWideGamut: boolean;
};

/** cd/m2 of what shows as white on an SDR screen. */
const REFERENCE_WHITE = 203;
const PQ_PEAK = 10_000;
/** The display that HLG is rendered for. */
const HLG_PEAK = 1000;
const HLG_SYSTEM_GAMMA = 1.2;
/** Light up to this share of white stays as it is; above, it nears white ever more slowly. */
const KNEE = 0.6;
const STEPS = 4096;

/** Converts an HDR frame to sRGB. */
export function imageFromHdrYuv(buffer: Uint8Array, frame: HdrFrame): RgbImage {
  const { width, height, layout, colour, bitDepth, transfer, isWideGamut } = frame;
  const [kr, kb] = LUMA[colour.matrix];
  const kg = 1 - kr - kb;
  const unit = 2 ** (bitDepth - 8);
  const [lumaZero, lumaRange] = colour.isFullRange ? [0, 256 * unit - 1] : [16 * unit, 219 * unit];
  const chromaRange = colour.isFullRange ? 256 * unit - 1 : 224 * unit;
  const bytes = bitDepth > 8 ? 2 : 1;
  const read = (at: number): number => (bytes === 1 ? buffer[at]! : buffer[at]! | (buffer[at + 1]! << 8));
  const { y, u, v, chromaShiftX, chromaShiftY } = layout;
  const light = transfer === 'pq' ? PQ_LIGHT : HLG_SCENE;
  const data = new Uint8Array(width * height * 3);
  let target = 0;
  for (let row = 0; row < height; row++) {
    const chromaRow = row >> chromaShiftY;
    for (let x = 0; x < width; x++) {
      const column = x >> chromaShiftX;
      const luma = (read(y.offset + row * y.stride + x * y.step) - lumaZero) / lumaRange;
      const blueness = (read(u.offset + chromaRow * u.stride + column * u.step) - 128 * unit) / chromaRange;
      const redness = (read(v.offset + chromaRow * v.stride + column * v.step) - 128 * unit) / chromaRange;
      let red = light[step(luma + 2 * (1 - kr) * redness)]!;
      let blue = light[step(luma + 2 * (1 - kb) * blueness)]!;
      let green = light[step(luma - (2 * (1 - kb) * kb * blueness + 2 * (1 - kr) * kr * redness) / kg)]!;
      if (transfer === 'hlg') {
        const scene = 0.2627 * red + 0.678 * green + 0.0593 * blue;
        const display = HLG_GAIN[step(scene)]!;
        red *= display;
        green *= display;
        blue *= display;
      }
      if (isWideGamut) {
        const [r, g, b] = [red, green, blue];
        red = 1.6605 * r - 0.5876 * g - 0.0728 * b;
        green = -0.1246 * r + 1.1329 * g - 0.0083 * b;
        blue = -0.0182 * r - 0.1006 * g + 1.1187 * b;
      }
      // The strongest colour decides, so that highlights keep their hue.
      const strongest = Math.max(red, green, blue);
      const scale = strongest > KNEE ? rollOff(strongest) / strongest : 1;
      data[target++] = SRGB_BYTE[step(red * scale)]!;
      data[target++] = SRGB_BYTE[step(green * scale)]!;
      data[target++] = SRGB_BYTE[step(blue * scale)]!;
    }
  }
  return { width, height, data };
}

/** The place of a value in a table over [0, 1]. */
function step(value: number): number {
  return value <= 0 ? 0 : value >= 1 ? STEPS - 1 : (value * (STEPS - 1) + 0.5) | 0;
}

/** Continuous with its slope at the knee, and 1 at infinity. */
function rollOff(light: number): number {
  return KNEE + (1 - KNEE) * (1 - Math.exp((KNEE - light) / (1 - KNEE)));
}

function table(of: (value: number) => number): Float32Array {
  return Float32Array.from({ length: STEPS }, (_, i) => of(i / (STEPS - 1)));
}

/** PQ signal to light over reference white: BT.2100 table 4. */
const PQ_LIGHT = table((signal) => {
  const [m1, m2, c1, c2, c3] = [2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128];
  const power = signal ** (1 / m2);
  return (PQ_PEAK * (Math.max(0, power - c1) / (c2 - c3 * power)) ** (1 / m1)) / REFERENCE_WHITE;
});

/** HLG signal to the scene's light in [0, 1]: BT.2100 table 5, inverse OETF. */
const HLG_SCENE = table((signal) => {
  const [a, b, c] = [0.17883277, 0.28466892, 0.55991073];
  return signal <= 0.5 ? signal ** 2 / 3 : (Math.exp((signal - c) / a) + b) / 12;
});

/** By the scene's luminance, what makes it the display's light over reference white: the OOTF. */
const HLG_GAIN = table((scene) => (HLG_PEAK * scene ** (HLG_SYSTEM_GAMMA - 1)) / REFERENCE_WHITE);

const SRGB_BYTE = Uint8Array.from({ length: STEPS }, (_, i) => {
  const light = i / (STEPS - 1);
  return Math.round(255 * (light <= 0.0031308 ? 12.92 * light : 1.055 * light ** (1 / 2.4) - 0.055));
});
