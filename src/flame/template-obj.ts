// The texture coordinates of a template mesh (`head_template.obj`): the OBJ lines `v`, `vt` and `f`.

import { BadInputError } from '../errors/index.ts';

/** What a template says of its texture. */
export type TemplateObj = {
  readonly vertexCount: number;
  /** `U 2`, v down. */
  readonly uvs: Float32Array;
  /** `F 3` vertices, polygons cut into fans. */
  readonly triangles: Uint32Array;
  /** `F 3` into `uvs`. */
  readonly uvTriangles: Uint32Array;
};

/** Whether a file is an OBJ, by its name or by how its text begins. */
export function isObj(name: string, bytes: Uint8Array): boolean {
  if (/\.obj$/i.test(name)) return true;
  const start = new TextDecoder().decode(bytes.subarray(0, 64));
  return /^(#[^\n]*\n\s*)*(mtllib|v|o|g) \S/.test(start);
}

/** Reads an OBJ with texture coordinates. @throws BadInputError naming the line that is wrong. */
export function parseTemplateObj(bytes: Uint8Array, name: string): TemplateObj {
  const uvs: number[] = [];
  const triangles: number[] = [];
  const uvTriangles: number[] = [];
  let vertexCount = 0;
  const lines = new TextDecoder().decode(bytes).split(/\r?\n/);
  const wrong = (line: number, problem: string): BadInputError =>
    new BadInputError({
      code: 'bad-template',
      message: `${name} cannot be used: line ${line + 1} ${problem}`,
      hint: 'give the template that belongs to the model, e.g. head_template.obj, with its texture coordinates',
    });
  for (const [at, line] of lines.entries()) {
    const [kind, ...words] = line.trim().split(/\s+/);
    if (kind === 'v') vertexCount++;
    else if (kind === 'vt') {
      const [u, v] = [Number(words[0]), Number(words[1])];
      if (!Number.isFinite(u) || !Number.isFinite(v)) throw wrong(at, 'is no texture coordinate');
      uvs.push(u, 1 - v);
    } else if (kind === 'f') {
      const corners = words.map((word) => word.split('/').slice(0, 2).map(Number));
      const isSound = corners.every(
        ([v, vt]) => v! >= 1 && v! <= vertexCount && vt! >= 1 && vt! <= uvs.length / 2,
      );
      if (corners.length < 3 || !isSound) throw wrong(at, 'is no face with texture coordinates');
      for (let k = 1; k + 1 < corners.length; k++) {
        for (const [v, vt] of [corners[0]!, corners[k]!, corners[k + 1]!]) {
          triangles.push(v! - 1);
          uvTriangles.push(vt! - 1);
        }
      }
    }
  }
  if (triangles.length === 0) throw wrong(lines.length - 1, 'is reached without a face');
  return {
    vertexCount,
    uvs: Float32Array.from(uvs),
    triangles: Uint32Array.from(triangles),
    uvTriangles: Uint32Array.from(uvTriangles),
  };
}

/**
 * The template's texture coordinates for a model's triangles, whatever order and first corner either has.
 * @throws BadInputError where the two are different meshes.
 */
export function textureOf(
  template: TemplateObj & { readonly file: string },
  vertices: number,
  triangles: Uint32Array,
): { readonly uvs: Float32Array; readonly uvTriangles: Uint32Array } {
  const other = (problem: string): BadInputError =>
    new BadInputError({
      code: 'template-of-other-mesh',
      message: `expected ${template.file} to be the template of this model, but ${problem}`,
      hint: 'give the template that was published with the model',
    });
  if (template.vertexCount !== vertices) {
    throw other(`it has ${template.vertexCount} vertices and the model ${vertices}`);
  }
  const rows = new Map<string, readonly number[]>();
  for (let t = 0; t < template.triangles.length; t += 3) {
    for (let turn = 0; turn < 3; turn++) {
      const corners = [0, 1, 2].map((k) => t + ((k + turn) % 3));
      rows.set(
        corners.map((c) => template.triangles[c]!).join(' '),
        corners.map((c) => template.uvTriangles[c]!),
      );
    }
  }
  const uvTriangles = new Uint32Array(triangles.length);
  for (let t = 0; t < triangles.length; t += 3) {
    const row = rows.get(`${triangles[t]} ${triangles[t + 1]} ${triangles[t + 2]}`);
    if (row === undefined) throw other(`it lacks triangle ${t / 3} of the model`);
    uvTriangles.set(row, t);
  }
  return { uvs: template.uvs, uvTriangles };
}
