// A still whose person is known pixel by pixel: a plain head with a cap of hair before a striped wall.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { BadInputError } from '../../src/errors/index.ts';
import { frontCamera } from '../../src/geometry/index.ts';
import { decodeHead, neutralParameters } from '../../src/head/index.ts';
import { NO_TRIANGLE } from '../../src/kernels/index.ts';
import { spreadColours } from '../../src/lift/colour-spread.ts';
import {
  createLifter,
  createLiftTools,
  type HeadPlacement,
  type LiftedImage,
  type LiftSource,
  liftRoundTrip,
} from '../../src/lift/index.ts';

const HEAD = decodeHead(
  new Uint8Array(readFileSync(new URL('../../models/head/embedded.head', import.meta.url))),
);
const tools = createLiftTools(HEAD);
const SIZE = 128;
const CAMERA = frontCamera(SIZE, SIZE, 280);
const [SKIN, HAIR] = [
  [200, 130, 110],
  [60, 40, 30],
];
const wall = (pixel: number): number[] =>
  Math.floor((pixel % SIZE) / 4) % 2 === 0 ? [90, 150, 90] : [90, 90, 170];

function place(yawDegrees: number, asideMetres = 0): HeadPlacement {
  const parameters = neutralParameters(HEAD);
  parameters.translation.set([asideMetres, 0.03, -0.75]);
  parameters.jointRotations[1] = (yawDegrees * Math.PI) / 180;
  return { parameters, camera: CAMERA };
}

/** Hair is a ring of 5 pixels about the head. */
function still(): LiftSource & { readonly personMask: Uint8Array } {
  const placement = place(0);
  const { triangleIds } = tools.rasteriser.rasterise({
    camera: CAMERA,
    vertices: tools.poser.pose(placement.parameters),
    triangles: HEAD.triangles,
  });
  const isHead = (x: number, y: number): boolean =>
    x >= 0 && y >= 0 && x < SIZE && y < SIZE && triangleIds[y * SIZE + x] !== NO_TRIANGLE;
  const ring = [-5, 0, 5].flatMap((dx) => [-5, 0, 5].map((dy) => [dx, dy] as const));
  const personMask = new Uint8Array(SIZE * SIZE);
  const data = new Uint8Array(SIZE * SIZE * 3);
  for (let pixel = 0; pixel < personMask.length; pixel++) {
    const [x, y] = [pixel % SIZE, Math.floor(pixel / SIZE)];
    const hasHair = ring.some(([dx, dy]) => isHead(x + dx, y + dy));
    if (hasHair) personMask[pixel] = 255;
    data.set(isHead(x, y) ? SKIN! : hasHair ? HAIR! : wall(pixel), 3 * pixel);
  }
  return { ...placement, image: { width: SIZE, height: SIZE, data }, personMask };
}

/** Mean absolute difference from the wall, 0 to 255, where the lift shows no person. */
function wallError({ image, personMask, visibility }: LiftedImage, leastVisible: number): number {
  let [sum, count] = [0, 0];
  personMask!.forEach((cover, pixel) => {
    if (cover > 0 || visibility[pixel]! < leastVisible) return;
    count += 3;
    for (let k = 0; k < 3; k++) sum += Math.abs(image.data[3 * pixel + k]! - wall(pixel)[k]!);
  });
  assert.ok(count > 3000, `only ${count} values to compare`);
  return sum / count;
}

test('with a person mask a still lifted to its own placement stays as it is', () => {
  const source = still();
  const { image, personMask } = createLifter(tools, source).lift(place(0));
  const off = image.data.reduce((sum, value, i) => sum + Math.abs(value - source.image.data[i]!), 0);
  assert.ok(off / image.data.length < 1, `differs by ${off / image.data.length}`);
  const moved = personMask!.reduce((sum, cover, i) => sum + Math.abs(cover - source.personMask[i]!), 0);
  assert.ok(moved / personMask!.length < 3, `the mask differs by ${moved / personMask!.length}`);
});

test('lines of the background stay straight beside a turned head; without a mask they bend', () => {
  const source = still();
  for (const yaw of [-25, 25]) {
    const lifted = createLifter(tools, source).lift(place(yaw));
    assert.ok(wallError(lifted, 250) < 0.5, `yaw ${yaw}: ${wallError(lifted, 250)}`);
    const { personMask: _, ...bare } = source;
    const bent = { ...createLifter(tools, bare).lift(place(yaw)), personMask: lifted.personMask };
    assert.equal(createLifter(tools, bare).lift(place(yaw)).personMask, null);
    assert.ok(
      wallError(bent, 0) > 2 * wallError(lifted, 0),
      `${wallError(bent, 0)}, ${wallError(lifted, 0)}`,
    );
  }
});

test('background that the person hid is filled, and hardly trusted', () => {
  const source = still();
  const { personMask, visibility, image } = createLifter(tools, source).lift(place(0, 0.03));
  const bared = [...personMask!.keys()].filter((i) => personMask![i] === 0 && source.personMask[i] === 255);
  assert.ok(bared.length > 50, `${bared.length} pixels were bared`);
  for (const pixel of bared) {
    assert.ok(visibility[pixel]! < 80, `${visibility[pixel]}`);
    const [red, , blue] = image.data.subarray(3 * pixel, 3 * pixel + 3);
    assert.ok(blue! >= red! - 12, `person's colours are left behind: ${red}, ${blue}`);
  }
});

test('a round trip brings hair and background back', () => {
  const source = still();
  const { back, target } = liftRoundTrip(tools, source, place(18));
  let [sum, count] = [0, 0];
  back.visibility.forEach((visibility, pixel) => {
    if (visibility < 160) return;
    count += 3;
    for (let k = 3 * pixel; k < 3 * pixel + 3; k++) sum += Math.abs(back.image.data[k]! - target.data[k]!);
  });
  assert.ok(count > 0.8 * target.data.length && sum / count < 6, `${count} values differ by ${sum / count}`);
});

test('spread colours keep what is known, and fill with what lies around', () => {
  const data = new Uint8Array(32 * 20 * 3).fill(7);
  const known = new Uint8Array(32 * 20);
  for (let pixel = 0; pixel < known.length; pixel++) {
    const x = pixel % 32;
    if (x > 4 && x < 27) continue;
    known[pixel] = 255;
    data.fill(x <= 4 ? 50 : 150, 3 * pixel, 3 * pixel + 3);
  }
  const { data: filled } = spreadColours({ width: 32, height: 20, data }, known);
  const row = Array.from({ length: 32 }, (_, x) => filled[3 * (10 * 32 + x)]!);
  assert.deepEqual([row[0], row[4], row[27], row[31]], [50, 50, 150, 150]);
  for (let x = 1; x < 32; x++) assert.ok(row[x]! >= row[x - 1]! - 1, `${row}`);
  assert.ok(Math.abs(row[16]! - 100) < 25, `${row[16]}`);
});

test('a mask of another size than the picture is refused', () => {
  const wrong = { ...still(), personMask: new Uint8Array(9) };
  assert.throws(() => createLifter(tools, wrong), BadInputError);
});
