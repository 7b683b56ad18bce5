// Random weights of a paper-scale configuration, of plausible sizes: for trying what runs and what it costs where no
// trained weights are at hand. Pictures made with them are noise.
//   npx tsx tools/make-random-weights.ts --out W.safetensors [--config configs/paper.json] [--precision fp16] [--seed 1]

import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import {
  fromFloats,
  safetensorsChunks,
  type TensorToWrite,
  WEIGHTS_FORMAT,
} from '../src/checkpoints/index.ts';
import { writeFileAtomic } from '../src/node/index.ts';
import { declareParameters, paperModelSchema } from '../src/stable-diffusion/index.ts';
import { createRandom, elementCount } from '../src/tensor/index.ts';

const TYPE_OF = { fp32: 'float32', fp16: 'float16', bf16: 'bfloat16' } as const;
/** Drawn once and repeated: billions of draws would take minutes. */
const NOISE_LENGTH = 2 ** 20;

const { values: options } = parseArgs({
  options: {
    out: { type: 'string' },
    config: { type: 'string', default: 'configs/paper.json' },
    precision: { type: 'string', default: 'fp16' },
    seed: { type: 'string', default: '1' },
  },
});
const { out, config: configPath, precision, seed } = options;
if (out === undefined || !Object.hasOwn(TYPE_OF, precision)) {
  throw new Error('expected --out W.safetensors, and --precision fp32, fp16 or bf16');
}
const type = TYPE_OF[precision as keyof typeof TYPE_OF];
const config = paperModelSchema.parse(JSON.parse(await readFile(configPath, 'utf8')).model);
const random = createRandom(Number(seed));
const noise = random.fillNormal(new Float32Array(NOISE_LENGTH));
const { values, initialise } = declareParameters(config);
const positions = initialise(0, (name) => name.endsWith('.pe'));

/** Matrices that keep the variance, norms at one, small biases; tables of positions by their formula. */
function weight(name: string, shape: readonly number[]): Float32Array<ArrayBuffer> {
  const table = positions[name];
  if (table !== undefined) return Float32Array.from(table.data);
  const gain = shape.length > 1 ? 1 / Math.sqrt(elementCount(shape.slice(1))) : 0.02;
  const middle = shape.length === 1 && name.endsWith('weight') ? 1 : 0;
  const start = random.integer(NOISE_LENGTH);
  const data = new Float32Array(elementCount(shape));
  for (let i = 0; i < data.length; i++) data[i] = middle + gain * noise[(start + i) % NOISE_LENGTH]!;
  return data;
}

const tensors = [...values].map(
  ([name, { shape }]): TensorToWrite => ({
    ...{ name, shape, type, writtenType: type },
    read: async () => fromFloats(weight(name, shape), type),
  }),
);
const metadata = {
  ...{ format: WEIGHTS_FORMAT, version: '1', config: JSON.stringify(config) },
  ...{ provenance: `random, seed ${seed}`, license: 'CC0-1.0' },
};
await writeFileAtomic(out, safetensorsChunks(tensors, metadata));
console.log(`${out}: ${tensors.length} tensors in ${precision}`);
