// HeadTrack <-> the bytes of a *.track file: safetensors, all values as they are in memory.

import { encodeSafetensors, tensor } from '../tensor/index.ts';
import { openFile } from './file-reader.ts';
import { JOINT_NAMES } from './head-model.ts';
import { frameCount, type HeadTrack } from './head-track.ts';

const KIND = { format: 'learn2control.track', version: 1, noun: 'a head track' } as const;
const JOINTS = JOINT_NAMES.length;
const LANDMARKS = 478;
const CONVENTIONS =
  'metres, radians, seconds, pixels; camera at the origin looking along -z, y up; axis-angle rotations of ' +
  JOINT_NAMES.join(', ');

/** The bytes of a `*.track` file. */
export function encodeHeadTrack(track: HeadTrack): Uint8Array<ArrayBuffer> {
  const frames = frameCount(track);
  return encodeSafetensors({
    metadata: {
      format: KIND.format,
      version: String(KIND.version),
      headName: track.headName,
      width: String(track.width),
      height: String(track.height),
      focalPx: String(track.focalPx),
      // Text keeps float64 exactly; safetensors entries here are at most 32 bits wide.
      timestampsSeconds: JSON.stringify([...track.timestampsSeconds]),
      conventions: CONVENTIONS,
      provenance: JSON.stringify(track.provenance),
    },
    tensors: {
      identity: tensor(track.identity, [track.identity.length]),
      expression: tensor(track.expression, [frames, track.expression.length / frames]),
      jointRotations: tensor(track.jointRotations, [frames, JOINTS, 3]),
      translation: tensor(track.translation, [frames, 3]),
      confidence: tensor(track.confidence, [frames]),
      landmarksPx: tensor(track.landmarksPx, [frames, LANDMARKS, 2]),
    },
  });
}

/**
 * Reads a `*.track` file.
 * @param name what to call the file in errors
 * @throws BadInputError on a damaged, foreign, empty or newer file, naming what is wrong.
 */
export function decodeHeadTrack(bytes: Uint8Array, name = 'track file'): HeadTrack {
  const file = openFile(bytes, KIND, name);
  const timestamps = file.json('timestampsSeconds');
  if (!Array.isArray(timestamps) || !timestamps.every((time) => Number.isFinite(time))) {
    throw file.reject('its "timestampsSeconds" are not a list of numbers');
  }
  const frames = timestamps.length;
  if (frames === 0) throw file.reject('it has no frames');
  const positive = (key: string): number => {
    const value = Number(file.text(key));
    if (!(value > 0 && Number.isFinite(value))) throw file.reject(`its "${key}" is not a positive number`);
    return value;
  };
  const values = (entry: string, shape: readonly (number | null)[]): Float32Array => {
    const data = file.data(entry, 'float32', shape);
    if (!data.every(Number.isFinite)) throw file.reject(`"${entry}" holds values that are not numbers`);
    return data;
  };
  return {
    headName: file.text('headName'),
    width: positive('width'),
    height: positive('height'),
    focalPx: positive('focalPx'),
    timestampsSeconds: Float64Array.from(timestamps),
    identity: values('identity', [null]),
    expression: values('expression', [frames, null]),
    jointRotations: values('jointRotations', [frames, JOINTS, 3]),
    translation: values('translation', [frames, 3]),
    confidence: values('confidence', [frames]),
    landmarksPx: values('landmarksPx', [frames, LANDMARKS, 2]),
    provenance: file.json('provenance') as Record<string, string>,
  };
}
