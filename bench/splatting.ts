// Splatting, forward and backward, on one thread and frames on two: medians of repeated runs.
// The peer is the plain TypeScript reference on the same scene in the same run; `ratio` is ours over its time.

import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { ControlFrameJob, SplatImages, SplatScene } from '../src/gaussians/index.ts';
import {
  activateField,
  bindGaussians,
  initialiseField,
  poseGaussians,
  Splatter,
  splatReference,
  splatReferenceBackward,
} from '../src/gaussians/index.ts';
import { frontCamera } from '../src/geometry/index.ts';
import { decodeHead } from '../src/head/index.ts';
import { WorkerPool } from '../src/node/index.ts';
import { createRandom } from '../src/tensor/index.ts';

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

/** A square sheet of `side * side` fresh Gaussians, 0.36 m wide, 0.65 to 0.75 m away. */
function sheet(side: number, size: number): SplatScene {
  const random = createRandom(1);
  const count = side * side;
  const means = new Float32Array(count * 3);
  for (let i = 0; i < count; i++) {
    means[3 * i] = ((i % side) / side - 0.5) * 0.36;
    means[3 * i + 1] = (Math.floor(i / side) / side - 0.5) * 0.36;
    means[3 * i + 2] = -random.uniform(0.65, 0.75);
  }
  return {
    camera: frontCamera(size, size, size * 1.2),
    channels: 8,
    means,
    scales: new Float32Array(count).fill(0.36 / side),
    opacities: new Float32Array(count).fill(0.1),
    features: Float32Array.from({ length: count * 8 }, () => random.uniform(-1, 1)),
  };
}

type HeadScenes = { readonly jobAt: (size: number) => ControlFrameJob };

/** The embedded head with a fresh field, its face filling about half of the image. */
function headScenes(): HeadScenes {
  const head = decodeHead(new Uint8Array(readFileSync(HEAD)));
  const binding = bindGaussians(head);
  const field = activateField(initialiseField(binding, head.template, 1));
  const vertices = head.template.map((value, i) => value - (i % 3 === 2 ? 0.75 : 0));
  return { jobAt: (size) => ({ binding, field, vertices, camera: frontCamera(size, size, size * 2) }) };
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
async function measureWorkers(job: ControlFrameJob): Promise<{ one: number; two: number }> {
  const rateOn = async (size: number): Promise<number> => {
    await using pool = new WorkerPool<ControlFrameJob, SplatImages>({
      module: new URL('../src/gaussians/index.ts', import.meta.url),
      functionName: 'renderControlFrame',
      size,
    });
    const jobs = Array.from({ length: 48 }, () => job);
    await pool.map(jobs);
    const rates: number[] = [];
    for (let i = 0; i < 5; i++) {
      const start = performance.now();
      await pool.map(jobs);
      rates.push((jobs.length * 1000) / (performance.now() - start));
    }
    return median(rates);
  };
  return { one: await rateOn(1), two: await rateOn(2) };
}

const heads = existsSync(HEAD) ? headScenes() : null;
const sceneOf = ({ binding, field, vertices, camera }: ControlFrameJob): SplatScene => ({
  camera,
  means: poseGaussians(binding, vertices),
  ...field,
});
const rows = [
  ...(heads
    ? [measure('head 256', sceneOf(heads.jobAt(256))), measure('head 512', sceneOf(heads.jobAt(512)))]
    : []),
  measure('sheet 16384, 512', sheet(128, 512)),
  measure('sheet 65536, 512', sheet(256, 512)),
];
const workers = heads ? await measureWorkers(heads.jobAt(512)) : null;
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
