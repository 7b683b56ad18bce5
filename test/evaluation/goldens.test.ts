import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { compareImages, featureDistance, openVggTrunk, vggParameters } from '../../src/evaluation/index.ts';
import type { RgbImage } from '../../src/media/index.ts';
import { createDevice } from '../../src/node/index.ts';
import { decodeSafetensors, type Tensor } from '../../src/tensor/index.ts';
import { seededWeight } from '../stable-diffusion/seeded-weights.ts';

const ROOT = join(import.meta.dirname, '../..');
// bench/peers/image_metrics.py writes both files; its list of cases is theirs.
const { tensors, metadata } = decodeSafetensors(
  readFileSync(join(import.meta.dirname, 'goldens/image-metrics.safetensors')),
);
const { tensors: linear } = decodeSafetensors(
  readFileSync(join(ROOT, 'models/perception/lpips-vgg.safetensors')),
);
type Golden = Readonly<Record<'psnr' | 'ssim' | 'l1' | 'regionPsnr' | 'regionSsim' | 'lpips', number>>;
const goldens = Object.entries(JSON.parse(metadata.values!) as Record<string, Golden>);

function picture(name: string): RgbImage {
  const { shape, data } = tensors[name]!;
  return { width: shape[1]!, height: shape[0]!, data: data as Uint8Array };
}

function assertNear(actual: number, expected: number, tolerance: number): void {
  assert.ok(Math.abs(actual - expected) < tolerance, `${actual} is not ${expected}`);
}

for (const [name, golden] of goldens) {
  test(`PSNR, SSIM and L1 agree with scikit-image: ${name}`, () => {
    const whole = compareImages(picture(`${name}/image`), picture(`${name}/truth`));
    for (const metric of ['psnr', 'ssim', 'l1'] as const) assertNear(whole[metric], golden[metric], 1e-9);
    const region = tensors[`${name}/region`]!.data as Uint8Array;
    const inside = compareImages(picture(`${name}/image`), picture(`${name}/truth`), region);
    assertNear(inside.psnr, golden.regionPsnr, 1e-9);
    assertNear(inside.ssim, golden.regionSsim, 1e-9);
  });
}

test('LPIPS on VGG16 agrees with the lpips package, and a region that is all changes nothing', async () => {
  const weights: Record<string, Tensor> = {};
  for (const { name, shape } of vggParameters()) weights[name] = seededWeight(name, shape);
  await using trunk = await openVggTrunk(await createDevice('cpu'), weights);
  const linearWeights = Object.keys(linear)
    .sort()
    .map((name) => linear[name]!.data as Float32Array);
  for (const [name, golden] of goldens) {
    const image = picture(`${name}/image`);
    const [a, b] = [await trunk.features(image), await trunk.features(picture(`${name}/truth`))];
    assertNear(featureDistance(a, b, linearWeights), golden.lpips, 1e-4 * golden.lpips);
    const everywhere = new Uint8Array(image.width * image.height).fill(1);
    assertNear(
      featureDistance(a, b, linearWeights, { region: everywhere, width: image.width, height: image.height }),
      golden.lpips,
      1e-4 * golden.lpips,
    );
  }
});
