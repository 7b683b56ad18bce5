// Runs inside the page: splats random scenes on the browser's GPU, compares them with the float64 reference
// and sends the worst difference of each back to the server that the page came from.

import { createGpuSplatter } from '../../src/gaussians/gpu-splatter.ts';
import { splatReference, splatReferenceBackward } from '../../src/gaussians/reference-splatting.ts';
import { tensor } from '../../src/tensor/index.ts';
import type { Gpu } from '../../src/webgpu/index.ts';
import { describeAdapter, requestGpuDevice } from '../../src/webgpu/index.ts';
import type { SceneOptions } from '../../test/gaussians/random-scenes.ts';
import { randomScene, randomValues, relativeDifference } from '../../test/gaussians/random-scenes.ts';
import type { PageReport } from './report.ts';

const SCENES: readonly SceneOptions[] = [
  { seed: 2, count: 300, channels: 3, width: 48, height: 40 },
  { seed: 2, count: 300, channels: 3, width: 48, height: 40, isTurned: true },
];

async function check(): Promise<PageReport> {
  const host = globalThis as { navigator?: { readonly gpu?: Gpu } };
  const { device, adapter } = await requestGpuDevice(host.navigator?.gpu);
  const splatter = createGpuSplatter(device);
  const differences: Record<string, number>[] = [];
  for (const options of SCENES) {
    const scene = randomScene(options);
    const { width, height } = scene.camera;
    const features = randomValues(7, scene.channels * width * height);
    const alpha = randomValues(8, width * height);
    const images = await splatter.forward(scene);
    const gradients = await splatter.backward({
      features: tensor(features, [scene.channels, height, width]),
      alpha: tensor(alpha, [height, width]),
    });
    const expected = splatReference(scene);
    const expectedGradients = splatReferenceBackward(scene, { features, alpha });
    const names = Object.keys(expectedGradients) as (keyof typeof expectedGradients)[];
    differences.push({
      image: relativeDifference(images.features.data, expected.features),
      alpha: relativeDifference(images.alpha.data, expected.alpha),
      ...Object.fromEntries(
        names.map((name) => [name, relativeDifference(gradients[name]!, expectedGradients[name]!)]),
      ),
    });
  }
  return { adapter: describeAdapter(adapter), differences, error: null };
}

const report = await check().catch(
  (error): PageReport => ({ adapter: '', differences: [], error: String(error) }),
);
await fetch('/report', { method: 'POST', body: JSON.stringify(report) });
