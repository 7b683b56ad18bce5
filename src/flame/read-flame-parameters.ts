// Tracks of other projects, from FLAME's parameters as they keep them: one `.npz` of a clip, or one for each frame with
// the cameras in `transforms.json`.

import { BadInputError } from '../errors/index.ts';
import { createHeadPoser, type HeadModel, type HeadTrack, neutralParameters } from '../head/index.ts';
import { decodeNpz, type NumpyArray } from '../numpy/index.ts';
import { expressionLayout } from './flame-parameters.ts';
import type { SourceFile } from './source-files.ts';
import { type FrameCamera, moveBeforeCamera, readCameras } from './transforms-json.ts';

/** A track read from FLAME's parameters, and what is to be said about it. */
export type ReadParameters = { readonly track: HeadTrack; readonly notes: readonly string[] };

/** What the files may leave out. */
export type ReadParametersOptions = {
  /** Frames a second where the files give no times; default 25. */
  readonly framesPerSecond?: number;
};

const LANDMARKS = 478;
const DEFAULT_SIZE = 512;
/** Focal length over the longer side where nothing is known. */
const DEFAULT_FOCAL = 1.5;

/** Other names of the same parameters. */
const ALIASES: Readonly<Record<string, string>> = {
  betas: 'shape',
  shape_params: 'shape',
  exp: 'expr',
  expression: 'expr',
  expression_params: 'expr',
  global_orient: 'rotation',
  global_pose: 'rotation',
  transl: 'translation',
  jaw: 'jaw_pose',
  neck: 'neck_pose',
  eyes: 'eyes_pose',
  timestep_seconds: 'timestamps_seconds',
};

/** One frame's or one clip's arrays by canonical names. */
type Parameters = ReadonlyMap<string, NumpyArray>;

/**
 * Reads a track for a FLAME head.
 * @param files one `.npz` of a clip; or those of a folder, where `transforms.json` orders the frames and places the
 *   camera, and otherwise their names order them. Others are left alone.
 * @throws BadInputError naming the file and what is wrong, `head-not-flame` for other heads.
 */
export function decodeFlameParameters(
  files: readonly SourceFile[],
  head: HeadModel,
  { framesPerSecond = 25 }: ReadParametersOptions = {},
): ReadParameters {
  const layout = expressionLayout(head);
  const notes = new Set<string>();
  const cameras = readCameras(files);
  const frames = orderedFrames(files, cameras);
  const first = frames[0];
  if (first === undefined) {
    throw new BadInputError({
      code: 'no-flame-parameters',
      message: `expected FLAME parameters (.npz with "expr", "rotation", "jaw_pose", ...), but ${files.length} files hold none`,
      hint: 'give the .npz of a clip, or the folder that holds flame_param/',
    });
  }
  const identity = fitted(first.parameters.get('shape')?.data, head.identityCount, 'identity', notes);
  const rows = frames.flatMap((frame) => rowsOf(frame));
  const total = rows.length;
  const units = head.expressionNames.length;
  const expression = new Float32Array(total * units);
  const jointRotations = new Float32Array(total * 15);
  const translation = new Float32Array(total * 3);
  const poser = createHeadPoser(head);
  for (const [t, row] of rows.entries()) {
    const components = fitted(row.of('expr'), layout.components.length, 'expression', notes);
    for (const [at, k] of layout.components.entries()) expression[t * units + k] = components[at]!;
    for (const [side, k] of layout.eyelids.entries())
      expression[t * units + k] = row.of('eyelids')?.[side] ?? 0;
    const joints = jointRotations.subarray(15 * t, 15 * t + 15);
    joints.set(row.of('rotation') ?? [0, 0, 0], 0);
    joints.set(row.of('neck_pose') ?? [0, 0, 0], 3);
    joints.set(row.of('jaw_pose') ?? [0, 0, 0], 6);
    joints.set(row.of('eyes_pose') ?? [0, 0, 0, 0, 0, 0], 9);
    translation.set(row.of('translation') ?? [0, 0, 0], 3 * t);
    if (row.camera) {
      const root = poser
        .joints({
          ...neutralParameters(head),
          identity,
          expression: expression.slice(t * units, (t + 1) * units),
        })
        .subarray(0, 3);
      moveBeforeCamera(row.camera.cameraFromWorld, root, joints, translation.subarray(3 * t, 3 * t + 3));
    }
  }
  if (rows.some((row) => row.of('static_offset')?.some((value) => value !== 0))) {
    notes.add('The files move single vertices ("static_offset"); the head keeps its own shape.');
  }
  const view = viewOf(first, notes);
  const times = first.parameters.get('timestamps_seconds')?.data;
  const confidence = first.parameters.get('confidence')?.data;
  const track: HeadTrack = {
    headName: head.name,
    ...view,
    timestampsSeconds: Float64Array.from(
      { length: total },
      (_, t) => rows[t]!.camera?.seconds ?? (times?.length === total ? times[t]! : t / framesPerSecond),
    ),
    identity,
    expression,
    jointRotations,
    translation,
    confidence: Float32Array.from({ length: total }, (_, t) =>
      confidence?.length === total ? confidence[t]! : 1,
    ),
    landmarksPx: new Float32Array(total * LANDMARKS * 2),
    provenance: { source: first.name, layout: 'FLAME parameters' },
  };
  return { track, notes: [...notes] };
}

type FrameFile = {
  readonly name: string;
  readonly parameters: Parameters;
  readonly camera: FrameCamera | null;
};
type Row = { of(key: string): Float64Array | undefined; readonly camera: FrameCamera | null };

/** Files with parameters, in the order of their times: by `transforms.json` (its first camera), else by name. */
function orderedFrames(files: readonly SourceFile[], cameras: readonly FrameCamera[]): FrameFile[] {
  const isFrame = ({ name }: SourceFile): boolean =>
    /\.npz$/i.test(name) && !/canonical_flame_param\.npz$/i.test(name);
  const byName = new Map(files.filter(isFrame).map((file) => [file.name, file]));
  const open = (file: SourceFile, camera: FrameCamera | null): FrameFile[] => {
    const parameters = parametersOf(file);
    return parameters === null ? [] : [{ name: file.name, parameters, camera }];
  };
  const listed = cameras.flatMap((camera) => {
    const end = camera.path.replace(/^\.\//, '');
    const file = byName.get(end) ?? [...byName.values()].find(({ name }) => name.endsWith(`/${end}`));
    return file === undefined ? [] : open(file, camera);
  });
  if (listed.length > 0) return listed;
  const names = [...byName.keys()].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  return names.flatMap((name) => open(byName.get(name)!, null));
}

function parametersOf(file: SourceFile): Parameters | null {
  const found = new Map<string, NumpyArray>();
  for (const [name, value] of decodeNpz(file.bytes, file.name)) {
    if (typeof value === 'object' && value !== null && 'data' in value)
      found.set(ALIASES[name] ?? name, value);
  }
  return found.has('expr') || found.has('rotation') || found.has('jaw_pose') ? found : null;
}

const WIDTHS: Readonly<Record<string, number>> = {
  rotation: 3,
  neck_pose: 3,
  jaw_pose: 3,
  eyes_pose: 6,
  translation: 3,
  eyelids: 2,
};

/** The frames of one file: as many as its rotations have rows. */
function rowsOf({ name, parameters, camera }: FrameFile): Row[] {
  const wrong = (problem: string): BadInputError =>
    new BadInputError({
      code: 'flame-parameter-shape',
      message: `${name} cannot be used: ${problem}`,
      hint: 'expected the layout of VHAP: (frames, width) each, rotations as axis-angle',
    });
  const lead = parameters.get('rotation') ?? parameters.get('jaw_pose') ?? parameters.get('expr')!;
  const frames = lead.shape.length < 2 ? 1 : lead.shape[0]!;
  const perFrame = new Map<string, { data: ArrayLike<number>; width: number }>();
  for (const key of [...Object.keys(WIDTHS), 'expr', 'static_offset']) {
    const array = parameters.get(key);
    if (array === undefined) continue;
    const length = array.data.length;
    const isShared = key === 'static_offset' || (frames > 1 && length === WIDTHS[key]);
    const width = isShared ? length : length / frames;
    const wanted = WIDTHS[key] ?? width;
    if (width !== wanted || !Number.isInteger(width)) {
      throw wrong(
        `"${key}" of shape (${array.shape.join(', ')}) does not give ${wanted} values to each of ${frames} frames`,
      );
    }
    if (!array.data.every(Number.isFinite)) throw wrong(`"${key}" holds values that are not finite numbers`);
    perFrame.set(key, { data: array.data, width: isShared ? 0 : width });
  }
  return Array.from({ length: frames }, (_, t) => ({
    camera,
    of(key) {
      const found = perFrame.get(key);
      if (found === undefined) return undefined;
      if (found.width === 0) return Float64Array.from(found.data);
      return Float64Array.from({ length: found.width }, (__, i) => found.data[t * found.width + i]!);
    },
  }));
}

/** Coefficients for the head: cut or padded, and said where something is lost. */
function fitted(
  data: ArrayLike<number> | undefined,
  length: number,
  what: string,
  notes: Set<string>,
): Float32Array {
  const values = Float32Array.from({ length }, (_, i) => data?.[i] ?? 0);
  const lost =
    data === undefined
      ? 0
      : Array.from(data)
          .slice(length)
          .filter((value) => value !== 0).length;
  if (lost > 0) {
    notes.add(`The files have more ${what} coefficients than the head's ${length}: the rest is left out.`);
  }
  return values;
}

function viewOf(
  { parameters, camera }: FrameFile,
  notes: Set<string>,
): Pick<HeadTrack, 'width' | 'height' | 'focalPx'> {
  if (camera) {
    if (!camera.isCentred) notes.add("The camera's centre is off the picture's: the track takes the middle.");
    return { width: camera.width, height: camera.height, focalPx: camera.focalPx };
  }
  const size = parameters.get('image_size')?.data;
  const focal = parameters.get('focal_px')?.data[0];
  if (size === undefined || focal === undefined) {
    notes.add(
      `The files name no camera: ${DEFAULT_SIZE} x ${DEFAULT_SIZE} pixels and a usual focal length are assumed.`,
    );
  }
  const [width, height] = [size?.[0] ?? DEFAULT_SIZE, size?.[1] ?? DEFAULT_SIZE];
  return { width, height, focalPx: focal ?? DEFAULT_FOCAL * Math.max(width, height) };
}
