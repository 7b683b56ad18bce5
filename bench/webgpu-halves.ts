// Networks in mixed precision on WebGPU beside fp32: how far off, and how large.
//   npx tsx bench/webgpu-halves.ts [--networks compact,paper-tiny,narrow] [--width 64] [--size 256]
// The driver must have 16-bit floats (shader-f16). Without a GPU, Mesa's lavapipe of version 23 or later has them: name its
// manifest in VK_ICD_FILENAMES. `compact` has the package's weights, the others random ones: `narrow` has Stable
// Diffusion 1.5's shape, `--width` its first channels. Each network is given what fp32 on the CPU made before it, or noise.

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import * as compact from '../src/denoiser/index.ts';
import { planarFromImage, resizeImage } from '../src/media/index.ts';
import { createDevice, loadAvatar, loadEmbeddedHead, readImage } from '../src/node/index.ts';
import * as paper from '../src/stable-diffusion/index.ts';
import {
  type AnyTensor,
  createRandom,
  type Device,
  elementCount,
  encodeOnnxModel,
  type OnnxModel,
  planMemory,
  type Tensor,
  tensor,
  withHalves,
} from '../src/tensor/index.ts';

type Network = { readonly title: string; readonly model: OnnxModel };
type Tensors = Record<string, AnyTensor>;

const { values: options } = parseArgs({
  options: {
    networks: { type: 'string', default: 'compact,paper-tiny,narrow' },
    width: { type: 'string', default: '64' },
    size: { type: 'string', default: '256' },
  },
});
const random = createRandom(1);
const [cpu, gpu] = [await createDevice('cpu'), await createDevice('webgpu')];
if (gpu.computesHalves !== true) throw new Error('expected a driver with 16-bit floats (shader-f16)');

function noise(shape: readonly number[], gain = 1): Tensor {
  const data = random.fillNormal(new Float32Array(elementCount(shape)));
  return { dtype: 'float32', shape, data: data.map((x) => gain * x) };
}

/** The package's model, and the pool of what its networks are given at first. */
async function compactNetworks(): Promise<{ networks: Network[]; pool: Tensors }> {
  const { avatar } = await loadAvatar(await loadEmbeddedHead());
  const { config, weights } = avatar;
  const { image } = await readImage(new URL('../samples/portrait.png', import.meta.url).pathname);
  const { data: picture } = planarFromImage(resizeImage(image, config.size, config.size));
  const shape = [1, 3, config.size, config.size];
  const ones: Tensor = tensor(new Float32Array(config.size ** 2).fill(1), [1, 1, config.size, config.size]);
  const one = { batch: 1 };
  return {
    networks: [
      { title: 'encoder', model: compact.encoderModel(config, weights, one) },
      { title: 'reference', model: compact.referenceModel(config, weights, one) },
      { title: 'guidance', model: compact.guidanceModel(config, weights, one) },
      { title: 'denoiser', model: compact.denoiserModel(config, weights, { ...one, seesReference: true }) },
      { title: 'decoder', model: compact.decoderModel(config, weights, one) },
    ],
    pool: { picture: tensor(picture, shape), lifted: tensor(picture, shape), visibility: ones },
  };
}

/** Networks of the paper's shape with random weights. */
function paperNetworks(config: paper.PaperModelConfig): { networks: Network[]; pool: Tensors } {
  const parameters = paper.declareParameters(config).values;
  const form = { usesFusedForms: gpu.fusesAttention };
  const side = { width: config.size, height: config.size, ...form };
  const filled = (model: OnnxModel): OnnxModel => {
    const weights = model.inputs.filter(({ name }) => parameters.has(name));
    const drawn = weights.map(({ name }) => {
      const { shape } = parameters.get(name)!;
      const isNorm = shape.length === 1 && name.endsWith('weight');
      const { data } = noise(shape, shape.length > 1 ? 1 / Math.sqrt(elementCount(shape.slice(1))) : 0.02);
      return [name, tensor(isNorm ? data.map((x) => 1 + x) : data, shape)] as const;
    });
    return {
      ...model,
      inputs: model.inputs.filter(({ name }) => !parameters.has(name)),
      initialisers: { ...model.initialisers, ...Object.fromEntries(drawn) },
    };
  };
  const models = {
    encoder: paper.encoderModel(config, side),
    reference: paper.referenceModel(config, form),
    guidance: paper.guidanceModel(config, form),
    denoiser: paper.denoiserModel(config, { frames: 1, hidesReference: false, ...form }),
    decoder: paper.decoderModel(config, side),
  };
  return {
    networks: Object.entries(models).map(([title, model]) => ({ title, model: filled(model) })),
    pool: {},
  };
}

async function run(device: Device, model: OnnxModel, feeds: Tensors): Promise<Tensors> {
  await using session = await device.createSession(encodeOnnxModel(model), { keepsMemory: false });
  return await session.run(feeds);
}

/** Root mean square of the difference by that of what is expected, over all outputs. */
function errorOf(expected: Tensors, actual: Tensors): number {
  let [squares, total] = [0, 0];
  for (const [name, { data }] of Object.entries(expected)) {
    for (const [i, value] of (data as Float32Array).entries()) {
      squares += (value - (actual[name]!.data[i] as number)) ** 2;
      total += value ** 2;
    }
  }
  return Math.sqrt(squares / total);
}

const configurations: Record<string, () => Promise<{ networks: Network[]; pool: Tensors }>> = {
  compact: compactNetworks,
  'paper-tiny': async () => paperNetworks(configOf('paper-tiny')),
  narrow: async () => {
    const { unet, autoencoder, ...config } = configOf('paper');
    const widths = (all: readonly number[]): number[] =>
      all.map((w) => Math.max(32, 32 * Math.round((w * Number(options.width)) / 320 / 32)));
    return paperNetworks({
      ...{ ...config, size: Number(options.size) },
      unet: { ...unet, widths: widths(unet.widths) },
      autoencoder: { ...autoencoder, widths: widths(autoencoder.widths) },
    });
  },
};

function configOf(name: string): paper.PaperModelConfig {
  const text = readFileSync(new URL(`../configs/${name}.json`, import.meta.url), 'utf8');
  return paper.paperModelSchema.parse(JSON.parse(text).model);
}

const rows: object[] = [];
for (const configuration of options.networks.split(',')) {
  const { networks, pool } = await configurations[configuration]!();
  for (const { title, model } of networks) {
    for (const { name, shape, dtype } of model.inputs) {
      const extents = shape.map(Number);
      pool[name] ??=
        dtype === 'int64'
          ? {
              dtype,
              shape: extents,
              data: new BigInt64Array(elementCount(extents)).fill(name === 'timesteps' ? 999n : 0n),
            }
          : noise(extents);
    }
    const feeds = Object.fromEntries(model.inputs.map(({ name }) => [name, pool[name]!]));
    const halves = withHalves(model);
    const exact = await run(cpu, model, feeds);
    const row = {
      ...{ configuration, title },
      gpuError: errorOf(exact, await run(gpu, model, feeds)),
      halvesError: errorOf(exact, await run(gpu, halves, feeds)),
      weightBytes: [planMemory(model).weightBytes, planMemory(halves).weightBytes],
      valueBytes: [planMemory(model).activationBytes, planMemory(halves).activationBytes],
    };
    rows.push(row);
    const megabytes = (bytes: readonly number[]): string =>
      bytes.map((b) => (b / 1e6).toFixed(1)).join(' -> ');
    console.log(
      `${configuration} ${title}: ${row.halvesError.toExponential(1)} off in halves, ${row.gpuError.toExponential(1)} in fp32; weights ${megabytes(row.weightBytes)} MB, values ${megabytes(row.valueBytes)} MB`,
    );
    Object.assign(pool, exact);
    if (title === 'encoder') pool.reference = pool.liftedLatent = pool.latent!;
  }
}
console.log(JSON.stringify({ benchmark: 'webgpu-halves', rows }));
