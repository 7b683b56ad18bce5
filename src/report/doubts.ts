// Frames of a track to mistrust, and why: what a person should look at before using it.

import { frameCount, type HeadTrack, jointAngles, parametersAt } from '../head/index.ts';
import { HIDDEN_MOUTH, outerEyeDistance } from '../tracking/index.ts';

/** Why frames are mistrusted, the gravest first. */
export const DOUBT_REASONS = [
  'no-face',
  'poor-fit',
  'unsure',
  'mouth-hidden',
  'jump',
  'turned-away',
  'at-border',
  'small',
] as const;
export type DoubtReason = (typeof DOUBT_REASONS)[number];

/** Neighbouring frames that are mistrusted for one reason. */
export type Doubt = {
  readonly reason: DoubtReason;
  readonly firstFrame: number;
  readonly lastFrame: number;
  /** The frame where it is gravest. */
  readonly worstFrame: number;
  /** One line for people, with the worst frame's figure. */
  readonly text: string;
};

const DEGREES = 180 / Math.PI;
/** A fit this much worse than the clip's median, and not better than the second, is poor. */
const POOR_RATIO = 2;
const POOR_ERROR = 0.035;
const UNSURE_CONFIDENCE = 0.6;
/** Beyond this turn the network guesses the far side of a face. */
const FAR_TURN_DEGREES = 60;
/** Heads turn at most about this fast. */
const FAST_TURN_DEGREES_PER_SECOND = 700;
const LEAST_JUMP_DEGREES = 8;
/** This share of the landmarks outside the picture. */
const OUTSIDE_SHARE = 0.03;
const SMALL_EYE_DISTANCE_PX = 18;
/** Doubts this many frames apart are one. */
const GAP_FRAMES = 3;

/** What the tracker says of its frames; its results and the records of files fit. */
export type TrackQuality = {
  /** `T`; NaN where not tracked. */
  readonly landmarkErrors: ArrayLike<number>;
  /** `T`; NaN where it cannot be told. */
  readonly lipContrasts: ArrayLike<number>;
  /** The first frame of every shot but the first: heads may jump there. */
  readonly shots?: readonly number[];
};

/** Finds the frames to mistrust, gravest reason first, then by time. */
export function findDoubts(track: HeadTrack, quality: TrackQuality): Doubt[] {
  const measures = measureFrames(track, quality);
  return DOUBT_REASONS.flatMap((reason) => {
    const { severity, say } = measures[reason];
    return spansOf(severity).map(({ firstFrame, lastFrame, worstFrame }) => {
      return { reason, firstFrame, lastFrame, worstFrame, text: say(worstFrame) };
    });
  });
}

/** How many frames are mistrusted for any reason. */
export function mistrustedFrames(doubts: readonly Doubt[]): number {
  const frames = new Set<number>();
  for (const { firstFrame, lastFrame } of doubts) {
    for (let frame = firstFrame; frame <= lastFrame; frame++) frames.add(frame);
  }
  return frames.size;
}

type Measure = {
  /** `T`: 0 where there is no doubt. */
  readonly severity: Float64Array;
  readonly say: (frame: number) => string;
};

function measureFrames(
  track: HeadTrack,
  { landmarkErrors, lipContrasts, shots = [] }: TrackQuality,
): Readonly<Record<DoubtReason, Measure>> {
  const count = frameCount(track);
  const isTracked = (frame: number): boolean => track.confidence[frame]! > 0;
  const each = (of: (frame: number) => number): Float64Array =>
    Float64Array.from({ length: count }, (_, frame) => (isTracked(frame) ? of(frame) : 0));
  const above = (value: number, limit: number): number => (value > limit ? value : 0);

  const sorted = Array.from(landmarkErrors)
    .filter((error) => !Number.isNaN(error))
    .sort((a, b) => a - b);
  const median = sorted[sorted.length >> 1] ?? 0;
  const poorLimit = Math.max(POOR_ERROR, POOR_RATIO * median);
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
  const yaw = each((frame) => DEGREES * Math.abs(jointAngles(parametersAt(track, frame), 'root').yaw));
  const jump = each((frame) => jumpDegrees(track, frame, shots));
  const outside = each((frame) => shareOutside(track, frame));
  const eyes = each((frame) => outerEyeDistance(landmarksOf(track, frame)));
  return {
    'no-face': {
      severity: Float64Array.from({ length: count }, (_, frame) => (isTracked(frame) ? 0 : 1)),
      say: () => 'No face is found: the values are those of the nearest frame.',
    },
    'poor-fit': {
      severity: each((frame) => above(landmarkErrors[frame]!, poorLimit)),
      say: (frame) =>
        `The head does not meet the landmarks: ${percent(landmarkErrors[frame]!)} off, ${percent(median)} in the median frame. Blur, or something over the face?`,
    },
    unsure: {
      severity: each((frame) => Math.max(0, UNSURE_CONFIDENCE - track.confidence[frame]!)),
      say: (frame) =>
        `The confidence is only ${track.confidence[frame]!.toFixed(2)}: blur, darkness, or something over the face.`,
    },
    'mouth-hidden': {
      severity: steady(each((frame) => Math.max(0, HIDDEN_MOUTH - lipContrasts[frame]!))),
      say: () => 'No lips are to be seen: a mask, a hand or a microphone? Mouth and jaw are guessed.',
    },
    jump: {
      severity: jump,
      say: (frame) => `The head turns ${jump[frame]!.toFixed(0)} degrees from one frame to the next.`,
    },
    'turned-away': {
      severity: yaw.map((degrees) => above(degrees, FAR_TURN_DEGREES)),
      say: (frame) =>
        `Turned ${yaw[frame]!.toFixed(0)} degrees to the side: the far half of the face is guessed.`,
    },
    'at-border': {
      severity: outside.map((share) => above(share, OUTSIDE_SHARE)),
      say: (frame) =>
        `${percent(outside[frame]!)} of the landmarks lie outside the picture, where they are guessed.`,
    },
    small: {
      severity: eyes.map((px) => (px > 0 && px < SMALL_EYE_DISTANCE_PX ? 1 / px : 0)),
      say: (frame) =>
        `The face is small: the eyes' outer corners are ${eyes[frame]!.toFixed(0)} pixels apart.`,
    },
  };
}

/** Without what lasts for less than three frames: blur passes, a hand does not. A track of one keeps it. */
function steady(severity: Float64Array): Float64Array {
  const isOn = (frame: number): boolean => (severity[frame] ?? 0) > 0;
  return severity.map((value, frame) => {
    const isPart =
      severity.length < 3 ||
      (isOn(frame - 1) && (isOn(frame - 2) || isOn(frame + 1))) ||
      (isOn(frame + 1) && isOn(frame + 2));
    return isPart ? value : 0;
  });
}

/** `478 2`. */
function landmarksOf(track: HeadTrack, frame: number): Float32Array {
  const length = track.landmarksPx.length / frameCount(track);
  return track.landmarksPx.subarray(frame * length, (frame + 1) * length);
}

/** Degrees between a frame and the one before it, where no head turns as fast; else 0. */
function jumpDegrees(track: HeadTrack, frame: number, shots: readonly number[]): number {
  if (frame === 0 || shots.includes(frame) || track.confidence[frame - 1] === 0) return 0;
  const [before, now] = [frame - 1, frame].map((at) => jointAngles(parametersAt(track, at), 'root'));
  const degrees =
    DEGREES * Math.hypot(now!.yaw - before!.yaw, now!.pitch - before!.pitch, now!.roll - before!.roll);
  const seconds = track.timestampsSeconds[frame]! - track.timestampsSeconds[frame - 1]!;
  return degrees > Math.max(LEAST_JUMP_DEGREES, seconds * FAST_TURN_DEGREES_PER_SECOND) ? degrees : 0;
}

function shareOutside(track: HeadTrack, frame: number): number {
  const points = landmarksOf(track, frame);
  let outside = 0;
  for (let i = 0; i < points.length; i += 2) {
    const [x, y] = [points[i]!, points[i + 1]!];
    if (x < 0 || y < 0 || x > track.width || y > track.height) outside++;
  }
  return outside / (points.length / 2);
}

function spansOf(
  severity: Float64Array,
): { readonly firstFrame: number; readonly lastFrame: number; readonly worstFrame: number }[] {
  const spans: { firstFrame: number; lastFrame: number; worstFrame: number }[] = [];
  for (const [frame, value] of severity.entries()) {
    if (value <= 0) continue;
    const last = spans.at(-1);
    if (last === undefined || frame - last.lastFrame > GAP_FRAMES) {
      spans.push({ firstFrame: frame, lastFrame: frame, worstFrame: frame });
      continue;
    }
    last.lastFrame = frame;
    if (value > severity[last.worstFrame]!) last.worstFrame = frame;
  }
  return spans;
}
