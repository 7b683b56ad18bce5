// Several views of one moment: known cameras in any unit, unknown ones, and views without a face.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { BadInputError } from '../../src/errors/index.ts';
import {
  axisAngleFromRotation,
  type Camera,
  composeTransforms,
  frontCamera,
  invertRotation,
  multiplyRotations,
  rotationFromAxisAngle,
} from '../../src/geometry/index.ts';
import { type HeadModel, type HeadParameters, neutralParameters } from '../../src/head/index.ts';
import { solidImage } from '../../src/media/index.ts';
import { loadEmbeddedHead } from '../../src/node/index.ts';
import { createRandom } from '../../src/tensor/index.ts';
import { createLandmarkModel, type LandmarkModel } from '../../src/tracking/landmark-model.ts';
import { fitSeenViews, type View, type ViewsTrack } from '../../src/tracking/track-views.ts';
import { seeLandmarks } from './seen-landmarks.ts';

const SIZE = { width: 512, height: 512 };
const FOCAL_PX = 1300;
const DEGREES = 180 / Math.PI;
/** Yaw and pitch of the cameras around the head, radians; the first is the world. */
const PLACES = [
  [0, 0],
  [0.5, 0.1],
  [-0.55, -0.1],
  [0.95, 0],
  [-0.2, 0.3],
] as const;
const IMAGE = solidImage(SIZE.width, SIZE.height, [0, 0, 0]);
let head: HeadModel;
let model: LandmarkModel;
let stranger: HeadParameters;

before(async () => {
  head = await loadEmbeddedHead();
  model = createLandmarkModel(head, head.landmarks!, head.landmarkWeights!);
  stranger = neutralParameters(head);
  createRandom(7).fillNormal(stranger.identity);
  for (const [k, value] of stranger.identity.entries()) stranger.identity[k] = 0.8 * value;
  stranger.jointRotations.set([0.1, 0.25, 0.05]);
  stranger.jointRotations[6] = 0.2;
  for (const side of ['Left', 'Right']) {
    stranger.expression[head.expressionNames.indexOf(`mouthSmile${side}`)] = 0.6;
  }
  stranger.translation.set([0.02, 0.01, -1.1]);
});

/** A camera on a circle around the head that the first one looks at. */
function cameraAt([yaw, pitch]: readonly [number, number]): Camera {
  const camera = frontCamera(SIZE.width, SIZE.height, FOCAL_PX);
  const around = multiplyRotations(rotationFromAxisAngle([pitch, 0, 0]), rotationFromAxisAngle([0, yaw, 0]));
  const viewFromWorld = composeTransforms(
    { rotation: around, translation: [0, 0, -1.1] },
    { rotation: [1, 0, 0, 0, 1, 0, 0, 0, 1], translation: [0, 0, 1.1] },
  );
  return { ...camera, cameraFromWorld: composeTransforms(camera.cameraFromWorld, viewFromWorld) };
}

const faceBefore = (camera: Camera, seed: number) => ({
  landmarksPx: seeLandmarks(head, stranger, { ...SIZE, focalPx: FOCAL_PX, noisePx: 0.5, seed, camera }),
  presence: 1,
  facesDetected: 1,
});

const turnError = ({ parameters }: ViewsTrack): number => {
  const [found, truth] = [parameters, stranger].map(({ jointRotations }) =>
    rotationFromAxisAngle(jointRotations.subarray(0, 3)),
  );
  return DEGREES * Math.hypot(...axisAngleFromRotation(multiplyRotations(found!, invertRotation(truth!))));
};

/** Root mean square distance of the landmarks at rest, millimetres. */
function shapeError(identity: Float32Array): number {
  let squares = 0;
  for (let i = 0; i < model.template.length; i++) {
    const off = identity.reduce(
      (sum, value, k) => sum + (value - stranger.identity[k]!) * model.identity[k]![i]!,
      0,
    );
    squares += off * off;
  }
  return 1000 * Math.sqrt(squares / model.pointCount);
}

/** The same camera with its place in another unit. */
function inUnit(camera: Camera, metres: number): Camera {
  const { rotation, translation } = camera.cameraFromWorld;
  return {
    ...camera,
    cameraFromWorld: { rotation, translation: Array.from(translation, (value) => value / metres) },
  };
}

test('known cameras give turn, place, jaw and shape of a head, whatever their unit', () => {
  const cameras = PLACES.map(cameraAt);
  const faces = cameras.map(faceBefore);
  for (const metres of [1, 0.001]) {
    const views = cameras.map((camera): View => ({ image: IMAGE, camera: inUnit(camera, metres) }));
    const found = fitSeenViews(model, null, views, faces);
    assert.ok(turnError(found) < 1, `turn is off by ${turnError(found)} degrees`);
    const { translation, jointRotations, identity } = found.parameters;
    assert.ok(Math.abs(translation[2]! + 1.1) < 0.03, `depth ${translation[2]}`);
    assert.ok(Math.abs(jointRotations[6]! - 0.2) * DEGREES < 2, `jaw ${jointRotations[6]}`);
    const [own, mean] = [identity, new Float32Array(head.identityCount)].map(shapeError);
    assert.ok(own! < 0.7 * mean!, `shape is off by ${own} mm, the mean head by ${mean} mm`);
    assert.ok(Math.abs(found.unitMetres / metres - 1) < 0.06, `unit of ${found.unitMetres} m`);
    assert.ok(found.views.every(({ landmarkError }) => landmarkError < 0.015));
  }
});

test('unknown cameras are found, and feeding them back gives the same head', () => {
  const cameras = PLACES.map(cameraAt);
  const faces = cameras.map(faceBefore);
  const found = fitSeenViews(
    model,
    null,
    PLACES.map(() => ({ image: IMAGE })),
    faces,
  );
  assert.ok(turnError(found) < 1.5, `turn is off by ${turnError(found)} degrees`);
  for (const [i, { camera }] of found.views.entries()) {
    const truth = cameras[i]!.cameraFromWorld.rotation;
    const turn = multiplyRotations(camera!.cameraFromWorld.rotation, invertRotation(truth));
    const error = DEGREES * Math.hypot(...axisAngleFromRotation(turn));
    assert.ok(error < 1.5, `camera ${i} is turned by ${error} degrees`);
  }
  assert.ok(Math.abs(Math.log(found.views[0]!.camera!.focalXPx / FOCAL_PX)) < 0.2);
  const again = fitSeenViews(
    model,
    null,
    found.views.map(({ camera }) => ({ image: IMAGE, camera: camera! })),
    faces,
  );
  assert.ok(Math.abs(turnError(again) - turnError(found)) < 0.3);
  assert.ok(Math.abs(again.parameters.translation[2]! - found.parameters.translation[2]!) < 0.02);
});

test('a lens with unequal focal lengths and another centre is followed', () => {
  const cameras = PLACES.slice(0, 3).map((place) => {
    const camera = cameraAt(place);
    return { ...camera, focalYPx: 1.1 * camera.focalYPx, centreXPx: 230, centreYPx: 270 };
  });
  const found = fitSeenViews(
    model,
    null,
    cameras.map((camera) => ({ image: IMAGE, camera })),
    cameras.map(faceBefore),
  );
  assert.ok(turnError(found) < 1.2, `turn is off by ${turnError(found)} degrees`);
});

test('what is taken for a face in one view and is none leaves the head of the others as it is', () => {
  const cameras = PLACES.map(cameraAt);
  const views = cameras.map((camera): View => ({ image: IMAGE, camera }));
  const faces = cameras.map(faceBefore);
  const elsewhere = faces[1]!.landmarksPx.map((value, i) =>
    i % 2 === 0 ? 40 + 0.3 * value : 300 - 0.2 * value,
  );
  const mistaken = faces.map((face, i) => (i === 1 ? { ...face, landmarksPx: elsewhere } : face));
  const found = fitSeenViews(model, null, views, mistaken);
  assert.ok(turnError(found) < 1.2, `turn is off by ${turnError(found)} degrees`);
  assert.ok(found.views[1]!.confidence < 0.3, `confidence of ${found.views[1]!.confidence}`);
});

test('a view without a face keeps its place in the list, with the camera that is known of it', () => {
  const cameras = PLACES.map(cameraAt);
  const faces = cameras.map((camera, i) => (i === 0 || i === 3 ? null : faceBefore(camera, i)));
  const known = fitSeenViews(
    model,
    null,
    cameras.map((camera) => ({ image: IMAGE, camera })),
    faces,
  );
  assert.equal(known.world, 1);
  assert.deepEqual(
    known.views.map(({ landmarksPx, confidence }) => [landmarksPx !== null, confidence > 0.5]),
    [0, 1, 2, 3, 4].map((i) => [i !== 0 && i !== 3, i !== 0 && i !== 3]),
  );
  assert.ok(known.views.every(({ camera }) => camera !== null));
  const unknown = fitSeenViews(
    model,
    null,
    cameras.map(() => ({ image: IMAGE })),
    faces,
  );
  assert.deepEqual(
    unknown.views.map(({ camera }) => camera === null),
    [true, false, false, true, false],
  );
  assert.throws(
    () => fitSeenViews(model, null, [{ image: IMAGE }], [null]),
    (error: unknown) => error instanceof BadInputError && error.code === 'no-face',
  );
});
