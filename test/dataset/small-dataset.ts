// Small datasets for the tests: clips of a few bytes, whose pictures nobody decodes.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type ClipInfo,
  clipKey,
  type DatasetClip,
  type DatasetFolder,
  type EncodedClip,
  encodeClip,
} from '../../src/dataset/index.ts';
import type { HeadTrack } from '../../src/head/index.ts';
import { beginDataset, type DatasetPlan } from '../../src/node/dataset-builder.ts';
import { createRandom } from '../../src/tensor/index.ts';

/** A description, with what a test cares about. */
export function someInfo(changes: Partial<ClipInfo> = {}): ClipInfo {
  return {
    identity: 'somebody',
    label: 'synthetic',
    kind: 'views',
    split: 'train',
    licence: 'CC0-1.0',
    origin: 'a test',
    sequence: null,
    view: null,
    width: 8,
    height: 8,
    framesPerSecond: null,
    camera: null,
    calibration: null,
    ...changes,
  };
}

/** A track of `frames` frames whose numbers say where they belong. */
export function someTrack(frames: number): HeadTrack {
  const counted = (width: number): Float32Array =>
    Float32Array.from({ length: frames * width }, (_, i) => i / 8);
  return {
    headName: 'a head',
    width: 8,
    height: 8,
    focalPx: 20,
    timestampsSeconds: Float64Array.from({ length: frames }, (_, i) => i / 25),
    identity: Float32Array.of(0.5, -1),
    expression: counted(3),
    jointRotations: counted(15),
    translation: counted(3),
    confidence: new Float32Array(frames).fill(1),
    landmarksPx: counted(956),
    provenance: { source: 'a test' },
  };
}

/** A clip of a seed: the same seed gives the same bytes. */
export function someClip(seed: number, frames = 3, changes: Partial<ClipInfo> = {}): DatasetClip {
  const random = createRandom(seed);
  const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, () => random.integer(256));
  return {
    key: clipKey(`clip-${seed}`),
    info: someInfo({ identity: `person-${seed % 3}`, ...changes }),
    track: someTrack(frames),
    frames: Array.from({ length: frames }, () => ({
      bytes: bytes(200 + random.integer(900)),
      ending: 'jpg',
    })),
    maps: { head: Array.from({ length: frames }, () => bytes(90)) },
  };
}

/** `someClip`, encoded. */
export function someEncodedClip(seed: number): EncodedClip {
  return encodeClip(someClip(seed));
}

/** A plan of `count` items; a shard takes two or three. */
export function somePlan(path: string, count: number, changes: Partial<DatasetPlan> = {}): DatasetPlan {
  return {
    path,
    name: 'test',
    request: { command: 'test', size: 8 },
    headName: 'a head',
    items: Array.from({ length: count }, (_, i) => `item-${i}`),
    shardBytes: 50_000,
    ...changes,
  };
}

/** Writes a dataset of `count` items, item 3 of which has no clip. */
export async function writeSmallDataset(path: string, count: number): Promise<void> {
  using dataset = await beginDataset(somePlan(path, count));
  for (const item of dataset.missing) await dataset.put(item, resultOf(item));
  await dataset.finish();
}

/** What becomes of an item in `writeSmallDataset`. */
export function resultOf(item: number): { clips: EncodedClip[] } | { skipped: string } {
  return item === 3 ? { skipped: 'nobody is to be seen' } : { clips: [someEncodedClip(item)] };
}

/** All files of a folder, hidden ones too. */
export function filesOf(path: string): Map<string, Uint8Array> {
  const names = readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(
    names.map(({ name, parentPath }) => [name, new Uint8Array(readFileSync(join(parentPath, name)))]),
  );
}

/** A dataset's folder in memory. */
export function memoryFolder(files: ReadonlyMap<string, Uint8Array>): DatasetFolder {
  return {
    name: 'memory',
    read: async (file) => files.get(file) ?? null,
    readRange: async (file, from, length) => files.get(file)?.subarray(from, from + length) ?? null,
  };
}
