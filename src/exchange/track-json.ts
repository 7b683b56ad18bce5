// A track as plain JSON, for scripts and web pages that want numbers without a tensor library.

import { frameCount, type HeadModel, type HeadTrack, jointAngles, parametersAt } from '../head/index.ts';

/** What `encodeTrackJson` writes; docs/tracking.md describes it. */
export type TrackJson = {
  readonly format: 'learn2control.track.json';
  readonly version: 1;
  readonly head: string;
  readonly width: number;
  readonly height: number;
  readonly focalPx: number;
  readonly identity: readonly number[];
  /** Names of the coefficients of `expression`. */
  readonly expressionNames: readonly string[];
  readonly frames: readonly {
    readonly seconds: number;
    readonly confidence: number;
    /** Radians. */
    readonly yaw: number;
    readonly pitch: number;
    readonly roll: number;
    /** Metres, camera's frame: x to the right in the picture, y up, z towards the camera. */
    readonly position: readonly number[];
    readonly jawPitch: number;
    /** Yaw and pitch, radians. */
    readonly leftEye: readonly [number, number];
    readonly rightEye: readonly [number, number];
    readonly expression: readonly number[];
  }[];
};

/** Significant digits kept: float32 holds about seven. */
const DIGITS = 6;

/** Writes a track of any head as JSON, a line a frame. */
export function encodeTrackJson(head: HeadModel, track: HeadTrack, startSeconds = 0): string {
  const short = (values: ArrayLike<number>): number[] =>
    Array.from(values, (value) => Number(value.toPrecision(DIGITS)));
  const frames = Array.from({ length: frameCount(track) }, (_, frame): TrackJson['frames'][number] => {
    const parameters = parametersAt(track, frame);
    const [turn, jaw] = [jointAngles(parameters, 'root'), jointAngles(parameters, 'jaw')];
    const gaze = (['leftEye', 'rightEye'] as const).map((eye) => {
      const { yaw, pitch } = jointAngles(parameters, eye);
      return short([yaw, pitch]) as [number, number];
    });
    const [yaw, pitch, roll, jawPitch] = short([turn.yaw, turn.pitch, turn.roll, jaw.pitch]);
    return {
      seconds: Number((startSeconds + track.timestampsSeconds[frame]!).toFixed(6)),
      confidence: short([track.confidence[frame]!])[0]!,
      ...{ yaw: yaw!, pitch: pitch!, roll: roll! },
      position: short(parameters.translation),
      jawPitch: jawPitch!,
      leftEye: gaze[0]!,
      rightEye: gaze[1]!,
      expression: short(parameters.expression),
    };
  });
  const { frames: _, ...header }: TrackJson = {
    format: 'learn2control.track.json',
    version: 1,
    head: track.headName,
    width: track.width,
    height: track.height,
    focalPx: track.focalPx,
    identity: short(track.identity),
    expressionNames: head.expressionNames,
    frames: [],
  };
  const lines = frames.map((frame) => JSON.stringify(frame)).join(',\n');
  return `${JSON.stringify(header).slice(0, -1)},"frames":[\n${lines}\n]}\n`;
}
