// Fresh weights of `configs/paper-tiny.json` in halves, as a file.

import { writeFileSync } from 'node:fs';
import { safetensorsChunks, WEIGHTS_FORMAT } from '../../src/checkpoints/index.ts';
import { readPaperConfig } from '../../src/node/index.ts';
import { declareParameters } from '../../src/stable-diffusion/index.ts';

/** Writes the file; `metadata` adds to its header. */
export async function writeTinyPaperWeights(
  path: string,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const config = await readPaperConfig('paper-tiny');
  const fresh = declareParameters(config).initialise(1);
  const tensors = Object.entries(fresh).map(([key, { shape, data }]) => ({
    ...({ name: key, shape, type: 'float32', writtenType: 'float16' } as const),
    read: async () => new Uint8Array(Float32Array.from(data).buffer),
  }));
  const chunks: Uint8Array[] = [];
  const common = { format: WEIGHTS_FORMAT, config: JSON.stringify(config) };
  for await (const chunk of safetensorsChunks(tensors, { ...common, ...metadata })) chunks.push(chunk);
  writeFileSync(path, Buffer.concat(chunks));
}
