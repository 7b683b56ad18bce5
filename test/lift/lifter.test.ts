// Lifting against synthetic truth: a textured sphere-light head whose every pixel is known.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { BadInputError } from '../../src/errors/index.ts';
import { frontCamera, vertexNormals } from '../../src/geometry/index.ts';
import { decodeHead, type HeadParameters, neutralParameters, PART_NAMES } from '../../src/head/index.ts';
import { NO_TRIANGLE } from '../../src/kernels/index.ts';
import {
  createLifter,
  createLiftTools,
  type LiftedImage,
  type LiftSource,
  liftRoundTrip,
} from '../../src/lift/index.ts';
import type { RgbImage } from '../../src/media/index.ts';

const HEAD = decodeHead(
  new Uint8Array(readFileSync(new URL('../../models/head/embedded.head', import.meta.url))),
);
const tools = createLiftTools(HEAD);
const SIZE = 128;
const CAMERA = frontCamera(SIZE, SIZE, 280);

/** A placement: yaw and jaw in degrees, lids closed by `blink`, lips drawn off the teeth by `bare`. */
function place({ yaw = 0, jaw = 0, blink = 0, bare = 0 }): {
  parameters: HeadParameters;
  camera: typeof CAMERA;
} {
  const parameters = neutralParameters(HEAD);
  parameters.translation.set([0, 0.03, -0.75]);
  parameters.jointRotations[1] = (yaw * Math.PI) / 180;
  parameters.jointRotations[6] = (jaw * Math.PI) / 180;
  for (const lid of HEAD.eyelidExpressions) parameters.expression[lid] = blink;
  HEAD.expressionNames.forEach((name, unit) => {
    if (/^mouth(UpperUp|LowerDown)/.test(name)) parameters.expression[unit] = bare;
  });
  return { parameters, camera: CAMERA };
}

/**
 * The head painted by where its points lie at rest, before a grey wall: colour does not change with the view. The
 * pattern is too fine to be taken for light.
 */
function paint(placement: ReturnType<typeof place>): RgbImage {
  const vertices = tools.poser.pose(placement.parameters);
  const { triangles, template } = HEAD;
  const buffer = tools.rasteriser.rasterise({ camera: CAMERA, vertices, triangles });
  const rest = tools.rasteriser.interpolate(buffer, { triangles, values: template, channels: 3 });
  const data = new Uint8Array(SIZE * SIZE * 3).fill(90);
  buffer.triangleIds.forEach((id, pixel) => {
    if (id === NO_TRIANGLE) return;
    for (let k = 0; k < 3; k++)
      data[3 * pixel + k] = isEye(id) ? 250 : 128 + 45 * Math.sin(rest[3 * pixel + k]! * (80 + 25 * k));
  });
  return { width: SIZE, height: SIZE, data };
}

const isEye = (triangle: number): boolean => PART_NAMES[HEAD.triangleParts[triangle]!]!.endsWith('Eyeball');

const isOf = (triangle: number, ...parts: readonly string[]): boolean =>
  triangle !== NO_TRIANGLE && parts.includes(PART_NAMES[HEAD.triangleParts[triangle]!]!);

/** What each pixel shows of a placed head. */
function seenFrom(placement: ReturnType<typeof place>): Uint32Array {
  const vertices = tools.poser.pose(placement.parameters);
  return tools.rasteriser.rasterise({ camera: CAMERA, vertices, triangles: HEAD.triangles }).triangleIds;
}

function source(placement = place({})): LiftSource {
  return { ...placement, image: paint(placement) };
}

/** Mean absolute difference, 0 to 255, over head pixels that are trusted at least so far. */
function error(lifted: LiftedImage, truth: RgbImage, trust: number): number {
  let [sum, count] = [0, 0];
  lifted.visibility.forEach((visibility, pixel) => {
    if (visibility < trust || lifted.headMask[pixel] === 0) return;
    count++;
    for (let k = 0; k < 3; k++)
      sum += Math.abs(lifted.image.data[3 * pixel + k]! - truth.data[3 * pixel + k]!) / 3;
  });
  assert.ok(count > 200, `only ${count} pixels to compare`);
  return sum / count;
}

const share = (values: Uint8Array, least: number): number =>
  values.filter((value) => value >= least).length / values.length;

test('a still lifted to its own placement stays as it is', () => {
  const still = source();
  const lifted = createLifter(tools, still).lift(place({}));
  assert.ok(error(lifted, still.image, 0) < 2.5, `differs by ${error(lifted, still.image, 0)}`);
  assert.ok(share(lifted.visibility, 200) > 0.9);
});

test('a turned lift shows what the turned head shows, where it says that it saw it', () => {
  for (const yaw of [-20, 15]) {
    const truth = paint(place({ yaw }));
    const still = source();
    const lifted = createLifter(tools, still).lift(place({ yaw }));
    const copying = error({ ...lifted, image: still.image }, truth, 160);
    const lifting = error(lifted, truth, 160);
    assert.ok(lifting < 6 && lifting < copying / 3, `yaw ${yaw}: ${lifting}, copying ${copying}`);
  }
});

test('the further a head turns, the less of it counts as seen', () => {
  const lifter = createLifter(tools, source());
  const seen = [0, 15, 30, 45].map((yaw) => {
    const { visibility, headMask } = lifter.lift(place({ yaw }));
    return share(
      visibility.filter((_, pixel) => headMask[pixel]! > 0),
      128,
    );
  });
  for (let i = 1; i < seen.length; i++) assert.ok(seen[i]! < seen[i - 1]!, `${seen}`);
});

test('the inside of a mouth that was closed is invented, and closing lids hide the eyes', () => {
  const still = source();
  const lifter = createLifter(tools, still);
  const open = lifter.lift(place({ jaw: 20 }));
  const inside = seenFrom(place({ jaw: 20 })).reduce<number[]>((pixels, id, pixel) => {
    if (isOf(id, 'mouthCavity', 'upperTeeth', 'lowerTeeth', 'tongue')) pixels.push(pixel);
    return pixels;
  }, []);
  // What is drawn has a trust of 77; at the lips samples of both are mixed.
  const invented = inside.filter((pixel) => open.visibility[pixel]! <= 78).length;
  assert.ok(invented > 30 && invented > 0.7 * inside.length, `${invented} of ${inside.length}`);
  const shut = lifter.lift(place({ blink: 1 }));
  const truth = paint(place({ blink: 1 }));
  const around = truth.data.map((_, i) => {
    const [x, y] = [Math.floor(i / 3) % SIZE, Math.floor(i / 3 / SIZE)];
    return y > 44 && y < 60 && x > 36 && x < 92 ? 1 : 0;
  });
  const difference = (image: RgbImage): number =>
    image.data.reduce((sum, value, i) => sum + around[i]! * Math.abs(value - truth.data[i]!), 0);
  assert.ok(difference(shut.image) < 0.6 * difference(still.image));
});

test('bright teeth of a squinting smile stay bright when the head turns and the mouth opens further', () => {
  // As in a photograph: between the lips there are teeth, whatever the fit has there; the eyes are dark.
  const smile = place({ jaw: 5, bare: 0.8 });
  const data = new Uint8Array(SIZE * SIZE * 3).fill(90);
  seenFrom(smile).forEach((id, pixel) => {
    const value = isOf(id, 'upperTeeth', 'lowerTeeth', 'tongue') ? 230 : isOf(id, 'mouthCavity') ? 30 : 120;
    if (id !== NO_TRIANGLE) data.fill(value, 3 * pixel, 3 * pixel + 3);
  });
  const still = { ...smile, image: { width: SIZE, height: SIZE, data } };
  for (const to of [place({ yaw: 25, jaw: 5, bare: 0.8 }), place({ yaw: -20, jaw: 9, bare: 0.8 })]) {
    const { image } = createLifter(tools, still).lift(to);
    const teeth: number[] = [];
    seenFrom(to).forEach((id, pixel) => {
      if (isOf(id, 'upperTeeth', 'lowerTeeth')) teeth.push(image.data[3 * pixel + 1]!);
    });
    assert.ok(teeth.length > 20, `${teeth.length} pixels of teeth`);
    const dark = teeth.filter((value) => value < 115).length / teeth.length;
    assert.ok(dark < 0.12, `${Math.round(100 * dark)} % of the teeth are dark`);
  }
});

test('beside a head, the further it turns the less is believed; far from it all is', () => {
  const lifter = createLifter(tools, source());
  const [above, corner] = [6 * SIZE + SIZE / 2, SIZE + 1];
  const trusts = [0, 10, 25].map((yaw) => lifter.lift(place({ yaw })).visibility);
  const [still, turned, farther] = trusts.map((visibility) => visibility[above]!);
  assert.ok(still === 255 && turned! < 250 && farther! < turned! - 20, `${still}, ${turned}, ${farther}`);
  for (const visibility of trusts) assert.equal(visibility[corner], 255);
});

test('light stays where it is while the head turns in it', () => {
  const litFromTheSide = (placement: ReturnType<typeof place>): RgbImage => {
    const vertices = tools.poser.pose(placement.parameters);
    const normals = vertexNormals(vertices, HEAD.triangles);
    const buffer = tools.rasteriser.rasterise({ camera: CAMERA, vertices, triangles: HEAD.triangles });
    const seen = tools.rasteriser.interpolate(buffer, {
      triangles: HEAD.triangles,
      values: normals,
      channels: 3,
    });
    const data = new Uint8Array(SIZE * SIZE * 3).fill(90);
    buffer.triangleIds.forEach((id, pixel) => {
      if (id !== NO_TRIANGLE) data.fill(140 + 80 * seen[3 * pixel]!, 3 * pixel, 3 * pixel + 3);
    });
    return { width: SIZE, height: SIZE, data };
  };
  const still = { ...place({}), image: litFromTheSide(place({})) };
  for (const yaw of [-20, 20]) {
    const lifted = createLifter(tools, still).lift(place({ yaw }));
    const off = error(lifted, litFromTheSide(place({ yaw })), 200);
    assert.ok(off < 8, `yaw ${yaw}: differs by ${off}, of 27 that the light changes`);
  }
});

test('what lies beside the neck stays where it is when the head turns', () => {
  const still = source();
  const bar = Array.from({ length: 12 }, (_, i) => (98 + i) * SIZE + 32);
  for (const pixel of bar) still.image.data.set([255, 0, 0, 255, 0, 0, 255, 0, 0], 3 * pixel);
  for (const yaw of [-25, 25]) {
    const { image } = createLifter(tools, still).lift(place({ yaw }));
    for (const pixel of bar)
      assert.ok(
        image.data[3 * (pixel + 1)]! > 240,
        `yaw ${yaw}, pixel ${pixel}: ${image.data[3 * (pixel + 1)]}`,
      );
  }
});

test('a round trip brings a still back to where it was, with less trust than one way', () => {
  const still = source();
  const { away, back, target } = liftRoundTrip(tools, still, place({ yaw: 15, jaw: 4 }));
  assert.equal(target, still.image);
  assert.ok(error(away, target, 128) > 8, 'the way there changes the picture');
  assert.ok(error(back, target, 160) < 5, `differs by ${error(back, target, 160)}`);
  assert.ok(share(back.visibility, 200) < share(createLifter(tools, still).lift(place({})).visibility, 200));
});

test('the background stands still when the head turns, and a moved camera window moves it', () => {
  const still = source();
  for (const x of [0, 1, 2, 3]) {
    for (const y of [0, 1, 2, 3]) still.image.data.set([255, 0, 0], 3 * (y * SIZE + x));
  }
  const lifter = createLifter(tools, still);
  const pixelOf = ({ image }: LiftedImage, x: number, y: number): number[] => [
    ...image.data.subarray(3 * (y * SIZE + x), 3 * (y * SIZE + x) + 3),
  ];
  assert.deepEqual(pixelOf(lifter.lift(place({ yaw: 20 })), 1, 1), [255, 0, 0]);
  const shifted = { ...CAMERA, centreXPx: CAMERA.centreXPx + 8 };
  const moved = lifter.lift({ ...place({}), camera: shifted });
  assert.deepEqual(pixelOf(moved, 9, 1), [255, 0, 0]);
});

test('a camera of another size than the picture is refused', () => {
  const still = { ...source(), camera: frontCamera(64, 64, 140) };
  assert.throws(() => createLifter(tools, still), BadInputError);
});
