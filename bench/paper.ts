// One denoising step of a frame, the reference pass, encoding and decoding of a picture at the paper's scale, with random
// weights.
//   npx tsx bench/paper.ts [--peer PYTHON] [--rows ours,diffusers,bf16,int8] [--parts unet,reference,vae-encoder,vae-decoder]
//     [--size PIXELS] [--width N] [--runs N] [--busy] [--plain] [--mapped]
// PYTHON is an interpreter that has diffusers (bench/peers/stable_diffusion.requirements.txt): it times the same work in
// the same run, in fp32 and bf16; `int8` quantises our own ONNX model there (dynamic, per channel, linear layers and
// convolutions). `--size` and `--width` (the U-Net's first, 320; the others
// follow in steps of 32) make everything smaller. With `--busy`, for a machine
// that others use, all count the processor time of one thread. `--plain` leaves attention in single operators and convolutions as they are.
// Each row runs in a process of its own, so that its peak memory is its own. A step of one frame and the reference pass are timed
// with what is made of weights held, as a window's frames share it; `--mapped` leaves weights in their file there too, as
// `reenact` does, which makes it anew in every run.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { onnxExport, type StoredTensor, type TensorFile, WEIGHTS_FORMAT } from '../src/checkpoints/index.ts';
import { createDevice, peakMemoryMb } from '../src/node/index.ts';
import {
  declareParameters,
  type PaperModelConfig,
  paperModelSchema,
  referenceModel,
} from '../src/stable-diffusion/index.ts';
import {
  type AnyTensor,
  createRandom,
  elementCount,
  encodeOnnxModel,
  type OnnxModel,
  tensor,
  withOpenExtents,
} from '../src/tensor/index.ts';

const PARTS = ['unet', 'reference', 'vae-encoder', 'vae-decoder'] as const;
type Part = (typeof PARTS)[number];
const ROWS = ['ours', 'diffusers', 'bf16', 'int8'] as const;
type Row = (typeof ROWS)[number];
type Timing = {
  readonly seconds: number;
  readonly peakMemoryMb: number;
  /** Of int8: the root mean square off fp32's output by that of fp32's, and fp32's time in turn with it. */
  readonly error?: number;
  readonly fp32Seconds?: number;
};

const { values: options } = parseArgs({
  options: {
    peer: { type: 'string' },
    rows: { type: 'string' },
    parts: { type: 'string', default: PARTS.join() },
    size: { type: 'string', default: '512' },
    width: { type: 'string', default: '320' },
    runs: { type: 'string', default: '3' },
    busy: { type: 'boolean', default: false },
    plain: { type: 'boolean', default: false },
    mapped: { type: 'boolean', default: false },
    // The child's own: the folder of the model that it runs, whether memory is kept from value to value, and weights are folded.
    folder: { type: 'string' },
    keeps: { type: 'boolean', default: false },
    folds: { type: 'boolean', default: false },
  },
});
const runs = Number(options.runs);
const [size, width] = [Number(options.size), Number(options.width)];

function scaledConfig(): PaperModelConfig {
  const text = readFileSync(new URL('../configs/paper.json', import.meta.url), 'utf8');
  const model = paperModelSchema.parse(JSON.parse(text).model);
  const scaled = (widths: readonly number[]): number[] =>
    widths.map((w) => Math.max(32, 32 * Math.round((w * width) / 320 / 32)));
  return paperModelSchema.parse({
    ...model,
    size,
    autoencoder: { ...model.autoencoder, widths: scaled(model.autoencoder.widths) },
    unet: { ...model.unet, widths: scaled(model.unet.widths) },
  });
}

function foldsWeights(part: Part): boolean {
  return !options.mapped && !part.startsWith('vae');
}

async function modelOf(part: Part, config: PaperModelConfig): Promise<OnnxModel> {
  const { convolutionBlock } = await createDevice('cpu');
  const fast = foldsWeights(part) ? { usesWinograd: true } : { convolutionBlock };
  const form = { usesFusedForms: !options.plain, ...(options.plain ? {} : fast) };
  if (part === 'reference') return referenceModel(config, form);
  const unread = async (): Promise<Uint8Array<ArrayBuffer>> => new Uint8Array(0);
  const tensors = new Map(
    [...declareParameters(config).values].map(([name, { shape }]): [string, StoredTensor] => [
      name,
      { name, shape, type: 'float32', read: unread },
    ]),
  );
  const metadata = { format: WEIGHTS_FORMAT, config: JSON.stringify(config) };
  const file: TensorFile = { name: 'random weights', format: 'safetensors', metadata, tensors, size: 0 };
  return onnxExport(file, part, { location: '', ...form }).model;
}

/** Writes a part's model and random weights of plausible sizes. */
async function writeModel(part: Part, folder: string): Promise<void> {
  const config = scaledConfig();
  const model = await modelOf(part, config);
  const names = declareParameters(config).values;
  const noise = createRandom(1).fillNormal(new Float32Array(2 ** 20));
  const places = new Map<string, { offset: number; length: number }>();
  const handle = openSync(join(folder, 'weights.bin'), 'w');
  let offset = 0;
  for (const { name } of model.inputs.filter((info) => names.has(info.name))) {
    const { shape } = names.get(name)!;
    const length = 4 * elementCount(shape);
    places.set(name, { offset, length });
    offset += length;
    const gain = shape.length > 1 ? 1 / Math.sqrt(elementCount(shape.slice(1))) : 0.02;
    const middle = shape.length === 1 && name.endsWith('weight') ? 1 : 0;
    const block = noise.map((x) => middle + gain * x);
    for (let left = elementCount(shape); left > 0; left -= block.length) {
      writeSync(handle, block.subarray(0, Math.min(left, block.length)));
    }
  }
  const external = { location: 'weights.bin', places };
  const opened = withOpenExtents(model, (name) => places.has(name));
  writeFileSync(join(folder, 'model.onnx'), encodeOnnxModel(model, external));
  writeFileSync(join(folder, 'opened.onnx'), encodeOnnxModel(opened, external));
  const fed = model.inputs.filter(({ name }) => !places.has(name));
  writeFileSync(join(folder, 'inputs.json'), JSON.stringify(fed));
}

/** Times a model; the reference pass gives memory back, as in `reenact`. */
async function timeModel(folder: string): Promise<Timing> {
  const device = await createDevice('cpu');
  await using session = await device.createSession(readFileSync(join(folder, 'opened.onnx')), {
    ...{ weightsFolder: folder, keepsMemory: options.keeps, plansRuns: false, foldsWeights: options.folds },
    threads: options.busy ? 1 : availableParallelism(),
  });
  const random = createRandom(2);
  const feeds: Record<string, AnyTensor> = {};
  for (const { name, dtype, shape } of JSON.parse(readFileSync(join(folder, 'inputs.json'), 'utf8'))) {
    feeds[name] =
      dtype === 'int64'
        ? { dtype, shape, data: new BigInt64Array(elementCount(shape)).fill(name === 'label' ? 0n : 500n) }
        : tensor(random.fillNormal(new Float32Array(elementCount(shape))), shape);
  }
  const clock = (): number => {
    const { user, system } = process.cpuUsage();
    return options.busy ? (user + system) / 1e6 : performance.now() / 1000;
  };
  await session.run(feeds);
  const times: number[] = [];
  for (let i = 0; i < runs; i++) {
    const start = clock();
    await session.run(feeds);
    times.push(clock() - start);
  }
  return { seconds: times.sort((a, b) => a - b)[runs >> 1]!, peakMemoryMb: peakMemoryMb() };
}

function runChild(command: string, words: readonly string[]): Timing {
  const { status, stdout, stderr } = spawnSync(command, words, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${words.join(' ')} failed: ${stderr}`);
  return JSON.parse(stdout.trim().split('\n').at(-1)!);
}

function measureRow(row: Row, part: Part, folder: string): Timing {
  const busy = options.busy ? ['busy'] : [];
  const peer = (name: string): string => fileURLToPath(new URL(`peers/${name}`, import.meta.url));
  if (row === 'ours') {
    const words = ['--import', 'tsx', fileURLToPath(import.meta.url), '--folder', folder];
    const memory = [...(part === 'reference' ? [] : ['keeps']), ...(foldsWeights(part) ? ['folds'] : [])];
    const switches = [...busy, ...memory].map((word) => `--${word}`);
    return runChild(process.execPath, [...words, '--runs', `${runs}`, ...switches]);
  }
  if (row === 'int8') return runChild(options.peer!, [peer('paper_int8.py'), folder, `${runs}`, ...busy]);
  const precision = row === 'bf16' ? 'bfloat16' : 'float32';
  const sizes = [`${size}`, `${width}`];
  return runChild(options.peer!, [peer('paper.py'), part, precision, `${runs}`, ...sizes, ...busy]);
}

if (options.folder !== undefined) {
  console.log(JSON.stringify(await timeModel(options.folder)));
} else {
  const asked = options.rows ?? (options.peer === undefined ? 'ours' : 'ours,diffusers,bf16');
  const rows = ROWS.filter((row) => asked.split(',').includes(row));
  const results: Record<string, Partial<Record<Row, Timing>>> = {};
  let ratio: number | null = null;
  for (const part of PARTS.filter((name) => options.parts.split(',').includes(name))) {
    const folder = mkdtempSync(join(tmpdir(), 'paper-bench-'));
    try {
      await writeModel(part, folder);
      const timings: Partial<Record<Row, Timing>> = {};
      for (const row of rows) {
        const timing = measureRow(row, part, folder);
        timings[row] = timing;
        const { seconds, peakMemoryMb: peak, error, fp32Seconds } = timing;
        const beside =
          row === 'ours' || timings.ours === undefined
            ? ''
            : `, ours takes ${(timings.ours.seconds / seconds).toFixed(3)} of its time and ${(timings.ours.peakMemoryMb / peak).toFixed(2)} of its memory`;
        const off =
          error === undefined || fp32Seconds === undefined
            ? ''
            : `, ${error.toExponential(1)} off fp32 in ${(seconds / fp32Seconds).toFixed(3)} of its time in the same program`;
        console.log(`${part.padEnd(12)} ${row.padEnd(9)} ${seconds.toFixed(2)} s, ${peak} MB${beside}${off}`);
      }
      results[part] = timings;
      const { ours, diffusers } = timings;
      if (part === 'unet' && ours && diffusers) ratio = Number((ours.seconds / diffusers.seconds).toFixed(3));
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
  console.log(
    JSON.stringify({ benchmark: 'paper', isBusy: options.busy, size, width, runs, ratio, results }),
  );
}
