// The arrays of FLAME brought into a head's own form and checked: whole, of one mesh, and of FLAME at all.

import { BadInputError } from '../errors/index.ts';
import { JOINT_NAMES } from '../head/index.ts';
import { countOf, type NumpyArray } from '../numpy/index.ts';
import type { FoundArray, Sources } from './source-files.ts';

const JOINTS = JOINT_NAMES.length;
const POSE_FEATURES = 9 * (JOINTS - 1);
/** Of the columns of `shapedirs`, the first 300 are identity and all after them expression. */
export const FLAME_IDENTITIES = 300;
const DEFAULT_PARENTS = [-1, 0, 1, 1, 1];

/** The numeric part of a head model; row-major as in `HeadModel`. */
export type ModelArrays = {
  readonly template: Float32Array;
  readonly identityBasis: Float32Array;
  readonly identityCount: number;
  readonly expressionBasis: Float32Array;
  readonly expressionCount: number;
  readonly poseCorrectives: Float32Array | null;
  readonly jointRegressor: Float32Array;
  readonly skinningWeights: Float32Array;
  readonly jointParents: readonly number[];
  readonly triangles: Uint32Array;
};

/** How many components to keep; all that there are where nothing is said. */
export type ComponentCounts = { readonly identities?: number; readonly expressions?: number };

/** Models that come in the same kind of file, by their numbers of vertices and joints. */
const OTHER_MODELS: readonly (readonly [vertices: number, name: string])[] = [
  [6890, 'SMPL or SMPL+H'],
  [10475, 'SMPL-X'],
  [778, 'MANO'],
  [53215, 'the Basel Face Model'],
  [53149, 'the Basel Face Model'],
];

/**
 * Brings arrays into a head's form.
 * @returns the arrays, and one line for each part that the files lack
 * @throws BadInputError naming what is missing, of a wrong shape, or of another model.
 */
export function assembleArrays(
  { arrays }: Sources,
  counts: ComponentCounts = {},
): { readonly model: ModelArrays; readonly notes: readonly string[] } {
  const required = ['v_template', 'f', 'weights', 'J_regressor'] as const;
  const missing = required.filter((key) => !arrays.has(key));
  const template = arrays.get('v_template');
  const weights = arrays.get('weights');
  refuseOthers(template, weights);
  if (missing.length > 0) {
    const found = [...arrays.keys()].join(', ') || 'none of its arrays';
    throw new BadInputError({
      code: 'incomplete-head',
      message: `expected the arrays of a FLAME model, but ${missing.join(', ')} are not in the files (found: ${found})`,
      hint: 'add the model file itself (.pkl or .npz), or the files that hold these arrays',
    });
  }
  const vertices = template!.array.shape[0]!;
  const take = (key: string, shape: readonly (number | null)[]): NumpyArray => {
    const found = arrays.get(key)!;
    expectShape(key, found, shape);
    return found.array;
  };
  const shapes = arrays.has('shapedirs') ? take('shapedirs', [vertices, 3, null]) : null;
  const ownExpressions = arrays.has('exprdirs') ? take('exprdirs', [vertices, 3, null]) : null;
  const columns = shapes?.shape[2] ?? 0;
  const identityColumns = ownExpressions ? columns : Math.min(columns, FLAME_IDENTITIES);
  const identityCount = Math.min(identityColumns, counts.identities ?? identityColumns);
  const expressionColumns = ownExpressions ? ownExpressions.shape[2]! : columns - identityColumns;
  const expressionCount = Math.min(expressionColumns, counts.expressions ?? expressionColumns);
  const length = 3 * vertices;
  const none = new Float32Array(0);
  const pose = arrays.has('posedirs') ? poseBasis(arrays.get('posedirs')!, vertices) : null;
  const notes: string[] = [];
  if (identityCount === 0) notes.push('There is no identity basis: every head has the mean shape.');
  if (expressionCount === 0) {
    notes.push(
      'There is no expression basis: the head turns, opens its jaw and moves its eyes, but makes no expressions.',
    );
  }
  if (pose === null) notes.push('There are no pose correctives: joints bend the skin less naturally.');
  const model: ModelArrays = {
    template: Float32Array.from(take('v_template', [vertices, 3]).data),
    identityBasis: shapes ? componentsFirst(shapes, length, 0, identityCount) : none,
    identityCount,
    expressionBasis: ownExpressions
      ? componentsFirst(ownExpressions, length, 0, expressionCount)
      : shapes
        ? componentsFirst(shapes, length, identityColumns, expressionCount)
        : none,
    expressionCount,
    poseCorrectives: pose,
    jointRegressor: Float32Array.from(take('J_regressor', [JOINTS, vertices]).data),
    skinningWeights: Float32Array.from(take('weights', [vertices, JOINTS]).data),
    jointParents: parentsOf(arrays.get('kintree_table')),
    triangles: trianglesOf(take('f', [null, 3]), arrays.get('f')!.file, vertices),
  };
  expectFinite(model, arrays);
  return { model, notes };
}

function refuseOthers(template: FoundArray | undefined, weights: FoundArray | undefined): void {
  const vertices = template?.array.shape[0];
  const joints = weights?.array.shape[1];
  const known = OTHER_MODELS.find(([count]) => count === vertices)?.[1];
  if (known === undefined && (joints === undefined || joints === JOINTS)) return;
  const what = known ?? `a model of ${joints} joints`;
  throw new BadInputError({
    code: 'other-model',
    message: `expected a FLAME head (5 joints), but ${(template ?? weights)!.file} is ${what} (${vertices ?? '?'} vertices)`,
    hint: 'give the file of a FLAME model: 2017, 2020, 2023 or 2023 Open',
  });
}

function expectShape(key: string, { array, file }: FoundArray, shape: readonly (number | null)[]): void {
  const isRight =
    array.shape.length === shape.length &&
    shape.every((extent, i) => extent === null || extent === array.shape[i]);
  if (isRight && countOf(array.shape) > 0) return;
  const wanted = shape.map((extent) => extent ?? 'any').join(', ');
  throw new BadInputError({
    code: 'head-array-shape',
    message: `expected "${key}" in ${file} to have the shape (${wanted}), got (${array.shape.join(', ')})`,
    hint: 'the files are not of one model, or damaged: get them again together',
  });
}

function expectFinite(model: ModelArrays, arrays: Sources['arrays']): void {
  const checked = {
    v_template: model.template,
    shapedirs: model.identityBasis,
    J_regressor: model.jointRegressor,
    weights: model.skinningWeights,
  };
  for (const [key, data] of Object.entries(checked)) {
    if (data.every(Number.isFinite)) continue;
    throw new BadInputError({
      code: 'head-array-values',
      message: `"${key}" in ${arrays.get(key)?.file ?? 'the files'} holds values that are not finite numbers`,
      hint: 'the file is damaged: get it again',
    });
  }
}

/** Columns of a `V 3 K` basis as rows: `count V 3`. */
function componentsFirst(
  { shape, data }: NumpyArray,
  length: number,
  first: number,
  count: number,
): Float32Array {
  const columns = shape[2]!;
  const rows = new Float32Array(count * length);
  for (let i = 0; i < length; i++) {
    const from = i * columns + first;
    for (let k = 0; k < count; k++) rows[k * length + i] = data[from + k]!;
  }
  return rows;
}

/** `V 3 36` as in FLAME's files, or `36 3V` as libraries keep it. */
function poseBasis(found: FoundArray, vertices: number): Float32Array {
  const { array } = found;
  if (array.shape.length === 2) {
    expectShape('posedirs', found, [POSE_FEATURES, 3 * vertices]);
    return Float32Array.from(array.data);
  }
  expectShape('posedirs', found, [vertices, 3, POSE_FEATURES]);
  return componentsFirst(array, 3 * vertices, 0, POSE_FEATURES);
}

function parentsOf(found: FoundArray | undefined): readonly number[] {
  if (found === undefined) return DEFAULT_PARENTS;
  const row = [...found.array.data.subarray(0, JOINTS)];
  // The root's parent is -1, which unsigned integers show as their largest value.
  const parents = row.map((parent, joint) => (joint === 0 ? -1 : parent));
  const isTree =
    parents.length === JOINTS && parents.every((p, j) => Number.isInteger(p) && p >= -1 && p < j);
  if (isTree) return parents;
  throw new BadInputError({
    code: 'head-array-values',
    message: `"kintree_table" in ${found.file} is no tree of ${JOINTS} joints: ${row.join(', ')}`,
    hint: 'the file is of another model or damaged',
  });
}

function trianglesOf({ data }: NumpyArray, file: string, vertices: number): Uint32Array {
  if (data.every((index) => Number.isInteger(index) && index >= 0 && index < vertices)) {
    return Uint32Array.from(data);
  }
  throw new BadInputError({
    code: 'head-array-values',
    message: `"f" in ${file} points past the ${vertices} vertices`,
    hint: 'the files are not of one model, or damaged: get them again together',
  });
}
