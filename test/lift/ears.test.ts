// Ears of a head that turns.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { frontCamera } from '../../src/geometry/index.ts';
import { decodeHead, type HeadParameters, neutralParameters } from '../../src/head/index.ts';
import { NO_TRIANGLE } from '../../src/kernels/index.ts';
import { bareEars } from '../../src/lift/bare-ears.ts';
import { createLifter, createLiftTools } from '../../src/lift/index.ts';
import { liftGeometry } from '../../src/lift/lift-geometry.ts';
import { personLayers } from '../../src/lift/person-layers.ts';

const HEAD = decodeHead(
  new Uint8Array(readFileSync(new URL('../../models/head/embedded.head', import.meta.url))),
);
const tools = createLiftTools(HEAD);
const { triangles, ears } = liftGeometry(HEAD);
const SIZE = 192;
const CAMERA = frontCamera(SIZE, SIZE, 420);
const [RED, SKIN, WALL] = [
  [230, 20, 20],
  [180, 180, 180],
  [90, 90, 90],
] as const;

function turnedBy(yawDegrees: number): HeadParameters {
  const parameters = neutralParameters(HEAD);
  parameters.translation.set([0, 0.03, -0.75]);
  parameters.jointRotations[1] = (yawDegrees * Math.PI) / 180;
  return parameters;
}

function seenFrom(parameters: HeadParameters): Uint32Array {
  return tools.rasteriser.rasterise({ camera: CAMERA, vertices: tools.poser.pose(parameters), triangles })
    .triangleIds;
}

/** A grey head with red ears before a wall, and where the head is. */
function still(parameters: HeadParameters) {
  const isEar = new Set(ears.flatMap((ear) => Array.from(ear)));
  const data = new Uint8Array(3 * SIZE * SIZE);
  const personMask = new Uint8Array(SIZE * SIZE);
  seenFrom(parameters).forEach((id, pixel) => {
    const isHead = id !== NO_TRIANGLE;
    const tone = !isHead ? WALL : isEar.has(triangles[3 * id]!) ? RED : SKIN;
    data.set(tone, 3 * pixel);
    personMask[pixel] = isHead ? 255 : 0;
  });
  return { image: { width: SIZE, height: SIZE, data }, personMask };
}

/** Red pixels of a picture's left or right half. */
function redOn(data: Uint8Array, half: number): number {
  let count = 0;
  for (let pixel = 0; pixel < SIZE * SIZE; pixel++) {
    if ((pixel % SIZE < SIZE / 2 ? 0 : 1) === half && data[3 * pixel]! - data[3 * pixel + 1]! > 60) count++;
  }
  return count;
}

/** Red pixels of a picture beside the posed head, on the picture's left and right half. */
function redBeside(data: Uint8Array, parameters: HeadParameters): [left: number, right: number] {
  const counts: [number, number] = [0, 0];
  seenFrom(parameters).forEach((id, pixel) => {
    if (id !== NO_TRIANGLE || data[3 * pixel]! - data[3 * pixel + 1]! < 60) return;
    counts[pixel % SIZE < SIZE / 2 ? 0 : 1]++;
  });
  return counts;
}

test('an ear that turns away goes behind the head instead of standing beside it', () => {
  const rest = turnedBy(0);
  const { image, personMask } = still(rest);
  const lifter = createLifter(tools, { parameters: rest, camera: CAMERA, image, personMask });
  const shown = lifter.lift({ parameters: rest, camera: CAMERA }).image.data;
  const halves = [0, 1].map((half) => redOn(shown, half));
  for (const [yaw, far] of [
    [28, 1],
    [-28, 0],
  ] as const) {
    const parameters = turnedBy(yaw);
    const beside = redBeside(lifter.lift({ parameters, camera: CAMERA }).image.data, parameters)[far];
    assert.ok(
      beside < halves[far]! / 4,
      `${beside} of ${halves[far]} pixels of the far ear at ${yaw} degrees`,
    );
  }
});

test('ears go away little by little', () => {
  const rest = turnedBy(0);
  const { image, personMask } = still(rest);
  const lifter = createLifter(tools, { parameters: rest, camera: CAMERA, image, personMask });
  const counts = [0, 3, 6, 9, 12, 15, 20, 25].map((yaw) =>
    redOn(lifter.lift({ parameters: turnedBy(yaw), camera: CAMERA }).image.data, 1),
  );
  const [whole] = counts as [number];
  assert.ok(whole > 100, `${counts}`);
  for (const [i, count] of counts.slice(1).entries()) {
    const change = count - counts[i]!;
    assert.ok(change < 0.1 * whole && change > -0.35 * whole, `${counts}`);
  }
  assert.ok(counts.at(-1)! < whole / 4, `${counts}`);
});

test("an ear that turns to the view is the head's own", () => {
  const rest = turnedBy(0);
  const { image, personMask } = still(rest);
  const lifter = createLifter(tools, { parameters: rest, camera: CAMERA, image, personMask });
  const isEar = new Set(ears.flatMap((ear) => Array.from(ear)));
  for (const yaw of [28, -28]) {
    const parameters = turnedBy(yaw);
    const { data } = lifter.lift({ parameters, camera: CAMERA }).image;
    const shown = [...seenFrom(parameters).entries()].flatMap(([pixel, id]) =>
      id !== NO_TRIANGLE && isEar.has(triangles[3 * id]!) ? [pixel] : [],
    );
    const red = shown.filter((pixel) => data[3 * pixel]! - data[3 * pixel + 1]! > 60).length;
    assert.ok(shown.length > 200 && red > 0.8 * shown.length, `${red} of ${shown.length} at ${yaw} degrees`);
  }
});

test('an ear is bare before the background, and not under hair', () => {
  const rest = turnedBy(0);
  const { image, personMask } = still(rest);
  const vertices = tools.poser.pose(rest);
  const marksOf = (mask: Uint8Array): number[] => {
    const marks = bareEars(liftGeometry(HEAD), CAMERA, vertices, personLayers(image, mask));
    return ears.map((ear) => ear.filter((v) => marks[v]! > 0).length / ear.length);
  };
  assert.deepEqual(marksOf(personMask), [1, 1]);
  // Hair beside the left half of the picture, where the right ear is.
  const withHair = personMask.map((cover, pixel) => (pixel % SIZE < SIZE / 2 ? 255 : cover));
  assert.deepEqual(marksOf(withHair), [1, 0]);
});
