// What a file of weights is, for people: family, layout, parts, precision, parameters, licence.

import { AvatarError } from '../errors/index.ts';
import { elementCount } from '../tensor/index.ts';
import { foreignFamilyOf, type Layout, layoutOf } from './layout.ts';
import { isWeightType, type StoredType } from './stored-type.ts';
import type { StoredTensor, TensorFile } from './tensor-file.ts';

/** What `weights inspect` says. */
export type WeightsDescription = {
  /** E.g. `Stable Diffusion 1.x`; `unknown` where nothing tells. */
  readonly family: string;
  /** Null where the file cannot be imported. */
  readonly layout: string | null;
  readonly parts: readonly string[];
  /** Elements of floating-point tensors. */
  readonly parameters: number;
  readonly tensors: number;
  /** Elements by element type, the most frequent first. */
  readonly precision: Readonly<Partial<Record<StoredType, number>>>;
  /** What the file says of its licence; torch files say nothing. */
  readonly licence: string | null;
};

/** Describes a file of weights, also one that cannot be used here. */
export function describeWeights(file: TensorFile): WeightsDescription {
  const tensors = [...file.tensors.values()];
  const layout = layoutOrNull(file);
  const counts = new Map<StoredType, number>();
  for (const { type, shape } of tensors) counts.set(type, (counts.get(type) ?? 0) + elementCount(shape));
  const { metadata } = file;
  return {
    family: foreignFamilyOf(file) ?? familyOf(tensors, layout),
    layout: layout?.description ?? null,
    parts: layout?.parts ?? [],
    parameters: [...counts].reduce((sum, [type, count]) => sum + (isWeightType(type) ? count : 0), 0),
    tensors: tensors.length,
    precision: Object.fromEntries([...counts].sort(([, a], [, b]) => b - a)),
    licence: metadata.license ?? metadata.licence ?? metadata['modelspec.license'] ?? null,
  };
}

function layoutOrNull(file: TensorFile): Layout | null {
  try {
    return layoutOf(file);
  } catch (error) {
    if (error instanceof AvatarError) return null;
    throw error;
  }
}

function familyOf(tensors: readonly StoredTensor[], layout: Layout | null): string {
  if (layout === null) return 'unknown';
  const shapeOf = (pattern: RegExp): readonly number[] | undefined =>
    tensors.find(({ name }) => pattern.test(name))?.shape;
  // The text encoder's width tells the generations apart.
  const context = shapeOf(/(?<!motion_modules.*)attn2\.to_k\.weight$/)?.[1];
  if (context === 768) return 'Stable Diffusion 1.x';
  if (context === 1024) return 'Stable Diffusion 2.x';
  if (layout.parts.includes('unet')) return `Stable Diffusion's form, context of ${context ?? 0} features`;
  if (layout.parts.includes('motion')) {
    const hasMiddle = tensors.some(({ name }) => /mid_block\.motion_modules\./.test(name));
    const frames = shapeOf(/\.pe$/)?.[1];
    return `AnimateDiff ${hasMiddle ? 'v2' : frames === 24 ? 'v1' : 'v3'}`;
  }
  return layout.parts.includes('vae') ? "Stable Diffusion's autoencoder" : layout.description;
}
