// The denoiser as a whole: labels, guidance, reference and U-Net, under the names that weights have.

import type { Scope } from '../nn/index.ts';
import { normal } from '../nn/index.ts';
import type { Value } from '../tensor/index.ts';
import { add, gatherRows, reshape } from '../tensor/index.ts';
import type { ModelConfig } from './config.ts';
import type { Controls } from './guidance-network.ts';
import { guidance } from './guidance-network.ts';
import { splitGuidance, withLiftPrior } from './lift-prior.ts';
import { attendToReference, referenceTokens, UNET_SCOPE } from './reference.ts';
import type { UnetInputs } from './unet.ts';
import { unet } from './unet.ts';

/** Where the guidance network's parameters are named. */
export const GUIDANCE_SCOPE = 'guidance';
/** The label vectors' table. */
export const LABEL_SCOPE = 'label_embedding';
const LABEL_COUNT = 2;

/** The label tokens of int64 labels `B` (0 real, 1 synthetic): `B 1 L`. */
export function labelTokens(root: Scope, labels: Value, { unet: { labelWidth } }: ModelConfig): Value {
  const table = root.at(LABEL_SCOPE).parameter('weight', [LABEL_COUNT, labelWidth], normal(1));
  return reshape(gatherRows(table, labels), [-1, 1, labelWidth]);
}

/** What training feeds the denoiser: B clips of T frames (T = 1 in the first stage). */
export type DenoiserInputs = {
  /** `BT C h w`. */
  readonly noisy: Value;
  /** int64 `BT`. */
  readonly timesteps: Value;
  /** `B C h w`, clean. */
  readonly reference: Value;
  /** int64 `B`. */
  readonly referenceLabels: Value;
  /** int64 `BT`. */
  readonly labels: Value;
  /** `BT`, above one half where the reference is seen. */
  readonly keepsReference: Value;
  readonly controls: Controls;
  /** Switches the temporal layers on. */
  readonly frames?: number;
  /** As for `unet`, of the reference pass too. */
  readonly isRecomputed?: boolean;
};

/** v for a batch, the reference pass included. */
export function denoise(root: Scope, inputs: DenoiserInputs, config: ModelConfig): Value {
  const { isRecomputed = false } = inputs;
  const tokens = referenceTokens(
    root,
    { latent: inputs.reference, label: labelTokens(root, inputs.referenceLabels, config), isRecomputed },
    config,
  );
  const features = guidance(root.at(GUIDANCE_SCOPE), inputs.controls, config);
  return predictVelocity(
    root,
    {
      noisy: inputs.noisy,
      timesteps: inputs.timesteps,
      label: labelTokens(root, inputs.labels, config),
      attend: attendToReference(tokens, inputs.keepsReference),
      guidance: withLiftPrior(features, inputs.controls, config),
      isRecomputed,
      ...(inputs.frames === undefined ? {} : { frames: inputs.frames }),
    },
    config,
  );
}

/** What a step of the denoiser takes: the U-Net's inputs, with what `withLiftPrior` gives as guidance. */
export type VelocityInputs = Omit<UnetInputs, 'latent' | 'guidance'> & {
  readonly noisy: Value;
  readonly guidance: Value;
};

/** v of a batch: what the lifted latent implies, and what the U-Net adds to it. */
export function predictVelocity(root: Scope, inputs: VelocityInputs, config: ModelConfig): Value {
  const { noisy, guidance: joined, ...others } = inputs;
  const { features, priorVelocity } = splitGuidance(joined, inputs, config);
  const predicted = unet(root.at(UNET_SCOPE), { ...others, latent: noisy, guidance: features }, config);
  return priorVelocity === null ? predicted : add(predicted, priorVelocity);
}
