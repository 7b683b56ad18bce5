// Which tensor of which file each parameter of a model takes, before anything is written: every parameter is used or
// fresh, every tensor of the files is used or left over, and where shapes disagree nothing is imported.

import { BadInputError } from '../errors/index.ts';
import type { ParameterSet } from '../nn/index.ts';
import type { PaperModelConfig, PartName } from '../stable-diffusion/index.ts';
import { declareParameters, MOTION_NAME } from '../stable-diffusion/index.ts';
import type { Layout } from './layout.ts';
import { layoutOf, namesIn } from './layout.ts';
import { isWeightType, type WeightType } from './stored-type.ts';
import type { StoredTensor, TensorFile } from './tensor-file.ts';
import type { TensorToWrite } from './weights-writer.ts';

/** What a file is given for. */
export type ImportRole = 'base' | 'vae' | 'motion' | 'reference' | 'guidance';

/** The files of an import by what they are given for. `reference` falls back on the U-Net of `base`. */
export type ImportFiles = Partial<Readonly<Record<ImportRole, readonly TensorFile[]>>>;

/** What became of one parameter. */
export type ParameterReport = {
  readonly name: string;
  readonly status: 'used' | 'fresh';
  /** Where it comes from; null where it is fresh. */
  readonly source: { readonly file: string; readonly key: string } | null;
  /** Why it is fresh, where a file has something like it. */
  readonly note?: string;
};

/** What became of everything. */
export type ImportReport = {
  readonly parameters: readonly ParameterReport[];
  readonly leftOver: readonly { readonly file: string; readonly key: string }[];
  readonly files: readonly { readonly file: string; readonly role: ImportRole; readonly layout: string }[];
};

/** An import that can be written. */
export type ImportPlan = { readonly tensors: readonly TensorToWrite[]; readonly report: ImportReport };

/** Options of `planImport`. */
export type ImportOptions = {
  /** `keep` writes each tensor in the type that it has. */
  readonly precision: WeightType | 'keep';
  /** Of the fresh parameters. */
  readonly seed: number;
};

type Opened = { readonly file: TensorFile; readonly layout: Layout; readonly role: ImportRole };

/**
 * Plans an import.
 * @throws BadInputError where a shape disagrees, a file is of another family, or a file gives nothing.
 */
export function planImport(config: PaperModelConfig, files: ImportFiles, options: ImportOptions): ImportPlan {
  const set = declareParameters(config);
  const opened = (Object.entries(files) as [ImportRole, readonly TensorFile[]][]).flatMap(([role, list]) =>
    list.map((file): Opened => ({ file, role, layout: layoutOf(file) })),
  );
  const usedKeys = new Map<TensorFile, Set<string>>(opened.map(({ file }) => [file, new Set()]));
  const tensors: TensorToWrite[] = [];
  const parameters: ParameterReport[] = [];
  for (const [name, { shape }] of set.values) {
    const found = findSource(name, opened, config);
    const note = found === null ? undefined : reasonForFresh(name, shape, found.tensor);
    if (found === null || note !== undefined) {
      parameters.push({ name, status: 'fresh', source: null, ...(note === undefined ? {} : { note }) });
      tensors.push(freshTensor(set, name, shape, options));
      continue;
    }
    expectSameShape(name, shape, found);
    if (name.startsWith('vae.')) expectSameScale(found.file, config);
    usedKeys.get(found.file)!.add(found.tensor.name);
    const source = { file: found.file.name, key: found.tensor.name };
    parameters.push({ name, status: 'used', source });
    tensors.push({
      name,
      shape,
      type: found.tensor.type,
      writtenType: writtenType(found.tensor, options),
      read: () => found.tensor.read(),
    });
  }
  for (const { file, role, layout } of opened) {
    if (usedKeys.get(file)!.size > 0) continue;
    throw new BadInputError({
      code: 'weights-unused',
      message: `expected ${file.name} to give weights for ${role}, but it holds ${layout.description} of which nothing is needed`,
      hint: 'give the file for what it holds: see weights inspect',
    });
  }
  return {
    tensors,
    report: { parameters, leftOver: leftOverOf(opened, usedKeys), files: opened.map(described) },
  };
}

/** The roles that give a parameter, the most particular first. */
function rolesFor(name: string): readonly ImportRole[] {
  const part = name.slice(0, name.indexOf('.')) as PartName;
  if (part === 'vae') return ['vae', 'base'];
  if (part === 'guidance') return ['guidance', 'base'];
  if (part === 'reference_unet') return ['reference', 'base'];
  return name.includes(`.${MOTION_NAME}.`) ? ['motion', 'base'] : ['base'];
}

function findSource(
  name: string,
  opened: readonly Opened[],
  config: PaperModelConfig,
): { file: TensorFile; tensor: StoredTensor } | null {
  for (const role of rolesFor(name)) {
    for (const { file, layout } of opened.filter((candidate) => candidate.role === role)) {
      for (const key of namesIn(layout, name, config)) {
        const tensor = file.tensors.get(key);
        if (tensor !== undefined && isWeightType(tensor.type)) return { file, tensor };
      }
    }
  }
  return null;
}

/**
 * Guidance encoders are published for pictures of three channels: the first layer of ours sees the Gaussians' features
 * and learns from the start. The one disagreement of shapes that is no mistake.
 */
function reasonForFresh(name: string, shape: readonly number[], tensor: StoredTensor): string | undefined {
  if (name !== 'guidance.conv_in.weight' || tensor.shape[1] === shape[1]) return undefined;
  return `the file's takes ${tensor.shape[1]} channels, ours ${shape[1]}`;
}

/** 1 x 1 convolutions and linear layers hold the same numbers: extents of one at the end do not count. */
function expectSameShape(
  name: string,
  shape: readonly number[],
  { file, tensor }: { file: TensorFile; tensor: StoredTensor },
): void {
  if (withoutOnes(shape) === withoutOnes(tensor.shape)) return;
  throw new BadInputError({
    code: 'weights-mismatch',
    message: `expected "${tensor.name}" of ${file.name} with shape [${shape}] for ${name}, got [${tensor.shape}]`,
    hint: 'the file is of another variant: change the sizes in the configuration to its own, or name another file',
  });
}

/** Stable Diffusion XL's autoencoder has the names and shapes of 1.x; its latents are other ones, scaled otherwise. */
function expectSameScale(
  { name, scalingFactor }: TensorFile,
  { autoencoder: { scale } }: PaperModelConfig,
): void {
  if (scalingFactor === undefined || Math.abs(scalingFactor / scale - 1) < 1e-4) return;
  throw new BadInputError({
    code: 'foreign-family',
    message: `expected ${name} to be an autoencoder that scales its latents by ${scale}, got ${scalingFactor}${scalingFactor === 0.13025 ? ", Stable Diffusion XL's" : ''}`,
    hint: 'name the autoencoder of Stable Diffusion 1.x or 2.x, e.g. sd-vae-ft-mse',
  });
}

function withoutOnes(shape: readonly number[]): string {
  return shape.join().replace(/(,1)+$/, '');
}

function writtenType({ type }: StoredTensor, { precision }: ImportOptions): WeightType {
  if (precision !== 'keep') return precision;
  return type === 'float16' || type === 'bfloat16' ? type : 'float32';
}

function freshTensor(
  set: ParameterSet,
  name: string,
  shape: readonly number[],
  { precision, seed }: ImportOptions,
): TensorToWrite {
  return {
    name,
    shape,
    type: 'float32',
    writtenType: precision === 'keep' ? 'float32' : precision,
    read: async () => {
      const { data } = set.initialise(seed, (other) => other === name)[name]!;
      return new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
    },
  };
}

/** AnimateDiff's files carry the table of positions at both attentions of a block: one of them is enough. */
function leftOverOf(
  opened: readonly Opened[],
  usedKeys: ReadonlyMap<TensorFile, ReadonlySet<string>>,
): ImportReport['leftOver'] {
  return opened.flatMap(({ file }) =>
    [...file.tensors.keys()]
      .filter((key) => !usedKeys.get(file)!.has(key))
      .map((key) => ({ file: file.name, key })),
  );
}

function described({ file, role, layout }: Opened): ImportReport['files'][number] {
  return { file: file.name, role, layout: layout.description };
}
