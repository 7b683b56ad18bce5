// The files that FLAME comes in, opened by what they are (not by what they are called) and sorted by what they say:
// arrays of the model, landmark embeddings, eyelids, a template's texture coordinates.

import { BadInputError } from '../errors/index.ts';
import {
  decodeNpy,
  decodeNpz,
  decodePickle,
  isNpy,
  isZip,
  type NumpyArray,
  type PickledValue,
} from '../numpy/index.ts';
import { rawArray, rawArrayKey } from './raw-arrays.ts';
import { isObj, parseTemplateObj, type TemplateObj } from './template-obj.ts';

/** A file as it lies on the disk. */
export type SourceFile = { readonly name: string; readonly bytes: Uint8Array };

/** An array and the file that it came from. */
export type FoundArray = { readonly array: NumpyArray; readonly file: string };

/** What the files hold, by canonical names. */
export type Sources = {
  readonly arrays: ReadonlyMap<string, FoundArray>;
  readonly template: (TemplateObj & { readonly file: string }) | null;
  /** One line for everything that was not used. */
  readonly notes: readonly string[];
};

/** Other names of the same array, among the extractions of FLAME that are about. */
const ALIASES: Readonly<Record<string, string>> = {
  template: 'v_template',
  faces: 'f',
  lbs_weights: 'weights',
  parents: 'kintree_table',
  kintree: 'kintree_table',
  expressedirs: 'exprdirs',
  expr_dirs: 'exprdirs',
  exp_dirs: 'exprdirs',
  expressiondirs: 'exprdirs',
  shape_dirs: 'shapedirs',
  pose_dirs: 'posedirs',
  static_lmk_faces_idx: 'static_faces',
  static_lmk_bary_coords: 'static_weights',
  dynamic_lmk_faces_idx: 'contour_faces',
  dynamic_lmk_bary_coords: 'contour_weights',
};

const KNOWN = new Set([
  ...['v_template', 'shapedirs', 'exprdirs', 'posedirs', 'J_regressor', 'weights', 'kintree_table', 'f'],
  ...['mediapipe_faces', 'mediapipe_weights', 'mediapipe_indices', 'static_faces', 'static_weights'],
  ...['contour_faces', 'contour_weights', 'l_eyelid', 'r_eyelid', 'lips'],
]);

/** Opens and sorts files. @throws BadInputError where one cannot be read, or two say the same thing. */
export function openSources(files: readonly SourceFile[]): Sources {
  const arrays = new Map<string, FoundArray>();
  const notes: string[] = [];
  let template: Sources['template'] = null;
  for (const { name, bytes } of files) {
    if (bytes.length === 0) throw unusable(name, 'it is empty');
    if (isObj(name, bytes)) {
      template = { ...parseTemplateObj(bytes, name), file: name };
      continue;
    }
    const found = arraysOf(name, bytes);
    if (found.size === 0) notes.push(`${name} holds nothing that a head is made of: not used.`);
    for (const [key, array] of found) {
      const before = arrays.get(key);
      // A basis that two files bring is taken from the first; of embeddings, too.
      if (before !== undefined) notes.push(`${name} brings "${key}" again: that of ${before.file} is used.`);
      else arrays.set(key, { array, file: name });
    }
  }
  return { arrays, template, notes };
}

function arraysOf(name: string, bytes: Uint8Array): ReadonlyMap<string, NumpyArray> {
  const raw = rawArrayKey(name);
  if (raw !== null) return new Map([[raw, rawArray(name, bytes, raw)]]);
  if (/\.json$/i.test(name)) return jsonArrays(name, bytes);
  const content = isZip(bytes)
    ? decodeNpz(bytes, name)
    : isNpy(bytes)
      ? decodeNpy(bytes, name)
      : decodePickle(bytes, name);
  if (isArray(content)) {
    const key = eyelidKey(name);
    if (key === null) return new Map();
    return new Map([[key, content]]);
  }
  if (!(content instanceof Map)) throw unusable(name, 'it holds no named arrays');
  return namedArrays(content as ReadonlyMap<string, PickledValue>);
}

/** `l_eyelid.npy` and `r_eyelid.npy`: only their names say which is which. */
function eyelidKey(name: string): string | null {
  const stem = name.split(/[\\/]/).at(-1)!.toLowerCase();
  if (!stem.includes('lid')) return null;
  return /^r|right/.test(stem) ? 'r_eyelid' : /^l|left/.test(stem) ? 'l_eyelid' : null;
}

function namedArrays(content: ReadonlyMap<string, PickledValue>): ReadonlyMap<string, NumpyArray> {
  const found = new Map<string, NumpyArray>();
  for (const [given, value] of content) {
    const array = asArray(value);
    if (array !== null) found.set(ALIASES[given] ?? given, array);
  }
  // One pair of names serves three embeddings, told apart by their shapes and companions.
  const [faces, weights] = [found.get('lmk_face_idx'), found.get('lmk_b_coords')];
  if (faces && weights) {
    const kind = found.has('landmark_indices') ? 'mediapipe' : faces.shape.length > 1 ? 'contour' : 'static';
    found.set(`${kind}_faces`, faces);
    found.set(`${kind}_weights`, weights);
    const indices = found.get('landmark_indices');
    if (indices) found.set('mediapipe_indices', indices);
  }
  return new Map([...found].filter(([key]) => KNOWN.has(key)));
}

function asArray(value: PickledValue): NumpyArray | null {
  if (isArray(value)) return value;
  const isNumbers = Array.isArray(value) && value.length > 0 && value.every((n) => typeof n === 'number');
  return isNumbers ? { shape: [value.length], data: Float64Array.from(value as number[]) } : null;
}

function isArray(value: PickledValue): value is NumpyArray {
  return typeof value === 'object' && value !== null && 'data' in value;
}

/** `kintree.json` beside raw arrays: `[[-1, 0, 1, 1, 1], [0, 1, 2, 3, 4]]`. Other JSON files are notes of their makers. */
function jsonArrays(name: string, bytes: Uint8Array): ReadonlyMap<string, NumpyArray> {
  let content: unknown;
  try {
    content = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw unusable(name, 'it is no JSON', cause);
  }
  const rows = Array.isArray(content) ? (content as unknown[]) : [];
  const isTree = rows.length === 2 && rows.every((row) => Array.isArray(row) && row.every(Number.isInteger));
  if (!isTree) return new Map();
  const [parents] = rows as number[][];
  return new Map([['kintree_table', { shape: [1, parents!.length], data: Float64Array.from(parents!) }]]);
}

function unusable(name: string, problem: string, cause?: unknown): BadInputError {
  return new BadInputError({
    code: 'bad-head-source',
    message: `${name} cannot be used: ${problem}`,
    hint: 'give the files as FLAME is published: .pkl or .npz, embeddings as .npz, .npy or .pkl, the template as .obj',
    cause,
  });
}
