// Coefficients of one head as coefficients of another: the second is fitted to the mesh of the first, at the places
// that both share. Identity once, then expression, jaw and pose frame by frame; gaze is copied in the world.

import {
  axisAngleFromRotation,
  invertRotation,
  multiplyRotations,
  type Rotation,
  rotationFromAxisAngle,
} from '../geometry/index.ts';
import { createHeadPoser, type HeadModel, type HeadParameters, neutralParameters } from '../head/index.ts';
import { createFrameFit, type FittedFrame } from './fit-frame.ts';
import { fitIdentity } from './fit-identity.ts';
import { correspond } from './head-correspondence.ts';
import { sharedPlaces } from './shared-places.ts';

/** Carries parameters of one person from one head to another. */
export type HeadConverter = {
  /** The person on the other head. */
  readonly identity: Float32Array;
  /** Root mean square distance of the two neutral meshes at the shared places, metres. */
  readonly identityRmsMetres: number;
  /** How many places the two heads share. */
  readonly pointCount: number;
  /**
   * A frame of the person. Frames after each other start from the one before.
   * @param parameters of the source head; the identity must be the converter's
   */
  convert(parameters: HeadParameters): FittedFrame;
};

const [ROOT, NECK, LEFT_EYE, RIGHT_EYE] = [0, 1, 3, 4] as const;

/** Prepares the conversion of one person (`identity` of the source head). */
export function createHeadConverter(
  source: HeadModel,
  target: HeadModel,
  identity: Float32Array,
): HeadConverter {
  const shared = correspond(source, target);
  const places = sharedPlaces(shared);
  const { vertices } = places;
  const sourcePoser = createHeadPoser(source);
  const placesOf = (parameters: HeadParameters): Float64Array => {
    const posed = sourcePoser.pose(parameters);
    const found = new Float64Array(3 * places.weights.length);
    found.set(sourcePoser.joints(parameters), 3 * vertices.length);
    for (const [i, triangle] of shared.source.triangles.entries()) {
      for (let c = 0; c < 3; c++) {
        const weight = shared.source.barycentrics[3 * i + c]!;
        const v = source.triangles[3 * triangle + c]!;
        for (let k = 0; k < 3; k++) found[3 * i + k]! += weight * posed[3 * v + k]!;
      }
    }
    return found;
  };
  const person = fitIdentity(target, places, placesOf({ ...neutralParameters(source), identity }));
  const frame = createFrameFit(target, person, places);
  return {
    identity: person.identity,
    identityRmsMetres: person.rmsMetres,
    pointCount: vertices.length,
    convert(parameters) {
      const fitted = frame.fit(placesOf(parameters), parameters.jointRotations);
      return {
        parameters: {
          ...fitted.parameters,
          jointRotations: withGaze(fitted.parameters.jointRotations, parameters.jointRotations),
        },
        rmsMetres: fitted.rmsMetres,
      };
    },
  };
}

/** The target's eyes looking where the source's look: both at rest look along +z. */
function withGaze(target: Float32Array, source: Float32Array): Float32Array {
  const turn = (joints: Float32Array, joint: number): Float64Array =>
    rotationFromAxisAngle(joints.subarray(3 * joint, 3 * joint + 3));
  const headOf = (joints: Float32Array): Rotation =>
    multiplyRotations(turn(joints, ROOT), turn(joints, NECK));
  const targetFromSource = multiplyRotations(invertRotation(headOf(target)), headOf(source));
  const joints = target.slice();
  for (const eye of [LEFT_EYE, RIGHT_EYE]) {
    const rotation = multiplyRotations(targetFromSource, turn(source, eye));
    joints.set(axisAngleFromRotation(rotation), 3 * eye);
  }
  return joints;
}
