// Where lids meet, measured on the posed head itself.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  createHeadPoser,
  createLidClosure,
  type HeadModel,
  type HeadParameters,
  neutralParameters,
} from '../../src/head/index.ts';
import { loadEmbeddedHead } from '../../src/node/index.ts';

const head = await loadEmbeddedHead();
const poser = createHeadPoser(head);

/** How far the left upper lid stands above the lower one at its widest, metres. */
function leftGap(parameters: HeadParameters): number {
  const vertices = poser.pose(parameters);
  const { triangles, barycentrics } = head.landmarks!;
  const height = (point: number): number =>
    [0, 1, 2].reduce((sum, corner) => {
      const v = head.triangles[3 * triangles[point]! + corner]!;
      return sum + barycentrics[3 * point + corner]! * vertices[3 * v + 1]!;
    }, 0);
  return Math.max(
    ...[
      [385, 380],
      [386, 374],
      [387, 373],
    ].map(([upper, lower]) => height(upper!) - height(lower!)),
  );
}

function face(units: Readonly<Record<string, number>>): HeadParameters {
  const parameters = neutralParameters(head);
  parameters.identity.set([1.5, -1, 0.5, 2]);
  for (const [name, value] of Object.entries(units))
    parameters.expression[head.expressionNames.indexOf(name)] = value;
  return parameters;
}

for (const units of [
  {},
  { eyeSquintLeft: 0.7, cheekSquintLeft: 0.5 },
  { eyeWideLeft: 1 },
  { eyeLookDownLeft: 0.6 },
]) {
  test(`lids meet where they are said to: ${JSON.stringify(units)}`, () => {
    const parameters = face(units);
    const [blink] = createLidClosure(head, parameters.identity)!(parameters.expression) as [number, number];
    parameters.expression[head.eyelidExpressions[0]!] = blink;
    assert.ok(Math.abs(leftGap(parameters)) < 1e-5, `${leftGap(parameters)}`);
  });
}

test('a squint meets sooner than open eyes, and the other eye is its own', () => {
  const closure = createLidClosure(head, face({}).identity)!;
  const [open, other] = closure(face({}).expression) as [number, number];
  const [squinting, untouched] = closure(face({ eyeSquintLeft: 1 }).expression) as [number, number];
  assert.ok(squinting < open - 0.05);
  assert.ok(Math.abs(other - untouched) < 0.02);
});

test('a head without landmarks or lids has no closure', () => {
  const bare: HeadModel = { ...head, landmarks: null };
  assert.equal(createLidClosure(bare, neutralParameters(head).identity), null);
  assert.equal(createLidClosure({ ...head, eyelidExpressions: [] }, neutralParameters(head).identity), null);
});
