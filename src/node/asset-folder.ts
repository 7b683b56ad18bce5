// A folder in MakeHuman's layout as a library for synthetic subjects: hair, eyebrows, eyelashes, skins and
// eyes, one folder each with mhclo, obj, mhmat and pictures. The base mesh lies in `3dobjs` of the same folder, or
// beside it.

import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join, parse } from 'node:path';
import sharp from 'sharp';
import { BadInputError, MissingResourceError } from '../errors/index.ts';
import type { HeadModel } from '../head/index.ts';
import {
  type AssetLibrary,
  type AssetSource,
  buildAssetLibrary,
  parseMhclo,
  parseMhmat,
  type TexturePicture,
} from '../synthesis/index.ts';
import { readModel } from './model-files.ts';

const BASE_PLACES = [
  '3dobjs/base.obj',
  '../3dobjs/base.obj',
  '../base/makehuman/data/3dobjs/base.obj',
] as const;
/** Pictures may have been stored in another format than their material says. */
const PICTURE_ENDINGS = ['.webp', '.png', '.jpg', '.jpeg', '.tif', '.tiff'] as const;
/** Hair covers about 300 pixels of a 512-pixel rendering, brows and lashes a third of that. */
const HAIR_PX = 512;
const FACE_PX = 256;

/** Assets of a folder, and what of it was left out. */
export type AssetFolder = {
  readonly library: AssetLibrary;
  /** One line for each asset without its picture. */
  readonly notes: readonly string[];
};

/**
 * Reads a folder of assets and binds them to the head.
 * @throws MissingResourceError if there is no such folder, no base mesh or nothing to wear; BadInputError
 *   naming the file that is damaged.
 */
export async function readAssetFolder(folder: string, head: HeadModel): Promise<AssetFolder> {
  const kinds = await listFolder(folder);
  if (!kinds) {
    throw new MissingResourceError({
      code: 'no-assets',
      message: `Expected a folder of assets at ${folder}, but there is no such folder.`,
      hint: "Name a folder in MakeHuman's layout: hair, skins, eyebrows, eyelashes, eyes.",
    });
  }
  const notes: string[] = [];
  const [hair, brows, lashes] = [
    await readPieces(join(folder, 'hair'), HAIR_PX, notes),
    await readPieces(join(folder, 'eyebrows'), FACE_PX, notes),
    await readPieces(join(folder, 'eyelashes'), FACE_PX, notes),
  ];
  const allSkins = await readPictures(join(folder, 'skins'), notes);
  const [skins, bakedSkins] = [false, true].map((baked) =>
    allSkins.filter(({ isInHeadLayout }) => isInHeadLayout === baked),
  ) as [typeof allSkins, typeof allSkins];
  const eyes = await readPictures(join(folder, 'eyes'), notes);
  if (hair.length + brows.length + lashes.length + allSkins.length + eyes.length === 0) {
    throw new MissingResourceError({
      code: 'no-assets',
      message: `Expected assets in ${folder}, but it holds no hair, skins, eyebrows, eyelashes or eyes with pictures.`,
      hint: "Name a folder in MakeHuman's layout, such as its data folder.",
    });
  }
  const basePath = BASE_PLACES.map((place) => join(folder, place)).find((path) => existsSync(path));
  const needsBase = hair.length + brows.length + lashes.length + skins.length > 0;
  if (!basePath && needsBase) {
    throw new MissingResourceError({
      code: 'no-base-mesh',
      message: `Expected MakeHuman's base mesh for the assets of ${folder}, found no ${BASE_PLACES.join(', ')}.`,
      hint: "Put MakeHuman's base.obj into the folder's 3dobjs.",
    });
  }
  const library = buildAssetLibrary(head, {
    base: basePath ? { text: await readText(basePath), name: basePath } : null,
    table: await readModel('head', 'base-vertices.safetensors'),
    skins,
    bakedSkins,
    hair,
    brows,
    lashes,
    eyes,
  });
  return { library: share(library), notes };
}

async function readPieces(folder: string, mostPx: number, notes: string[]): Promise<AssetSource[]> {
  const pieces: AssetSource[] = [];
  for (const name of (await listFolder(folder)) ?? []) {
    const own = join(folder, name);
    const file = (await listFolder(own))?.find((entry) => entry.endsWith('.mhclo'));
    if (!file) continue;
    const path = join(own, file);
    const mhclo = await readText(path);
    const { objFile, material } = parseMhclo(mhclo, path);
    const texture = material ? await readTexture(own, material, mostPx) : null;
    if (!texture) notes.push(`${path} is left out: it has no picture.`);
    else pieces.push({ name: path, mhclo, obj: await readText(join(own, objFile)), texture });
  }
  return pieces;
}

/** The pictures of the materials in a folder's folders: skins, eyes. */
async function readPictures(
  folder: string,
  notes: string[],
): Promise<{ name: string; texture: TexturePicture; isInHeadLayout: boolean }[]> {
  const pictures: { name: string; texture: TexturePicture; isInHeadLayout: boolean }[] = [];
  for (const name of (await listFolder(folder)) ?? []) {
    const own = join(folder, name);
    for (const file of ((await listFolder(own)) ?? []).filter((entry) => entry.endsWith('.mhmat'))) {
      const texture = await readTexture(own, file, Number.POSITIVE_INFINITY);
      const { isInHeadLayout } = parseMhmat(await readText(join(own, file)), join(own, file));
      if (texture) pictures.push({ name: parse(file).name, texture, isInHeadLayout });
      else notes.push(`${join(own, file)} is left out: it has no picture.`);
    }
  }
  return pictures;
}

/** The picture that a material names, whatever its ending; null where there is none. */
async function readTexture(
  folder: string,
  materialFile: string,
  mostPx: number,
): Promise<TexturePicture | null> {
  const path = join(folder, materialFile);
  const { diffuseTexture } = parseMhmat(await readText(path), path);
  if (!diffuseTexture) return null;
  const stem = join(folder, diffuseTexture.slice(0, -extname(diffuseTexture).length || undefined));
  const picture = [join(folder, diffuseTexture), ...PICTURE_ENDINGS.map((ending) => stem + ending)].find(
    (candidate) => existsSync(candidate),
  );
  if (!picture) return null;
  try {
    const reader = sharp(picture).toColourspace('srgb').ensureAlpha();
    if (Number.isFinite(mostPx)) {
      reader.resize({ width: mostPx, height: mostPx, fit: 'inside', withoutEnlargement: true });
    }
    const { data, info } = await reader.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
    return { width: info.width, height: info.height, data: new Uint8Array(data) };
  } catch (cause) {
    throw new BadInputError({
      code: 'not-an-image',
      message: `Expected a picture, but ${picture} cannot be read.`,
      hint: 'Fetch the file again, or take its folder out of the assets.',
      cause,
    });
  }
}

async function readText(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((cause: unknown) => {
    throw new MissingResourceError({
      code: 'file-not-found',
      message: `Expected a file of an asset at ${path}, but it cannot be read.`,
      hint: 'Fetch the file again, or take its folder out of the assets.',
      cause,
    });
  });
}

/** Names in a folder in alphabetical order; null if it is none. */
async function listFolder(folder: string): Promise<string[] | null> {
  return readdir(folder)
    .then((names) => names.sort())
    .catch(() => null);
}

/** The same library with its pictures in shared memory: workers are sent it without copies. */
function share(library: AssetLibrary): AssetLibrary {
  const shared = (data: Uint8Array): Uint8Array => {
    const copy = new Uint8Array(new SharedArrayBuffer(data.length));
    copy.set(data);
    return copy;
  };
  const pieces = (list: AssetLibrary['hair']): AssetLibrary['hair'] =>
    list.map((piece) => ({ ...piece, texture: { ...piece.texture, data: shared(piece.texture.data) } }));
  return {
    ...library,
    skins: library.skins.map((skin) => ({ ...skin, data: shared(skin.data) })),
    hair: pieces(library.hair),
    brows: pieces(library.brows),
    lashes: pieces(library.lashes),
  };
}
