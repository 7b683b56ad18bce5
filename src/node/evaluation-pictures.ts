// Evaluations through folders of pictures, so that any program can be measured: a folder for every subject or pair, in it
//
//   reference.png                     what the person is known from
//   truth/0001.png, truth/0002.png    what is wanted (in cross driver/0000.png and so on: who drives)
//   output/0001.png, ...              what a program made of it, under the same numbers
//
// All pictures of a folder are squares of one size, as PNG, JPEG or WebP.

import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AvatarError, BadInputError, MissingResourceError } from '../errors/index.ts';
import {
  type CaseSource,
  type EvaluationCase,
  type Method,
  otherMotionCase,
  ownMotionCase,
  type Protocol,
  picturesMethod,
  type TrackedClip,
  trackPictures,
} from '../evaluation/index.ts';
import type { LiftTools } from '../lift/index.ts';
import type { RgbImage } from '../media/index.ts';
import type { Tracker } from '../tracking/index.ts';
import { readImage, writeImage } from './image-file.ts';

const ENDINGS = ['png', 'jpg', 'jpeg', 'webp'];

/** The pictures of another program as a method; its name is a row of tables. */
export function folderMethod(path: string, name: string): Method {
  return picturesMethod(name, async (caseName, index) => {
    const file = await findPicture(join(path, caseName, 'output'), numberName(index));
    if (file === null) return { missing: 'the picture is missing' };
    try {
      return (await readImage(file)).image;
    } catch (error) {
      if (error instanceof AvatarError) return { missing: error.message };
      throw error;
    }
  });
}

/** Which folder, and what is asked of it. */
export type FolderCaseOptions = {
  readonly path: string;
  readonly protocol: Protocol;
  readonly tools: LiftTools;
  readonly tracker: Tracker;
};

/**
 * The cases of a folder that holds references and truths.
 * @throws MissingResourceError `no-cases` if it holds none.
 */
export async function folderCases({
  path,
  protocol,
  tools,
  tracker,
}: FolderCaseOptions): Promise<CaseSource> {
  const wanted = protocol === 'cross' ? 'driver' : 'truth';
  const names: string[] = [];
  for (const name of (await readdir(path).catch(() => [])).sort()) {
    const folder = join(path, name);
    if ((await findPicture(folder, 'reference')) !== null && (await isFolder(join(folder, wanted)))) {
      names.push(name);
    }
  }
  if (names.length === 0) {
    throw new MissingResourceError({
      code: 'no-cases',
      message: `Expected folders with reference.png and ${wanted}/ in ${path}, but there are none.`,
      hint: 'See docs/evaluation.md for the layout; --export writes it, and --synthetic or --data bring their own truth.',
    });
  }
  const way = { head: tools.head, tracker };
  return {
    names,
    async load(name) {
      const folder = join(path, name);
      const { image: reference } = await readImage((await findPicture(folder, 'reference'))!);
      const { pictures, numbers } = await numberedPictures(join(folder, wanted), reference);
      const sizePx = reference.width;
      if (protocol === 'cross') {
        const person = await clipOf(name, [reference], { ...way, isSequence: false });
        const driver = await clipOf(name, pictures, { ...way, isSequence: true });
        const one = otherMotionCase(tools, person, { ...driver, numbers }, { sizePx });
        return { ...one, name };
      }
      const isSequence = protocol === 'self';
      const clip = await clipOf(name, [reference, ...pictures], { ...way, isSequence });
      return ownMotionCase(tools, { ...clip, numbers: [-1, ...numbers] }, { sizePx, isSequence });
    },
  };
}

/** Writes what a program needs to answer a case, in the layout above. */
export async function exportCase(
  path: string,
  { name, reference, targets, hasTruth }: EvaluationCase,
): Promise<void> {
  const folder = join(path, name);
  for (const { index, picture } of targets) {
    await writeImage(join(folder, hasTruth ? 'truth' : 'driver', `${numberName(index)}.png`), picture);
  }
  // Last: with it the folder counts.
  await writeImage(join(folder, 'reference.png'), reference.image);
}

async function clipOf(
  name: string,
  pictures: readonly RgbImage[],
  way: Parameters<typeof trackPictures>[1],
): Promise<TrackedClip> {
  return {
    ...{ name, pictures, track: await trackPictures(pictures, way) },
    ...{ camera: null, regions: null },
    personMask: await way.tracker.personMask(pictures[0]!),
  };
}

/** The pictures of a folder in the order of their numbers. */
async function numberedPictures(
  folder: string,
  like: RgbImage,
): Promise<{ readonly pictures: readonly RgbImage[]; readonly numbers: readonly number[] }> {
  const files = (await readdir(folder))
    .flatMap((file) => {
      const match = /^(\d+)\.(\w+)$/.exec(file);
      return match !== null && ENDINGS.includes(match[2]!.toLowerCase())
        ? [{ file: join(folder, file), number: Number(match[1]) }]
        : [];
    })
    .sort((a, b) => a.number - b.number);
  if (files.length === 0) throw badPictures(`${folder} to hold pictures such as 0001.png, but it has none`);
  if (like.width !== like.height) {
    throw badPictures(
      `square pictures, but the reference beside ${folder} is ${like.width} x ${like.height}`,
    );
  }
  const pictures: RgbImage[] = [];
  for (const { file } of files) {
    const { image } = await readImage(file);
    if (image.width !== like.width || image.height !== like.height) {
      throw badPictures(
        `${file} to be ${like.width} x ${like.height} as its reference, but it is ${image.width} x ${image.height}`,
      );
    }
    pictures.push(image);
  }
  return { pictures, numbers: files.map(({ number }) => number) };
}

function badPictures(expectation: string): BadInputError {
  return new BadInputError({
    code: 'bad-pictures',
    message: `Expected ${expectation}.`,
    hint: 'See docs/evaluation.md for the layout of such folders.',
  });
}

async function findPicture(folder: string, name: string): Promise<string | null> {
  for (const ending of ENDINGS) {
    const file = join(folder, `${name}.${ending}`);
    if ((await stat(file).catch(() => null))?.isFile()) return file;
  }
  return null;
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isDirectory() ?? false;
}

const numberName = (index: number): string => String(index).padStart(4, '0');
