// Tracks with chosen values, and the embedded head, for the tests of motion.

import type { HeadModel, HeadParameters, HeadTrack } from '../../src/head/index.ts';
import { neutralParameters } from '../../src/head/index.ts';
import { loadEmbeddedHead } from '../../src/node/index.ts';

/** The package's head. */
export const head: HeadModel = await loadEmbeddedHead();

/** A frame: units by name, the head's angles as axis-angle, the jaw's hinge; radians. */
export type FrameValues = {
  readonly units?: Readonly<Record<string, number>>;
  readonly root?: readonly [number, number, number];
  readonly jaw?: number;
  readonly translation?: readonly [number, number, number];
};

/** A head with these values; half a metre before the camera. */
export function parametersOf({ units = {}, root, jaw, translation }: FrameValues): HeadParameters {
  const neutral = neutralParameters(head);
  for (const [name, value] of Object.entries(units)) {
    const unit = head.expressionNames.indexOf(name);
    if (unit < 0) throw new Error(`no unit ${name}`);
    neutral.expression[unit] = value;
  }
  neutral.jointRotations.set(root ?? [], 0);
  neutral.jointRotations[6] = jaw ?? 0;
  neutral.translation.set(translation ?? [0, 0, -0.5]);
  return neutral;
}

/** A track of these frames, 25 a second. */
export function trackOf(frames: readonly FrameValues[], confidence: readonly number[] = []): HeadTrack {
  const all = frames.map(parametersOf);
  const joined = (of: (parameters: HeadParameters) => Float32Array): Float32Array =>
    Float32Array.from(all.flatMap((parameters) => [...of(parameters)]));
  return {
    headName: head.name,
    width: 512,
    height: 512,
    focalPx: 1000,
    timestampsSeconds: Float64Array.from(frames, (_, t) => t / 25),
    identity: neutralParameters(head).identity,
    expression: joined(({ expression }) => expression),
    jointRotations: joined(({ jointRotations }) => jointRotations),
    translation: joined(({ translation }) => translation),
    confidence: Float32Array.from(frames, (_, t) => confidence[t] ?? 1),
    landmarksPx: new Float32Array(frames.length * 478 * 2),
    provenance: {},
  };
}

/** The value of a unit. */
export function unitOf({ expression }: HeadParameters, name: string): number {
  return expression[head.expressionNames.indexOf(name)]!;
}
