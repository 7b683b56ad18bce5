// What is said of clips and pictures that cannot be tracked, or not everywhere.

import { BadInputError } from '../errors/index.ts';
import type { EventSink } from '../events/index.ts';

/** A clip without a picture. */
export function noFrames(): BadInputError {
  return new BadInputError({
    code: 'no-frames',
    message: 'Expected a clip with pictures, but it holds none.',
    hint: 'Check that the clip plays, or give another range of time.',
  });
}

/** A face was asked for by a number that the clip does not have. */
export function noSuchFace(face: number, faces: number): BadInputError {
  return new BadInputError({
    code: 'no-such-face',
    message: `Expected face ${face} of the clip, but it shows ${faces}.`,
    hint: 'Faces are counted from 1, from left to right; those seen only for a moment do not count.',
  });
}

/** Nobody to be seen. @param where in words that follow "in" */
export function noFace(where: string): BadInputError {
  return new BadInputError({
    code: 'no-face',
    message: `Expected a face, but none was found in ${where}.`,
    hint: 'Use a picture whose face is well lit, mostly frontal and at least a tenth of the picture high; crop if it is small.',
  });
}

/** Says in how many frames nobody was seen. */
export function warnOfLosses(confidence: Float32Array, onEvent: EventSink): void {
  const lost = confidence.reduce((count, value) => count + (value === 0 ? 1 : 0), 0);
  if (lost === 0) return;
  const message = `No face in ${lost} of ${confidence.length} frames: they carry their neighbours' pose and expression.`;
  onEvent({ kind: 'log', level: 'warning', message });
}
