// Splatting on a GPU, by stage: the machine's own adapter if Vulkan, Metal or D3D12 offers one, else a software
// driver, whose times say little. The peer is the WebAssembly kernel on one thread, on the same scene in the
// same run; `ratio` is ours over its time, to and from the host's memory.
//
//   npx tsx bench/splatting-webgpu.ts [--software] [--runs N] [--sides 128,256,512] [--size 512]
//
// For a machine without this repository: bundle it to one file, which wants the package `webgpu` beside it.
//   npx esbuild bench/splatting-webgpu.ts --bundle --platform=node --target=node20 --format=esm \
//     --external:webgpu --outfile=bench.mjs

import { parseArgs } from 'node:util';
import { MissingResourceError } from '../src/errors/index.ts';
import type { GpuScene, SplatScene } from '../src/gaussians/index.ts';
import { createGpuSplatter, Splatter } from '../src/gaussians/index.ts';
import { openGpu } from '../src/node/open-gpu.ts';
import type { GpuAdapterInfo, GpuDevice, StageTimes } from '../src/webgpu/index.ts';
import { describeAdapter, GpuContext } from '../src/webgpu/index.ts';
import { loadSoftwareVulkan, SOFTWARE_VULKAN_OPTIONS } from '../tools/software-vulkan.ts';
import { sheet } from './splatting-sheet.ts';

const { values: options } = parseArgs({
  options: {
    software: { type: 'boolean', default: false },
    runs: { type: 'string', default: '' },
    sides: { type: 'string', default: '128,256,512' },
    size: { type: 'string', default: '512' },
  },
});

const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1]!;

async function open(): Promise<{ device: GpuDevice; adapter: GpuAdapterInfo; isSoftware: boolean }> {
  if (!options.software) {
    try {
      const own = await openGpu(['disable-dawn-features=timestamp_quantization']);
      return { ...own, isSoftware: own.adapter.architecture === 'swiftshader' };
    } catch (error) {
      if (!(error instanceof MissingResourceError)) throw error;
      console.error(`${error.message}; for a software driver run again with --software`);
      process.exit(error.exitStatus);
    }
  }
  const missing = loadSoftwareVulkan();
  if (missing !== null) throw new Error(missing);
  return { ...(await openGpu(SOFTWARE_VULKAN_OPTIONS)), isSoftware: true };
}

/** The scene with its arrays on the device, as in training there. */
function onDevice(context: GpuContext, scene: SplatScene): GpuScene {
  const upload = (data: Float32Array) => {
    const buffer = context.createBuffer('scene', data.byteLength);
    context.device.queue.writeBuffer(buffer, 0, data as Float32Array<ArrayBuffer>);
    return buffer;
  };
  return {
    ...{ camera: scene.camera, channels: scene.channels, count: scene.opacities.length },
    means: upload(scene.means),
    scales: upload(scene.scales),
    opacities: upload(scene.opacities),
    features: upload(scene.features),
  };
}

/** Medians over `runs` calls, after two that warm up: milliseconds outside, and on the device by stage. */
async function timeOf(
  runs: number,
  run: () => Promise<StageTimes>,
): Promise<{ ms: number; stages: Record<string, number> }> {
  for (let i = 0; i < 2; i++) await run();
  const times: number[] = [];
  const stages: Record<string, number[]> = {};
  for (let i = 0; i < runs; i++) {
    const start = performance.now();
    const byStage = await run();
    times.push(performance.now() - start);
    for (const [name, ms] of Object.entries(byStage)) {
      stages[name] ??= [];
      stages[name].push(ms);
    }
  }
  const medians = Object.entries(stages).map(([name, all]) => [name, median(all)] as const);
  return { ms: median(times), stages: Object.fromEntries(medians) };
}

const { device, adapter, isSoftware } = await open();
const runs = Number(options.runs) || (isSoftware ? 3 : 51);
console.error(`${describeAdapter(adapter)}, medians of ${runs} runs`);

const rows: Record<string, unknown>[] = [];
let [ours, peers] = [0, 0];
for (const side of options.sides.split(',').map(Number)) {
  const size = Number(options.size);
  const scene = sheet(side, size);
  using splatter = createGpuSplatter(device);
  const images = await splatter.forward(scene);
  const forward = await timeOf(runs, async () => {
    await splatter.forward(scene);
    return splatter.times;
  });
  const backward = await timeOf(runs, async () => {
    await splatter.backward(images);
    return splatter.times;
  });
  const resident = onDevice(GpuContext.of(device), scene);
  const stayed = { forward: 0, backward: 0 };
  const start = await splatter.forwardOnDevice(resident);
  stayed.forward = (await timeOf(runs, async () => splatter.forwardOnDevice(resident).then(() => ({})))).ms;
  stayed.backward = (await timeOf(runs, async () => splatter.backwardOnDevice(start).then(() => ({})))).ms;

  const peer = new Splatter();
  const peerImages = peer.forward(scene);
  const peerRuns = isSoftware ? 3 : 11;
  const peerForward = await timeOf(peerRuns, async () => {
    peer.forward(scene, peerImages);
    return {};
  });
  const peerBackward = await timeOf(peerRuns, async () => {
    peer.backward(peerImages);
    return {};
  });
  ours += forward.ms + backward.ms;
  peers += peerForward.ms + peerBackward.ms;
  const row = {
    gaussians: side * side,
    ...{ size, channels: scene.channels, pairs: splatter.pairs },
    ...{ forwardMs: forward.ms, backwardMs: backward.ms },
    ...{ forwardOnDeviceMs: stayed.forward, backwardOnDeviceMs: stayed.backward },
    stagesMs: { ...forward.stages, ...backward.stages },
    ...{ wasmForwardMs: peerForward.ms, wasmBackwardMs: peerBackward.ms },
  };
  rows.push(row);
  console.error(
    `${row.gaussians} Gaussians, ${size} x ${size}, ${splatter.pairs} pairs:` +
      ` forward ${forward.ms.toFixed(2)} ms, backward ${backward.ms.toFixed(2)} ms;` +
      ` staying on the device ${stayed.forward.toFixed(2)} and ${stayed.backward.toFixed(2)} ms;` +
      ` WebAssembly ${peerForward.ms.toFixed(1)} and ${peerBackward.ms.toFixed(1)} ms`,
  );
  for (const [name, ms] of Object.entries(row.stagesMs)) console.error(`  ${name}: ${ms.toFixed(3)} ms`);
}
device.destroy();
console.log(
  JSON.stringify({
    bench: 'splatting-webgpu',
    adapter: describeAdapter(adapter),
    ...{ isSoftware, runs, ratio: ours / peers, rows },
  }),
);
