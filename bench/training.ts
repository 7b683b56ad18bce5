// Training on the CPU beside PyTorch: processor milliseconds of a step (forward, backward, clip, AdamW, average) of the
// compact denoiser and autoencoder, of each primitive at the extents that they have there, and peak memory.
//
//   npm run -s bench:training -- [--peer PYTHON] [--batch 4] [--parts 1] [--rounds 9] [--only WORDS] [--config FILE]
//     [--threads 1] [--no-networks] [--no-memory] [--no-bfloat16] [--profile PREFIX]
//
// PYTHON is an interpreter with bench/peers/training.requirements.txt installed. One thread each, or with
// `--threads` several, for an idle machine: then the time that passes counts. Runs of ours and of PyTorch's take turns, so that
// what else the machine does meets both; figures are medians, `ratio` is ours over
// PyTorch's float32. Our steps take batches in `--parts`. `--only` takes the titles that hold the words; `--profile` writes ONNX Runtime's of our steps.
// `--no-bfloat16` is for processors without instructions for it, where PyTorch takes minutes a step.

import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createAdamWKernel } from '../src/kernels/index.ts';
import { createDevice } from '../src/node/index.ts';
import type { Device, Tensor, Value } from '../src/tensor/index.ts';
import {
  createRandom,
  elementCount,
  emitModel,
  encodeOnnxModel,
  tensor,
  zeros,
} from '../src/tensor/index.ts';
import { parseConfiguration, Trainer } from '../src/training/index.ts';
import { NETWORK_NAMES, type NetworkName, networkCase } from './training/networks.ts';
import { Peer, type PeerCase } from './training/peer.ts';
import { primitiveCases } from './training/primitives.ts';

const { values: options } = parseArgs({
  options: {
    batch: { type: 'string', default: '4' },
    parts: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '9' },
    peer: { type: 'string' },
    only: { type: 'string', default: '' },
    config: { type: 'string', default: join(import.meta.dirname, '../configs/compact.json') },
    threads: { type: 'string', default: '1' },
    'no-networks': { type: 'boolean', default: false },
    'no-memory': { type: 'boolean', default: false },
    'no-bfloat16': { type: 'boolean', default: false },
    profile: { type: 'string' },
    memory: { type: 'string' },
  },
});
const [batch, rounds, parts, threads] = [options.batch, options.rounds, options.parts, options.threads].map(
  Number,
) as [number, number, number, number];
/** Of the peer's networks. */
const DTYPES = options['no-bfloat16'] ? ['float32'] : ['float32', 'bfloat16'];
const UPDATE = { learningRate: 1e-4, step: 1, emaDecay: 0.999, weightDecay: 0.01, clipNorm: 1 };
const configuration = parseConfiguration(await readFile(options.config, 'utf8'), options.config);
const cpu = await createDevice('cpu');
const device: Device = {
  ...cpu,
  createSession: (model, how) => {
    const profile = options.profile === undefined ? {} : { profilePrefix: options.profile };
    return cpu.createSession(model, { ...how, ...profile, threads });
  },
};

/** Something to run: how, and what runs the same in the peer. */
type Contest = {
  readonly title: string;
  run(): Promise<unknown>;
  readonly peers: Readonly<Record<string, PeerCase>>;
};

if (options.memory === undefined) await compare();
else await holdNetwork(options.memory as NetworkName);

async function compare(): Promise<void> {
  using peer = options.peer === undefined ? undefined : new Peer(options.peer, options.config, threads);
  const ratios: Record<string, number> = {};
  for await (const contest of contests(peer)) {
    const ms = await medians(contest, peer);
    const { ours, ...others } = ms;
    const beside = Object.entries(others).map(([name, time]) => `PyTorch ${name} ${time.toFixed(2)}`);
    if (ms.float32 !== undefined) {
      ratios[contest.title] = Number((ours! / ms.float32).toFixed(3));
      beside.push(`ratio ${ratios[contest.title]!.toFixed(2)}`);
    }
    console.log(`${contest.title.padEnd(44)} ${ours!.toFixed(2).padStart(9)} ms  ${beside.join('  ')}`);
  }
  const memory = options['no-memory'] ? {} : await memoryRatios();
  console.log(JSON.stringify({ benchmark: 'training', batch, ratios, memory }));
}

/** One after the other, so that no two hold memory at a time. */
async function* contests(peer: Peer | undefined): AsyncGenerator<Contest> {
  const random = createRandom(1);
  const noise = (shape: readonly number[]): Tensor =>
    tensor(random.fillNormal(new Float32Array(elementCount(shape))), shape);
  const isWanted = (title: string): boolean => title.includes(options.only);
  for (const { title, outputs, peer: of } of primitiveCases(batch)) {
    if (!isWanted(title)) continue;
    const model = emitModel({ name: title, outputs, convolutionBlock: device.convolutionBlock });
    await using session = await device.createSession(encodeOnnxModel(model));
    const feeds = Object.fromEntries(model.inputs.map(({ name, shape }) => [name, noise(shape as number[])]));
    const into = Object.fromEntries(model.outputs.map(({ name, shape }) => [name, zeros(shape as number[])]));
    yield { title, run: () => session.run(feeds, into), peers: { float32: of } };
  }
  const length = 5_000_000;
  const update = 'AdamW of 5 M weights';
  if (isWanted(update)) {
    const kernel = createAdamWKernel({ all: { length, decays: true } });
    random.fillNormal(kernel.arrays.all!.gradient);
    const run = async (): Promise<unknown> => kernel.update(UPDATE);
    yield { title: update, run, peers: { float32: { kind: 'adamw', shape: [length] } } };
  }
  if (options['no-networks']) return;
  for (const name of NETWORK_NAMES) {
    const { problem, weights, feeds } = networkCase(name, configuration, { batch, parts, device });
    const of = (part: string): Record<string, PeerCase> =>
      Object.fromEntries(DTYPES.map((dtype) => [dtype, { network: name, part, dtype, batch }]));
    const forward = `${name}, forward`;
    if (isWanted(forward) && parts === 1) {
      const loss: Record<string, Value> = { loss: problem.loss };
      const model = encodeOnnxModel(emitModel({ name, outputs: loss }));
      await using session = await device.createSession(model);
      const { inputNames } = session;
      const all = { ...feeds, ...weights };
      const fed = Object.fromEntries(inputNames.map((key) => [key, all[key]!]));
      yield { title: forward, run: () => session.run(fed), peers: of('forward') };
    }
    const step = `${name}, step`;
    if (!isWanted(step)) continue;
    if (peer !== undefined) await expectSameNetwork(peer, name, weights);
    await using trainer = await Trainer.create(device, problem);
    await trainer.begin(Object.entries(weights));
    yield { title: step, run: () => trainer.step(feeds, UPDATE), peers: of('step') };
  }
}

/** Medians of runs that take turns, after one for warming up. */
async function medians(
  { title, run, peers }: Contest,
  peer: Peer | undefined,
): Promise<Record<string, number>> {
  const runs: Record<string, () => Promise<number>> = {
    async ours() {
      const [before, began] = [process.cpuUsage(), performance.now()];
      await run();
      const { user, system } = process.cpuUsage(before);
      return threads === 1 ? (user + system) / 1000 : performance.now() - began;
    },
  };
  const opened: string[] = [];
  for (const [name, of] of peer === undefined ? [] : Object.entries(peers)) {
    const key = `${title} ${name}`;
    await peer!.open(key, of);
    opened.push(key);
    runs[name] = () => peer!.run(key);
  }
  const times = Object.fromEntries(Object.keys(runs).map((name): [string, number[]] => [name, []]));
  for (let round = -1; round < rounds; round++) {
    for (const [name, once] of Object.entries(runs)) {
      const ms = await once();
      if (round >= 0) times[name]!.push(ms);
    }
  }
  for (const key of opened) await peer!.close(key);
  const median = (list: number[]): number => list.sort((a, b) => a - b)[list.length >> 1]!;
  return Object.fromEntries(Object.entries(times).map(([name, list]) => [name, median(list)]));
}

/** @throws Error unless both have the same parameters, by name and shape. */
async function expectSameNetwork(
  peer: Peer,
  network: NetworkName,
  weights: Readonly<Record<string, Tensor>>,
): Promise<void> {
  const { shapes } = await peer.open('same', { network, part: 'step', dtype: 'float32', batch: 1 });
  await peer.close('same');
  const lines = (record: Readonly<Record<string, readonly number[]>>): string[] =>
    Object.entries(record)
      .map(([name, shape]) => `${name} ${shape.join()}`)
      .sort();
  const ours = lines(Object.fromEntries(Object.entries(weights).map(([name, { shape }]) => [name, shape])));
  const theirs = lines(shapes!);
  const differing = [
    ...ours.filter((line) => !theirs.includes(line)),
    ...theirs.filter((line) => !ours.includes(line)),
  ];
  if (differing.length > 0) throw new Error(`the peer's ${network} differs in ${differing.join('; ')}`);
}

/** Peak memory of two steps in fresh processes: ours over the peer's, whole and beyond what an idle one holds. */
async function memoryRatios(): Promise<Record<string, unknown>> {
  const results: Record<string, unknown> = {};
  for (const name of NETWORK_NAMES) {
    if (!`${name}, step`.includes(options.only)) continue;
    const words = ['--expose-gc', '--import', 'tsx', fileURLToPath(import.meta.url), '--memory', name];
    const given = ['batch', 'parts', 'config', 'threads'].flatMap((option) => [
      `--${option}`,
      String(options[option as keyof typeof options]),
    ]);
    const { stdout, stderr, status } = spawnSync(process.execPath, [...words, ...given], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`measuring memory failed: ${stderr}`);
    const ours = JSON.parse(stdout.trim().split('\n').at(-1)!) as { peak: number; idle: number };
    const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`;
    let line = `${`${name}, peak memory`.padEnd(44)} ${megabytes(ours.peak)}, ${megabytes(ours.peak - ours.idle)} above an idle process`;
    if (options.peer !== undefined) {
      using peer = new Peer(options.peer, options.config, threads);
      const idle = await peer.peakBytes();
      await peer.open(name, { network: name, part: 'step', dtype: 'float32', batch });
      for (let i = 0; i < 2; i++) await peer.run(name);
      const peak = await peer.peakBytes();
      const ratio = ours.peak / peak;
      const above = (ours.peak - ours.idle) / (peak - idle);
      results[name] = { ratio: Number(ratio.toFixed(3)), above: Number(above.toFixed(3)) };
      line += `  PyTorch ${megabytes(peak)}, ${megabytes(peak - idle)} above  ratio ${ratio.toFixed(2)}, ${above.toFixed(2)} above`;
    }
    console.log(line);
  }
  return results;
}

/** Two steps of a network, for their memory. */
async function holdNetwork(name: NetworkName): Promise<void> {
  const peak = (): number => process.resourceUsage().maxRSS * 1024;
  const idle = peak();
  // Where weights began is not held meanwhile, as PyTorch holds it once.
  const begun = async () => {
    const { problem, weights, feeds } = networkCase(name, configuration, { batch, parts, device });
    const trainer = await Trainer.create(device, problem);
    await trainer.begin(Object.entries(weights));
    return { trainer, feeds };
  };
  const { trainer, feeds } = await begun();
  globalThis.gc?.();
  for (let step = 0; step < 2; step++) await trainer.step(feeds, UPDATE);
  await trainer[Symbol.asyncDispose]();
  console.log(JSON.stringify({ peak: peak(), idle }));
}
