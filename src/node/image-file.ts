// Still pictures on disk, through sharp: whatever a camera, scanner or editor wrote comes in as upright
// 8-bit sRGB.

import { extname } from 'node:path';
import sharp, { type Metadata } from 'sharp';
import { BadInputError } from '../errors/index.ts';
import type { RgbColour, RgbImage } from '../media/index.ts';
import { expectInputFile } from './input-file.ts';
import { writeFileAtomic } from './temporary-files.ts';

/** A picture from a file, with what was done to it on the way. */
export type ImageFile = {
  readonly image: RgbImage;
  /** One line for each change that the user may not expect, e.g. transparency laid on grey. */
  readonly notes: readonly string[];
};

/** What shows through where a portrait is transparent. */
const NEUTRAL_BACKGROUND: RgbColour = [128, 128, 128];

/** Larger pictures are refused before they fill the memory: 200 megapixels are 600 MB of RGB. */
const MAX_PIXELS = 200e6;

/**
 * Reads a picture (JPEG, PNG, WebP, AVIF, TIFF, GIF, SVG): turned upright by its EXIF rotation, CMYK, grey,
 * 16-bit and wide colour brought to sRGB, transparency laid on grey.
 * @throws MissingResourceError if there is no such file; BadInputError if it is no picture.
 */
export async function readImage(path: string): Promise<ImageFile> {
  await expectInputFile(path, 'a picture');
  try {
    const reader = sharp(path, { limitInputPixels: MAX_PIXELS });
    const metadata = await reader.metadata();
    const { data, info } = await reader
      .rotate()
      .flatten({ background: `rgb(${NEUTRAL_BACKGROUND.join(',')})` })
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    const image = rgbFromRaw(data, info);
    return { image, notes: notesOf(path, metadata) };
  } catch (cause) {
    throw new BadInputError({
      code: 'not-an-image',
      message: `Expected a picture, but ${path} cannot be read: ${firstLine(cause)}.`,
      hint: 'Give a JPEG, PNG, WebP, AVIF or TIFF file; if it should be one, get it again.',
      cause,
    });
  }
}

/**
 * Writes a picture; the ending of the name decides the format (.png, .jpg, .jpeg, .webp).
 * @throws BadInputError for another ending, or if the folder cannot be written to.
 */
export async function writeImage(
  path: string,
  image: RgbImage,
  { quality = 92 }: { readonly quality?: number } = {},
): Promise<void> {
  const raw = sharp(image.data, { raw: { width: image.width, height: image.height, channels: 3 } });
  const ending = extname(path).toLowerCase();
  if (ending === '.png') await writeFileAtomic(path, await raw.png().toBuffer());
  else if (ending === '.webp') await writeFileAtomic(path, await raw.webp({ quality }).toBuffer());
  else if (ending === '.jpg' || ending === '.jpeg') {
    await writeFileAtomic(path, await raw.jpeg({ quality, chromaSubsampling: '4:4:4' }).toBuffer());
  } else {
    throw new BadInputError({
      code: 'image-ending',
      message: `Expected an image name that ends in .png, .jpg or .webp, got ${path}.`,
      hint: 'Change the ending.',
    });
  }
}

/** A picture as JPEG, for pages that hold their pictures. */
export async function jpegBytes({ width, height, data }: RgbImage, quality = 85): Promise<Uint8Array> {
  return sharp(data, { raw: { width, height, channels: 3 } })
    .jpeg({ quality })
    .toBuffer();
}

type RawInfo = { readonly width: number; readonly height: number; readonly channels: number };

function rgbFromRaw(data: Buffer, { width, height, channels }: RawInfo): RgbImage {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (channels === 3) return { width, height, data: bytes };
  // Grey pictures keep one channel even in sRGB.
  const rgb = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) rgb.fill(bytes[i * channels]!, i * 3, i * 3 + 3);
  return { width, height, data: rgb };
}

function notesOf(path: string, { hasAlpha, space, pages }: Metadata): string[] {
  const notes: string[] = [];
  if (hasAlpha) notes.push(`${path} has transparency: laid on neutral grey.`);
  if (space === 'cmyk') notes.push(`${path} is CMYK: converted to sRGB.`);
  if ((pages ?? 1) > 1) notes.push(`${path} has ${pages} pages: the first is used.`);
  return notes;
}

function firstLine(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  return (text.split('\n')[0] ?? text).trim().replace(/\.$/, '');
}
