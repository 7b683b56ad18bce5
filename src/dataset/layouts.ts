// How other people's datasets lie on disk: which files are clips, and what their paths say. A layout is a pattern over
// paths; where the public sources do not settle it, or a copy was rearranged, a mapping file changes any part of it.
// Sources: VFHQ: yunyu/vfhq-downloader (clip names, `FPS` in the meta files). NeRSemble v2: nersemble-data, its list of
// assets. MEAD: the dataset's page, part `video`. All: METHOD of the paper for rates and held-out subjects.

import { z } from 'zod';
import { BadInputError } from '../errors/index.ts';
import type { ClipSplit } from './clip-info.ts';

/** The known layouts. */
export const IMPORT_FORMATS = ['images', 'video', 'vfhq', 'nersemble', 'mead', 'multiview'] as const;
export type ImportFormat = (typeof IMPORT_FORMATS)[number];

const expression = z.string().refine((source) => {
  try {
    return new RegExp(source) !== null;
  } catch {
    return false;
  }
}, 'is no regular expression');

/** A layout; a mapping file holds any of its fields. */
export type Layout = {
  /** Each picture a clip, each video a clip, or each group of numbered pictures a clip. */
  readonly clips: 'images' | 'videos' | 'frames';
  /** A regular expression over paths within the source, `/` between folders. Its named groups are what paths say. */
  readonly pattern: string;
  /** Paths that match this are left out. */
  readonly exclude: string | null;
  /** Templates over the named groups and `{path}` (without its ending). */
  readonly identity: string;
  readonly sequence: string | null;
  readonly view: string | null;
  /** The rate of numbered pictures, where no file says it. */
  readonly framesPerSecond: number | null;
  /** Template of the name (without folder) of a text file with a line `FPS ... 29.97`. */
  readonly frameRateFile: string | null;
  /** Template of the path of a calibration file. */
  readonly calibration: string | null;
  /** Factor on the calibration's pixels, where pictures were made smaller after it. */
  readonly calibrationScale: number;
  /** Whom no training sees: the last so many people in order, or the people of this list. */
  readonly heldOut: number | readonly string[];
};

const layoutSchema = z.strictObject({
  clips: z.enum(['images', 'videos', 'frames']),
  pattern: expression,
  exclude: expression.nullable(),
  identity: z.string().min(1),
  sequence: z.string().nullable(),
  view: z.string().nullable(),
  framesPerSecond: z.number().positive().nullable(),
  frameRateFile: z.string().nullable(),
  calibration: z.string().nullable(),
  calibrationScale: z.number().positive(),
  heldOut: z.union([z.number().int().min(0), z.array(z.string())]),
});

const PICTURES = '\\.(?:jpe?g|png|webp|avif|tiff?|JPE?G|PNG)$';
const VIDEOS = '\\.(?:mp4|mov|webm|mkv|m4v|MP4|MOV)$';
const PLAIN: Omit<Layout, 'clips' | 'pattern'> = {
  exclude: '(?:^|/)\\.',
  identity: '{path}',
  sequence: null,
  view: null,
  framesPerSecond: null,
  frameRateFile: null,
  calibration: null,
  calibrationScale: 1,
  heldOut: 0,
};

/** The layout of each format. */
export const LAYOUTS: Readonly<Record<ImportFormat, Layout>> = {
  images: { ...PLAIN, clips: 'images', pattern: PICTURES },
  video: { ...PLAIN, clips: 'videos', pattern: VIDEOS },
  vfhq: {
    ...PLAIN,
    clips: 'frames',
    pattern: `(?<clip>Clip\\+(?<film>[^/]+)\\+(?<person>P\\d+)\\+C\\d+\\+F\\d+-\\d+)/(?<frame>\\d+)${PICTURES}`,
    identity: '{film}+{person}',
    sequence: '{clip}',
    frameRateFile: '{clip}.txt',
  },
  nersemble: {
    ...PLAIN,
    clips: 'videos',
    pattern: '(?:^|/)(?<person>\\d+)/sequences/(?<take>[^/]+)/(?:images/)?cam_(?<camera>\\d+)\\.mp4$',
    exclude: '/BACKGROUND/',
    identity: '{person}',
    sequence: '{take}',
    view: '{camera}',
    calibration: '{person}/calibration/camera_params.json',
    heldOut: 20,
  },
  mead: {
    ...PLAIN,
    clips: 'videos',
    pattern:
      '(?:^|/)(?<person>[MW]\\d+)/video/(?<camera>front|left_30|left_60|right_30|right_60|top|down)/(?<emotion>[^/]+)/level_(?<level>\\d+)/(?<take>\\d+)\\.mp4$',
    identity: '{person}',
    sequence: '{emotion}-{level}-{take}',
    view: '{camera}',
  },
  multiview: {
    ...PLAIN,
    clips: 'images',
    pattern: `(?:^|/)(?<person>[^/]+)/(?:images/)?(?<camera>[^/]+)${PICTURES}`,
    identity: '{person}',
    sequence: '{person}',
    view: '{camera}',
    calibration: '{person}/transforms.json',
  },
};

/** A clip of a source. */
export type SourceItem = {
  /** Unique in the source. */
  readonly name: string;
  /** Paths within the source: one, or the pictures in their order. */
  readonly files: readonly string[];
  readonly identity: string;
  readonly sequence: string | null;
  readonly view: string | null;
  readonly split: ClipSplit;
  /** Path of its calibration, where it is there. */
  readonly calibration: string | null;
  /** Path of the file that says its rate. */
  readonly frameRateFile: string | null;
};

/** Reads a mapping file: any fields of a layout, over those of a format. @throws BadInputError `bad-mapping`. */
export function parseMapping(text: string, name: string, format: ImportFormat): Layout {
  const reject = (problem: string, cause: unknown): BadInputError =>
    new BadInputError({
      code: 'bad-mapping',
      message: `Expected ${name} to map paths to clips, but ${problem}.`,
      hint: `It may hold ${Object.keys(layoutSchema.shape).join(', ')}; see docs/datasets.md.`,
      cause,
    });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw reject('it is not JSON', cause);
  }
  const result = layoutSchema.partial().safeParse(json);
  if (!result.success) {
    const { path, message } = result.error.issues[0]!;
    throw reject(`${path.join('.') || 'it'}: ${message}`, result.error);
  }
  return { ...LAYOUTS[format], ...(result.data as Partial<Layout>) };
}

/**
 * Finds the clips among the files of a source.
 * @param files paths within the source, `/` between folders, in any order
 * @throws BadInputError `no-clips`, `no-frame-rate`, `bad-mapping`.
 */
export function planImport(layout: Layout, files: readonly string[], source: string): SourceItem[] {
  const pattern = new RegExp(layout.pattern);
  const exclude = layout.exclude === null ? null : new RegExp(layout.exclude);
  const all = new Set(files);
  const byName = new Map(files.map((file) => [baseName(file), file]));
  const byEnd = indexByEnd(files);
  const groups = new Map<
    string,
    { said: Record<string, string>; files: { path: string; frame: number }[] }
  >();
  for (const path of [...files].sort(inOrder)) {
    const match = exclude?.test(path) ? null : pattern.exec(path);
    if (match === null) continue;
    const { frame, ...said } = match.groups ?? {};
    if (layout.clips === 'frames' && frame === undefined) throw noFrameGroup(source);
    const folder = path.slice(0, path.length - baseName(path).length - 1);
    // Pictures of several cameras may share a folder.
    const rest = Object.values(said).filter((value) => value !== undefined && !folder.includes(value));
    const key = layout.clips === 'frames' ? [folder, ...rest].join('/') : path;
    const group = groups.get(key) ?? { said: { ...said, path: withoutEnding(key) }, files: [] };
    if (layout.clips === 'frames') group.said.path = key;
    group.files.push({ path, frame: Number(frame ?? 0) });
    groups.set(key, group);
  }
  if (groups.size === 0) throw noClips(source, files.length, layout.pattern);
  const paths = [...groups.values()].map(({ said }) => said.path!);
  const isUnique = new Set(paths).size === paths.length;
  const items = [...groups].map(([key, { said, files: own }]): SourceItem => {
    const template = (text: string | null): string | null =>
      text === null ? null : filled(text, said, source);
    const calibration = template(layout.calibration);
    const frameRateFile = template(layout.frameRateFile);
    return {
      name: isUnique ? said.path! : key,
      files: own.sort((a, b) => a.frame - b.frame).map(({ path }) => path),
      identity: template(layout.identity)!,
      sequence: template(layout.sequence),
      view: template(layout.view),
      split: 'train',
      calibration: calibration && (byEnd(calibration.split('/').length).get(calibration) ?? null),
      frameRateFile:
        frameRateFile && (all.has(frameRateFile) ? frameRateFile : (byName.get(frameRateFile) ?? null)),
    };
  });
  if (layout.clips === 'frames' && layout.framesPerSecond === null) expectRates(items, source);
  const heldOut = heldOutPeople(items, layout.heldOut);
  return items.map((item) => (heldOut.has(item.identity) ? { ...item, split: 'heldOut' } : item));
}

/** The rate that a text file states in a line such as `FPS 29.97`; null where there is none. */
export function statedFrameRate(text: string): number | null {
  const rate = Number(/^\s*FPS\b\D*([\d.]+)/im.exec(text)?.[1]);
  return rate > 0 ? rate : null;
}

function heldOutPeople(items: readonly SourceItem[], heldOut: Layout['heldOut']): ReadonlySet<string> {
  if (typeof heldOut !== 'number') return new Set(heldOut);
  const people = [...new Set(items.map(({ identity }) => identity))].sort(inOrder);
  return new Set(heldOut === 0 ? [] : people.slice(-heldOut));
}

/** Numbers within names by their value: `cam_2` before `cam_10`. The same everywhere, unlike a locale's order. */
function inOrder(a: string, b: string): number {
  const partsOf = (text: string): string[] => text.match(/\d+|\D+/g) ?? [];
  const [one, other] = [partsOf(a), partsOf(b)];
  for (const [i, part] of one.entries()) {
    const against = other[i];
    if (against === undefined) return 1;
    if (part === against) continue;
    const difference = Number(part) - Number(against);
    if (!Number.isNaN(difference) && difference !== 0) return difference;
    return part < against ? -1 : 1;
  }
  return one.length - other.length;
}

function filled(
  template: string,
  said: Readonly<Record<string, string | undefined>>,
  source: string,
): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = said[name];
    if (value !== undefined) return value;
    throw new BadInputError({
      code: 'bad-mapping',
      message: `Expected the pattern to have the named group ${name}, which "${template}" asks for, but it says only ${Object.keys(said).join(', ')} of ${source}.`,
      hint: `Write (?<${name}>...) in the pattern, or change the template.`,
    });
  });
}

/** Finds files by their last folders and name; one index for each number of these. */
function indexByEnd(files: readonly string[]): (parts: number) => ReadonlyMap<string, string> {
  const indices = new Map<number, Map<string, string>>();
  return (parts) => {
    let index = indices.get(parts);
    if (index === undefined) {
      index = new Map(files.map((file) => [file.split('/').slice(-parts).join('/'), file]));
      indices.set(parts, index);
    }
    return index;
  };
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function withoutEnding(path: string): string {
  return path.replace(/\.[^./]*$/, '');
}

function expectRates(items: readonly SourceItem[], source: string): void {
  const without = items.filter(({ frameRateFile }) => frameRateFile === null);
  if (without.length === 0) return;
  throw new BadInputError({
    code: 'no-frame-rate',
    message: `Expected the frame rate of every clip, but nothing in ${source} says that of ${without[0]!.name}${without.length > 1 ? ` and ${without.length - 1} more` : ''}.`,
    hint: 'Put the text files that come with the dataset into the source, or give framesPerSecond in a mapping file.',
  });
}

/** A path of each format, for messages. */
const EXAMPLES: Readonly<Record<ImportFormat, string>> = {
  images: 'anna.png',
  video: 'anna.mp4',
  vfhq: 'Clip+FILM+P0+C0+F100-350/00000100.png',
  nersemble: '017/sequences/EXP-1-head/cam_220700191.mp4',
  mead: 'M003/video/front/happy/level_1/001.mp4',
  multiview: 'anna/view-00.png',
};

function noClips(source: string, files: number, pattern: string): BadInputError {
  const format = IMPORT_FORMATS.find((name) => LAYOUTS[name].pattern === pattern);
  return new BadInputError({
    code: 'no-clips',
    message: `Expected clips in ${source}, but none of its ${files} files ${format === undefined ? `matches ${pattern}` : `is like ${EXAMPLES[format]}`}.`,
    hint: 'Check --format and the folder, or describe the paths in a mapping file.',
  });
}

function noFrameGroup(source: string): BadInputError {
  return new BadInputError({
    code: 'bad-mapping',
    message: `Expected the pattern for the pictures of ${source} to have the named group frame, but it has none.`,
    hint: 'Write (?<frame>\\d+) where the number of the picture stands.',
  });
}
