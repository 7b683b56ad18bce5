// A whole track on another head.

import { type EventSink, silentSink } from '../events/index.ts';
import { frameCount, type HeadModel, type HeadTrack, parametersAt } from '../head/index.ts';
import { createHeadConverter } from './head-conversion.ts';

/** A track on another head and how well it fits there. */
export type ConvertedTrack = {
  readonly track: HeadTrack;
  /** Root mean square distance of the two neutral meshes of the person, metres. */
  readonly identityRmsMetres: number;
  /** `T`: by how much the motion misses in each frame, root mean square, metres; what differs at rest is left out. */
  readonly frameRmsMetres: Float32Array;
  /** How many places of the two heads were compared. */
  readonly pointCount: number;
};

/** Options of `convertTrack`. */
export type ConvertTrackOptions = { readonly onEvent?: EventSink; readonly throwIfAborted?: () => void };

/** Carries a track of `source` to `target`; pictures, clock, camera and landmarks stay as they are. */
export function convertTrack(
  track: HeadTrack,
  source: HeadModel,
  target: HeadModel,
  { onEvent = silentSink, throwIfAborted = () => {} }: ConvertTrackOptions = {},
): ConvertedTrack {
  const frames = frameCount(track);
  const converter = createHeadConverter(source, target, track.identity);
  const units = target.expressionNames.length;
  const expression = new Float32Array(frames * units);
  const jointRotations = new Float32Array(frames * 15);
  const translation = new Float32Array(frames * 3);
  const frameRmsMetres = new Float32Array(frames);
  for (let t = 0; t < frames; t++) {
    throwIfAborted();
    const { parameters, rmsMetres } = converter.convert(parametersAt(track, t));
    expression.set(parameters.expression, t * units);
    jointRotations.set(parameters.jointRotations, t * 15);
    translation.set(parameters.translation, t * 3);
    frameRmsMetres[t] = rmsMetres;
    onEvent({ kind: 'progress', stage: 'convert', done: t + 1, total: frames, unit: 'frames' });
  }
  return {
    track: {
      ...track,
      headName: target.name,
      identity: converter.identity,
      expression,
      jointRotations,
      translation,
      provenance: { ...track.provenance, convertedFrom: source.name },
    },
    identityRmsMetres: converter.identityRmsMetres,
    frameRmsMetres,
    pointCount: converter.pointCount,
  };
}
