// What is done to the pictures of a sample, and to the cameras and heads that go with them: a window that jitters,
// changed colours, the mirror image.

import { type Camera, type CropWindow, cropCamera } from '../geometry/index.ts';
import type { HeadParameters } from '../head/index.ts';
import { type RgbImage, resampleMask, resampleWindow } from '../media/index.ts';
import type { Random } from '../tensor/index.ts';
import type { FrameMaps } from './frame-maps.ts';
import { type HeadMirror, mirrorCamera } from './head-mirror.ts';

/** How much is changed; all 0 changes nothing. */
export type Augmentation = {
  /** The window is smaller by up to this share of its side, and lies anywhere that leaves it inside. */
  readonly cropJitter: number;
  /** Brightness, contrast and tint change by up to this share. */
  readonly colour: number;
  /** Probability of the mirror image. */
  readonly flip: number;
};

/** Pictures as they are. */
export const NO_AUGMENTATION: Augmentation = { cropJitter: 0, colour: 0, flip: 0 };

/** value -> gain * value + offset, for each channel. */
export type ColourChange = { readonly gains: readonly number[]; readonly offsets: readonly number[] };

/** A picture of a sample with what is exact about it. */
export type SampleFrame = {
  /** `S S 3`, S the sample's side. */
  readonly image: RgbImage;
  /** `S S`, 0 to 255; null where the clip has none. */
  readonly headMask: Uint8Array | null;
  readonly personMask: Uint8Array | null;
  /** Those that were asked for and that the clip has, `S S`. */
  readonly maps: FrameMaps;
  readonly parameters: HeadParameters;
  readonly camera: Camera;
  readonly timestampSeconds: number;
};

/** A decoded frame as its clip has it. */
export type StoredFrame = SampleFrame;

/** Draws a colour change that all pictures of a sample share. */
export function drawColourChange(colour: number, random: Random): ColourChange {
  const contrast = 1 + colour * random.uniform(-1, 1);
  const brightness = colour * random.uniform(-1, 1);
  const tint = (): number => 1 + 0.4 * colour * random.uniform(-1, 1);
  const gains = [contrast * tint(), contrast * tint(), contrast * tint()];
  // Contrast turns about middle grey.
  return { gains, offsets: gains.map((gain) => 127.5 * (1 - gain) + 127.5 * brightness) };
}

/** The largest centred square of a picture. */
export function centredWindow({
  width,
  height,
}: {
  readonly width: number;
  readonly height: number;
}): CropWindow {
  const sizePx = Math.min(width, height);
  return { leftPx: (width - sizePx) / 2, topPx: (height - sizePx) / 2, sizePx };
}

/** Draws a square window within another one. */
export function drawWindow(within: CropWindow, cropJitter: number, random: Random): CropWindow {
  const sizePx = within.sizePx * (1 - cropJitter * random.uniform());
  const [right, down] = [random.uniform(), random.uniform()];
  return {
    leftPx: within.leftPx + right * (within.sizePx - sizePx),
    topPx: within.topPx + down * (within.sizePx - sizePx),
    sizePx,
  };
}

/** What is done to one frame. */
export type FrameChange = {
  readonly window: CropWindow;
  readonly sizePx: number;
  readonly colours: ColourChange | null;
  /** Null where the picture is not flipped. */
  readonly mirror: HeadMirror | null;
};

/** Cuts, recolours and mirrors a frame; camera and head follow. */
export function changeFrame(
  frame: StoredFrame,
  { window, sizePx, colours, mirror }: FrameChange,
): SampleFrame {
  const { leftPx, topPx, sizePx: side } = window;
  const region = { leftPx, topPx, widthPx: side, heightPx: side };
  const image = resampleWindow(frame.image, region, sizePx, sizePx);
  const data = recoloured(image.data === frame.image.data ? image.data.slice() : image.data, colours);
  const mask = (values: Uint8Array | null): Uint8Array | null => {
    if (values === null) return null;
    const own = resampleMask({ ...frame.image, data: values }, region, sizePx, sizePx);
    return mirror === null ? own : flipped(own, sizePx, 1);
  };
  const camera = cropCamera(frame.camera, window, sizePx);
  return {
    ...frame,
    image: { width: sizePx, height: sizePx, data: mirror === null ? data : flipped(data, sizePx, 3) },
    headMask: mask(frame.headMask),
    personMask: mask(frame.personMask),
    maps: changedMaps(frame, { window, sizePx, mirror }, (values) => mask(values)!),
    camera: mirror === null ? camera : mirrorCamera(camera),
    parameters: mirror === null ? frame.parameters : mirror.mirror(frame.parameters),
  };
}

/** Grey maps as masks are; normals and depths by the nearest pixel, so that nothing is mixed. */
function changedMaps(
  { maps, image }: StoredFrame,
  { window, sizePx, mirror }: Omit<FrameChange, 'colours'>,
  grey: (values: Uint8Array) => Uint8Array,
): FrameMaps {
  const nearest = (values: Float32Array, channels: number): Float32Array => {
    const cut = nearestWindow(values, { ...image, channels }, window, sizePx);
    return mirror === null ? cut : flipped(cut, sizePx, channels);
  };
  const { normals, depth, ...others } = maps;
  const changed: Record<string, Uint8Array | Float32Array> = {};
  for (const [name, values] of Object.entries(others)) changed[name] = grey(values);
  if (depth !== undefined) changed.depth = nearest(depth, 1);
  if (normals !== undefined) {
    const turned = nearest(normals, 3);
    if (mirror !== null) for (let at = 0; at < turned.length; at += 3) turned[at] = 0 - turned[at]!;
    changed.normals = turned;
  }
  return changed;
}

/** A window's pixels, `S S channels`; zero outside the picture. */
function nearestWindow(
  values: Float32Array,
  { width, height, channels }: { width: number; height: number; channels: number },
  { leftPx, topPx, sizePx: side }: CropWindow,
  sizePx: number,
): Float32Array {
  const cut = new Float32Array(sizePx * sizePx * channels);
  const scale = side / sizePx;
  for (let y = 0; y < sizePx; y++) {
    const row = Math.floor(topPx + (y + 0.5) * scale);
    for (let x = 0; x < sizePx; x++) {
      const column = Math.floor(leftPx + (x + 0.5) * scale);
      if (row < 0 || row >= height || column < 0 || column >= width) continue;
      const from = (row * width + column) * channels;
      cut.set(values.subarray(from, from + channels), (y * sizePx + x) * channels);
    }
  }
  return cut;
}

function recoloured(data: Uint8Array, colours: ColourChange | null): Uint8Array {
  if (colours === null) return data;
  const tables = [0, 1, 2].map((k) =>
    Uint8ClampedArray.from({ length: 256 }, (_, value) => colours.gains[k]! * value + colours.offsets[k]!),
  );
  for (let i = 0; i < data.length; i++) data[i] = tables[i % 3]![data[i]!]!;
  return data;
}

/** Every row backwards; `data` is `S S channels`. */
function flipped<T extends Uint8Array | Float32Array>(data: T, side: number, channels: number): T {
  const out = data.slice() as T;
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const [to, from] = [(y * side + x) * channels, (y * side + side - 1 - x) * channels];
      for (let k = 0; k < channels; k++) out[to + k] = data[from + k]!;
    }
  }
  return out;
}
