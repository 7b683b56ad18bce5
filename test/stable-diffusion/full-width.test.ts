// Parity with diffusers and PyTorch of one block of each kind at Stable Diffusion 1.5's own channels, on small pictures.
// The goldens hold a few numbers of each output: both sides make the weights from their names.

import { test } from 'node:test';
import { createParameterSet, keyValueOf, type ParameterSet, resnetBlock } from '../../src/nn/index.ts';
import {
  ANIMATEDIFF_V2,
  attendToReference,
  attendToSelf,
  CHAMP_GUIDANCE,
  decodeLatent,
  encodePicture,
  guidanceEncoder,
  motionModule,
  SD_AUTOENCODER,
  type SelfAttention,
  spatialTransformer,
} from '../../src/stable-diffusion/index.ts';
import { type AnyTensor, input, type Value } from '../../src/tensor/index.ts';
import { assertMatches, run } from './parity.ts';
import { seededInput } from './seeded-weights.ts';

test("one block of each kind gives diffusers' numbers at full width", async () => {
  const small = { channels: 320, groups: 32 };
  const x = input('x', [1, 320, 8, 8]);
  const at = { groups: 32, path: '', attend: attendToSelf };
  const blocks: [string, (set: ParameterSet) => Value, Record<string, AnyTensor>][] = [
    [
      'transformer',
      ({ scope }) =>
        spatialTransformer(scope, x, {
          ...at,
          heads: 8,
          hasLinearProjections: false,
          context: input('context', [1, 77, 768]),
        }),
      { x: seededInput('full.x', x.shape), context: seededInput('full.context', [1, 77, 768]) },
    ],
    [
      'transformer21',
      ({ scope }) =>
        spatialTransformer(scope, x, {
          ...at,
          heads: 5,
          hasLinearProjections: true,
          context: input('context', [1, 77, 1024]),
        }),
      { x: seededInput('full.x', x.shape), context: seededInput('full.context21', [1, 77, 1024]) },
    ],
    [
      'resnet',
      ({ scope }) =>
        resnetBlock(scope, input('x', [1, 640, 8, 8]), { ...small, time: input('time', [1, 1280]) }),
      { x: seededInput('full.wide', [1, 640, 8, 8]), time: seededInput('full.time', [1, 1280]) },
    ],
    [
      'motion',
      ({ scope }) =>
        motionModule(scope, input('x', [14, 320, 4, 4]), {
          ...ANIMATEDIFF_V2,
          normalises: 'clip',
          frames: 14,
          groups: 32,
        }),
      { x: seededInput('full.clip', [14, 320, 4, 4]) },
    ],
    [
      'guidance',
      ({ scope }) => guidanceEncoder(scope, input('control', [1, 8, 64, 64]), 320, CHAMP_GUIDANCE),
      { control: seededInput('full.control', [1, 8, 64, 64]) },
    ],
  ];
  for (const [name, build, feeds] of blocks) {
    const set = createParameterSet();
    const out = build(set);
    assertMatches('full', { [name]: (await run({ out }, { set, feeds })).out! });
  }
});

test("the autoencoder's blocks of 512 channels give diffusers' numbers both ways", async () => {
  const sizes = { ...SD_AUTOENCODER, widths: [512], blocks: 1 };
  const set = createParameterSet();
  const observed: Record<string, Value> = {};
  const observe = (path: string, value: Value): void => {
    if (path.endsWith('mid_block')) observed[path] = value;
  };
  const { mean } = encodePicture(set.scope, input('in', [1, 3, 8, 8]), sizes, observe);
  const picture = decodeLatent(set.scope, input('latent', [1, 4, 8, 8]), sizes, observe);
  const feeds = {
    in: seededInput('full.picture', [1, 3, 8, 8]),
    latent: seededInput('full.latent', [1, 4, 8, 8]),
  };
  assertMatches('full-vae', await run({ ...observed, mean, picture }, { set, feeds }));
});

for (const [width, side] of [
  [320, 8],
  [640, 8],
  [1280, 4],
] as const) {
  test(`the attention to a reference gives PyTorch's numbers at ${width} channels`, async () => {
    const set = createParameterSet();
    const transformer = (scope: typeof set.scope, x: Value, label: Value, attend: SelfAttention): Value =>
      spatialTransformer(scope, x, {
        ...{ heads: 8, groups: 32, hasLinearProjections: false, path: 'at', context: label, attend },
      });
    const [reference, frames] = [
      seededInput(`full.reference${width}`, [1, width, side, side]),
      seededInput(`full.frames${width}`, [2, width, side, side]),
    ];
    const label = seededInput('full.label', [1, 1, 768]);
    let seen: Value | undefined;
    transformer(
      set.scope.at('reference'),
      input('reference', reference.shape),
      input('label', label.shape),
      ({ hidden, own }) => {
        seen = hidden;
        return own;
      },
    );
    const tokens = keyValueOf(set.scope.at('transformer_blocks').at(0).at('attn1'), seen!);
    const attend = attendToReference(new Map([['at.transformer_blocks.0', tokens]]));
    const labels = { ...label, shape: [2, 1, 768], data: Float32Array.of(...label.data, ...label.data) };
    const out = transformer(set.scope, input('frames', frames.shape), input('labels', labels.shape), attend);
    const feeds = { reference, frames, labels };
    assertMatches('full-reference', await run({ [width]: out }, { set, feeds }));
  });
}
