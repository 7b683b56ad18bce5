// Which frames of a track to show: some spread evenly, and those where the head does most.

import { frameCount, type HeadModel, type HeadTrack, jointAngles, parametersAt } from '../head/index.ts';

/** A frame worth a picture. */
export type Moment = { readonly frame: number; readonly caption: string };

const STRIP_LENGTH = 12;
/** Only what was seen well shows whether the mesh follows. */
const SEEN = 0.5;
const DEGREES = 180 / Math.PI;

/** Frames spread evenly over a track, ends included. */
export function stripFrames(track: HeadTrack, length: number = STRIP_LENGTH): number[] {
  const last = frameCount(track) - 1;
  const frames = Array.from({ length }, (_, i) => Math.round((last * i) / Math.max(1, length - 1)));
  return [...new Set(frames)];
}

/** The frames with the largest turns, openings and looks; each once, with what it is. */
export function extremeMoments(head: HeadModel, track: HeadTrack): Moment[] {
  const angle =
    (joint: 'root' | 'jaw' | 'leftEye', axis: 'yaw' | 'pitch' | 'roll', sign = 1) =>
    (frame: number) =>
      sign * DEGREES * jointAngles(parametersAt(track, frame), joint)[axis];
  const closed = (frame: number): number => {
    const { expression } = parametersAt(track, frame);
    const lids = head.eyelidExpressions.map((unit) => expression[unit]!);
    return lids.length === 0 ? 0 : Math.min(...lids);
  };
  const degrees = (words: string) => (value: number) => `${words}, ${value.toFixed(0)}°`;
  /** What is looked for, from which value on it counts, and what is said of it. */
  const searches: readonly (readonly [(frame: number) => number, number, (value: number) => string])[] = [
    [angle('root', 'yaw'), 5, degrees('Turned to their left')],
    [angle('root', 'yaw', -1), 5, degrees('Turned to their right')],
    [angle('root', 'pitch', -1), 5, degrees('Looking up')],
    [angle('root', 'pitch'), 5, degrees('Looking down')],
    [(frame) => Math.abs(angle('root', 'roll')(frame)), 5, degrees('Tilted')],
    [angle('jaw', 'pitch'), 3, degrees('Mouth widest')],
    [closed, 0.4, (value) => `Eyes closed, ${value.toFixed(2)}`],
    [angle('leftEye', 'yaw'), 8, degrees('Eyes to their left')],
    [angle('leftEye', 'yaw', -1), 8, degrees('Eyes to their right')],
  ];
  const seen = Array.from({ length: frameCount(track) }, (_, frame) => frame).filter(
    (frame) => track.confidence[frame]! >= SEEN,
  );
  const moments: Moment[] = [];
  for (const [measure, least, caption] of searches) {
    let [best, most] = [-1, least];
    for (const frame of seen) {
      const value = measure(frame);
      if (value > most) [best, most] = [frame, value];
    }
    if (best >= 0 && !moments.some(({ frame }) => frame === best))
      moments.push({ frame: best, caption: caption(most) });
  }
  const middle = seen[seen.length >> 1];
  if (moments.length === 0 && middle !== undefined) moments.push({ frame: middle, caption: 'At rest' });
  return moments;
}
