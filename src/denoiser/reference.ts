// The reference: what the person looks like, as keys and values for every self-attention of the denoiser.
// The clean reference latent passes once, at t = 0; each transformer's states after norm1 become keys and
// values under the weights of the denoiser's own layer, and join its tokens. Blocks pair by path.
// Source: Hu, "Animate Anyone", 2023 (ReferenceNet).

import type { KeyValue, Scope } from '../nn/index.ts';
import { keyValueOf } from '../nn/index.ts';
import type { Value } from '../tensor/index.ts';
import { concat, constant, expand, greater, reshape, where } from '../tensor/index.ts';
import type { ModelConfig } from './config.ts';
import type { SelfAttention } from './transformer.ts';
import { unet } from './unet.ts';

/** The reference's keys and values by the path of the block that takes them. */
export type ReferenceTokens = ReadonlyMap<string, KeyValue>;

/** Where the denoiser's parameters are named. */
export const UNET_SCOPE = 'unet';
/** Where those of a reference network of its own are named. */
export const REFERENCE_SCOPE = 'reference_unet';

/**
 * The reference pass.
 * @param latent clean and normalised, `B latentChannels h w`
 * @param label `B 1 L`
 */
export function referenceTokens(
  root: Scope,
  { latent, label, isRecomputed = false }: { latent: Value; label: Value; isRecomputed?: boolean },
  config: ModelConfig,
): ReferenceTokens {
  const states = new Map<string, Value>();
  const attend: SelfAttention = ({ path, hidden, own }) => {
    states.set(path, hidden);
    return own;
  };
  const batch = latent.shape[0]!;
  const timesteps = constant({ dtype: 'int64', shape: [batch], data: new BigInt64Array(batch) });
  const scope = root.at(config.unet.sharesReference ? UNET_SCOPE : REFERENCE_SCOPE);
  unet(scope, { latent, timesteps, label, attend, isRecomputed }, config);
  const denoiser = root.at(UNET_SCOPE);
  return new Map(
    [...states].map(([path, hidden]) => [path, keyValueOf(denoiser.at(path).at('attn1'), hidden)]),
  );
}

/**
 * Self-attention that also sees the reference.
 * @param keepsReference `B`, above one half where the reference is seen. Elsewhere a picture's own tokens
 *   stand in for it, and a softmax over each token twice is the softmax over each once: exactly the
 *   self-attention of the unconditional branch.
 */
export function attendToReference(tokens: ReferenceTokens, keepsReference?: Value): SelfAttention {
  return ({ path, own }) => {
    const reference = tokens.get(path)!;
    const join = (mine: Value, theirs: Value): Value => {
      const repeated = perFrame(theirs, mine.shape[0]!);
      if (keepsReference === undefined) return concat([mine, repeated], 1);
      const keeps = greater(reshape(keepsReference, [-1, 1, 1]), 0.5);
      return concat([mine, where(keeps, repeated, mine)], 1);
    };
    return { key: join(own.key, reference.key), value: join(own.value, reference.value) };
  };
}

/** Repeats each clip's reference for its frames: `B S D` to `BT S D`. */
function perFrame(tokens: Value, pictures: number): Value {
  const [batch, count, features] = tokens.shape as [number, number, number];
  if (batch === pictures) return tokens;
  const frames = pictures / batch;
  const repeated = expand(reshape(tokens, [batch, 1, count, features]), [batch, frames, count, features]);
  return reshape(repeated, [pictures, count, features]);
}
