// Raw little-endian arrays, `flame_weights.bin` and the like: how viewers on the web carry FLAME's parts. Floats are
// 32-bit, and bases lie component by component (`K V 3`), unlike in FLAME's own files.

import { BadInputError } from '../errors/index.ts';
import type { NumpyArray } from '../numpy/index.ts';

const KEYS: Readonly<Record<string, string>> = {
  template: 'v_template',
  faces: 'f',
  shapedirs: 'shapedirs',
  exprdirs: 'exprdirs',
  posedirs: 'posedirs',
  weights: 'weights',
  j_regressor: 'J_regressor',
};
const JOINTS = 5;
const POSE_FEATURES = 36;
/** Bases have no length of their own in the file: they are FLAME's, on FLAME's mesh. */
const FLAME_VERTICES = 5023;

/** The canonical name of a raw array's file, or null where the name says nothing. */
export function rawArrayKey(name: string): string | null {
  const match = /(?:^|[_\\/])(template|faces|shapedirs|exprdirs|posedirs|weights|J_regressor)\.bin$/i.exec(
    name,
  );
  return match === null ? null : KEYS[match[1]!.toLowerCase()]!;
}

/** Reads a raw array. @throws BadInputError where its length fits no mesh. */
export function rawArray(name: string, bytes: Uint8Array, key: string): NumpyArray {
  const count = bytes.length / 4;
  const shapes: Readonly<Record<string, readonly number[]>> = {
    v_template: [count / 3, 3],
    f: [count / 3, 3],
    weights: [count / JOINTS, JOINTS],
    J_regressor: [JOINTS, count / JOINTS],
    posedirs: [POSE_FEATURES, count / POSE_FEATURES / 3, 3],
    shapedirs: [count / FLAME_VERTICES / 3, FLAME_VERTICES, 3],
    exprdirs: [count / FLAME_VERTICES / 3, FLAME_VERTICES, 3],
  };
  const shape = shapes[key]!;
  if (!shape.every(Number.isInteger)) {
    throw new BadInputError({
      code: 'bad-head-source',
      message: `${name} cannot be used: ${bytes.length} bytes are no ${key} of 32-bit numbers`,
      hint: 'the file is cut short or of another kind: get it again',
    });
  }
  const { buffer } = Uint8Array.prototype.slice.call(bytes);
  const data = key === 'f' ? new Int32Array(buffer) : new Float32Array(buffer);
  return shape.length === 3 ? componentsLast(shape, data) : { shape, data };
}

/** `K V 3` as `V 3 K`, FLAME's own order. */
function componentsLast([count, vertices]: readonly number[], data: ArrayLike<number>): NumpyArray {
  const length = 3 * vertices!;
  const turned = new Float32Array(data.length);
  for (let k = 0; k < count!; k++) {
    for (let i = 0; i < length; i++) turned[i * count! + k] = data[k * length + i]!;
  }
  return { shape: [vertices!, 3, count!], data: turned };
}
