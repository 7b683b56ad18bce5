// A head's pose and expression as ARKit's 52 blend shapes, which is what other programs speak.
// Source of names and meaning: Apple, ARKit, `ARFaceAnchor.BlendShapeLocation`.

import { BadInputError } from '../errors/index.ts';
import { type HeadModel, type HeadParameters, jointAngles } from '../head/index.ts';

/** In the order in which Live Link Face writes them: Unreal's `EARFaceBlendShape`, mouth sides as in its files. */
export const ARKIT_UNITS = [
  ...['eyeBlinkLeft', 'eyeLookDownLeft', 'eyeLookInLeft', 'eyeLookOutLeft', 'eyeLookUpLeft'],
  ...['eyeSquintLeft', 'eyeWideLeft'],
  ...['eyeBlinkRight', 'eyeLookDownRight', 'eyeLookInRight', 'eyeLookOutRight', 'eyeLookUpRight'],
  ...['eyeSquintRight', 'eyeWideRight'],
  ...['jawForward', 'jawRight', 'jawLeft', 'jawOpen'],
  ...['mouthClose', 'mouthFunnel', 'mouthPucker', 'mouthRight', 'mouthLeft'],
  ...['mouthSmileLeft', 'mouthSmileRight', 'mouthFrownLeft', 'mouthFrownRight'],
  ...['mouthDimpleLeft', 'mouthDimpleRight', 'mouthStretchLeft', 'mouthStretchRight'],
  ...['mouthRollLower', 'mouthRollUpper', 'mouthShrugLower', 'mouthShrugUpper'],
  ...['mouthPressLeft', 'mouthPressRight', 'mouthLowerDownLeft', 'mouthLowerDownRight'],
  ...['mouthUpperUpLeft', 'mouthUpperUpRight'],
  ...['browDownLeft', 'browDownRight', 'browInnerUp', 'browOuterUpLeft', 'browOuterUpRight'],
  ...['cheekPuff', 'cheekSquintLeft', 'cheekSquintRight', 'noseSneerLeft', 'noseSneerRight', 'tongueOut'],
] as readonly string[];

/** Jaw joint's pitch that is `jawOpen` = 1 on the embedded head (docs/head.md). */
const JAW_OPEN_RADIANS = (24 * Math.PI) / 180;
/** An eye turned this far is `eyeLook...` = 1. ARKit does not say; real clips reach this. */
const EYE_LOOK_RADIANS = (25 * Math.PI) / 180;

/** Reads the units of one head's parameters. */
export type UnitReader = (parameters: HeadParameters) => Float32Array;

/**
 * Prepares to read units, `52` in the order of `ARKIT_UNITS`, each in [0, 1]: the head's own coefficients, the
 * jaw's joint as `jawOpen`, the eyes' joints as `eyeLook...`.
 * @throws BadInputError `no-arkit-units` for a head whose expressions are others.
 */
export function createUnitReader(head: HeadModel): UnitReader {
  const sources = ARKIT_UNITS.map((name) => head.expressionNames.indexOf(name));
  if (sources.includes(-1)) {
    throw new BadInputError({
      code: 'no-arkit-units',
      message: `Expected a head whose expressions are ARKit's 52 units, but those of ${head.name} are others.`,
      hint: "Track with the package's own head (leave --head out), or export another format.",
    });
  }
  const place = (name: string): number => ARKIT_UNITS.indexOf(name);
  return (parameters) => {
    const units = Float32Array.from(sources, (source) => parameters.expression[source]!);
    units[place('jawOpen')]! += jointAngles(parameters, 'jaw').pitch / JAW_OPEN_RADIANS;
    for (const side of ['Left', 'Right'] as const) {
      const { yaw, pitch } = jointAngles(parameters, side === 'Left' ? 'leftEye' : 'rightEye');
      const outwards = (side === 'Left' ? yaw : -yaw) / EYE_LOOK_RADIANS;
      // The head's own coefficients of these units move lids alone and follow the eye.
      units[place(`eyeLookOut${side}`)] = outwards;
      units[place(`eyeLookIn${side}`)] = -outwards;
      units[place(`eyeLookDown${side}`)] = pitch / EYE_LOOK_RADIANS;
      units[place(`eyeLookUp${side}`)] = -pitch / EYE_LOOK_RADIANS;
    }
    return units.map((value) => Math.min(1, Math.max(0, value)));
  };
}
