// The reference: what the person looks like, as keys and values for every self-attention of the denoiser. The clean
// latent passes once, at t = 0; each transformer's states after norm1 become keys and values under the weights of the
// denoiser's own layer, and join its tokens. Blocks pair by path.
// Source: Hu, "Animate Anyone", 2023 (ReferenceNet); MooreThreads/Moore-AnimateAnyone, src/models/mutual_self_attention.py.

import type { KeyValue, Scope } from '../nn/index.ts';
import { keyValueOf } from '../nn/index.ts';
import { concat, constant, expand, greater, reshape, type Value, where } from '../tensor/index.ts';
import type { UnetSizes } from './config.ts';
import type { SelfAttention } from './transformer.ts';
import { type UnetInputs, unet } from './unet.ts';

/** The reference's keys and values by the path of the block that takes them. */
export type ReferenceTokens = ReadonlyMap<string, KeyValue>;

/**
 * The reference pass.
 * @param networks the reference network's place, and the denoiser's, whose weights make keys and values
 * @param inputs `latent` clean and scaled, `B latentChannels h w`; `context` `B S L`
 */
export function referenceTokens(
  networks: { readonly reference: Scope; readonly denoiser: Scope },
  inputs: Pick<UnetInputs, 'latent' | 'context' | 'isRecomputed'>,
  sizes: UnetSizes,
): ReferenceTokens {
  const states = new Map<string, Value>();
  const attend: SelfAttention = ({ path, hidden, own }) => {
    states.set(path, hidden);
    return own;
  };
  const batch = inputs.latent.shape[0]!;
  const timesteps = constant({ dtype: 'int64', shape: [batch], data: new BigInt64Array(batch) });
  unet(networks.reference, { ...inputs, timesteps, attend }, sizes);
  return new Map(
    [...states].map(([path, hidden]) => [path, keyValueOf(networks.denoiser.at(path).at('attn1'), hidden)]),
  );
}

/**
 * Self-attention that also sees the reference; its tokens are repeated for the frames of each clip.
 * @param keepsReference `B`, or one for all, above one half where the reference is seen. Elsewhere a picture's own
 *   tokens stand in for it, and a softmax over each token twice is the softmax over each once: exactly the
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
  const repeated = expand(reshape(tokens, [batch, 1, count, features]), [
    batch,
    pictures / batch,
    count,
    features,
  ]);
  return reshape(repeated, [pictures, count, features]);
}
