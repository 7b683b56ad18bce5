// Training on the CPU: milliseconds of a step of a small U-Net (forward, backward, AdamW) and of its gradients
// alone, and the speed of each primitive, beside PyTorch where it is installed.
//
//   npm run -s bench:training -- [--batch 8] [--peer PYTHON] [--busy] [--profile PREFIX]
//
// PYTHON is an interpreter with bench/peers/training.requirements.txt installed. `ratio` is our step's time over
// PyTorch's (channels last, eager), both measured in this run; `ratios` gives it by primitive. `--busy`, for a
// machine that others use, gives both one thread and counts its processor time instead of the clock's.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createAdamWKernel } from '../src/kernels/index.ts';
import { createDevice } from '../src/node/index.ts';
import {
  attention,
  conv2d,
  createRandom,
  elementCount,
  emitModel,
  encodeOnnxModel,
  gradients,
  groupNorm,
  input,
  nameOf,
  parametersOf,
  pullBack,
  silu,
  type Tensor,
  tensor,
  type Value,
  zeros,
} from '../src/tensor/index.ts';
import { benchmarkLoss } from './training-network.ts';

type Timing = { readonly title: string; readonly ms: number; readonly gflops?: number };

const { values: options } = parseArgs({
  options: {
    batch: { type: 'string', default: '8' },
    peer: { type: 'string' },
    busy: { type: 'boolean', default: false },
    profile: { type: 'string' },
  },
});
const batch = Number(options.batch);
const device = await createDevice('cpu');
const sessionOptions = options.busy ? { threads: 1 } : {};
const random = createRandom(1);

function noise(shape: readonly number[], scale = 1): Tensor {
  const data = random.fillNormal(new Float32Array(elementCount(shape)));
  return tensor(
    data.map((x) => x * scale),
    shape,
  );
}

/** The median time of a run, after warm-up. */
async function medianMs(run: () => Promise<unknown>, runs: number): Promise<number> {
  for (let i = 0; i < 3; i++) await run();
  const times: number[] = [];
  for (let i = 0; i < runs; i++) {
    const start = performance.now();
    const processor = process.cpuUsage();
    await run();
    const { user, system } = process.cpuUsage(processor);
    times.push(options.busy ? (user + system) / 1000 : performance.now() - start);
  }
  return times.sort((a, b) => a - b)[runs >> 1]!;
}

async function timeGraph(
  title: string,
  outputs: Record<string, Value>,
  flops = 0,
  runs = 15,
): Promise<Timing> {
  const model = emitModel({ name: title, outputs, convolutionBlock: device.convolutionBlock });
  await using session = await device.createSession(encodeOnnxModel(model), sessionOptions);
  const feeds = Object.fromEntries(
    model.inputs.map(({ name, shape }) => [name, noise(shape as number[], 0.1)]),
  );
  const into = Object.fromEntries(model.outputs.map(({ name, shape }) => [name, zeros(shape as number[])]));
  const ms = await medianMs(() => session.run(feeds, into), runs);
  return { title, ms, ...(flops > 0 ? { gflops: flops / ms / 1e6 } : {}) };
}

async function timePrimitives(): Promise<Timing[]> {
  const timings: Timing[] = [];
  for (const [channels, size] of [
    [64, 32],
    [128, 16],
    [256, 8],
    [32, 128],
  ] as const) {
    const x = input('x', [batch, channels, size, size]);
    const weight = input('weight', [channels, channels, 3, 3]);
    const g = input('g', x.shape);
    const y = conv2d(x, weight, { padding: 1 });
    const [toX, toWeight] = pullBack(y, g, [x, weight]);
    const flops = 2 * batch * size ** 2 * channels ** 2 * 9;
    const name = `conv ${channels} at ${size}`;
    timings.push(await timeGraph(`${name} forward`, { y }, flops));
    timings.push(await timeGraph(`${name} input gradient`, { toX: toX! }, flops));
    timings.push(await timeGraph(`${name} weight gradient`, { toWeight: toWeight! }, flops));
  }
  const x = input('x', [batch, 128, 32, 32]);
  const scale = input('scale', [128]);
  const normal = silu(groupNorm(x, { groups: 32, scale, bias: input('bias', [128]) }));
  timings.push(await timeGraph('norm and silu forward', { normal }));
  timings.push(await timeGraph('norm and silu both ways', bothWays(normal, [x, scale])));
  const [query, key, value] = ['q', 'k', 'v'].map((name) => input(name, [batch, 256, 128])) as [
    Value,
    Value,
    Value,
  ];
  const mixed = attention({ query, key, value, heads: 2 });
  timings.push(await timeGraph('attention forward', { mixed }));
  timings.push(await timeGraph('attention both ways', bothWays(mixed, [query, key, value])));
  return timings;
}

function bothWays(y: Value, wrt: readonly Value[]): Record<string, Value> {
  const derivatives = pullBack(y, input('g', y.shape), wrt);
  return { y, ...Object.fromEntries(derivatives.map((value, i) => [`to${i}`, value])) };
}

async function timeNetwork(): Promise<{ timings: Timing[]; parameters: number; nodes: number }> {
  const loss = benchmarkLoss(batch);
  const weights = parametersOf([loss]);
  const derivatives = gradients(loss, weights);
  const runs = 9;
  const forward = await timeGraph('network forward', { loss }, 0, runs);
  const named = Object.fromEntries(derivatives.map((value, i) => [`gradient.${nameOf(weights[i]!)}`, value]));
  const backward = await timeGraph('network gradients', { loss, ...named }, 0, runs);

  const start = Object.fromEntries(
    weights.map((value) => [nameOf(value), noise(value.shape, nameOf(value).endsWith('scale') ? 1 : 0.03)]),
  );
  const data = {
    latents: noise([batch, 16, 32, 32]),
    embedding: noise([batch, 256]),
    target: noise([batch, 16, 32, 32]),
  };

  // The session reads the weights and writes the gradients in the memory of the optimiser's kernel.
  const layout = weights.map(
    (value) =>
      [nameOf(value), { length: elementCount(value.shape), decays: value.shape.length > 1 }] as const,
  );
  const optimiser = createAdamWKernel(Object.fromEntries(layout));
  const fed: Record<string, Tensor> = { ...data };
  const into: Record<string, Tensor> = {};
  for (const value of weights) {
    const name = nameOf(value);
    const arrays = optimiser.arrays[name]!;
    arrays.weight.set(start[name]!.data);
    fed[name] = tensor(arrays.weight, value.shape);
    into[`gradient.${name}`] = tensor(arrays.gradient, value.shape);
  }
  const gradientModel = emitModel({
    name: 'gradients',
    outputs: { loss, ...named },
    convolutionBlock: device.convolutionBlock,
  });
  const profile = options.profile === undefined ? {} : { profilePrefix: options.profile };
  const encoded = encodeOnnxModel(gradientModel);
  await using gradientSession = await device.createSession(encoded, { ...sessionOptions, ...profile });
  let step = 0;
  const ms = await medianMs(async () => {
    await gradientSession.run(fed, into);
    step++;
    optimiser.update({
      learningRate: 1e-4,
      step,
      emaDecay: 0.999,
      weightDecay: 0.01,
      clipNorm: 1,
    });
  }, runs);
  const parameters = weights.reduce((total, { shape }) => total + elementCount(shape), 0);
  const timings = [forward, backward, { title: 'network step', ms }];
  return { timings, parameters, nodes: gradientModel.nodes.length };
}

/** PyTorch's times for the same work, by title; `undefined` without an interpreter for it. */
function peerTimes(): { parameters: number; ms: Record<string, number> } | undefined {
  if (options.peer === undefined) return undefined;
  const script = join(import.meta.dirname, 'peers', 'training.py');
  const { stdout, status, stderr } = spawnSync(
    options.peer,
    [script, String(batch), ...(options.busy ? ['busy'] : [])],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`the peer failed: ${stderr}`);
  return JSON.parse(stdout.trim().split('\n').at(-1)!);
}

const primitives = await timePrimitives();
const network = await timeNetwork();
const peer = peerTimes();
const timings = [...primitives, ...network.timings];
if (peer !== undefined && peer.parameters !== network.parameters) {
  throw new Error(`the peer's network has ${peer.parameters} parameters, ours ${network.parameters}`);
}
const ratios: Record<string, number> = {};
console.log(
  `batch ${batch}, ${network.parameters} parameters, ${network.nodes} nodes in the graph of the gradients`,
);
for (const { title, ms, gflops } of timings) {
  const theirs = peer?.ms[title];
  if (theirs !== undefined) ratios[title] = Number((ms / theirs).toFixed(3));
  const speed = gflops === undefined ? '' : `${gflops.toFixed(0)} GFLOP/s`;
  const beside =
    theirs === undefined ? '' : `PyTorch ${theirs.toFixed(2)} ms, ratio ${(ms / theirs).toFixed(2)}`;
  console.log(`${title.padEnd(34)} ${ms.toFixed(2).padStart(9)} ms  ${speed.padEnd(14)} ${beside}`);
}
const step = network.timings.at(-1)!;
console.log(
  JSON.stringify({
    benchmark: 'training',
    batch,
    msPerStep: step.ms,
    ratio: ratios[step.title] ?? null,
    ratios,
  }),
);
