// Lids of a still that shows hardly any of them.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { frontCamera } from '../../src/geometry/index.ts';
import { decodeHead, type HeadParameters, neutralParameters } from '../../src/head/index.ts';
import { NO_TRIANGLE } from '../../src/kernels/index.ts';
import { createLifter, createLiftTools } from '../../src/lift/index.ts';
import { lidPlausibility } from '../../src/lift/lid-colour.ts';
import { liftGeometry } from '../../src/lift/lift-geometry.ts';

const HEAD = decodeHead(
  new Uint8Array(readFileSync(new URL('../../models/head/embedded.head', import.meta.url))),
);
const tools = createLiftTools(HEAD);
const geometry = liftGeometry(HEAD);
const SIZE = 192;
const CAMERA = frontCamera(SIZE, SIZE, 420);
const [SKIN, HAIR] = [180, 30];

function closedBy(blink: number): HeadParameters {
  const parameters = neutralParameters(HEAD);
  parameters.translation.set([0, 0.03, -0.75]);
  for (const lid of HEAD.eyelidExpressions) parameters.expression[lid] = blink;
  return parameters;
}

/** How much of its colour each pixel takes from the lids: `H W`, 0 to 1. */
function lidCover(parameters: HeadParameters): Float32Array {
  const { triangles } = geometry;
  const values = new Float32Array(HEAD.template.length / 3);
  for (const { lid } of geometry.sockets) for (const v of lid) values[v] = 1;
  const vertices = tools.poser.pose(parameters);
  const buffer = tools.rasteriser.rasterise({ camera: CAMERA, vertices, triangles });
  const cover = tools.rasteriser.interpolate(buffer, { triangles, values, channels: 1 });
  return cover.map((value, pixel) => {
    const id = buffer.triangleIds[pixel]!;
    return id !== NO_TRIANGLE && geometry.triangleClasses[id] === 0 ? value : 0;
  });
}

test('each eye has a lid, skin above it and skin below it', () => {
  assert.equal(geometry.sockets.length, 2);
  for (const [i, { lid, above, below }] of geometry.sockets.entries()) {
    const heightOf = (vertices: Uint32Array): number =>
      vertices.reduce((sum, v) => sum + HEAD.template[3 * v + 1]!, 0) / vertices.length;
    const sideOf = (vertices: Uint32Array): Set<number> =>
      new Set(Array.from(vertices, (v) => Math.sign(HEAD.template[3 * v]!)));
    assert.ok(lid.length > 30 && above.length > 60 && below.length > 10);
    assert.ok(heightOf(above) > heightOf(lid) && heightOf(lid) > heightOf(below) + 0.01);
    for (const part of [lid, above, below]) assert.deepEqual([...sideOf(part)], [i === 0 ? 1 : -1]);
  }
});

test('a lid may be as dark as the skin below the eye, not as dark as a brow', () => {
  const isSeen = new Uint8Array(HEAD.template.length / 3).fill(1);
  const { above, below } = geometry.sockets[0]!;
  for (const [tone, lid, expected] of [
    [180, 160, 1],
    [180, 40, 0],
    [60, 50, 1],
    [60, 8, 0],
  ] as const) {
    const colours = new Float32Array(3 * isSeen.length).fill(tone);
    for (const v of above) colours.fill(lid, 3 * v, 3 * v + 3);
    const plausibility = lidPlausibility(geometry, colours, isSeen);
    for (const v of above) assert.equal(plausibility[v], expected, `${lid} above ${tone}`);
    for (const v of below) assert.equal(plausibility[v], 1);
  }
});

test('lids close in the colour of skin, though the still has the brow where the fit has the lid', () => {
  const [open, closed] = [closedBy(0), closedBy(1)];
  const { triangles } = geometry;
  const vertices = tools.poser.pose(open);
  const buffer = tools.rasteriser.rasterise({ camera: CAMERA, vertices, triangles });
  const data = new Uint8Array(3 * SIZE * SIZE).fill(90);
  const lids = lidCover(open);
  buffer.triangleIds.forEach((id, pixel) => {
    if (id === NO_TRIANGLE) return;
    const tone = geometry.triangleClasses[id] === 1 ? 240 : lids[pixel]! > 0.3 ? HAIR : SKIN;
    data.fill(tone, 3 * pixel, 3 * pixel + 3);
  });
  const lifter = createLifter(tools, {
    ...{ parameters: open, camera: CAMERA },
    image: { width: SIZE, height: SIZE, data },
  });
  const { image } = lifter.lift({ parameters: closed, camera: CAMERA });
  // Where the eye was.
  const lidPixels = [...lidCover(closed).entries()].flatMap(([pixel, cover]) =>
    cover > 0.95 && data[3 * pixel] === 240 ? [pixel] : [],
  );
  assert.ok(lidPixels.length > 60, `only ${lidPixels.length} pixels of lids`);
  const brightness = lidPixels.reduce((sum, pixel) => sum + image.data[3 * pixel + 1]!, 0) / lidPixels.length;
  assert.ok(
    brightness > HAIR + (2 / 3) * (SKIN - HAIR),
    `lids of ${brightness.toFixed(0)} in a face of ${SKIN}`,
  );

  const still = lifter.lift({ parameters: open, camera: CAMERA }).image.data;
  const dark = [...data.keys()].filter((at) => at % 3 === 0 && data[at] === HAIR);
  const kept = dark.filter((at) => still[at]! < (SKIN + HAIR) / 2).length;
  assert.ok(kept > 0.9 * dark.length, `${kept} of ${dark.length} stay as the still has them`);
});
