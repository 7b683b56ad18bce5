// Frames as they arrive, each answered at once: landmarks, then the online fit. What `track --online` and
// `trackOnline` run on.

import { BadInputError } from '../errors/index.ts';
import { type HeadParameters, type HeadTrack, JOINT_NAMES } from '../head/index.ts';
import { noFace, noFrames } from './complaints.ts';
import type { FaceDetector } from './face-detector.ts';
import { createFaceFollower } from './face-follower.ts';
import type { LandmarkNetwork } from './face-landmarks.ts';
import type { LandmarkModel } from './landmark-model.ts';
import type { LearnedPrior } from './learned-prior.ts';
import { lipContrast } from './lip-contrast.ts';
import { createOnlineFit, type OnlineFit } from './online-fit.ts';
import { createShotDetector } from './shot-detector.ts';
import type { ClipFrame, ClipTrack } from './tracker.ts';

/** What is known of a frame as soon as it was looked at. */
export type OnlineState = {
  readonly timestampSeconds: number;
  /** Size of the picture, pixels. */
  readonly width: number;
  readonly height: number;
  /**
   * The head; where no face is seen now, that of the last frame with one, and null before the first. Identity
   * changes a little from frame to frame while it is learned.
   */
  readonly parameters: HeadParameters | null;
  /** Focal length of a `frontCamera` of the picture's size, as far as it is known; null before the first face. */
  readonly focalPx: number | null;
  /** 0 (no face now) to 1. */
  readonly confidence: number;
  /** `478 2`, pixels; null where no face is seen now. */
  readonly landmarksPx: Float32Array | null;
  /** Mean distance of seen and fitted landmarks over that of the outer eye corners; NaN without a face. */
  readonly landmarkError: number;
  /** Colour of the lips against the skin, as of a picture; NaN without a face. */
  readonly lipContrast: number;
  /** Whether the picture cut before this frame. */
  readonly startsShot: boolean;
  /** From being given the picture to this state. */
  readonly latencySeconds: number;
};

/** How frames are tracked as they come. */
export type OnlineOptions = {
  /** The focal length where it is known, pixels; else it is estimated on the way. */
  readonly focalPx?: number;
};

/** Tracks the largest face of the first frames that show one. */
export type OnlineTracker = {
  /**
   * Looks at the next frame; frames are given in order, one after another.
   * @throws BadInputError `frame-size-changed` if one has another size than the first
   */
  next(frame: ClipFrame): Promise<OnlineState>;
};

/** Starts tracking frame by frame. */
export function createOnlineTracker(
  parts: {
    readonly model: LandmarkModel;
    readonly learned: LearnedPrior | null;
    readonly detector: FaceDetector;
    readonly network: LandmarkNetwork;
  },
  options: OnlineOptions = {},
): OnlineTracker {
  const { model, learned, detector, network } = parts;
  const follower = createFaceFollower(detector, network, { closeLook: 'piecemeal' });
  const shots = createShotDetector();
  let fit: OnlineFit | null = null;
  let size = '';
  return {
    async next({ image, timestampSeconds }) {
      const start = performance.now();
      const { width, height } = image;
      if (fit !== null && size !== `${width} x ${height}`) throw otherSize(size, width, height);
      size = `${width} x ${height}`;
      fit ??= createOnlineFit(model, { width, height, learned, ...options });
      const startsShot = shots.isCut(image);
      const face = await follower.next(image, { isNewShot: startsShot });
      const head = fit.next(face, timestampSeconds, startsShot);
      return {
        ...{ timestampSeconds, width, height, startsShot },
        parameters: head?.parameters ?? null,
        focalPx: head?.focalPx ?? null,
        confidence: head?.confidence ?? 0,
        landmarkError: head?.landmarkError ?? Number.NaN,
        landmarksPx: face?.landmarksPx ?? null,
        lipContrast: face === null ? Number.NaN : lipContrast(image, face.landmarksPx),
        latencySeconds: (performance.now() - start) / 1000,
      };
    },
  };
}

function otherSize(size: string, width: number, height: number): BadInputError {
  return new BadInputError({
    code: 'frame-size-changed',
    message: `Expected frames of ${size} pixels, as the first, but got one of ${width} x ${height}.`,
    hint: 'Resize frames to one size, or start a new tracker where the camera changes.',
  });
}

/**
 * States as a track, for files. A track has one identity and one focal length: the last ones, which know most;
 * distances are scaled to that focal length, so that every head appears as large as it was found. Frames before the
 * first face take its head, with confidence 0.
 * @throws BadInputError `no-frames` of no states, `no-face` where none has a head
 */
export function trackOfStates(
  states: readonly OnlineState[],
  { headName, provenance }: Pick<HeadTrack, 'headName' | 'provenance'>,
): Omit<ClipTrack, 'secondsByStage' | 'facesDetected'> {
  if (states.length === 0) throw noFrames();
  const heads = states.flatMap(({ parameters, focalPx }) =>
    parameters === null || focalPx === null ? [] : [{ parameters, focalPx }],
  );
  const [first, last] = [heads[0], heads.at(-1)];
  if (first === undefined || last === undefined) throw noFace('any frame of the clip');
  const [count, units] = [states.length, last.parameters.expression.length];
  const joints = 3 * JOINT_NAMES.length;
  const landmarks = states.find(({ landmarksPx }) => landmarksPx !== null)!.landmarksPx!.length;
  const track: HeadTrack = {
    ...{ headName, provenance, focalPx: last.focalPx, identity: last.parameters.identity },
    ...{ width: states[0]!.width, height: states[0]!.height },
    timestampsSeconds: Float64Array.from(states, ({ timestampSeconds }) => timestampSeconds),
    expression: new Float32Array(count * units),
    jointRotations: new Float32Array(count * joints),
    translation: new Float32Array(count * 3),
    confidence: Float32Array.from(states, ({ confidence }) => confidence),
    landmarksPx: new Float32Array(count * landmarks),
  };
  for (const [i, { parameters, focalPx, landmarksPx }] of states.entries()) {
    const head = parameters === null || focalPx === null ? first : { parameters, focalPx };
    const { expression, jointRotations, translation } = head.parameters;
    track.expression.set(expression, i * units);
    track.jointRotations.set(jointRotations, i * joints);
    track.translation.set(translation, i * 3);
    track.translation[3 * i + 2]! *= last.focalPx / head.focalPx;
    if (landmarksPx !== null) track.landmarksPx.set(landmarksPx, i * landmarks);
  }
  return {
    track,
    landmarkErrors: Float32Array.from(states, ({ landmarkError }) => landmarkError),
    lipContrasts: Float32Array.from(states, (state) => state.lipContrast),
    shots: states.flatMap(({ startsShot }, i) => (startsShot ? [i] : [])),
    framesTracked: states.filter(({ confidence }) => confidence > 0).length,
  };
}
