// The tracker: pictures in, heads out. A portrait is fitted as a clip of one frame; a clip in two passes,
// first some frames together for identity and focal length, then every frame with these fixed.

import { FaultError } from '../errors/index.ts';
import { type EventSink, silentSink } from '../events/index.ts';
import type { HeadModel, HeadParameters, HeadTrack } from '../head/index.ts';
import type { RgbImage } from '../media/index.ts';
import type { Device } from '../tensor/index.ts';
import { findClipFaces, seenFrame } from './clip-faces.ts';
import { noFace, noFrames, noSuchFace, warnOfLosses } from './complaints.ts';
import { createExpressionReader } from './expression-network.ts';
import { createFaceDetector } from './face-detector.ts';
import { createFaceFollower } from './face-follower.ts';
import { createFaceGroup } from './face-group.ts';
import { createLandmarkNetwork, withReadings } from './face-landmarks.ts';
import { fitClip, type SeenFrame } from './fit-clip.ts';
import { fitPortrait } from './fit-portrait.ts';
import { createLandmarkModel } from './landmark-model.ts';
import { withResponse } from './landmark-response.ts';
import { decodeLearnedPrior } from './learned-prior.ts';
import { lipContrast } from './lip-contrast.ts';
import { assumedFocalPx } from './observe.ts';
import { createOnlineTracker, type OnlineOptions, type OnlineTracker } from './online-tracker.ts';
import { createPersonSegmenter, type PersonSegmenter } from './person-segmenter.ts';
import { createPhotometricRefiner, type PhotometricRefiner } from './photometric-refine.ts';
import { createShotDetector } from './shot-detector.ts';
import { trackViews, type View, type ViewsTrack } from './track-views.ts';

/** The encoded networks that a tracker runs. */
export type TrackerNetworks = {
  /** `models/perception/face-detector.onnx`. */
  readonly faceDetector: Uint8Array;
  /** `models/perception/face-landmarks.onnx`. */
  readonly faceLandmarks: Uint8Array;
  /** `models/tracking/expression-prior.safetensors`; without it small motions come out smaller. */
  readonly expressionPrior?: Uint8Array;
  /** `models/perception/person-mask.onnx`; without it there are no person masks. */
  readonly personMask?: Uint8Array;
};

/** A head fitted to one picture. */
export type ImageTrack = {
  readonly parameters: HeadParameters;
  /** Focal length of a `frontCamera` of the picture's size. */
  readonly focalPx: number;
  /** `478 2`, pixels: what the network saw. */
  readonly landmarksPx: Float32Array;
  /** 0 to 1. */
  readonly confidence: number;
  /** Mean distance of seen and fitted landmarks over the distance of the outer eye corners. */
  readonly landmarkError: number;
  readonly facesDetected: number;
  /** Colour of the lips against the skin: below `HIDDEN_MOUTH` something covers them; NaN in black and white. */
  readonly lipContrast: number;
};

/** A fitted clip, with how well each frame fits. */
export type ClipTrack = {
  readonly track: HeadTrack;
  /** `T`: as `landmarkError` of an image; NaN where not tracked. */
  readonly landmarkErrors: Float32Array;
  /** `T`: as `lipContrast` of an image; NaN where not tracked. */
  readonly lipContrasts: Float32Array;
  /** The first frame of every shot but the first. */
  readonly shots: readonly number[];
  readonly framesTracked: number;
  /** The most faces that were seen at once. */
  readonly facesDetected: number;
  readonly secondsByStage: Readonly<Record<'landmarks' | 'fit', number>>;
};

/** One frame of a clip; what a `VideoSource` yields fits. */
export type ClipFrame = { readonly timestampSeconds: number; readonly image: RgbImage };

type PictureSize = { readonly width: number; readonly height: number };

/** How a picture or clip is tracked. */
export type TrackOptions = {
  /** The focal length where it is known, pixels; else one is assumed or, over a clip, estimated. */
  readonly focalPx?: number;
  readonly onEvent?: EventSink;
};

/** How a clip is tracked. */
export type ClipOptions = TrackOptions & {
  readonly frameCountEstimate?: number;
  /** Refines identity, focal length and poses against the pictures: seconds a clip and more a frame; default false. */
  readonly refine?: boolean;
  readonly provenance?: Readonly<Record<string, string>>;
};

/** Tracks heads. Owns the networks: dispose of it, or hold it with `await using`. */
export type Tracker = {
  /** @throws BadInputError `no-face` where there is none. */
  trackImage(image: RgbImage, options?: TrackOptions): Promise<ImageTrack>;
  /**
   * Tracks the largest face. Frames are read once and not kept.
   * @throws BadInputError `no-face` where no frame has one, `no-frames` for an empty clip.
   */
  trackClip(frames: AsyncIterable<ClipFrame>, options?: ClipOptions): Promise<ClipTrack>;
  /**
   * Tracks every face that stays for a while, from left to right by its mean place; or, with `face`, that one
   * alone, counted from 1. Every track has all frames of the clip.
   * @throws BadInputError as `trackClip`, and `no-such-face`.
   */
  trackFaces(
    frames: AsyncIterable<ClipFrame>,
    options?: ClipOptions & { readonly face?: number },
  ): Promise<readonly ClipTrack[]>;
  /** The share of each pixel that a person covers, `H W`, 0 to 255; null without the network for it. */
  personMask(image: RgbImage): Promise<Uint8Array | null>;
  /** Starts tracking frames as they come. The state of each is known at once; several may run side by side. */
  startOnline(options?: OnlineOptions): OnlineTracker;
  /**
   * Fits one head to several views of one moment, from cameras that are known or not.
   * @param options.focalPx of all views without a calibration
   * @throws BadInputError `no-face` where no view shows one
   */
  trackViews(views: readonly View[], options?: { readonly focalPx?: number }): Promise<ViewsTrack>;
  [Symbol.asyncDispose](): Promise<void>;
};

/** Makes a tracker for a head. @throws FaultError if the head has no landmarks. */
export async function createTracker(setup: {
  readonly head: HeadModel;
  readonly device: Device;
  readonly networks: TrackerNetworks;
}): Promise<Tracker> {
  const { head, device, networks } = setup;
  if (head.landmarks === null || head.landmarkWeights === null) {
    throw new FaultError({
      code: 'head-without-landmarks',
      message: `The head ${head.name} has no landmarks, so no face can be fitted with it.`,
      hint: 'Derive them with tools/derive-landmarks, or import the head with its landmark embedding.',
    });
  }
  const { expressionPrior } = networks;
  const learned = expressionPrior === undefined ? null : decodeLearnedPrior(expressionPrior, head);
  const surface = createLandmarkModel(head, head.landmarks, head.landmarkWeights);
  const model = learned === null ? surface : withResponse(surface, learned.response);
  const detector = await createFaceDetector(device, networks.faceDetector);
  const landmarks = await createLandmarkNetwork(device, networks.faceLandmarks);
  const network =
    learned === null
      ? landmarks
      : withReadings(landmarks, await createExpressionReader(device, surface, learned.network));
  let segmenter: Promise<PersonSegmenter> | null = null;
  let refiner: PhotometricRefiner | null = null;
  const refinement = (seen: readonly SeenFrame[], size: PictureSize, onEvent: EventSink) => {
    refiner ??= createPhotometricRefiner(model);
    return { refinement: refiner.refine(seen, { ...size, onEvent }) };
  };
  return {
    async trackImage(image, { focalPx, onEvent = silentSink } = {}) {
      const face = await createFaceFollower(detector, network).next(image);
      if (face === null) throw noFace('the picture');
      warnOfOthers(face.facesDetected, onEvent);
      const fit = fitPortrait(model, face, image, { focalPx, learned });
      const confidence = face.presence * fit.trust;
      const { landmarksPx, facesDetected } = face;
      return { ...fit, landmarksPx, confidence, facesDetected, lipContrast: lipContrast(image, landmarksPx) };
    },

    async trackClip(
      frames,
      { focalPx, onEvent = silentSink, frameCountEstimate, refine = false, provenance = {} } = {},
    ) {
      const follower = createFaceFollower(detector, network);
      const shots = createShotDetector();
      const seen: SeenFrame[] = [];
      let size: PictureSize | null = null;
      let facesDetected = 0;
      const start = performance.now();
      for await (const { image, timestampSeconds } of frames) {
        size ??= { width: image.width, height: image.height };
        const startsShot = shots.isCut(image);
        const face = await follower.next(image, { isNewShot: startsShot });
        if (face !== null && face.facesDetected > facesDetected) {
          if (facesDetected <= 1) warnOfOthers(face.facesDetected, onEvent);
          facesDetected = face.facesDetected;
        }
        seen.push({ ...seenFrame(timestampSeconds, face, image, { keepsCrop: refine }), startsShot });
        const total =
          frameCountEstimate === undefined ? {} : { total: Math.max(frameCountEstimate, seen.length) };
        onEvent({ kind: 'progress', stage: 'find landmarks', done: seen.length, ...total, unit: 'frames' });
      }
      const middle = performance.now();
      if (size === null) throw noFrames();
      if (seen.every(({ face }) => face === null)) throw noFace('any frame of the clip');
      const fit = fitClip(model, seen, {
        ...size,
        ...(focalPx === undefined ? {} : { focalPx }),
        ...(refine ? refinement(seen, size, onEvent) : {}),
        learned,
        onEvent,
      });
      warnOfLosses(fit.track.confidence, onEvent);
      const secondsByStage = {
        landmarks: (middle - start) / 1000,
        fit: (performance.now() - middle) / 1000,
      };
      const track = { ...fit.track, provenance };
      return { ...fit, track, ...facts(seen), facesDetected, secondsByStage };
    },

    async trackFaces(
      frames,
      { face, focalPx, onEvent = silentSink, frameCountEstimate, refine = false, provenance = {} } = {},
    ) {
      const start = performance.now();
      const estimate = frameCountEstimate === undefined ? {} : { frameCountEstimate };
      const group = createFaceGroup(detector, network);
      const { faces, ...size } = await findClipFaces(frames, group, {
        ...{ onEvent, ...estimate },
        isCut: createShotDetector().isCut,
        keepsCrops: refine,
      });
      if (size.width === 0) throw noFrames();
      if (faces.length === 0) throw noFace('any frame of the clip');
      if (face !== undefined && faces[face - 1] === undefined) throw noSuchFace(face, faces.length);
      const middle = performance.now();
      // One picture cannot tell its focal length.
      const knownPx = focalPx ?? (faces[0]!.length === 1 ? assumedFocalPx(size) : undefined);
      const options = { ...size, ...(knownPx === undefined ? {} : { focalPx: knownPx }), learned, onEvent };
      return faces.flatMap((seen, i) => {
        if (face !== undefined && i !== face - 1) return [];
        const fitStart = performance.now();
        const fit = fitClip(model, seen, {
          ...options,
          ...(refine ? refinement(seen, size, onEvent) : {}),
        });
        warnOfLosses(fit.track.confidence, onEvent);
        const secondsByStage = {
          landmarks: (middle - start) / 1000,
          fit: (performance.now() - fitStart) / 1000,
        };
        const track = { ...fit.track, provenance: { ...provenance, face: `${i + 1} of ${faces.length}` } };
        return [{ ...fit, track, ...facts(seen), facesDetected: faces.length, secondsByStage }];
      });
    },

    async personMask(image) {
      if (networks.personMask === undefined) return null;
      segmenter ??= createPersonSegmenter(device, networks.personMask);
      return (await segmenter).mask(image);
    },

    trackViews: (views, options) => trackViews({ model, learned, detector, network }, views, options),

    startOnline: (options) => createOnlineTracker({ model, learned, detector, network }, options),

    async [Symbol.asyncDispose]() {
      await detector[Symbol.asyncDispose]();
      await network[Symbol.asyncDispose]();
      await (await segmenter)?.[Symbol.asyncDispose]();
    },
  };
}

/** What is known of frames beside their heads. */
function facts(seen: readonly SeenFrame[]): Pick<ClipTrack, 'lipContrasts' | 'shots'> {
  return {
    lipContrasts: Float32Array.from(seen, (frame) => frame.lipContrast ?? Number.NaN),
    shots: seen.flatMap(({ startsShot }, i) => (startsShot ? [i] : [])),
  };
}

function warnOfOthers(faces: number, onEvent: EventSink): void {
  if (faces <= 1) return;
  onEvent({ kind: 'log', level: 'warning', message: `${faces} faces: the largest is tracked.` });
}
