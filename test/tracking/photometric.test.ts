// The refinement against pictures, on a head painted with a pattern that no renderer of the project knows:
// derivatives, light, visibility, and that a wrong shape comes nearer to the true one.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { frontCamera, harmonicsOf, projectPoint } from '../../src/geometry/index.ts';
import { createHeadPoser, type HeadModel, neutralParameters } from '../../src/head/index.ts';
import { createRasteriser, NO_TRIANGLE } from '../../src/kernels/index.ts';
import type { RgbImage } from '../../src/media/index.ts';
import { loadEmbeddedHead } from '../../src/node/index.ts';
import { createRandom } from '../../src/tensor/index.ts';
import { fitClip, type SeenFrame } from '../../src/tracking/fit-clip.ts';
import { type FrameState, hingeRotation, stepFrame } from '../../src/tracking/head-state.ts';
import { createLandmarkModel, type LandmarkModel } from '../../src/tracking/landmark-model.ts';
import { frameUnknowns, shapeLandmarks } from '../../src/tracking/landmark-projection.ts';
import { PhotometricFrame } from '../../src/tracking/photometric-frame.ts';
import { cropFace, photometricLevel, sampleLevel } from '../../src/tracking/photometric-image.ts';
import { fitLight, LIGHT_TERMS, meanAlbedo } from '../../src/tracking/photometric-light.ts';
import { createPhotometricPoints } from '../../src/tracking/photometric-points.ts';
import { createPhotometricRefiner } from '../../src/tracking/photometric-refine.ts';
import { weighAppearance } from '../../src/tracking/photometric-residuals.ts';
import { createPhotometricViewer } from '../../src/tracking/photometric-view.ts';

const SIZE = { width: 256, height: 256 };
const FOCAL_PX = 700;
const CENTRE = { xPx: 128, yPx: 128 };
const NO_BOUNDS = {
  lower: new Float64Array(200).fill(-Infinity),
  upper: new Float64Array(200).fill(Infinity),
};
let head: HeadModel;
let model: LandmarkModel;

before(async () => {
  head = await loadEmbeddedHead();
  model = createLandmarkModel(head, head.landmarks!, head.landmarkWeights!);
});

const turned = (yaw: number, pitch = 0): FrameState => ({
  rotation: hingeRotation(yaw, pitch),
  translation: Float64Array.of(0, 0.06, -0.65),
  hinges: new Float64Array(6),
  expression: new Float64Array(head.expressionNames.length),
});

/** A head with spots painted on its skin, lit from one side; landmarks as they truly are, plus `noisePx`. */
function paint(identity: Float32Array, yaw: number, seed: number, noisePx: number) {
  const parameters = neutralParameters(head);
  parameters.identity.set(identity);
  parameters.jointRotations[1] = yaw;
  parameters.translation.set(turned(yaw).translation);
  const vertices = createHeadPoser(head).pose(parameters);
  const camera = frontCamera(SIZE.width, SIZE.height, FOCAL_PX);
  const rasteriser = createRasteriser();
  const buffer = rasteriser.rasterise({ camera, vertices, triangles: head.triangles });
  const rest = { triangles: head.triangles, values: head.template, channels: 3 };
  const places = rasteriser.interpolate(buffer, rest);
  const image: RgbImage = { ...SIZE, data: new Uint8Array(3 * SIZE.width * SIZE.height).fill(90) };
  for (let pixel = 0; pixel < buffer.triangleIds.length; pixel++) {
    if (buffer.triangleIds[pixel] === NO_TRIANGLE) continue;
    const [x, y, z] = [0, 1, 2].map((k) => places[3 * pixel + k]! * 400) as [number, number, number];
    const spots = Math.sin(x) * Math.sin(y + 0.4 * x) + 0.5 * Math.sin(0.6 * y - 0.3 * z);
    const grey = 130 + 40 * spots;
    for (let k = 0; k < 3; k++) image.data[3 * pixel + k] = grey;
  }
  const landmarkErrors = createRandom(77);
  const random = createRandom(seed);
  const landmarksPx = new Float32Array(2 * model.pointCount);
  const { triangles, barycentrics } = head.landmarks!;
  for (const [l, triangle] of triangles.entries()) {
    const point = [0, 1, 2].map((k) =>
      [0, 1, 2].reduce(
        (sum, c) => sum + barycentrics[3 * l + c]! * vertices[3 * head.triangles[3 * triangle + c]! + k]!,
        0,
      ),
    );
    const [x, y] = projectPoint(camera, point);
    // As networks do, it mostly errs alike in all frames.
    const [dx, dy] = [0, 1].map(() => noisePx * (landmarkErrors.normal() + 0.4 * random.normal()));
    landmarksPx.set([x + dx!, y + dy!], 2 * l);
  }
  return { image, landmarksPx };
}

test('a crop keeps the grey of its picture, and its gradient in pixels of the picture', () => {
  const image: RgbImage = { width: 800, height: 800, data: new Uint8Array(3 * 800 * 800) };
  for (let y = 0; y < 800; y++)
    for (let x = 0; x < 800; x++)
      image.data.fill(Math.round(20 + x / 4), 3 * (y * 800 + x), 3 * (y * 800 + x) + 3);
  const crop = cropFace(image, Float32Array.of(200, 200, 600, 600));
  assert.equal(crop.sizePx, 192);
  const out = new Float64Array(3);
  assert.ok(sampleLevel(photometricLevel(crop, 3), 400, 420, out));
  const level = 20 + 400 / 4;
  assert.ok(Math.abs(Math.exp(out[0]!) - (level + 12)) < 0.7, `grey ${Math.exp(out[0]!) - 12}`);
  assert.ok(Math.abs(out[1]! * (level + 12) - 0.25) < 0.03, `slope ${out[1]! * (level + 12)}`);
  assert.ok(Math.abs(out[2]! * (level + 12)) < 0.01);
  assert.ok(!sampleLevel(photometricLevel(crop, 3), 20, 400, out), 'outside the crop nothing is known');
});

test('the derivatives of what points show agree with finite differences', () => {
  const { model: points } = createPhotometricPoints(head);
  const { image, landmarksPx } = paint(new Float32Array(head.identityCount), 0.2, 1, 0);
  const level = photometricLevel(cropFace(image, landmarksPx), 2);
  const look = new PhotometricFrame(points, { withShared: true });
  const own = frameUnknowns(points);
  const frame = turned(0.2);
  const show = (state: FrameState, identity: Float64Array, focalPx: number): Float64Array => {
    look.look(level, state, shapeLandmarks(points, identity), focalPx, CENTRE);
    return look.values.slice();
  };
  const zero = new Float64Array(head.identityCount);
  const focalPlace = own + head.identityCount;
  const checked = [0, 1, 2, 3, 4, 5, 7, own, own + 7, focalPlace];
  show(frame, zero, FOCAL_PX);
  const columns = look.differentiate(checked);
  for (const [k, unknown] of checked.entries()) {
    const moved = (by: number): Float64Array => {
      const step = new Float64Array(own);
      if (unknown < own) step[unknown] = by;
      const identity = zero.slice();
      if (unknown >= own && unknown < focalPlace) identity[unknown - own] = by;
      const focalPx = unknown === focalPlace ? FOCAL_PX * Math.exp(by) : FOCAL_PX;
      return show(stepFrame(frame, step, NO_BOUNDS), identity, focalPx);
    };
    const by = 1e-7;
    const [plus, minus] = [moved(by), moved(-by)];
    const scale = Math.max(...columns[k]!.map(Math.abs));
    const errors = columns[k]!.map((value, t) => Math.abs((plus[t]! - minus[t]!) / (2 * by) - value) / scale);
    // Bilinear look-ups have a kink where a point steps over the middle of a pixel.
    const wrong = errors.filter((error) => error > 1e-5).length;
    assert.ok(wrong <= 2, `unknown ${unknown}: ${wrong} of ${errors.length} points are off`);
  }
});

test('light and albedo that made the values are told apart', () => {
  const random = createRandom(3);
  const count = 400;
  const albedo = Float64Array.from({ length: count }, () => random.uniform(-0.5, 0.5));
  const light = Float64Array.from({ length: LIGHT_TERMS }, () => random.uniform(-0.2, 0.2));
  const frames = [-0.5, -0.2, 0.1, 0.5].map((yaw) => {
    const normals = new Float64Array(3 * count);
    const values = new Float64Array(count);
    const terms = new Float64Array(LIGHT_TERMS);
    const own = createRandom(4);
    for (let t = 0; t < count; t++) {
      const [a, b] = [own.uniform(-1.2, 1.2) + yaw, own.uniform(-0.8, 0.8)];
      const normal = [Math.sin(a) * Math.cos(b), Math.sin(b), Math.cos(a) * Math.cos(b)] as const;
      normals.set(normal, 3 * t);
      harmonicsOf(...normal, terms);
      values[t] = albedo[t]! + light.reduce((sum, value, k) => sum + value * terms[k]!, 0);
    }
    return { values, normals, weights: new Float64Array(count).fill(1) };
  });
  const spread = (lit: readonly Float64Array[]): number => {
    const mean = meanAlbedo(frames, lit);
    const all = frames.flatMap(({ values }, i) => Array.from(values, (v, t) => v - lit[i]![t]! - mean[t]!));
    return Math.sqrt(all.reduce((sum, v) => sum + v * v, 0) / all.length);
  };
  const dark = spread(frames.map(() => new Float64Array(count)));
  const lit = spread(fitLight(frames));
  assert.ok(lit < dark / 4, `${lit} of ${dark} is left`);
});

test('a value that the other frames contradict is hardly trusted', () => {
  const random = createRandom(8);
  const frames = Array.from({ length: 5 }, () => ({
    values: Float64Array.from({ length: 300 }, () => 4 + 0.01 * random.normal()),
    weights: new Float64Array(300).fill(1),
    normals: Float64Array.from({ length: 900 }, (_, k) => (k % 3 === 2 ? 1 : 0)),
  }));
  frames[2]!.values[17]! += 0.5;
  const { trust } = weighAppearance(
    frames,
    null,
    Array.from({ length: 300 }, (_, t) => Uint32Array.of(t, (t + 1) % 300, (t + 2) % 300, (t + 3) % 300)),
  );
  assert.ok(trust[2]![17]! < 0.05, `trust ${trust[2]![17]}`);
  assert.ok(trust[2]![18]! > 0.3);
});

test('a turned head shows the points of its near side alone', () => {
  const { model: points, surface } = createPhotometricPoints(head);
  const viewer = createPhotometricViewer(head, surface);
  const identity = new Float32Array(head.identityCount);
  const { image, landmarksPx } = paint(identity, 0.8, 2, 0);
  const shared = { identity: Float64Array.from(identity), focalPx: FOCAL_PX };
  const { weights } = viewer.see(turned(0.8), shared, cropFace(image, landmarksPx), SIZE, 2);
  const seenOf = (isThere: (x: number) => boolean): number => {
    const side = Array.from(weights.keys()).filter((t) => isThere(points.template[3 * t]!));
    return side.filter((t) => weights[t]! > 0).length / side.length;
  };
  // Yaw to the subject's own left turns the right cheek, at negative x, to the camera.
  const [near, far] = [seenOf((x) => x < -0.035), seenOf((x) => x > 0.035)];
  assert.ok(near > 0.6 && far < 0.15, `near side ${near}, far side ${far}`);
});

test('pictures of a turning head bring its shape nearer to the truth than landmarks do', () => {
  const random = createRandom(12);
  const truth = random.fillNormal(new Float32Array(head.identityCount)).map((v) => 0.8 * v);
  const yaws = [-0.6, -0.45, -0.3, -0.15, 0, 0.15, 0.3, 0.45, 0.6];
  const seen = yaws.map((yaw, i): SeenFrame => {
    const { image, landmarksPx } = paint(truth, yaw, 20 + i, 2.5);
    const face = { landmarksPx, presence: 1, facesDetected: 1 };
    return { timestampSeconds: i / 25, face, crop: cropFace(image, landmarksPx) };
  });
  const options = { ...SIZE, focalPx: FOCAL_PX, onEvent: () => {} };
  const refiner = createPhotometricRefiner(model);
  const plain = fitClip(model, seen, options).track;
  const refined = fitClip(model, seen, {
    ...options,
    refinement: refiner.refine(seen, options),
  }).track;
  const error = (identity: Float32Array): number => {
    const [a, b] = [identity, truth].map((one) => shapeLandmarks(model, Float64Array.from(one)).points);
    let sum = 0;
    for (let i = 0; i < a!.length; i++) sum += (a![i]! - b![i]!) ** 2;
    return 1000 * Math.sqrt((3 * sum) / a!.length);
  };
  const [before, after] = [error(plain.identity), error(refined.identity)];
  assert.ok(after < 0.85 * before, `${before.toFixed(2)} mm by landmarks, ${after.toFixed(2)} mm refined`);
});
