// FLAME's files to a `HeadModel`: arrays, landmarks, texture. What the files lack is completed from a reference head
// laid on the model, and the notes say so.

import type { HeadModel } from '../head/index.ts';
import { carryChart } from './carried-chart.ts';
import { carryLandmarks, carryParts, partsBySkinning } from './carried-surface.ts';
import { type Registration, registerHead } from './head-registration.ts';
import { type KnownLandmarks, packLandmarks, readLandmarks } from './landmark-embedding.ts';
import { assembleArrays, type ComponentCounts, type ModelArrays } from './model-arrays.ts';
import { openSources, type SourceFile, type Sources } from './source-files.ts';
import { textureOf } from './template-obj.ts';

/** What an import needs besides the files. */
export type ImportOptions = ComponentCounts & {
  /** What the head is called; tracks and weights name it. */
  readonly name: string;
  readonly licence?: string;
  /** A complete head that lends what the files lack: the embedded one. */
  readonly reference: HeadModel;
};

/** An imported head and what is to be said about it. */
export type ImportedHead = {
  readonly head: HeadModel;
  /** One line for everything that the files lack or that was left out. */
  readonly notes: readonly string[];
  /** Which of the 478 landmarks the files themselves give. */
  readonly fromFiles: ReadonlySet<number>;
  /** How many landmarks come from where. */
  readonly landmarks: { readonly fromFiles: number; readonly carried: number };
  readonly texture: 'template' | 'carried';
  /** How close the reference lies to the model. */
  readonly registration: Pick<Registration, 'rmsMetres' | 'coverage'>;
};

const LICENCE =
  'as the files that it was made from (FLAME is licensed by the Max-Planck-Gesellschaft, most versions for research only)';
/** Landmarks that another head lends are trusted this much beside those of the files. */
const CARRIED_TRUST = 0.5;

/**
 * Makes a head of FLAME's files, in any order: the model (`.pkl`, `.npz` or raw arrays), landmark embeddings, the
 * template OBJ, eyelids.
 * @throws BadInputError naming the file and what is wrong with it.
 */
export function importHead(files: readonly SourceFile[], options: ImportOptions): ImportedHead {
  const sources = openSources(files);
  const { model, notes } = assembleArrays(sources, options);
  const known = readLandmarks(sources, model.triangles.length / 3);
  const bare = bareHead(model, sources, known, options);
  const { reference } = options;
  const registration = registerHead(reference, bare);
  const parted = {
    ...bare,
    triangleParts: carryParts(bare, reference, registration, lipVertices(sources)),
  };
  const landmarks = carryLandmarks(parted, reference, registration, known);
  const { points } = packLandmarks(landmarks);
  const chart = sources.template
    ? textureOf(sources.template, model.template.length / 3, model.triangles)
    : carryChart(parted, reference, registration);
  const carried = landmarks.size - known.size;
  const head: HeadModel = {
    ...parted,
    ...chart,
    landmarks: points,
    landmarkWeights: Float32Array.from({ length: points.triangles.length }, (_, l) => {
      const trust = reference.landmarkWeights?.[l] || 1;
      return known.has(l) ? trust : landmarks.has(l) ? CARRIED_TRUST * trust : 0;
    }),
  };
  return {
    head,
    notes: [
      ...sources.notes,
      ...notes,
      ...(hasLids(sources) && parted.eyelidExpressions.length === 0
        ? ['The eyelids are of another mesh, or one of the two is missing: not used.']
        : []),
      ...(carried > 0
        ? [`${known.size} landmarks are the files' own; ${carried} are placed by the head ${reference.name}.`]
        : []),
      ...(sources.template
        ? []
        : [`There is no template OBJ: the texture's layout is that of the head ${reference.name}.`]),
    ],
    fromFiles: new Set(known.keys()),
    landmarks: { fromFiles: known.size, carried },
    texture: sources.template ? 'template' : 'carried',
    registration: { rmsMetres: registration.rmsMetres, coverage: registration.coverage },
  };
}

/** The head as far as its own files go. */
function bareHead(
  model: ModelArrays,
  sources: Sources,
  known: KnownLandmarks,
  { name, licence = LICENCE }: ImportOptions,
): HeadModel {
  const { expressionCount, ...arrays } = model;
  const names = Array.from({ length: expressionCount }, (_, k) => `expression${k + 1}`);
  const lids = eyelids(sources, model.template.length);
  const { points, isKnown } = packLandmarks(known);
  return {
    ...arrays,
    name,
    licence,
    jointsFollowExpression: true,
    expressionNames: lids ? [...names, 'eyeBlinkLeft', 'eyeBlinkRight'] : names,
    expressionBasis: lids ? joined(model.expressionBasis, ...lids) : model.expressionBasis,
    eyelidExpressions: lids ? [expressionCount, expressionCount + 1] : [],
    uvs: new Float32Array(2),
    uvTriangles: new Uint32Array(model.triangles.length),
    triangleParts: partsBySkinning(model.skinningWeights, model.triangles),
    landmarks: points,
    landmarkWeights: Float32Array.from(isKnown),
    provenance: provenanceOf(sources),
  };
}

function hasLids({ arrays }: Sources): boolean {
  return arrays.has('l_eyelid') || arrays.has('r_eyelid');
}

/** Offsets that close the left and the right lid, or null where the files have none for this mesh. */
function eyelids({ arrays }: Sources, length: number): readonly [Float32Array, Float32Array] | null {
  const [left, right] = [arrays.get('l_eyelid'), arrays.get('r_eyelid')];
  if (left?.array.data.length !== length || right?.array.data.length !== length) return null;
  return [Float32Array.from(left.array.data), Float32Array.from(right.array.data)];
}

function joined(...parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function lipVertices({ arrays }: Sources): ReadonlySet<number> | null {
  const lips = arrays.get('lips');
  return lips === undefined ? null : new Set(lips.array.data);
}

/** Which file gave what. */
function provenanceOf({ arrays, template }: Sources): Record<string, string> {
  const byFile = new Map<string, string[]>();
  for (const [key, { file }] of arrays) byFile.set(file, [...(byFile.get(file) ?? []), key]);
  if (template) byFile.set(template.file, ['texture coordinates']);
  return Object.fromEntries([...byFile].map(([file, keys]) => [file, keys.join(', ')]));
}
