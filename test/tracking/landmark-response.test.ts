// What landmarks answer to a head: added to the model, kept in a file.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadEmbeddedHead, readModel } from '../../src/node/index.ts';
import { createRandom } from '../../src/tensor/index.ts';
import { hingeRotation } from '../../src/tracking/head-state.ts';
import { createLandmarkModel } from '../../src/tracking/landmark-model.ts';
import { LandmarkProjection, shapeLandmarks } from '../../src/tracking/landmark-projection.ts';
import { responseOf, responseTensors, withResponse } from '../../src/tracking/landmark-response.ts';
import { viewTerms } from '../../src/tracking/landmark-sliding.ts';
import { decodeLearnedPrior } from '../../src/tracking/learned-prior.ts';

const head = await loadEmbeddedHead();
const model = createLandmarkModel(head, head.landmarks!, head.landmarkWeights!);
const length = 3 * model.pointCount;
const random = createRandom(8);
const row = (): Float64Array => Float64Array.from({ length }, () => Math.fround(0.002 * random.normal()));
const response = {
  rest: row(),
  expression: model.expression.map(row),
  identity: [row(), row()],
  view: [row()],
};

test('a model with a response lies and moves as much further as it says', () => {
  const answering = withResponse(model, response);
  const expression = new Float64Array(model.expressionCount);
  expression[3] = 0.5;
  const identity = new Float64Array(model.identityCount);
  identity[1] = 2;
  // The last coefficient has no answer of its own.
  identity[model.identityCount - 1] = 1;
  const frame = {
    rotation: Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1),
    translation: Float64Array.of(0, 0, -1e4),
    hinges: new Float64Array(6),
    expression,
  };
  // From far away a pixel is a metre over the distance times the focal length: 1e7 gives 1000 pixels a metre.
  const pixels = [model, answering].map((one) => {
    const projection = new LandmarkProjection(one);
    projection.project(frame, shapeLandmarks(one, identity), 1e7, { xPx: 0, yPx: 0 });
    return projection.pixels.slice();
  });
  for (let l = 0; l < 468; l++) {
    for (const [axis, sign] of [1, -1].entries()) {
      const at = 3 * l + axis;
      const metres = response.rest[at]! + 0.5 * response.expression[3]![at]! + 2 * response.identity[1]![at]!;
      const moved = pixels[1]![2 * l + axis]! - pixels[0]![2 * l + axis]!;
      assert.ok(Math.abs(moved - sign * 1000 * metres) < 0.01, `landmark ${l}: ${moved}, ${1000 * metres}`);
    }
  }
});

test('points slide over a turned head by the terms of its turn', () => {
  const rotation = hingeRotation(0.4, -0.2);
  const sliding = { ...model, view: Array.from({ length: 5 }, row) };
  const terms = viewTerms(rotation);
  for (const [k, value] of [0.4, -0.2, 0.16, 0.04, -0.08].entries()) {
    assert.ok(Math.abs(terms[k]! - value) < 1e-12, `term ${k}: ${terms[k]}`);
  }
  const frame = {
    rotation,
    translation: Float64Array.of(0, 0, -1e4),
    hinges: new Float64Array(6),
    expression: new Float64Array(model.expressionCount),
  };
  const [at, slid] = [model, sliding].map((one) => {
    const projection = new LandmarkProjection(one);
    const shaped = shapeLandmarks(one, new Float64Array(model.identityCount));
    projection.project(frame, shaped, 1e7, { xPx: 0, yPx: 0 });
    return projection.pixels.slice();
  });
  for (let l = 0; l < model.pointCount; l++) {
    for (const [axis, sign] of [1, -1].entries()) {
      let metres = 0;
      for (const [k, term] of terms.entries()) {
        for (let i = 0; i < 3; i++) metres += term * rotation[3 * axis + i]! * sliding.view[k]![3 * l + i]!;
      }
      const moved = slid![2 * l + axis]! - at![2 * l + axis]!;
      assert.ok(Math.abs(moved - sign * 1000 * metres) < 0.02, `landmark ${l}: ${moved}, ${1000 * metres}`);
    }
  }
});

test('a response comes back from its arrays', () => {
  const tensors = Object.entries(responseTensors(response)).map(([name, data]) => {
    return [name, { dtype: 'float32', shape: [data.length / length, length], data }] as const;
  });
  assert.deepEqual(responseOf(Object.fromEntries(tensors)), response);
});

test('the shipped response is of every unit, even, and nowhere far from the surface', async () => {
  const bytes = await readModel('tracking', 'expression-prior.safetensors');
  const shipped = decodeLearnedPrior(bytes, head)!.response;
  assert.equal(shipped.expression.length, model.expressionCount);
  const largest = shipped.rest.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  // The oval slides over the surface as a head turns, as if it lay behind it.
  assert.ok(largest < 0.05, `${largest} m`);
  // Left and right move alike: the tip of the nose stays in the middle.
  assert.ok(Math.abs(shipped.rest[3 * 1]!) < 1e-3);
});
