// The critic: whom its terms teach, and that it learns to tell blurred windows from sharp ones.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createParameterSet } from '../../src/nn/index.ts';
import { createDevice } from '../../src/node/index.ts';
import type { Tensor } from '../../src/tensor/index.ts';
import {
  createRandom,
  emitModel,
  encodeOnnxModel,
  gradients,
  input,
  tensor,
  zeros,
} from '../../src/tensor/index.ts';
import type { CriticLosses } from '../../src/training/critic.ts';
import { criticLosses } from '../../src/training/critic.ts';
import { Trainer } from '../../src/training/index.ts';
import { detailAmount } from '../../src/training/validation-sheet.ts';

const device = await createDevice('cpu');
const [BATCH, SIDE] = [4, 32];
const PICTURE = [BATCH, 3, SIDE, SIDE];
const set = createParameterSet();
const decoded = input('decoded', PICTURE);
const losses = criticLosses(set.scope, {
  ...{ decoded, target: input('target', PICTURE) },
  visibility: input('visibility', [BATCH, 1, SIDE, SIDE]),
  weight: input('weight', [BATCH, 1, SIDE, SIDE]),
});

/** Sharp noise as the truth, and each 4 x 4 block's mean as what was decoded. */
function windows(seed: number): Record<string, Tensor> {
  const target = createRandom(seed).fillNormal(new Float32Array(BATCH * 3 * SIDE * SIDE));
  const blurred = target.map((_, at) => {
    const start = at - (at % (4 * SIDE)) + (at % SIDE) - (at % 4);
    let sum = 0;
    for (let k = 0; k < 16; k++) sum += target[start + (k >> 2) * SIDE + (k & 3)]!;
    return sum / 16;
  });
  return {
    ...{ decoded: tensor(blurred, PICTURE), target: tensor(target, PICTURE) },
    visibility: zeros([BATCH, 1, SIDE, SIDE]),
    // The left half counts.
    weight: tensor(
      Float32Array.from({ length: BATCH * SIDE * SIDE }, (_, at) => (at % SIDE < SIDE / 2 ? 2 : 0)),
      [BATCH, 1, SIDE, SIDE],
    ),
  };
}

const largest = ({ data }: Tensor): number => data.reduce((most, x) => Math.max(most, Math.abs(x)), 0);

async function gradientsOf(name: keyof CriticLosses): Promise<{ picture: number; parameters: number }> {
  const wanted = gradients(losses[name], [decoded, ...set.values.values()]);
  const outputs = Object.fromEntries(wanted.map((value, i) => [`g${i}`, value]));
  await using session = await device.createSession(encodeOnnxModel(emitModel({ name, outputs })));
  const fed = { ...windows(1), ...set.initialise(1) };
  const feeds = Object.fromEntries(session.inputNames.map((key) => [key, fed[key as keyof typeof fed]!]));
  const results = (await session.run(feeds)) as Record<string, Tensor>;
  const parameters = wanted.slice(1).map((_, i) => largest(results[`g${i + 1}`]!));
  return { picture: largest(results.g0!), parameters: Math.max(...parameters) };
}

test('judgement and features teach the model alone, the hinge the critic alone', async () => {
  for (const name of ['adversarial', 'features'] as const) {
    const { picture, parameters } = await gradientsOf(name);
    assert.ok(picture > 0, name);
    assert.equal(parameters, 0, name);
  }
  const { picture, parameters } = await gradientsOf('critic');
  assert.equal(picture, 0);
  assert.ok(parameters > 0);
});

test('a critic learns to tell blurred windows from sharp ones', async () => {
  const optimiser = { weightDecay: 0, clipNorm: 1 };
  const problem = {
    ...{ name: 'critic', loss: losses.critic, trained: set.values, frozen: {}, optimiser },
    outputs: { adversarial: losses.adversarial },
  };
  await using trainer = await Trainer.create(device, problem);
  await trainer.begin(Object.entries(set.initialise(2)));
  const seen: { loss: number; adversarial: number }[] = [];
  for (let step = 0; step < 40; step++) {
    const { loss, adversarial } = await trainer.step(windows(step), {
      step: step + 1,
      learningRate: 1e-3,
      emaDecay: 0.9,
    });
    seen.push({ loss: loss!.data[0]!, adversarial: adversarial!.data[0]! });
  }
  assert.ok(Math.abs(seen[0]!.loss - 2) < 0.2, `nothing told apart costs 2, got ${seen[0]!.loss}`);
  assert.ok(seen.at(-1)!.loss < 0.5, `${seen.at(-1)!.loss}`);
  assert.ok(seen.at(-1)!.adversarial > seen[0]!.adversarial + 0.5, 'blur is what the model pays for');
});

test('detail is what changes from pixel to pixel', () => {
  const ramp = Float32Array.from({ length: 3 * 16 }, (_, i) => 0.1 * (i % 4));
  assert.ok(Math.abs(detailAmount(ramp, 4, () => true) - 3 * 9 * 0.1) < 1e-5);
  assert.equal(
    detailAmount(ramp, 4, () => false),
    0,
  );
  assert.equal(
    detailAmount(new Float32Array(3 * 16), 4, () => true),
    0,
  );
});
