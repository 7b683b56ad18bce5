// HeadModel <-> the bytes of a *.head file: safetensors with the template in fp32 and the bases in fp16 or fp32.
// Pose correctives are stored without their empty rows.

import { encodeSafetensors, fromHalf, tensor, toHalf } from '../tensor/index.ts';
import { type FileReader, openFile } from './file-reader.ts';
import { type HeadModel, JOINT_NAMES, PART_NAMES, vertexCount } from './head-model.ts';

const KIND = { format: 'learn2control.head', version: 1, noun: 'a head model' } as const;
const CONVENTIONS = 'metres; y up, face +z, left of the subject +x; uv v down; triangles counter-clockwise';
const JOINTS = JOINT_NAMES.length;
const CORRECTIVES = 9 * (JOINTS - 1);

/** How a head is written. */
export type HeadFileOptions = {
  /** `float16` rounds the bases by about 1e-6 m in one unit of a coefficient, and is half as large. The default. */
  readonly basisPrecision?: 'float16' | 'float32';
};

/** The bytes of a `*.head` file. */
export function encodeHead(
  head: HeadModel,
  { basisPrecision = 'float16' }: HeadFileOptions = {},
): Uint8Array<ArrayBuffer> {
  const vertices = vertexCount(head);
  const triangles = head.triangles.length / 3;
  const expressions = head.expressionNames.length;
  const basis = (data: Float32Array, shape: readonly number[]) =>
    basisPrecision === 'float16'
      ? ({ dtype: 'float16', shape, data: toHalf(data) } as const)
      : tensor(data, shape);
  const integers = (data: Uint32Array, shape: readonly number[]) =>
    ({ dtype: 'int32', shape, data: Int32Array.from(data) }) as const;
  const correctives = head.poseCorrectives && occupiedRows(head.poseCorrectives, vertices * 3);
  const { landmarks, landmarkWeights } = head;
  return encodeSafetensors({
    metadata: {
      format: KIND.format,
      version: String(KIND.version),
      name: head.name,
      licence: head.licence,
      conventions: CONVENTIONS,
      expressionNames: JSON.stringify(head.expressionNames),
      eyelidExpressions: JSON.stringify(head.eyelidExpressions),
      jointParents: JSON.stringify(head.jointParents),
      ...(head.jointsFollowExpression && { jointsFollowExpression: 'true' }),
      jointNames: JSON.stringify(JOINT_NAMES),
      partNames: JSON.stringify(PART_NAMES),
      provenance: JSON.stringify(head.provenance ?? {}),
    },
    tensors: {
      template: tensor(head.template, [vertices, 3]),
      identityBasis: basis(head.identityBasis, [head.identityCount, vertices, 3]),
      expressionBasis: basis(head.expressionBasis, [expressions, vertices, 3]),
      jointRegressor: tensor(head.jointRegressor, [JOINTS, vertices]),
      skinningWeights: tensor(head.skinningWeights, [vertices, JOINTS]),
      triangles: integers(head.triangles, [triangles, 3]),
      uvs: tensor(head.uvs, [head.uvs.length / 2, 2]),
      uvTriangles: integers(head.uvTriangles, [triangles, 3]),
      triangleParts: { dtype: 'uint8', shape: [triangles], data: head.triangleParts },
      ...(correctives && {
        poseCorrectiveRows: { dtype: 'int32', shape: [correctives.rows.length], data: correctives.rows },
        poseCorrectives: basis(correctives.data, [correctives.rows.length, vertices, 3]),
      }),
      ...(landmarks && {
        landmarkTriangles: integers(landmarks.triangles, [landmarks.triangles.length]),
        landmarkBarycentrics: tensor(landmarks.barycentrics, [landmarks.triangles.length, 3]),
      }),
      ...(landmarkWeights && {
        landmarkWeights: tensor(landmarkWeights, [landmarkWeights.length]),
      }),
    },
  });
}

/**
 * Reads a `*.head` file and checks that it is whole: shapes, index ranges, names.
 * @param name what to call the file in errors
 * @throws BadInputError naming what is wrong.
 */
export function decodeHead(bytes: Uint8Array, name = 'head file'): HeadModel {
  const file = openFile(bytes, KIND, name);
  const template = file.data('template', 'float32', [null, 3]);
  const vertices = template.length / 3;
  const expressionNames = readNames(file, 'expressionNames');
  const identity = readBasis(file, 'identityBasis', [null, vertices, 3]);
  const triangles = readIndices(file, 'triangles', vertices);
  const count = triangles.length / 3;
  const uvs = file.data('uvs', 'float32', [null, 2]);
  const uvTriangles = readIndices(file, 'uvTriangles', uvs.length / 2);
  if (uvTriangles.length !== triangles.length) {
    throw file.reject(`it has ${count} triangles but ${uvTriangles.length / 3} of texture`);
  }
  const triangleParts = file.data('triangleParts', 'uint8', [count]);
  if (triangleParts.some((part) => part >= PART_NAMES.length)) throw file.reject('it has unknown parts');
  return {
    name: file.text('name'),
    licence: file.text('licence'),
    template,
    identityBasis: identity,
    identityCount: identity.length / template.length,
    expressionBasis: readBasis(file, 'expressionBasis', [expressionNames.length, vertices, 3]),
    expressionNames,
    eyelidExpressions: readEyelids(file, expressionNames.length),
    poseCorrectives: readCorrectives(file, vertices),
    jointRegressor: file.data('jointRegressor', 'float32', [JOINTS, vertices]),
    skinningWeights: file.data('skinningWeights', 'float32', [vertices, JOINTS]),
    jointParents: readParents(file),
    ...(file.hasText('jointsFollowExpression') && { jointsFollowExpression: true }),
    triangles,
    uvs,
    uvTriangles,
    triangleParts,
    ...readLandmarks(file, count),
    provenance: file.json('provenance') as Record<string, string>,
  };
}

function occupiedRows(basis: Float32Array, length: number): { rows: Int32Array; data: Float32Array } {
  const row = (i: number): Float32Array => basis.subarray(i * length, (i + 1) * length);
  const rows = [...Array(CORRECTIVES).keys()].filter((i) => row(i).some((value) => value !== 0));
  const data = new Float32Array(rows.length * length);
  for (const [at, i] of rows.entries()) data.set(row(i), at * length);
  return { rows: Int32Array.from(rows), data };
}

function readCorrectives(file: FileReader, vertices: number): Float32Array | null {
  if (!file.has('poseCorrectives')) return null;
  const rows = file.data('poseCorrectiveRows', 'int32', [null]);
  const values = readBasis(file, 'poseCorrectives', [rows.length, vertices, 3]);
  const length = vertices * 3;
  const full = new Float32Array(CORRECTIVES * length);
  for (const [at, row] of rows.entries()) {
    if (row < 0 || row >= CORRECTIVES) throw file.reject(`it has a pose corrective ${row}`);
    full.set(values.subarray(at * length, (at + 1) * length), row * length);
  }
  return full;
}

function readBasis(file: FileReader, entry: string, shape: readonly (number | null)[]): Float32Array {
  if (file.dtypeOf(entry) === 'float32') return file.data(entry, 'float32', shape);
  return fromHalf(file.data(entry, 'float16', shape));
}

function readIndices(file: FileReader, entry: string, limit: number): Uint32Array {
  const indices = file.data(entry, 'int32', [null, 3]);
  if (indices.some((index) => index < 0 || index >= limit)) {
    throw file.reject(`"${entry}" points past its ${limit} vertices`);
  }
  return Uint32Array.from(indices);
}

function readNames(file: FileReader, key: string): string[] {
  const names = file.json(key);
  if (!Array.isArray(names) || !names.every((name) => typeof name === 'string')) {
    throw file.reject(`"${key}" is not a list of names`);
  }
  return names;
}

function readEyelids(file: FileReader, expressions: number): number[] {
  const eyelids = file.json('eyelidExpressions');
  const isValid = (i: unknown): boolean => Number.isInteger(i) && Number(i) >= 0 && Number(i) < expressions;
  if (!Array.isArray(eyelids) || ![0, 2].includes(eyelids.length) || !eyelids.every(isValid)) {
    throw file.reject('"eyelidExpressions" does not name two expressions, or none');
  }
  return eyelids as number[];
}

function readParents(file: FileReader): number[] {
  const parents = file.json('jointParents');
  const isValid = (parent: unknown, joint: number): boolean =>
    Number.isInteger(parent) && Number(parent) >= -1 && Number(parent) < joint;
  if (!Array.isArray(parents) || parents.length !== JOINTS || !parents.every(isValid)) {
    throw file.reject(`"jointParents" does not list the parents of ${JOINTS} joints`);
  }
  return parents as number[];
}

function readLandmarks(
  file: FileReader,
  triangles: number,
): Pick<HeadModel, 'landmarks' | 'landmarkWeights'> {
  if (!file.has('landmarkTriangles')) return { landmarks: null, landmarkWeights: null };
  const indices = file.data('landmarkTriangles', 'int32', [null]);
  if (indices.some((index) => index < 0 || index >= triangles)) {
    throw file.reject('a landmark lies outside the mesh');
  }
  return {
    landmarks: {
      triangles: Uint32Array.from(indices),
      barycentrics: file.data('landmarkBarycentrics', 'float32', [indices.length, 3]),
    },
    landmarkWeights: file.has('landmarkWeights')
      ? file.data('landmarkWeights', 'float32', [indices.length])
      : null,
  };
}
