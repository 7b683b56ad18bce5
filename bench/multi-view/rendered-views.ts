// Subjects seen from all around in one moment, with the truth: the head turns before a camera that stays, which is
// the same as cameras around a head, but for light and background.

import type { Camera } from '../../src/geometry/index.ts';
import {
  axisAngleFromRotation,
  composeTransforms,
  frontCamera,
  invertRotation,
  multiplyRotations,
  type RigidTransform,
  rotate,
  rotationFromAxisAngle,
} from '../../src/geometry/index.ts';
import type { HeadParameters } from '../../src/head/index.ts';
import {
  type AssetLibrary,
  createSubject,
  placeSubject,
  type RenderTools,
  renderSubject,
  sampleMotion,
} from '../../src/synthesis/index.ts';
import { createRandom, deriveSeed } from '../../src/tensor/index.ts';
import type { Take } from '../../tools/train-tracking-prior/rendered-takes.ts';

const RADIANS = Math.PI / 180;
/** Six yaws, from below and from above; the outermost are where faces begin not to be found. */
const YAWS_DEGREES = [-62, -36, -12, 12, 36, 62];
const PITCHES_DEGREES = [-14, 14];
const JITTER_DEGREES = 6;
/** Brings the face to the middle of a close picture, metres. */
const CLOSE_SHIFT_METRES = -0.045;

/** A subject with one expression, `YAWS_DEGREES` times `PITCHES_DEGREES` views. */
export function renderMoment(
  tools: RenderTools,
  {
    seed,
    sizePx,
    zoom,
    assets,
  }: {
    readonly seed: number;
    readonly sizePx: number;
    readonly zoom: number;
    readonly assets: AssetLibrary | null;
  },
): Take {
  const subject = createSubject(seed, tools, { assets });
  const random = createRandom(deriveSeed(seed, 81));
  const motion = sampleMotion(random, tools.head, { yawDegrees: 0, pitchDegrees: 0, calm: 0.3 });
  const jitter = (): number => random.uniform(-JITTER_DEGREES, JITTER_DEGREES);
  const { camera, parameters } = placeSubject(subject.traits, motion, sizePx, [0, CLOSE_SHIFT_METRES, 0]);
  const focalPx = zoom * camera.focalXPx;
  const poses = PITCHES_DEGREES.flatMap((pitch) =>
    YAWS_DEGREES.map((yaw) => [yaw + jitter(), pitch + jitter(), jitter() / 2].map((d) => d * RADIANS)),
  );
  function* frames(): Generator<{
    image: ReturnType<typeof renderSubject>['image'];
    parameters: HeadParameters;
  }> {
    for (const [noiseSeed, [yaw, pitch, roll]] of poses.entries()) {
      const turned = multiplyRotations(
        multiplyRotations(rotationFromAxisAngle([pitch!, 0, 0]), rotationFromAxisAngle([0, yaw!, 0])),
        rotationFromAxisAngle([0, 0, roll!]),
      );
      const jointRotations = parameters.jointRotations.slice();
      jointRotations.set(axisAngleFromRotation(turned), 0);
      const placement = {
        parameters: { ...parameters, jointRotations },
        camera: frontCamera(sizePx, sizePx, focalPx),
        noiseSeed,
      };
      yield renderSubject(tools, subject, placement);
    }
  }
  return { focalPx, frames: frames() };
}

/** The cameras of a moment, in a world where the head is as in its first view. @param pivot its root joint */
export function trueCameras(
  truths: readonly HeadParameters[],
  sizePx: number,
  focalPx: number,
  pivot: ArrayLike<number>,
): Camera[] {
  const poseOf = ({ jointRotations, translation }: HeadParameters): RigidTransform => {
    const rotation = rotationFromAxisAngle(jointRotations.subarray(0, 3));
    const turned = rotate(rotation, pivot);
    return { rotation, translation: turned.map((value, k) => pivot[k]! + translation[k]! - value) };
  };
  const first = poseOf(truths[0]!);
  const back = invertRotation(first.rotation);
  const headFromWorld = { rotation: back, translation: rotate(back, first.translation).map((v) => -v) };
  return truths.map((truth) => {
    const camera = frontCamera(sizePx, sizePx, focalPx);
    const viewFromWorld = composeTransforms(poseOf(truth), headFromWorld);
    return { ...camera, cameraFromWorld: composeTransforms(camera.cameraFromWorld, viewFromWorld) };
  });
}
