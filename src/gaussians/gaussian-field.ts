// What is learned: per texel a feature vector, an opacity and a scale, as raw parameters behind smooth
// activations: feature = tanh, opacity = sigmoid, scale (metres) = exp. An anisotropic field has three scales:
// along the surface where u grows, across it, and along the normal.
// Source: Learn2Control; initial values and activations are this project's choice.

import type { Tensor } from '../tensor/index.ts';
import { createRandom, tensor } from '../tensor/index.ts';
import type { GaussianBinding } from './gaussian-binding.ts';
import { poseGaussians } from './gaussian-binding.ts';
import { nearestNeighbourDistances } from './nearest-neighbour.ts';
import type { SplatGradients } from './splat-scene.ts';

/** The raw parameters of a field, with the texels they belong to; letters: N Gaussians, C channels. */
export type GaussianField = {
  readonly uvSize: number;
  /** `N` ascending texel indices, as in the binding. */
  readonly texels: Uint32Array;
  readonly features: Tensor<'N C'>;
  readonly opacity: Tensor<'N'>;
  /** `N`, or `N 3` of an anisotropic field. */
  readonly scale: Tensor<'N'> | Tensor<'N 3'>;
};

/**
 * The values that are splatted: features `N C` in (-1, 1), opacities `N` in (0, 1), scales `N` or `N 3` in
 * metres.
 */
export type ActivatedField = {
  readonly channels: number;
  readonly features: Float32Array;
  readonly opacities: Float32Array;
  readonly scales: Float32Array;
};

/** Gradients with respect to the raw parameters, shaped like them. */
export type FieldGradients = {
  readonly features: Float32Array;
  readonly opacity: Float32Array;
  readonly scale: Float32Array;
};

const INITIAL_OPACITY = 0.1;
/** Standard deviation of the raw features at the start: small, so that tanh is in its linear range. */
const INITIAL_FEATURE_DEVIATION = 0.1;
/** Texels that fall on one point of the surface still get a size; metres. */
const SMALLEST_INITIAL_SCALE = 1e-4;

/** Options of a fresh field. */
export type FieldOptions = {
  /** Default 8. */
  readonly channels?: number;
  /** Three scales instead of one; they start equal. Default false, the paper's form. */
  readonly isAnisotropic?: boolean;
};

/** Has the field three scales a Gaussian? */
export function isAnisotropic(field: Pick<ActivatedField, 'opacities' | 'scales'>): boolean {
  return field.scales.length > field.opacities.length;
}

/**
 * A fresh field: opacity 0.1, scale the distance to the nearest other Gaussian, small random features.
 * @param vertices `V 3`, the template of the bound head
 */
export function initialiseField(
  binding: GaussianBinding,
  vertices: Float32Array,
  seed: number,
  options: FieldOptions = {},
): GaussianField {
  const { channels = 8, isAnisotropic = false } = options;
  const axes = isAnisotropic ? 3 : 1;
  const count = binding.texels.length;
  const random = createRandom(seed);
  const features = random.fillNormal(new Float32Array(count * channels));
  const distances = nearestNeighbourDistances(poseGaussians(binding, vertices));
  return {
    uvSize: binding.uvSize,
    texels: binding.texels,
    features: tensor(
      features.map((value) => value * INITIAL_FEATURE_DEVIATION),
      [count, channels],
    ),
    opacity: tensor(new Float32Array(count).fill(Math.log(INITIAL_OPACITY / (1 - INITIAL_OPACITY))), [count]),
    scale: tensor(
      Float32Array.from({ length: count * axes }, (_, i) =>
        Math.log(Math.max(distances[Math.floor(i / axes)]!, SMALLEST_INITIAL_SCALE)),
      ),
      isAnisotropic ? [count, 3] : [count],
    ),
  };
}

/**
 * The values behind the raw parameters.
 * @param into arrays to write to, instead of new ones
 */
export function activateField(field: GaussianField, into?: ActivatedField): ActivatedField {
  const count = field.texels.length;
  const channels = field.features.shape[1]!;
  const activated = into ?? {
    channels,
    features: new Float32Array(count * channels),
    opacities: new Float32Array(count),
    scales: new Float32Array(field.scale.data.length),
  };
  const { features, opacity, scale } = field;
  for (let i = 0; i < features.data.length; i++) activated.features[i] = Math.tanh(features.data[i]!);
  for (let i = 0; i < count; i++) {
    activated.opacities[i] = 1 / (1 + Math.exp(-opacity.data[i]!));
  }
  for (let i = 0; i < scale.data.length; i++) activated.scales[i] = Math.exp(scale.data[i]!);
  return activated;
}

/**
 * Carries the gradient of the splatted values back to the raw parameters.
 * @param into arrays to add to, instead of new ones: the gradients of a batch add up
 */
export function activateFieldBackward(
  activated: ActivatedField,
  gradients: Omit<SplatGradients, 'means' | 'rotations'>,
  into?: FieldGradients,
): FieldGradients {
  const raw = into ?? {
    features: new Float32Array(activated.features.length),
    opacity: new Float32Array(activated.opacities.length),
    scale: new Float32Array(activated.scales.length),
  };
  for (let i = 0; i < raw.features.length; i++) {
    raw.features[i]! += gradients.features[i]! * (1 - activated.features[i]! ** 2);
  }
  for (let i = 0; i < raw.opacity.length; i++) {
    const opacity = activated.opacities[i]!;
    raw.opacity[i]! += gradients.opacities[i]! * opacity * (1 - opacity);
  }
  for (let i = 0; i < raw.scale.length; i++) {
    raw.scale[i]! += gradients.scales[i]! * activated.scales[i]!;
  }
  return raw;
}
