// How a dataset holds its pictures, through sharp. Frames are stills, not films: one frame is read by one seek and
// decoded alone (3 ms at 512 x 512), and no picture depends on its neighbours' errors. What the project renders or
// cuts itself becomes JPEG without colour subsampling; maps are PNG; pictures that need no change stay as they are.

import sharp, { type OutputInfo, type Sharp } from 'sharp';
import {
  depthPicture,
  type EncodedPicture,
  type MapName,
  normalPicture,
  type PictureDecoders,
  type PictureEnding,
} from '../dataset/index.ts';
import { BadInputError } from '../errors/index.ts';
import type { RgbImage } from '../media/index.ts';

/** See docs/datasets.md for what it costs. */
const JPEG_QUALITY = 95;

/** A picture as a dataset stores those that it makes. */
export async function encodeFrame({ width, height, data }: RgbImage): Promise<EncodedPicture> {
  const bytes = await sharp(data, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: JPEG_QUALITY, chromaSubsampling: '4:4:4' })
    .toBuffer();
  return { bytes: new Uint8Array(bytes), ending: 'jpg' };
}

/** A mask, `H W`, 0 to 255. */
export async function encodeMask(mask: Uint8Array, width: number, height: number): Promise<Uint8Array> {
  const raw = { raw: { width, height, channels: 1 as const } };
  return new Uint8Array(await sharp(mask, raw).toColourspace('b-w').png().toBuffer());
}

/** A map of normals, `H W 3`, unit vectors or 0. */
export async function encodeNormals(
  normals: Float32Array,
  width: number,
  height: number,
): Promise<Uint8Array> {
  const raw = { raw: { width, height, channels: 3 as const } };
  return new Uint8Array(await sharp(normalPicture(normals), raw).png().toBuffer());
}

/** A map of depths, `H W`, metres. */
export async function encodeDepth(depths: Float32Array, width: number, height: number): Promise<Uint8Array> {
  const raw = { raw: { width, height, channels: 1 as const } };
  return new Uint8Array(await sharp(depthPicture(depths), raw).toColourspace('grey16').png().toBuffer());
}

/** Decodes a stored frame. @throws BadInputError `not-an-image`. */
export async function decodeFrame(bytes: Uint8Array): Promise<RgbImage> {
  const { data, info } = await decoded(sharp(bytes).toColourspace('srgb').removeAlpha());
  if (info.channels === 3) return { width: info.width, height: info.height, data };
  const rgb = Uint8Array.from({ length: 3 * data.length }, (_, i) => data[Math.floor(i / 3)]!);
  return { width: info.width, height: info.height, data: rgb };
}

/** Decodes a stored mask, `H W`. @throws BadInputError `not-an-image`. */
export async function decodeMask(bytes: Uint8Array): Promise<Uint8Array> {
  return (await decoded(sharp(bytes).extractChannel(0))).data;
}

/** Decodes a stored map of depths into its 16-bit numbers, `H W`. @throws BadInputError `not-an-image`. */
export async function decodeDepth(bytes: Uint8Array): Promise<Uint16Array> {
  const { data } = await decoded(sharp(bytes).toColourspace('grey16').extractChannel(0), 'ushort');
  return new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2);
}

/** What reading a dataset's samples takes. */
export const pictureDecoders: PictureDecoders = { frame: decodeFrame, mask: decodeMask, depth: decodeDepth };

/** A stored map for people to look at: depths from near (light) to far. @throws BadInputError `not-an-image`. */
export async function mapImage(name: MapName, bytes: Uint8Array): Promise<RgbImage> {
  const image = await decodeFrame(bytes);
  if (name !== 'depth') return image;
  const depths = await decodeDepth(bytes);
  const seen = depths.filter((depth) => depth > 0).sort();
  const [near, far] = [seen[0] ?? 0, seen.at(-1) ?? 1];
  const grey = (depth: number): number =>
    depth === 0 ? 0 : 255 - (215 * (depth - near)) / Math.max(1, far - near);
  return { ...image, data: Uint8Array.from(image.data, (_, i) => grey(depths[Math.floor(i / 3)]!)) };
}

type Raw = { readonly data: Uint8Array; readonly info: OutputInfo };

async function decoded(picture: Sharp, depth: 'uchar' | 'ushort' = 'uchar'): Promise<Raw> {
  try {
    const { data, info } = await picture.raw({ depth }).toBuffer({ resolveWithObject: true });
    return { data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength), info };
  } catch (cause) {
    throw new BadInputError({
      code: 'not-an-image',
      message: `Expected a picture in the dataset, but it cannot be read: ${(cause as Error).message.split('\n')[0]}.`,
      hint: 'Run dataset verify, and write the shard again.',
      cause,
    });
  }
}

/**
 * The bytes of a picture file where they can stay as they are: upright 8-bit RGB in a format of the dataset; else
 * null.
 */
export async function storableBytes(bytes: Uint8Array): Promise<EncodedPicture | null> {
  const { format, channels, depth, space, orientation, pages, hasProfile } = await sharp(bytes).metadata();
  const ending = ({ jpeg: 'jpg', png: 'png', webp: 'webp' } as Partial<Record<string, PictureEnding>>)[
    format ?? ''
  ];
  const isPlain =
    channels === 3 && depth === 'uchar' && space === 'srgb' && (pages ?? 1) === 1 && !hasProfile;
  return ending !== undefined && isPlain && (orientation ?? 1) === 1 ? { bytes, ending } : null;
}
