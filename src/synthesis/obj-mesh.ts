// Meshes from Wavefront OBJ text: positions, texture coordinates, polygons. Normals, groups and materials
// are not read.

import { assetLines, assetNumbers, damagedAsset } from './asset-text.ts';

/** A mesh of polygons as its file has it. */
export type ObjMesh = {
  /** `V 3`, in the file's unit (MakeHuman: decimetres). */
  readonly positions: Float32Array;
  /** `U 2`, v up. */
  readonly uvs: Float32Array;
  /** Per polygon: where its corners start in `corners`; one more at the end. */
  readonly starts: Uint32Array;
  /** Pairs of indices into positions and uvs; without a texture vertex the second is 0. */
  readonly corners: Uint32Array;
};

/** Reads a mesh. @param name what to call the file in errors @throws BadInputError naming the line. */
export function parseObj(text: string, name: string): ObjMesh {
  const positions: number[] = [];
  const uvs: number[] = [];
  const corners: number[] = [];
  const starts = [0];
  for (const { words, number } of assetLines(text)) {
    const [kind, ...fields] = words;
    if (kind === 'v') positions.push(...assetNumbers(fields.slice(0, 3), name, number));
    else if (kind === 'vt') uvs.push(...assetNumbers(fields.slice(0, 2), name, number));
    else if (kind === 'f') {
      if (fields.length < 3) throw damagedAsset(name, `the polygon in line ${number} has no three corners`);
      for (const field of fields) {
        const [vertex, uv] = assetNumbers(field.split('/').slice(0, 2), name, number) as [number, number?];
        corners.push(vertex - 1, (uv || 1) - 1);
      }
      starts.push(corners.length / 2);
    }
  }
  const [vertices, textureVertices] = [positions.length / 3, uvs.length / 2];
  if (vertices === 0 || starts.length === 1) throw damagedAsset(name, 'it holds no mesh');
  for (let i = 0; i < corners.length; i += 2) {
    const isInside =
      Number.isInteger(corners[i]) && corners[i]! >= 0 && corners[i]! < vertices && corners[i + 1]! >= 0;
    if (!isInside || (textureVertices > 0 && corners[i + 1]! >= textureVertices)) {
      throw damagedAsset(name, `a polygon names vertex ${corners[i]! + 1} of ${vertices}`);
    }
  }
  return {
    positions: Float32Array.from(positions),
    uvs: Float32Array.from(uvs),
    starts: Uint32Array.from(starts),
    corners: Uint32Array.from(corners),
  };
}
