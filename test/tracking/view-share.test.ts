// What views of one moment count for together.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadEmbeddedHead } from '../../src/node/index.ts';
import { createFramePrior } from '../../src/tracking/fit-priors.ts';
import { shareOfView } from '../../src/tracking/fit-views.ts';
import { FRAME_LAYOUT } from '../../src/tracking/head-state.ts';

test('a quarter of a view is a quarter of its landmarks and of what it believes', async () => {
  const prior = createFramePrior(await loadEmbeddedHead());
  const seen = {
    landmarksPx: new Float32Array(4),
    weights: Float64Array.of(1, 0.5),
    scalePx: 100,
    centre: { xPx: 0, yPx: 0 },
  };
  const quarter = shareOfView({ seen, prior }, 0.25);
  assert.deepEqual([...quarter.seen.weights], [0.25, 0.125]);
  assert.deepEqual(
    quarter.prior.precision,
    prior.precision.map((value) => value / 4),
  );
  assert.deepEqual(
    quarter.prior.gazeAgreement,
    prior.gazeAgreement.map((value) => value / 4),
  );
  assert.deepEqual(quarter.prior.mean, prior.mean);
  const { turn, translation, hinges } = FRAME_LAYOUT;
  const known = shareOfView(
    { seen, prior: { ...prior, precision: prior.precision.map(() => 8) } },
    0.5,
    0.25,
  );
  assert.deepEqual(
    [turn, turn + 2, translation, hinges].map((at) => known.prior.precision[at]),
    [2, 2, 4, 4],
  );
});
