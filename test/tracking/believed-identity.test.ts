// What several pictures of one person together say of the identity.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../src/tensor/index.ts';
import { believedIdentity, type FrameBelief, plainBelief } from '../../src/tracking/frame-beliefs.ts';
import { createLandmarkModel, type LandmarkModel } from '../../src/tracking/landmark-model.ts';
import { identityAgreement } from '../../tools/train-tracking-prior/identity-agreement.ts';
import { toyHead } from './toy-head.ts';

const VIEWS = 12;
/** Of a coefficient of deviation 1, one picture tells so much; of its error so much is the same in all pictures. */
const TOLD = 0.3;
const COMMON = 0.25;

const model = modelOf(3);

function modelOf(seed: number): LandmarkModel {
  const { head, points, weights } = toyHead(seed);
  return createLandmarkModel(head, points, weights);
}

/** A person's coefficient and what `count` pictures say of it, each the best guess from that picture alone. */
function person(
  random: ReturnType<typeof createRandom>,
  count: number,
): { truth: number; guesses: number[] } {
  const truth = random.normal();
  const noise = Math.sqrt((1 - TOLD) / TOLD);
  const same = Math.sqrt(COMMON) * random.normal();
  const guesses = Array.from({ length: count }, () => {
    const own = Math.sqrt(1 - COMMON) * random.normal();
    return TOLD * (truth + noise * (same + own));
  });
  return { truth, guesses };
}

function belief(value: number, agreement: number): FrameBelief {
  const identity = Float32Array.of(value);
  return {
    ...plainBelief(model),
    identity: {
      identity,
      identityDeviation: Float32Array.of(0.9),
      identityAgreement: Float32Array.of(agreement),
    },
  };
}

test('the agreement of pictures is found from people who show several', () => {
  const random = createRandom(5);
  const people: number[] = [];
  const found: Float32Array[] = [];
  for (let p = 0; p < 4000; p++) {
    for (const guess of person(random, 5).guesses) {
      people.push(p);
      found.push(Float32Array.of(guess));
    }
  }
  const [agreement] = identityAgreement(people, found);
  assert.ok(Math.abs(agreement! - (TOLD + (1 - TOLD) * COMMON)) < 0.02, `${agreement}`);
});

test('what pictures from different sides say together errs least when it is widened', () => {
  const random = createRandom(7);
  const agreement = TOLD + (1 - TOLD) * COMMON;
  const sums = { even: 0, apart: 0, slope: [0, 0] as [number, number] };
  for (let p = 0; p < 4000; p++) {
    const { truth, guesses } = person(random, VIEWS);
    const beliefs = guesses.map((guess) => belief(guess, agreement));
    const even = believedIdentity(model, beliefs, 1).mean[0]!;
    const apart = believedIdentity(model, beliefs, 1, { areApart: true }).mean[0]!;
    sums.even += (even - truth) ** 2;
    sums.apart += (apart - truth) ** 2;
    sums.slope[0] += apart * truth;
    sums.slope[1] += apart * apart;
  }
  assert.ok(sums.apart < 0.95 * sums.even, `${sums.apart} apart, ${sums.even} even`);
  const slope = sums.slope[0] / sums.slope[1];
  assert.ok(Math.abs(slope - 1) < 0.05, `truth over belief: ${slope}`);
});

test('one picture, and pictures that all say the same, are left as they are', () => {
  const one = believedIdentity(model, [belief(0.4, 0.3)], 1, { areApart: true });
  assert.ok(Math.abs(one.mean[0]! - 0.4) < 1e-6);
  const same = believedIdentity(model, [belief(0.4, 1), belief(0.4, 1)], 1, { areApart: true });
  assert.ok(Math.abs(same.mean[0]! - 0.4) < 1e-6);
});
