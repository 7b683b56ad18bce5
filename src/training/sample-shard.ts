// What a network learns from, on disk: shards of samples (safetensors) and the index of their folder.
// A sample is one reference picture, the reference carried to the target's pose by `lift`, and the true
// picture there; with the head and the camera of the target, from which the Gaussian map is splatted.

import { BadInputError } from '../errors/index.ts';
import type { HeadPlacement } from '../lift/index.ts';
import type { LearningPair } from '../synthesis/index.ts';
import type { AnyTensor } from '../tensor/index.ts';
import { decodeSafetensors, elementCount, encodeSafetensors } from '../tensor/index.ts';

/** Labels: which of the two learned label vectors a sample takes. */
export const SAMPLE_LABELS = ['real', 'synthetic'] as const;
export type SampleLabel = (typeof SAMPLE_LABELS)[number];
/** The label under which models are used: what comes out should look real. */
export const LABEL_IN_USE: SampleLabel = 'real';

/**
 * How the lifted picture came about. `singleLift`: one true view carried to another true view (synthetic
 * subjects, clips). `roundTrip`: a still carried away and back, the untouched still is the target.
 */
export const SAMPLE_KINDS = ['singleLift', 'roundTrip'] as const;
export type SampleKind = (typeof SAMPLE_KINDS)[number];

/** One sample; pictures are square, 8-bit sRGB, `S S 3` (S = `size`), masks `S S`. */
export type TrainingSample = Omit<LearningPair, 'referencePlacement'> & {
  /** Null in shards that were written without it: their Gaussians cannot be painted. */
  readonly referencePlacement: HeadPlacement | null;
  readonly label: SampleLabel;
  readonly kind: SampleKind;
  /** Equal for samples of one person. */
  readonly subject: number;
  /** The dataset that a mixture drew it from, by its name there; absent where none did. */
  readonly source?: string;
};

/** One shard: its samples share picture size and head model. */
export type SampleShard = {
  readonly size: number;
  /** `HeadModel.name` of the head parameters. */
  readonly headName: string;
  readonly samples: readonly TrainingSample[];
};

/** Where a folder of shards lists them. */
export const SAMPLE_INDEX_FILE = 'index.json';

/** `index.json` of a folder of shards. */
export type ShardIndex = {
  readonly format: typeof SHARD_FORMAT;
  readonly version: 1;
  readonly size: number;
  readonly headName: string;
  /** How often each source of a mixture comes; absent where labels come by the configuration's `realShare`. */
  readonly mixture?: Readonly<Record<string, number>>;
  /** What the samples were made from, where datasets were: others have another. */
  readonly origin?: string;
  readonly shards: readonly ShardEntry[];
};

/** A shard as the index lists it; the lists have an entry for each sample. */
export type ShardEntry = {
  readonly file: string;
  readonly labels: readonly SampleLabel[];
  readonly subjects: readonly number[];
  /** Length of the file, where the writer said it. */
  readonly bytes?: number;
};

/** `metadata.format` of shards and `format` of their index. */
export const SHARD_FORMAT = 'learn2control/samples';
/** Floats of a camera: fx, fy, cx, cy, then `cameraFromWorld` rotation (9) and translation (3). */
const CAMERA_FLOATS = 16;
const PICTURES = { reference: 3, target: 3, lifted: 3, visibility: 1, headMask: 1 } as const;
/** Heads and cameras of reference and target, and what else is no picture. */
const PLACEMENT_BYTES = 4096;
/** What the names of the reference's tensors begin with. */
const REFERENCE = 'reference.';
const HEAD_PARTS = ['identity', 'expression', 'jointRotations', 'translation'] as const;

/** What a sample takes on disk and in memory, in bytes; a little more than it does. */
export function sampleBytes(sizePx: number): number {
  const channels = Object.values(PICTURES).reduce((sum, own) => sum + own, 0);
  return channels * sizePx ** 2 + PLACEMENT_BYTES;
}

/** Serialises a shard. Pictures are stored as they are: shards are local scratch, not an archive. */
export function encodeSampleShard({ size, headName, samples }: SampleShard): Uint8Array<ArrayBuffer> {
  const n = samples.length;
  const tensors: Record<string, AnyTensor> = {};
  for (const [name, channels] of Object.entries(PICTURES) as [keyof typeof PICTURES, number][]) {
    const shape = channels === 1 ? [n, size, size] : [n, size, size, channels];
    tensors[name] = {
      dtype: 'uint8',
      shape,
      data: stack(
        samples.map((s) => s[name]),
        Uint8Array,
        shape,
      ),
    };
  }
  putPlacements(
    tensors,
    '',
    samples.map(({ head, camera }) => ({ parameters: head, camera })),
  );
  const references = samples.flatMap(({ referencePlacement }) => referencePlacement ?? []);
  if (references.length === n) putPlacements(tensors, REFERENCE, references);
  const integers = (values: readonly number[]): AnyTensor => ({
    dtype: 'int32',
    shape: [n],
    data: Int32Array.from(values),
  });
  tensors.label = integers(samples.map((s) => SAMPLE_LABELS.indexOf(s.label)));
  tensors.kind = integers(samples.map((s) => SAMPLE_KINDS.indexOf(s.kind)));
  tensors.subject = integers(samples.map((s) => s.subject));
  const sources = samples.flatMap(({ source }) => source ?? []);
  const metadata = {
    ...{ format: SHARD_FORMAT, version: '1', size: String(size), headName },
    ...(n > 0 && sources.length === n ? { sources: JSON.stringify(sources) } : {}),
  };
  return encodeSafetensors({ metadata, tensors });
}

/**
 * Reads a shard back; the samples look at its bytes, which threads may share.
 * @param name what the file is called in error messages
 * @throws BadInputError if it is no shard of this version or its tensors do not fit together.
 */
export function decodeSampleShard(bytes: Uint8Array, name = 'sample shard'): SampleShard {
  const { metadata, tensors } = decodeSafetensors(bytes, name, { isView: true });
  const reject = (problem: string): BadInputError =>
    new BadInputError({
      code: 'bad-sample-shard',
      message: `expected ${name} to be a shard of training samples, but ${problem}`,
      hint: 'write the samples again with this version',
    });
  if (metadata.format !== SHARD_FORMAT) throw reject(`its format is ${metadata.format ?? 'not named'}`);
  if (metadata.version !== '1') throw reject(`its version is ${metadata.version}, not 1`);
  const size = Number(metadata.size);
  const n = tensors.label?.shape[0] ?? 0;
  const row = <T extends Uint8Array | Float32Array | Int32Array>(
    key: string,
    i: number,
    width?: number,
  ): T => {
    const tensor = tensors[key];
    if (tensor === undefined) throw reject(`it has no "${key}"`);
    const extent = elementCount(tensor.shape.slice(1));
    if (tensor.shape[0] !== n || (width !== undefined && width !== extent)) {
      throw reject(`"${key}" has shape [${tensor.shape}] beside ${n} samples of size ${size}`);
    }
    return tensor.data.subarray(i * extent, (i + 1) * extent) as T;
  };
  const picture = (key: keyof typeof PICTURES, i: number): Uint8Array =>
    row(key, i, size * size * PICTURES[key]);
  const placementAt = (prefix: string, i: number): HeadPlacement => {
    const part = (key: string, width?: number): Float32Array => row(`${prefix}${key}`, i, width);
    const camera = part('camera', CAMERA_FLOATS);
    return {
      parameters: {
        identity: part('identity'),
        expression: part('expression'),
        jointRotations: part('jointRotations'),
        translation: part('translation'),
      },
      camera: {
        width: size,
        height: size,
        focalXPx: camera[0]!,
        focalYPx: camera[1]!,
        centreXPx: camera[2]!,
        centreYPx: camera[3]!,
        cameraFromWorld: { rotation: camera.subarray(4, 13), translation: camera.subarray(13, 16) },
      },
    };
  };
  const sources = sourcesIn(metadata.sources);
  if (sources !== null && sources.length !== n) throw reject(`its sources do not fit its ${n} samples`);
  const samples = Array.from({ length: n }, (_, i): TrainingSample => {
    const placement = placementAt('', i);
    const label = SAMPLE_LABELS[row<Int32Array>('label', i, 1)[0]!];
    const kind = SAMPLE_KINDS[row<Int32Array>('kind', i, 1)[0]!];
    if (label === undefined || kind === undefined) throw reject(`sample ${i} has an unknown label or kind`);
    return {
      reference: picture('reference', i),
      target: picture('target', i),
      lifted: picture('lifted', i),
      visibility: picture('visibility', i),
      headMask: picture('headMask', i),
      head: placement.parameters,
      camera: placement.camera,
      referencePlacement: tensors[`${REFERENCE}camera`] === undefined ? null : placementAt(REFERENCE, i),
      label,
      kind,
      subject: row<Int32Array>('subject', i, 1)[0]!,
      ...(sources === null ? {} : { source: sources[i]! }),
    };
  });
  return { size, headName: metadata.headName ?? '', samples };
}

function sourcesIn(text: string | undefined): readonly string[] | null {
  return text === undefined ? null : (JSON.parse(text) as readonly string[]);
}

/** The index's line about a shard. */
export function shardEntry(file: string, { samples }: SampleShard): ShardEntry {
  return { file, labels: samples.map((s) => s.label), subjects: samples.map((s) => s.subject) };
}

/** Heads and cameras, one row a sample. */
function putPlacements(
  tensors: Record<string, AnyTensor>,
  prefix: string,
  placements: readonly HeadPlacement[],
): void {
  const put = (name: string, rows: readonly ArrayLike<number>[], width: number): void => {
    const shape = [rows.length, width];
    tensors[prefix + name] = { dtype: 'float32', shape, data: stack(rows, Float32Array, shape) };
  };
  for (const part of HEAD_PARTS) {
    const rows = placements.map(({ parameters }) => parameters[part]);
    put(part, rows, rows[0]?.length ?? 0);
  }
  const cameras = placements.map(({ camera: c }) => [
    ...[c.focalXPx, c.focalYPx, c.centreXPx, c.centreYPx],
    ...Array.from(c.cameraFromWorld.rotation),
    ...Array.from(c.cameraFromWorld.translation),
  ]);
  put('camera', cameras, CAMERA_FLOATS);
}

type NumberArray = Uint8Array<ArrayBuffer> | Float32Array<ArrayBuffer>;

function stack<T extends NumberArray>(
  rows: readonly ArrayLike<number>[],
  Kind: new (length: number) => T,
  shape: readonly number[],
): T {
  const stacked = new Kind(elementCount(shape));
  const width = rows.length === 0 ? 0 : stacked.length / rows.length;
  for (const [i, row] of rows.entries()) {
    if (row.length !== width) {
      throw new BadInputError({
        code: 'sample-length',
        message: `expected ${width} values in every row of a shard, got ${row.length} in sample ${i}`,
        hint: 'all samples of a shard share picture size and head model',
      });
    }
    stacked.set(row, i * width);
  }
  return stacked;
}
