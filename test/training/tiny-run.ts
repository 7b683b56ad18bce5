// What the tests of training share: small samples of smooth pictures, folders in memory, the tiny sizes.

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { memorySource } from '../../src/checkpoints/index.ts';
import { frontCamera } from '../../src/geometry/index.ts';
import type { HeadModel } from '../../src/head/index.ts';
import { neutralParameters } from '../../src/head/index.ts';
import { createRandom } from '../../src/tensor/index.ts';
import type { Configuration, RunFolder, TrainingSample } from '../../src/training/index.ts';
import { encodeSampleShard, parseConfiguration, SHARD_FORMAT, shardEntry } from '../../src/training/index.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** configs/tiny.json. */
export async function tinyConfiguration(): Promise<Configuration> {
  return parseConfiguration(await readFile(join(ROOT, 'configs', 'tiny.json'), 'utf8'));
}

/** Samples of `subjects` subjects, four a subject, standing side by side; labels alternate by subject. */
export function tinySamples(
  head: HeadModel,
  { size, subjects }: { size: number; subjects: number },
): TrainingSample[] {
  return Array.from({ length: subjects * 4 }, (_, i) => {
    const subject = Math.floor(i / 4);
    const random = createRandom(1000 + subject);
    const [fx, fy, phase] = [random.uniform(0.1, 0.4), random.uniform(0.1, 0.4), random.uniform(0, 6)];
    const picture = (shift: number): Uint8Array =>
      Uint8Array.from({ length: size * size * 3 }, (_, k) => {
        const [x, y, c] = [Math.floor(k / 3) % size, Math.floor(k / 3 / size), k % 3];
        return 127 + 90 * Math.sin(fx * (x + shift) + phase + c) * Math.cos(fy * y + c * phase);
      });
    const pose = neutralParameters(head);
    return {
      reference: picture(0),
      target: picture(i % 4),
      lifted: picture((i % 4) + 0.5),
      visibility: Uint8Array.from({ length: size * size }, (_, k) => (k % size < size / 4 ? 0 : 255)),
      headMask: new Uint8Array(size * size).fill(255),
      head: { ...pose, translation: Float32Array.of(0.01 * (i % 4), 0, -0.6) },
      camera: frontCamera(size, size, size * 1.5),
      referencePlacement: {
        parameters: { ...pose, translation: Float32Array.of(0, 0, -0.6) },
        camera: frontCamera(size, size, size * 1.5),
      },
      label: subject % 2 === 0 ? 'real' : 'synthetic',
      kind: 'roundTrip',
      subject,
    };
  });
}

/** A folder in memory that holds samples as two shards. */
export function folderOfSamples(
  samples: readonly TrainingSample[],
  size: number,
  headName: string,
): RunFolder {
  const middle = 4 * Math.ceil(samples.length / 8);
  const shards = [samples.slice(0, middle), samples.slice(middle)].map((part) => ({
    size,
    headName,
    samples: part,
  }));
  const folder = memoryFolder();
  const entries = shards.map((shard, i) => {
    void folder.write(`${i}.safetensors`, encodeSampleShard(shard));
    return shardEntry(`${i}.safetensors`, shard);
  });
  const index = { format: SHARD_FORMAT, version: 1, size, headName, shards: entries };
  void folder.write('index.json', JSON.stringify(index));
  return folder;
}

/** A folder whose files live in memory; `pictures` counts the pictures written. */
export function memoryFolder(): RunFolder & { readonly pictures: string[] } {
  const files = new Map<string, Uint8Array>();
  const bytesOf = (content: Uint8Array | string): Uint8Array =>
    typeof content === 'string' ? new TextEncoder().encode(content) : content;
  const gathered = async (pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> => {
    const all: Uint8Array[] = [];
    for await (const piece of pieces) all.push(piece.slice());
    return new Uint8Array(Buffer.concat(all));
  };
  const pictures: string[] = [];
  return {
    pictures,
    read: async (path) => files.get(path) ?? null,
    async open(path) {
      const bytes = files.get(path);
      return bytes ? { ...memorySource(bytes, path), [Symbol.asyncDispose]: async () => {} } : null;
    },
    async write(path, content) {
      const isWhole = typeof content === 'string' || content instanceof Uint8Array;
      files.set(path, isWhole ? bytesOf(content) : await gathered(content));
    },
    async append(path, text) {
      const before = files.get(path);
      files.set(path, bytesOf((before ? new TextDecoder().decode(before) : '') + text));
    },
    async writePicture(path) {
      pictures.push(path);
    },
    async remove(path) {
      files.delete(path);
    },
    async digest(path) {
      const bytes = files.get(path);
      return bytes ? createHash('sha256').update(bytes).digest('hex') : null;
    },
  };
}
