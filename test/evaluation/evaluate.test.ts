// The run through cases with judges that need no network: what fails is counted and listed, what is finished is not
// measured again.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BadInputError } from '../../src/errors/index.ts';
import {
  type CaseResult,
  type CaseStore,
  copyingMethod,
  type EvaluationCase,
  evaluate,
  type Judges,
  type Method,
  markdownTable,
  picturesMethod,
  summarise,
  truthMethod,
} from '../../src/evaluation/index.ts';
import { frontCamera } from '../../src/geometry/index.ts';
import { createHeadPoser, neutralParameters } from '../../src/head/index.ts';
import { type RgbImage, solidImage } from '../../src/media/index.ts';
import type { Tracker } from '../../src/tracking/index.ts';
import { head } from '../head/embedded-head.ts';

const SIZE = 16;
const parameters = neutralParameters(head);

/** Black pictures have no face; all others one at rest. */
const tracker = {
  async trackImage(image: RgbImage) {
    if (image.data[0] === 0) {
      throw new BadInputError({ code: 'no-face', message: 'no face', hint: 'none' });
    }
    return { parameters, landmarksPx: new Float32Array(956) };
  },
} as unknown as Tracker;
const judges: Judges = {
  ...{ head, tracker, lpips: null },
  poser: createHeadPoser(head),
  descriptor: {
    describe: async (image) =>
      Float32Array.of(Math.cos(image.data[0]! / 255), Math.sin(image.data[0]! / 255)),
    [Symbol.asyncDispose]: async () => {},
  },
  faceTrunk: {
    features: async (image) => [
      { dtype: 'float32', shape: [1, 1, 1], data: Float32Array.of(image.data[0]!) },
    ],
    [Symbol.asyncDispose]: async () => {},
  },
};

const grey = (level: number, size = SIZE): RgbImage => solidImage(size, size, [level, level, level]);

function caseOf(name: string, levels: readonly number[]): EvaluationCase {
  return {
    name,
    reference: { image: grey(100), parameters, camera: frontCamera(SIZE, SIZE, 30) },
    targets: levels.map((level, i) => ({
      index: i + 1,
      timestampSeconds: i,
      head: parameters,
      picture: grey(level),
      region: new Uint8Array(SIZE * SIZE).fill(255),
    })),
    isSequence: false,
    hasTruth: true,
  };
}

const cases = { names: ['anna', 'bert'], load: async (name: string) => caseOf(name, [120, 140]) };

/** One picture right, one missing, one too small, one black. */
const theirs = picturesMethod('theirs', async (name, index) => {
  if (name === 'anna') return index === 1 ? grey(120) : { missing: 'the picture is missing' };
  return index === 1 ? grey(120, 8) : grey(0);
});

function memoryStore(): CaseStore & { readonly kept: Map<string, CaseResult> } {
  const kept = new Map<string, CaseResult>();
  return {
    kept,
    read: async (name) => kept.get(name) ?? null,
    async write(result) {
      kept.set(result.name, result);
    },
  };
}

test('frames that are missing, of another size or without a face are scored, counted and listed', async () => {
  const methods = [theirs, copyingMethod, truthMethod];
  const results = await evaluate({ cases, methods, judges, store: memoryStore(), orbits: 0 });
  const { rows, failureList, subjects, frames, differences } = summarise(results, 'theirs');
  assert.deepEqual([subjects, frames], [2, 4]);
  assert.deepEqual(
    failureList.map(({ subject, frame, row, reason }) => [subject, frame, row, reason]),
    [
      ['anna', 2, 'theirs', 'the picture is missing'],
      ['bert', 1, 'theirs', 'the picture is 8 x 8, not 16 x 16'],
      ['bert', 2, 'theirs', 'no face is found in the output'],
    ],
  );
  const [main, copying, truth] = rows;
  // Anna: 0 and 140 levels off; Bert: 120 and 140.
  assert.ok(Math.abs(main!.metrics.l1!.mean - (0 + 140 + 120 + 140) / (4 * 255)) < 1e-5);
  assert.ok(Math.abs(copying!.metrics.l1!.mean - 30 / 255) < 1e-5);
  // A black picture resembles nobody: one of four is Anna herself.
  assert.ok(Math.abs(main!.metrics.csim!.mean - 0.25) < 1e-5);
  assert.equal(main!.failures, 3);
  assert.deepEqual(Object.keys(truth!.metrics), ['csimReference']);
  const lost = main!.metrics.l1!.mean - copying!.metrics.l1!.mean;
  assert.ok(Math.abs(differences.copying!.l1!.mean - lost) < 1e-9);
});

test('a finished subject is not measured again, and the same results sum up to the same', async () => {
  const store = memoryStore();
  let asked = 0;
  const counting: Method = {
    ...copyingMethod,
    answer(one) {
      asked++;
      return copyingMethod.answer(one);
    },
  };
  const stop = new AbortController();
  const options = { cases, methods: [counting], judges, store, orbits: 0 };
  const interrupted = evaluate({ ...options, signal: stop.signal, events: () => stop.abort() });
  await assert.rejects(interrupted, { name: 'AbortError' });
  assert.deepEqual([...store.kept.keys()], ['anna']);
  const once = markdownTable(summarise(await evaluate(options), 'copying'));
  assert.equal(asked, 2);
  assert.equal(markdownTable(summarise(await evaluate(options), 'copying')), once);
  assert.equal(asked, 2);
});

test("what is wrong with a subject's data is a failure of that subject, and the others are measured", async () => {
  const broken = {
    ...cases,
    async load(name: string) {
      if (name === 'anna') throw new BadInputError({ code: 'no-face', message: 'No face.', hint: 'None.' });
      return caseOf(name, [0]);
    },
  };
  const results = await evaluate({
    cases: broken,
    methods: [copyingMethod],
    judges,
    store: memoryStore(),
    orbits: 0,
  });
  const { subjects, failureList, rows } = summarise(results, 'copying');
  assert.equal(subjects, 1);
  assert.deepEqual(
    failureList.map(({ subject, reason }) => [subject, reason]),
    [
      ['anna', 'No face.'],
      ['bert', 'no face is found in the true picture'],
    ],
  );
  // Without a face in the truth there is nothing to be near to.
  assert.equal(rows[0]!.metrics.aed, undefined);
  assert.ok(rows[0]!.metrics.l1);
});
