// Parity with diffusers: the same weights and inputs give the same numbers, block by block.
// The goldens: bench/peers/stable_diffusion.py. At full width: full-width.test.ts.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { createSchedule, sample, trailingTimesteps } from '../../src/diffusion/index.ts';
import type { ParameterSet } from '../../src/nn/index.ts';
import { createParameterSet } from '../../src/nn/index.ts';
import type { AutoencoderSizes, UnetSizes } from '../../src/stable-diffusion/index.ts';
import {
  ANIMATEDIFF_V2,
  attendToReference,
  decodeLatent,
  encodePicture,
  referenceTokens,
  SD_AUTOENCODER,
  SD15_UNET,
  SD21_UNET,
  unet,
} from '../../src/stable-diffusion/index.ts';
import type { AnyTensor, Tensor, Value } from '../../src/tensor/index.ts';
import { input } from '../../src/tensor/index.ts';
import { assertMatches, GOLDENS, goldens, run } from './parity.ts';
import { seededInput } from './seeded-weights.ts';

const SMALL: UnetSizes = {
  latentChannels: 4,
  widths: [16, 24, 32, 32],
  heads: [4, 4, 4, 4],
  blocks: 2,
  groups: 8,
  contextWidth: 24,
  hasLinearProjections: false,
  motion: null,
};
const SMALL21: UnetSizes = { ...SMALL, heads: [2, 3, 4, 4], contextWidth: 20, hasLinearProjections: true };
const LATENT = [2, 4, 16, 16];
const timesteps: AnyTensor = { dtype: 'int64', shape: [2], data: BigInt64Array.of(3n, 981n) };

for (const [name, sizes] of [
  ['unet15', SMALL],
  ['unet21', SMALL21],
] as const) {
  test(`${name} gives diffusers' numbers, block by block`, async () => {
    const set = createParameterSet();
    const observed: Record<string, Value> = {};
    const context = seededInput(`${name}.context`, [2, 5, sizes.contextWidth]);
    const out = unet(
      set.scope,
      {
        latent: input('latent', LATENT),
        timesteps: input('timesteps', [2], 'int64'),
        context: input('context', context.shape),
        observe: (path, value) => {
          observed[path] = value;
        },
      },
      sizes,
    );
    const feeds = { latent: seededInput(`${name}.latent`, LATENT), timesteps, context };
    const results = await run({ ...observed, out }, { set, feeds });
    assert.equal(Object.keys(results).length, 11);
    assertMatches(name, results);
  });
}

test('a single token of cross-attention gives the same without queries and keys', async () => {
  const set = createParameterSet();
  const context = seededInput('unet15.label', [2, 1, 24]);
  const inputs = {
    latent: input('latent', LATENT),
    timesteps: input('timesteps', [2], 'int64'),
    context: input('context', context.shape),
  };
  const feeds = { latent: seededInput('unet15.latent', LATENT), timesteps, context };
  const out = unet(set.scope, inputs, SMALL);
  assertMatches('unet15', { 'single-token': (await run({ out }, { set, feeds })).out! });
});

test('the denoiser that attends to a reference gives what PyTorch gives', async () => {
  const set = createParameterSet();
  const reference = set.scope.at('reference');
  const tokens = referenceTokens(
    { reference, denoiser: set.scope },
    { latent: input('reference', [1, 4, 16, 16]), context: input('referenceLabel', [1, 1, 24]) },
    SMALL,
  );
  const out = unet(
    set.scope,
    {
      latent: input('latent', LATENT),
      timesteps: input('timesteps', [2], 'int64'),
      context: input('context', [2, 1, 24]),
      attend: attendToReference(tokens),
    },
    SMALL,
  );
  const feeds = {
    latent: seededInput('unet15.latent', LATENT),
    context: seededInput('unet15.label', [2, 1, 24]),
    reference: seededInput('reference.latent', [1, 4, 16, 16]),
    referenceLabel: seededInput('reference.label', [1, 1, 24]),
    timesteps,
  };
  assertMatches('reference', await run({ out }, { set, feeds }));
});

for (const [name, hasMiddle, normalises] of [
  ['motion2', true, 'clip'],
  ['motion3', false, 'clip'],
  ['motion2-frames', true, 'frame'],
] as const) {
  test(`${name}: motion modules give diffusers' numbers, normalised by ${normalises}`, async () => {
    const set = createParameterSet();
    const [clips, frames] = [2, 6];
    const observed: Record<string, Value> = {};
    const motion = { heads: 4, maxFrames: 8, hasMiddle, normalises };
    const out = unet(
      set.scope,
      {
        latent: input('latent', [clips * frames, 4, 16, 16]),
        timesteps: input('timesteps', [clips * frames], 'int64'),
        context: input('context', [clips * frames, 3, 24]),
        frames,
        observe: (path, value) => {
          if (normalises === 'clip') observed[path] = value;
        },
      },
      { ...SMALL, motion },
    );
    const clipsFirst = seededInput('motion.latent', [clips, 4, frames, 16, 16]);
    const feeds = {
      latent: framesOut(clipsFirst),
      context: repeated(seededInput('motion.context', [clips, 3, 24]), frames),
      timesteps: { dtype: 'int64', shape: [12], data: new BigInt64Array(12).fill(981n) } as AnyTensor,
    };
    assertMatches(name, await run({ ...observed, out }, { set, feeds }));
  });
}

test("the autoencoder gives diffusers' numbers both ways, block by block", async () => {
  const sizes: AutoencoderSizes = { ...SD_AUTOENCODER, widths: [16, 24, 32, 32], groups: 8 };
  const set = createParameterSet();
  const observed: Record<string, Value> = {};
  const observe = (path: string, value: Value): void => {
    observed[path] = value;
  };
  const posterior = encodePicture(set.scope, input('picture', [2, 3, 32, 32]), sizes, observe);
  const picture = decodeLatent(set.scope, input('latent', [2, 4, 4, 4]), sizes, observe);
  const feeds = {
    picture: seededInput('vae.picture', [2, 3, 32, 32]),
    latent: seededInput('vae.latent', [2, 4, 4, 4]),
  };
  const { decoded, ...results } = await run({ ...observed, ...posterior, decoded: picture }, { set, feeds });
  assertMatches('vae', { ...results, picture: decoded! });
});

test("DDIM on v with zero terminal SNR and trailing steps goes diffusers' way", async () => {
  const schedule = createSchedule();
  const alphas: Tensor = { dtype: 'float32', shape: [1000], data: Float32Array.from(schedule.alphasCumprod) };
  assertMatches('ddim', { alphas });
  for (const steps of [4, 20]) {
    const expected = Array.from(goldens[`ddim/timesteps${steps}`]!.data as Float32Array);
    assert.deepEqual(trailingTimesteps(schedule, steps), expected);
    const data = await sample(async (_, t) => seededInput(`ddim.v${t}`, [64]).data, {
      schedule,
      steps,
      noise: seededInput('ddim.noise', [64]).data,
    });
    assertMatches('ddim', { [`sample${steps}`]: { dtype: 'float32', shape: [64], data } });
  }
});

test('full-size networks have the names and shapes of diffusers’ parameters', () => {
  const lists: Record<string, Record<string, number[]>> = JSON.parse(
    gunzipSync(readFileSync(join(GOLDENS, 'key-lists.json.gz'))).toString(),
  );
  const latent = input('latent', [1, 4, 8, 8]);
  const timestep = input('timestep', [1], 'int64');
  const unetSet = (sizes: UnetSizes): ParameterSet => {
    const set = createParameterSet();
    const context = input('context', [1, 77, sizes.contextWidth]);
    unet(set.scope, { latent, timesteps: timestep, context, frames: 1 }, sizes);
    return set;
  };
  const vae = createParameterSet();
  encodePicture(vae.scope, input('picture', [1, 3, 64, 64]), SD_AUTOENCODER);
  decodeLatent(vae.scope, latent, SD_AUTOENCODER);
  const shapesOf = ({ values }: ParameterSet, isWanted = (_: string): boolean => true) =>
    Object.fromEntries(
      [...values].filter(([name]) => isWanted(name)).map(([name, v]) => [name, [...v.shape]]),
    );
  const isMotion = (name: string): boolean => name.includes('motion_modules');
  const motion = (hasMiddle: boolean): ParameterSet =>
    unetSet({ ...SD15_UNET, motion: { ...ANIMATEDIFF_V2, hasMiddle } });
  assert.deepEqual(shapesOf(unetSet(SD15_UNET)), lists.unet15);
  assert.deepEqual(shapesOf(unetSet(SD21_UNET)), lists.unet21);
  assert.deepEqual(shapesOf(vae), lists.vae);
  assert.deepEqual(shapesOf(motion(true), isMotion), lists.motion2);
  assert.deepEqual(shapesOf(motion(false), isMotion), lists.motion3);
});

/** `clips C T H W` to `clips*T C H W`. */
function framesOut({ shape, data }: Tensor): Tensor {
  const [clips, channels, frames, ...picture] = shape as [number, number, number, number, number];
  const area = picture[0]! * picture[1]!;
  const out = new Float32Array(data.length);
  for (let i = 0; i < clips * channels * frames; i++) {
    const [clip, channel, frame] = [
      Math.floor(i / frames / channels),
      Math.floor(i / frames) % channels,
      i % frames,
    ];
    out.set(data.subarray(i * area, (i + 1) * area), ((clip * frames + frame) * channels + channel) * area);
  }
  return { dtype: 'float32', shape: [clips * frames, channels, ...picture], data: out };
}

/** Each row `times` times in a row. */
function repeated({ shape, data }: Tensor, times: number): Tensor {
  const row = data.length / shape[0]!;
  const out = new Float32Array(data.length * times);
  for (let i = 0; i < shape[0]! * times; i++) {
    out.set(data.subarray(Math.floor(i / times) * row, (Math.floor(i / times) + 1) * row), i * row);
  }
  return { dtype: 'float32', shape: [shape[0]! * times, ...shape.slice(1)], data: out };
}
