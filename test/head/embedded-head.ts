// The embedded head for tests, read once a process.

import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { decodeHead, type HeadModel, type HeadParameters, neutralParameters } from '../../src/head/index.ts';

const PATH = join(import.meta.dirname, '../../models/head/embedded.head');

// Plain bytes: slices of Node's Buffer share memory.
export const headBytes: Uint8Array = new Uint8Array(readFileSync(PATH));
export const headFileSize: number = statSync(PATH).size;
export const head: HeadModel = decodeHead(headBytes, 'embedded.head');

/** Expression coefficients by name, the rest zero. */
export function expression(units: Record<string, number>): Float32Array {
  const values = new Float32Array(head.expressionNames.length);
  for (const [name, value] of Object.entries(units)) {
    const index = head.expressionNames.indexOf(name);
    if (index < 0) throw new Error(`no unit ${name}`);
    values[index] = value;
  }
  return values;
}

/** Neutral parameters with some replaced. */
export function parameters(changes: Partial<HeadParameters> = {}): HeadParameters {
  return { ...neutralParameters(head), ...changes };
}

/** Axis-angle rotations with one joint turned. */
export function turned(joint: number, axisAngle: readonly [number, number, number]): Float32Array {
  const rotations = new Float32Array(15);
  rotations.set(axisAngle, 3 * joint);
  return rotations;
}

/** A repeatable head at random: unit-variance identity, expressions in [0, 1], all joints turned. */
export function randomParameters(seed: number): HeadParameters {
  let state = seed >>> 0;
  const uniform = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const spread = (size: number): Float32Array =>
    Float32Array.from({ length: size }, () => 3.4 * (uniform() - 0.5));
  return {
    identity: spread(head.identityCount),
    expression: Float32Array.from(head.expressionNames, () => uniform()),
    jointRotations: spread(15).map((value) => 0.2 * value),
    translation: Float32Array.of(0.1, -0.05, -0.8),
  };
}
