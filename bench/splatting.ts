// Splatting, forward and backward, on one thread and frames on two: medians of repeated runs.
// The peer is the plain TypeScript reference on the same scene in the same run; `ratio` is ours over its time.

import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { ControlClip, ControlFrameJob, SplatScene } from '../src/gaussians/index.ts';
import {
  activateField,
  bindGaussians,
  initialiseField,
  placeGaussians,
  Splatter,
  shareControlClip,
  splatReference,
  splatReferenceBackward,
} from '../src/gaussians/index.ts';
import type { Camera } from '../src/geometry/index.ts';
import { frontCamera } from '../src/geometry/index.ts';
import { decodeHead } from '../src/head/index.ts';
import { allowFusedKernels } from '../src/node/fused-kernels.ts';
import { WorkerPool } from '../src/node/index.ts';
import { sheet } from './splatting-sheet.ts';

// `plain` as the first argument measures the form of the kernel that every host can run.
if (process.argv[2] !== 'plain') allowFusedKernels();

const RUNS = 21;
const HEAD = fileURLToPath(new URL('../models/head/embedded.head', import.meta.url));

const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1]!;

function timeOf(run: () => void, runs = RUNS): number {
  run();
  const times = Array.from({ length: runs }, () => {
    const start = performance.now();
    run();
    return performance.now() - start;
  });
  return median(times);
}

/** The embedded head with a fresh field, its face filling about half of the image. */
function headClips(): (size: number, frames?: number) => ControlClip {
  const head = decodeHead(new Uint8Array(readFileSync(HEAD)));
  const binding = bindGaussians(head);
  const field = activateField(initialiseField(binding, head.template, 1));
  const vertices = head.template.map((value, i) => value - (i % 3 === 2 ? 0.75 : 0));
  return (size, frames = 1) => ({
    ...{ binding, field, vertices: Array.from({ length: frames }, () => vertices) },
    cameras: frontCamera(size, size, size * 2),
  });
}

function measure(name: string, scene: SplatScene): Record<string, number | string> {
  const splatter = new Splatter();
  const images = splatter.forward(scene);
  const gradients = splatter.backward(images);
  const forwardMs = timeOf(() => splatter.forward(scene, images));
  const backwardMs = timeOf(() => splatter.backward(images, gradients));
  const gradient = { features: images.features.data, alpha: images.alpha.data };
  const referenceForwardMs = timeOf(() => splatReference(scene), 3);
  const referenceBackwardMs = timeOf(() => splatReferenceBackward(scene, gradient), 1) - referenceForwardMs;
  const row = {
    name,
    gaussians: scene.opacities.length,
    size: scene.camera.width,
    ...{ forwardMs, backwardMs, referenceForwardMs, referenceBackwardMs },
  };
  console.error(
    `${name}: forward ${forwardMs.toFixed(1)} ms, backward ${backwardMs.toFixed(1)} ms` +
      ` (plain: ${referenceForwardMs.toFixed(0)} and ${referenceBackwardMs.toFixed(0)} ms)`,
  );
  return row;
}

/** Frames per second of a clip on 1 and on 2 worker threads. */
async function measureWorkers(clip: ControlClip): Promise<{ one: number; two: number }> {
  const { jobs } = shareControlClip(clip);
  const poolOf = (size: number): WorkerPool<ControlFrameJob, void> =>
    new WorkerPool<ControlFrameJob, void>({
      module: new URL('../src/gaussians/index.ts', import.meta.url),
      functionName: 'renderControlFrame',
      size,
    });
  await using onePool = poolOf(1);
  await using twoPool = poolOf(2);
  const rateOf = async (pool: WorkerPool<ControlFrameJob, void>): Promise<number> => {
    const start = performance.now();
    await pool.map(jobs);
    return (jobs.length * 1000) / (performance.now() - start);
  };
  for (const pool of [onePool, twoPool, onePool, twoPool]) await rateOf(pool);
  const rates: { readonly one: number[]; readonly two: number[] } = { one: [], two: [] };
  for (let i = 0; i < 9; i++) {
    rates.one.push(await rateOf(onePool));
    rates.two.push(await rateOf(twoPool));
  }
  return { one: median(rates.one), two: median(rates.two) };
}

const clipOf = existsSync(HEAD) ? headClips() : null;
const sceneOf = ({ binding, field, vertices, cameras }: ControlClip): SplatScene => ({
  camera: cameras as Camera,
  ...placeGaussians(binding, field, vertices[0]!),
  ...field,
});
const rows = [
  ...(clipOf ? [measure('head 256', sceneOf(clipOf(256))), measure('head 512', sceneOf(clipOf(512)))] : []),
  measure('sheet 16384, 512', sheet(128, 512)),
  measure('sheet 65536, 512', sheet(256, 512)),
  measure('sheet 262144, 512', sheet(512, 512)),
];
const workers = clipOf ? await measureWorkers(clipOf(512, 24)) : null;
if (workers) {
  const scaling = workers.two / workers.one;
  console.error(
    `frames a second at 512: ${workers.one.toFixed(1)} on 1 thread, ${workers.two.toFixed(1)} on 2: x ${scaling.toFixed(2)}`,
  );
}
const sum = (keys: readonly string[]): number =>
  rows.reduce((total, row) => keys.reduce((s, key) => s + Number(row[key]), total), 0);
console.log(
  JSON.stringify({
    bench: 'splatting',
    ratio: sum(['forwardMs', 'backwardMs']) / sum(['referenceForwardMs', 'referenceBackwardMs']),
    scalingOnTwoThreads: workers ? workers.two / workers.one : null,
    cores: availableParallelism(),
    rows,
  }),
);
