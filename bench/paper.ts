// One denoising step of a frame, encoding and decoding of a picture at the paper's scale, with random weights.
//   npx tsx bench/paper.ts [--peer PYTHON] [--busy] [--plain] [--parts unet,vae-encoder,vae-decoder] [--runs N]
// PYTHON is an interpreter that has diffusers (bench/peers/stable_diffusion.requirements.txt): it times the same work in
// the same run. With `--busy`, for a machine that others use, both count the processor time of one thread.
// `--plain` leaves attention in single operators.
// Each part runs in a process of its own, so that its peak memory is its own.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { onnxExport, type StoredTensor, type TensorFile, WEIGHTS_FORMAT } from '../src/checkpoints/index.ts';
import { peakMemoryMb } from '../src/node/index.ts';
import { declareParameters, paperModelSchema } from '../src/stable-diffusion/index.ts';
import { createRandom, elementCount, encodeOnnxModel } from '../src/tensor/index.ts';

const PARTS = ['unet', 'vae-encoder', 'vae-decoder'] as const;
type Part = (typeof PARTS)[number];
type Timing = { readonly seconds: number; readonly peakMemoryMb: number };

const { values: options } = parseArgs({
  options: {
    peer: { type: 'string' },
    busy: { type: 'boolean', default: false },
    plain: { type: 'boolean', default: false },
    parts: { type: 'string', default: PARTS.join() },
    runs: { type: 'string', default: '3' },
    // The child's own: what to run, with files in this folder.
    part: { type: 'string' },
    folder: { type: 'string' },
  },
});
const runs = Number(options.runs);

/** Writes a part's model and random weights of plausible sizes. */
function writeModel(part: Part, folder: string): string {
  const config = readFileSync(new URL('../configs/paper.json', import.meta.url), 'utf8');
  const model = paperModelSchema.parse(JSON.parse(config).model);
  const { values } = declareParameters(model);
  const noise = createRandom(1).fillNormal(new Float32Array(2 ** 20));
  const unread = async (): Promise<Uint8Array<ArrayBuffer>> => new Uint8Array(0);
  const tensors = new Map(
    [...values].map(([name, { shape }]): [string, StoredTensor] => [
      name,
      { name, shape, type: 'float32', read: unread },
    ]),
  );
  const metadata = { format: WEIGHTS_FORMAT, config: JSON.stringify(model) };
  const file: TensorFile = { name: 'random weights', format: 'safetensors', metadata, tensors, size: 0 };
  const chosen = onnxExport(file, part, { location: 'weights.bin', usesFusedForms: !options.plain });
  const handle = openSync(join(folder, 'weights.bin'), 'w');
  for (const { shape, name } of chosen.tensors) {
    const gain = shape.length > 1 ? 1 / Math.sqrt(elementCount(shape.slice(1))) : 0.02;
    const offset = shape.length === 1 && name.endsWith('weight') ? 1 : 0;
    const block = noise.map((x) => offset + gain * x);
    for (let left = elementCount(shape); left > 0; left -= block.length) {
      writeSync(handle, block.subarray(0, Math.min(left, block.length)));
    }
  }
  const path = join(folder, 'model.onnx');
  writeFileSync(path, encodeOnnxModel(chosen.model, chosen.external));
  return path;
}

/** Times a model from its file: the weights are mapped, not copied, into memory. */
async function timeModel(path: string): Promise<Timing> {
  const session = await InferenceSession.create(path, {
    intraOpNumThreads: options.busy ? 1 : availableParallelism(),
    extra: { session: { set_denormal_as_zero: '1' } },
  });
  const random = createRandom(2);
  const feeds: Record<string, OrtTensor> = {};
  for (const info of session.inputMetadata) {
    if (!info.isTensor) continue;
    const shape = info.shape.map(Number);
    feeds[info.name] =
      info.type === 'int64'
        ? new OrtTensor('int64', BigInt64Array.of(500n), [1])
        : new OrtTensor('float32', random.fillNormal(new Float32Array(elementCount(shape))), shape);
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

function measure(part: Part): { ours: Timing; peer: Timing | null } {
  const folder = mkdtempSync(join(tmpdir(), 'paper-bench-'));
  try {
    writeModel(part, folder);
    const self = fileURLToPath(import.meta.url);
    const words = ['--import', 'tsx', self, '--part', part, '--folder', folder, '--runs', String(runs)];
    const ours = runChild(process.execPath, [...words, ...(options.busy ? ['--busy'] : [])]);
    const script = fileURLToPath(new URL('peers/paper.py', import.meta.url));
    const peer =
      options.peer === undefined
        ? null
        : runChild(options.peer, [script, part, String(runs), ...(options.busy ? ['busy'] : [])]);
    return { ours, peer };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (options.folder !== undefined) {
  console.log(JSON.stringify(await timeModel(join(options.folder, 'model.onnx'))));
} else {
  const results: Record<string, unknown> = {};
  let ratio: number | null = null;
  for (const part of PARTS.filter((name) => options.parts.split(',').includes(name))) {
    const { ours, peer } = measure(part);
    const ratios =
      peer === null
        ? {}
        : {
            ratio: Number((ours.seconds / peer.seconds).toFixed(3)),
            memoryRatio: Number((ours.peakMemoryMb / peer.peakMemoryMb).toFixed(3)),
          };
    results[part] = { ours, peer, ...ratios };
    if (part === 'unet') ratio = ratios.ratio ?? null;
    const beside =
      peer === null
        ? ''
        : `, diffusers ${peer.seconds.toFixed(2)} s, ${peer.peakMemoryMb} MB: ${ratios.ratio} of its time`;
    console.log(`${part.padEnd(12)} ${ours.seconds.toFixed(2)} s, ${ours.peakMemoryMb} MB${beside}`);
  }
  console.log(JSON.stringify({ benchmark: 'paper', isBusy: options.busy, runs, ratio, results }));
}
