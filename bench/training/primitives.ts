// The primitives that `bench:training` times, at the extents that they have in configs/compact.json.

import {
  attention,
  conv2d,
  groupNorm,
  input,
  linear,
  pullBack,
  silu,
  type Value,
} from '../../src/tensor/index.ts';
import type { PeerCase } from './peer.ts';

/** One primitive: its graph, and the same as PyTorch takes it. */
export type PrimitiveCase = {
  readonly title: string;
  readonly outputs: Readonly<Record<string, Value>>;
  readonly peer: PeerCase;
};

/** Channels and side of the denoiser's, the guidance's, the encoder's and the decoder's convolutions. */
const CONVOLUTIONS = [
  [64, 32],
  [128, 16],
  [192, 8],
  [48, 64],
  [96, 32],
  [160, 16],
] as const;
const GROUPS = 16;

/** All primitives for a batch. */
export function primitiveCases(batch: number): PrimitiveCase[] {
  return [
    ...CONVOLUTIONS.flatMap(([channels, side]) => convolutionCases(batch, channels, side)),
    ...otherCases(batch),
  ];
}

function convolutionCases(batch: number, channels: number, side: number): PrimitiveCase[] {
  const x = input('x', [batch, channels, side, side]);
  const weight = input('weight', [channels, channels, 3, 3]);
  const y = conv2d(x, weight, { padding: 1 });
  const [toX, toWeight] = pullBack(y, input('g', x.shape), [x, weight]) as [Value, Value];
  const parts = { forward: { y }, 'input gradient': { toX }, 'weight gradient': { toWeight } };
  return Object.entries(parts).map(([part, outputs]) => ({
    title: `conv ${channels} at ${side}, ${part}`,
    outputs: outputs as Record<string, Value>,
    peer: { kind: 'conv', part, shape: x.shape },
  }));
}

function otherCases(batch: number): PrimitiveCase[] {
  const picture = input('x', [batch, 64, 32, 32]);
  const [scale, bias] = [input('scale', [64]), input('bias', [64])];
  const normal = groupNorm(picture, { groups: GROUPS, scale, bias });
  const tokens = input('x', [batch, 256, 128]);
  const [weight, shift] = [input('weight', [1024, 128]), input('bias', [1024])];
  const [key, value] = [input('key', [batch, 512, 128]), input('value', [batch, 512, 128])];
  const [atPicture, atTokens] = [picture.shape, tokens.shape];
  return [
    {
      title: 'group norm, both ways',
      outputs: bothWays(normal, [picture, scale, bias]),
      peer: { kind: 'norm', shape: atPicture, groups: GROUPS },
    },
    {
      title: 'SiLU, both ways',
      outputs: bothWays(silu(picture), [picture]),
      peer: { kind: 'silu', shape: atPicture },
    },
    {
      title: 'group norm and SiLU, both ways',
      outputs: bothWays(silu(normal), [picture, scale, bias]),
      peer: { kind: 'norm and silu', shape: atPicture, groups: GROUPS },
    },
    {
      title: 'matrix product of tokens, both ways',
      outputs: bothWays(linear(tokens, weight, shift), [tokens, weight, shift]),
      peer: { kind: 'linear', shape: atTokens, features: 1024 },
    },
    {
      title: 'attention of 256 tokens to 512, both ways',
      outputs: bothWays(attention({ query: tokens, key, value, heads: 4 }), [tokens, key, value]),
      peer: { kind: 'attention', shape: atTokens, keys: 512, heads: 4 },
    },
  ];
}

function bothWays(y: Value, inputs: readonly Value[]): Record<string, Value> {
  const derivatives = pullBack(y, input('g', y.shape), inputs) as Value[];
  return { y, ...Object.fromEntries(derivatives.map((value, i) => [`to${i}`, value])) };
}
