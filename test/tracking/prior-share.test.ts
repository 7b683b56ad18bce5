// What views of one moment believe together.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadEmbeddedHead } from '../../src/node/index.ts';
import { createFramePrior } from '../../src/tracking/fit-priors.ts';
import { priorShare } from '../../src/tracking/fit-views.ts';
import { FRAME_LAYOUT } from '../../src/tracking/head-state.ts';

test('views share a prior out; a common turn is left to what they see together', async () => {
  const prior = createFramePrior(await loadEmbeddedHead());
  const { turn, hinges } = FRAME_LAYOUT;
  prior.precision.fill(40);
  const own = priorShare(prior, 4, 'own');
  const shared = priorShare(prior, 4, 'shared');
  for (let axis = 0; axis < 3; axis++) {
    assert.equal(own.precision[turn + axis], 40);
    assert.equal(shared.precision[turn + axis], 0);
  }
  assert.equal(own.precision[hinges], 10);
  assert.equal(shared.precision[hinges], 10);
});
