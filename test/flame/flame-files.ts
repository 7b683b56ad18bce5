// FLAME's files for tests: a small synthetic model (bench/peers/flame.py), and the extracted numbers of FLAME 2023
// Open where a checkout has them beside it.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { SourceFile } from '../../src/flame/index.ts';
import { decodeHead, type HeadModel, type HeadParameters } from '../../src/head/index.ts';

const GOLDENS = join(import.meta.dirname, 'goldens');
const PARTIAL = join(import.meta.dirname, '../../../shared/heads/flame-open-partial');

/** Parameters and what smplx makes of them. */
export type Sample = {
  readonly identity: number[];
  readonly expression: number[];
  readonly jointRotations: number[];
  readonly translation: number[];
  readonly vertices: number[];
  readonly joints: number[];
  readonly landmarks: number[];
};
export type PartialSample = Omit<Sample, 'vertices' | 'joints' | 'landmarks'> & {
  readonly probes: number[];
  readonly landmarkMean: number[];
};

export const goldens: {
  readonly samples: readonly Sample[];
  readonly partial: readonly PartialSample[];
} = JSON.parse(readFileSync(join(GOLDENS, 'smplx.json'), 'utf8'));

/** One of the synthetic model's files. */
export function golden(name: string): SourceFile {
  const stored = name === 'model.pkl' ? gunzipSync(readFileSync(join(GOLDENS, 'model.pkl.gz'))) : null;
  return { name, bytes: new Uint8Array(stored ?? readFileSync(join(GOLDENS, name))) };
}

/** The reference that lends what files lack. */
export const reference: HeadModel = decodeHead(
  new Uint8Array(readFileSync(join(import.meta.dirname, '../../models/head/embedded.head'))),
);

/** The same with few identities, which is quicker where closeness does not matter. */
export const plainReference: HeadModel = {
  ...reference,
  identityCount: 4,
  identityBasis: reference.identityBasis.subarray(0, 4 * reference.template.length),
};

/** Why tests of the real numbers do not run, or false where they do. */
export const partialSkip: string | false = existsSync(PARTIAL)
  ? false
  : 'the extracted numbers of FLAME 2023 Open are not beside this checkout';

/** The files of the extracted numbers. */
export function partialFiles(): SourceFile[] {
  return readdirSync(PARTIAL)
    .filter((name) => !name.endsWith('.txt'))
    .map((name) => ({ name, bytes: new Uint8Array(readFileSync(join(PARTIAL, name))) }));
}

/** A golden's parameters as the head's own. */
export function parametersOf(sample: Omit<Sample, 'vertices' | 'joints' | 'landmarks'>): HeadParameters {
  return {
    identity: Float32Array.from(sample.identity),
    expression: Float32Array.from(sample.expression),
    jointRotations: Float32Array.from(sample.jointRotations),
    translation: Float32Array.from(sample.translation),
  };
}
