// A field among the weights of a model: named tensors and string metadata, and the way to another head
// with the same UV square.

import { BadInputError } from '../errors/index.ts';
import type { Tensor } from '../tensor/index.ts';
import { expectShape, tensor } from '../tensor/index.ts';
import type { GaussianBinding } from './gaussian-binding.ts';
import type { GaussianField } from './gaussian-field.ts';
import { initialiseField } from './gaussian-field.ts';

/** Names of a field's tensors in a file of weights: `N C`, `N`, and `N` or `N 3`. */
export const FIELD_PARAMETERS = {
  features: 'gaussians.features',
  opacity: 'gaussians.opacity',
  scale: 'gaussians.scale',
} as const;

const UV_SIZE_KEY = 'gaussians.uvSize';
const TEXELS_KEY = 'gaussians.texels';

/** The raw parameters by name; the tensors are the field's own, so that an optimiser updates it in place. */
export function fieldParameters(field: GaussianField): Record<string, Tensor> {
  return {
    [FIELD_PARAMETERS.features]: field.features,
    [FIELD_PARAMETERS.opacity]: field.opacity,
    [FIELD_PARAMETERS.scale]: field.scale,
  };
}

/** Whether raw parameters, by name, hold a field with three scales a Gaussian. */
export function holdsAnisotropicField(parameters: Readonly<Record<string, Tensor>>): boolean {
  return parameters[FIELD_PARAMETERS.scale]?.shape.length === 2;
}

/**
 * The field of a binding with raw parameters that are given by name, the tensors themselves.
 * @throws BadInputError naming the parameter that is missing or of another shape.
 */
export function fieldOf(
  { uvSize, texels }: Pick<GaussianBinding, 'uvSize' | 'texels'>,
  parameters: Readonly<Record<string, Tensor>>,
  { channels, isAnisotropic }: { readonly channels: number; readonly isAnisotropic: boolean },
): GaussianField {
  const count = texels.length;
  const pick = (name: string, shape: readonly number[]): Tensor => {
    const held = parameters[name];
    if (held !== undefined && held.shape.join() === shape.join()) return held;
    throw new BadInputError({
      code: 'weights-mismatch',
      message: `expected the weights to hold ${name} of shape [${shape}], got ${held ? `[${held.shape}]` : 'none'}`,
      hint: 'use weights that were trained with this configuration',
    });
  };
  return {
    ...{ uvSize, texels },
    features: pick(FIELD_PARAMETERS.features, [count, channels]) as GaussianField['features'],
    opacity: pick(FIELD_PARAMETERS.opacity, [count]) as GaussianField['opacity'],
    scale: pick(FIELD_PARAMETERS.scale, isAnisotropic ? [count, 3] : [count]) as GaussianField['scale'],
  };
}

/** What a file must say beside the tensors: the side of the UV square, and its texels as a hex bit mask. */
export function fieldMetadata(field: GaussianField): Record<string, string> {
  const mask = new Uint8Array(Math.ceil((field.uvSize * field.uvSize) / 8));
  for (const texel of field.texels) mask[texel >> 3]! |= 1 << (texel & 7);
  return {
    [UV_SIZE_KEY]: String(field.uvSize),
    [TEXELS_KEY]: Array.from(mask, (byte) => byte.toString(16).padStart(2, '0')).join(''),
  };
}

/**
 * The field in a file of weights, or null where the file has none.
 * @throws BadInputError if the tensors and the metadata do not belong together.
 */
export function readField(
  parameters: Readonly<Record<string, Tensor>>,
  metadata: Readonly<Record<string, string>>,
): GaussianField | null {
  const features = parameters[FIELD_PARAMETERS.features];
  const opacity = parameters[FIELD_PARAMETERS.opacity];
  const scale = parameters[FIELD_PARAMETERS.scale];
  if (features === undefined && opacity === undefined && scale === undefined) return null;
  const uvSize = Number(metadata[UV_SIZE_KEY]);
  const hex = metadata[TEXELS_KEY] ?? '';
  const isMask = /^([0-9a-f]{2})*$/.test(hex) && hex.length === Math.ceil((uvSize * uvSize) / 8) * 2;
  if (!features || !opacity || !scale || !Number.isInteger(uvSize) || uvSize <= 0 || !isMask) {
    throw new BadInputError({
      code: 'bad-gaussian-field',
      message: 'expected gaussians.features, .opacity and .scale with uvSize and texels in the metadata',
      hint: 'the weights are damaged or of another version: fetch or train them again',
    });
  }
  const texels = Uint32Array.from(Array.from({ length: uvSize * uvSize }, (_, i) => i)).filter(
    (texel) => (Number.parseInt(hex.slice((texel >> 3) * 2, (texel >> 3) * 2 + 2), 16) >> (texel & 7)) & 1,
  );
  expectShape(FIELD_PARAMETERS.features, features, [texels.length, null]);
  expectShape(FIELD_PARAMETERS.opacity, opacity, [texels.length]);
  const isAnisotropic = scale.shape.length === 2;
  expectShape(FIELD_PARAMETERS.scale, scale, isAnisotropic ? [texels.length, 3] : [texels.length]);
  return { uvSize, texels, features, opacity, scale };
}

/**
 * The field for a binding: texels that both have keep what was learned, the rest start fresh.
 * @param vertices `V 3`, the template of the bound head
 * @throws BadInputError if the UV squares differ in size.
 */
export function rebindField(
  field: GaussianField,
  binding: GaussianBinding,
  vertices: Float32Array,
  seed: number,
): GaussianField {
  if (field.uvSize !== binding.uvSize) {
    throw new BadInputError({
      code: 'uv-size-mismatch',
      message: `expected a field over ${binding.uvSize} x ${binding.uvSize} texels, got ${field.uvSize}`,
      hint: 'bind the head with the field’s uvSize',
    });
  }
  const channels = field.features.shape[1]!;
  const axes = field.scale.data.length / field.texels.length;
  const rebound = initialiseField(binding, vertices, seed, { channels, isAnisotropic: axes === 3 });
  const rowOfTexel = new Map(Array.from(field.texels, (texel, row) => [texel, row]));
  const features = rebound.features.data.slice();
  const opacity = rebound.opacity.data.slice();
  const scale = rebound.scale.data.slice();
  for (const [row, texel] of rebound.texels.entries()) {
    const from = rowOfTexel.get(texel);
    if (from === undefined) continue;
    features.set(field.features.data.subarray(from * channels, (from + 1) * channels), row * channels);
    opacity[row] = field.opacity.data[from]!;
    scale.set(field.scale.data.subarray(from * axes, (from + 1) * axes), row * axes);
  }
  const count = rebound.texels.length;
  return {
    uvSize: field.uvSize,
    texels: rebound.texels,
    features: tensor(features, [count, channels]),
    opacity: tensor(opacity, [count]),
    scale: tensor(scale, rebound.scale.shape),
  };
}
