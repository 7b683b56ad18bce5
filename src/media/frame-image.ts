// A decoded frame as a picture: planes to RGB, then upright and with square pixels.

import type { VideoSample } from 'mediabunny';
import { orientImage } from './compose.ts';
import { type HdrTransfer, imageFromHdrYuv } from './hdr.ts';
import type { RgbImage } from './image.ts';
import { resizeImage } from './resize.ts';
import { guessYuvColour, imageFromYuv, type YuvColour, type YuvLayout, type YuvPlane } from './yuv.ts';

/** Where a plane lies, as WebCodecs says it. */
type PlaneLocation = { readonly offset: number; readonly stride: number };

/** The published types lag behind WebCodecs and lack `format`. */
type CopyOptions = NonNullable<Parameters<VideoSample['copyTo']>[1]>;

/** Frames share one scratch buffer per reader: decoded planes are only needed until they are RGB. */
export type FrameConverter = (sample: VideoSample) => Promise<RgbImage>;

/** Makes a converter for the frames of one clip; the frames stay open and the results are new pictures. */
export function createFrameConverter(): FrameConverter {
  let scratch = new Uint8Array(0);
  return async (sample) => {
    const { width, height } = sample.visibleRect;
    const isKnown = sample.format !== null && (isPlanar(sample.format) || isPacked(sample.format));
    const copyOptions: CopyOptions = isKnown ? {} : ({ format: 'RGBA' } as CopyOptions);
    const size = sample.allocationSize(copyOptions);
    if (scratch.length < size) scratch = new Uint8Array(size);
    const planes = await sample.copyTo(scratch, copyOptions);
    const format = isKnown ? sample.format! : 'RGBA';
    const upright = orientImage(
      isPlanar(format)
        ? imageFromPlanes(scratch, sample, format, planes)
        : imageFromPacked(scratch, width, height, planes[0]!, format.startsWith('BGR')),
      { clockwiseDegrees: sample.rotation, mirrored: sample.flip },
    );
    return resizeImage(upright, Math.round(sample.displayWidth), Math.round(sample.displayHeight));
  };
}

const CHROMA_SHIFTS: Readonly<Record<string, readonly [0 | 1, 0 | 1]>> = {
  I420: [1, 1],
  I420A: [1, 1],
  NV12: [1, 1],
  I422: [1, 0],
  I422A: [1, 0],
  I444: [0, 0],
  I444A: [0, 0],
};

/** `I420P10` is I420 with 10 bits a sample, in two bytes each. */
const DEEP_FORMAT = /^(I4[0-9]{2}A?)P(10|12)$/;

const isPlanar = (format: string): boolean => format.replace(DEEP_FORMAT, '$1') in CHROMA_SHIFTS;
const isPacked = (format: string): boolean => ['RGBA', 'RGBX', 'BGRA', 'BGRX'].includes(format);

/** Converts by the stream's own tags: HDR is brought to SDR, deep SDR samples are rounded to 8 bits. */
function imageFromPlanes(
  buffer: Uint8Array,
  sample: VideoSample,
  format: string,
  planes: readonly PlaneLocation[],
): RgbImage {
  const { width, height } = sample.visibleRect;
  const [, base = format, depth = '8'] = DEEP_FORMAT.exec(format) ?? [];
  const bitDepth = Number(depth);
  const layout = yuvLayout(base, planes, bitDepth > 8 ? 2 : 1);
  const colour = yuvColour(sample);
  const transfer = HDR_TRANSFERS[String(sample.colorSpace.transfer)];
  if (transfer !== undefined) {
    const isWideGamut = String(sample.colorSpace.primaries) === 'bt2020';
    return imageFromHdrYuv(buffer, { width, height, layout, colour, bitDepth, transfer, isWideGamut });
  }
  if (bitDepth > 8) roundToBytes(buffer, bitDepth);
  return imageFromYuv(buffer, { width, height, layout, colour });
}

/** WebCodecs' names. */
const HDR_TRANSFERS: Readonly<Record<string, HdrTransfer>> = { pq: 'pq', hlg: 'hlg' };

/** Rounds every pair of bytes to its upper 8 bits, in place: the first of the pair is then the sample. */
function roundToBytes(buffer: Uint8Array, bitDepth: number): void {
  const shift = bitDepth - 8;
  const half = 1 << (shift - 1);
  for (let at = 0; at + 1 < buffer.length; at += 2) {
    buffer[at] = Math.min(255, ((buffer[at]! | (buffer[at + 1]! << 8)) + half) >> shift);
  }
}

function yuvLayout(format: string, planes: readonly PlaneLocation[], sampleBytes: 1 | 2): YuvLayout {
  const [chromaShiftX, chromaShiftY] = CHROMA_SHIFTS[format]!;
  const plane = (index: number, shift = 0, step: number = sampleBytes): YuvPlane => ({
    offset: planes[index]!.offset + shift,
    stride: planes[index]!.stride,
    step,
  });
  const [u, v] = format === 'NV12' ? [plane(1, 0, 2), plane(1, 1, 2)] : [plane(1), plane(2)];
  return { y: plane(0), u, v, chromaShiftX, chromaShiftY };
}

function yuvColour(sample: VideoSample): YuvColour {
  const guess = guessYuvColour(sample.visibleRect.width, sample.visibleRect.height);
  const { matrix, fullRange } = sample.colorSpace;
  const isFullRange = fullRange ?? false;
  return { matrix: MATRICES[String(matrix)] ?? guess.matrix, isFullRange };
}

/** WebCodecs' names. */
const MATRICES: Readonly<Record<string, YuvColour['matrix']>> = {
  bt709: 'bt709',
  bt470bg: 'bt601',
  smpte170m: 'bt601',
  'bt2020-ncl': 'bt2020',
};

function imageFromPacked(
  buffer: Uint8Array,
  width: number,
  height: number,
  { offset, stride }: PlaneLocation,
  isBlueFirst: boolean,
): RgbImage {
  const data = new Uint8Array(width * height * 3);
  const [red, blue] = isBlueFirst ? [2, 0] : [0, 2];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = offset + y * stride + x * 4;
      const to = (y * width + x) * 3;
      data[to] = buffer[from + red]!;
      data[to + 1] = buffer[from + 1]!;
      data[to + 2] = buffer[from + blue]!;
    }
  }
  return { width, height, data };
}
