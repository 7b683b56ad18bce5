// Lids and the balls that they slide over.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { vertexNeighbours } from '../../src/geometry/index.ts';
import { createHeadPoser, type HeadModel, neutralParameters, PART_NAMES } from '../../src/head/index.ts';
import { liftGeometry } from '../../src/lift/index.ts';
import { loadEmbeddedHead } from '../../src/node/index.ts';
import { colourLids, hideLids } from '../../src/synthesis/baked-lids.ts';
import { layLidsOverEyes } from '../../src/synthesis/lids-over-eyes.ts';

const head = await loadEmbeddedHead();
const poser = createHeadPoser(head);
const { sockets } = liftGeometry(head);
const BALL_METRES = 0.01534;

/** A head far from the origin, its eyes' balls blown up and its lids closed. */
function closedOver(model: HeadModel, growth: number): { posed: Float32Array; centres: number[][] } {
  const parameters = neutralParameters(model);
  parameters.translation.set([0.1, -0.2, -1.1]);
  for (const lid of model.eyelidExpressions) parameters.expression[lid] = 1;
  const posed = poser.pose(parameters);
  const joints = poser.joints(parameters);
  const centres = [3, 4].map((joint) => [...joints.subarray(3 * joint, 3 * joint + 3)]);
  const isDone = new Set<number>();
  for (const [i, v] of model.triangles.entries()) {
    const name = PART_NAMES[model.triangleParts[Math.floor(i / 3)]!]!;
    if (!name.endsWith('Eyeball') || isDone.has(v)) continue;
    isDone.add(v);
    const centre = centres[name === 'leftEyeball' ? 0 : 1]!;
    for (let k = 0; k < 3; k++) posed[3 * v + k] = centre[k]! + growth * (posed[3 * v + k]! - centre[k]!);
  }
  return { posed, centres };
}

test('a closed lid lies outside an eye that is larger than usual, its lining inside, and elsewhere nothing moves', () => {
  const growth = 1.15;
  const { posed, centres } = closedOver(head, growth);
  const before = posed.slice();
  layLidsOverEyes(head, posed);
  let raised = 0;
  for (let v = 0; v < posed.length / 3; v++) {
    const [own, was] = [posed.subarray(3 * v, 3 * v + 3), before.subarray(3 * v, 3 * v + 3)];
    const moved = Math.hypot(own[0]! - was[0]!, own[1]! - was[1]!, own[2]! - was[2]!);
    if (moved === 0) continue;
    raised++;
    const centre = centres[own[0]! > 0.1 ? 0 : 1]!;
    assert.ok(moved < 0.006, `vertex ${v} moves by ${moved} m`);
    const distance = Math.hypot(own[0]! - centre[0]!, own[1]! - centre[1]!, own[2]! - centre[2]!);
    const apart = Math.abs(distance - growth * BALL_METRES);
    assert.ok(Math.abs(apart - 0.0006) < 3e-5, `${distance} m`);
  }
  assert.ok(raised > 20, `${raised} vertices raised`);
});

test('baked lids take the colour of bare skin around them, not of brows, lashes and the white of the eye', () => {
  const count = head.template.length / 3;
  const [skin, brow] = [0.4, 0.02];
  const colours = new Float32Array(3 * count).fill(skin);
  const weights = new Float32Array(count).fill(1);
  for (const { lid, above } of sockets) {
    // Brows above, lashes and white on the lids.
    for (const v of above) if (head.template[3 * v + 1]! > 0.014) colours.fill(brow, 3 * v, 3 * v + 3);
    for (const [i, v] of lid.entries()) colours.fill(i % 2 === 0 ? brow : 0.95, 3 * v, 3 * v + 3);
  }
  hideLids(sockets, weights);
  colourLids(sockets, vertexNeighbours(count, head.triangles), colours, weights);
  for (const { lid, above } of sockets) {
    for (const v of lid) {
      assert.equal(weights[v], 0);
      assert.ok(Math.abs(colours[3 * v]! - skin) < 0.02, `vertex ${v}: ${colours[3 * v]}`);
    }
    const hair = [...above].filter((v) => !lid.includes(v) && head.template[3 * v + 1]! > 0.014);
    assert.ok(hair.length > 5 && hair.every((v) => colours[3 * v] === Math.fround(brow)), 'brows stay');
  }
});
