// Scores what a method made of a case. Whoever made the pictures, they go through this code; a picture that is
// missing, of another size or without a face counts as badly as it is, and is listed.

import { AvatarError } from '../errors/index.ts';
import { rotationAngle, rotationFromAxisAngle } from '../geometry/index.ts';
import { type HeadModel, type HeadParameters, type HeadPoser, parametersAt } from '../head/index.ts';
import type { RgbImage } from '../media/index.ts';
import { descriptorSimilarity, type FaceDescriptor, type Tracker } from '../tracking/index.ts';
import type { EvaluationCase, Target } from './cases.ts';
import {
  evenWeights,
  type FeatureMaps,
  type FeatureRegion,
  type FeatureTrunk,
  featureDistance,
} from './feature-distance.ts';
import { flickerOf } from './flicker.ts';
import { compareImages } from './image-metrics.ts';
import type { MetricName } from './metric-list.ts';
import {
  absentFace,
  expressionDistance,
  type FoundFaces,
  motionCorrelations,
  poseDistance,
} from './motion-metrics.ts';
import { multiViewSpread } from './multi-view.ts';

/** The networks and models that judge. */
export type Judges = {
  readonly head: HeadModel;
  readonly poser: HeadPoser;
  readonly tracker: Tracker;
  readonly descriptor: FaceDescriptor;
  /** The landmark network's first layers. */
  readonly faceTrunk: FeatureTrunk;
  /** VGG16 with LPIPS' weights; null where the user gave none. */
  readonly lpips: { readonly trunk: FeatureTrunk; readonly weights: readonly Float32Array[] } | null;
};

/** What a method gave for a target: a picture, or why there is none. */
export type Answer = RgbImage | { readonly missing: string };

/** The figures of one picture or sequence; those that do not apply are absent. */
export type Scores = Partial<Record<MetricName, number>>;

/** One answer's figures, with where it stands on the axes of plots. */
export type FrameScores = Scores & {
  readonly index: number;
  /** Between the target's head and the reference's, degrees. */
  readonly turnDegrees: number;
  /** Between the target's expression and the reference's, as `aed` measures it. */
  readonly expressionChange: number;
};

/** Something that is not as it should be, in words. */
export type Failure = { readonly frame: number | null; readonly reason: string };

/** What a method scored on a case. */
export type RowScores = {
  readonly frames: readonly FrameScores[];
  /** Of the sequence or the person as a whole. */
  readonly whole: Scores;
  readonly failures: readonly Failure[];
};

/** Judges one case after another method; what concerns the truth alone is worked out once. */
export type CaseJudge = {
  /** What was wrong with the truth itself: such frames lack the figures that need it, for all methods alike. */
  readonly truthFailures: readonly Failure[];
  /** @param answers one a target */
  score(answers: readonly Answer[]): Promise<RowScores>;
  /** @param pictures of the heads of an orbit, before the reference's camera */
  spread(heads: readonly HeadParameters[], pictures: readonly RgbImage[]): Promise<number>;
};

/** Prepares a case. */
export async function judgeCase(judges: Judges, one: EvaluationCase): Promise<CaseJudge> {
  const { reference, targets, hasTruth, isSequence } = one;
  const truePictures = targets.map(({ picture }) => picture);
  const referenceFace = (await findFaces(judges, one, [reference.image]))[0]!;
  const trueFaces = await findFaces(judges, one, truePictures);
  /** The truth and the reference come back as answers of rows of their own. */
  const facesIn = async (images: readonly RgbImage[]): Promise<FoundFaces> => {
    if (images.every((image, i) => image === truePictures[i])) return trueFaces;
    if (!isSequence && images.every((image) => image === reference.image))
      return images.map(() => referenceFace);
    return findFaces(judges, one, images);
  };
  const describe = async (image: RgbImage, face: FoundFaces[number]): Promise<Float32Array | null> =>
    face && judges.descriptor.describe(image, face.landmarksPx);
  const referenceDescription = await describe(reference.image, referenceFace);
  const truth = await Promise.all(
    targets.map(async ({ picture }, i) => ({
      description: hasTruth ? await describe(picture, trueFaces[i]!) : referenceDescription,
      features: hasTruth ? await judges.faceTrunk.features(picture) : null,
    })),
  );
  const missing = [
    ...(referenceFace === null ? [{ frame: null, reason: 'no face is found in the reference' }] : []),
    ...targets.flatMap(({ index }, i) =>
      trueFaces[i] === null ? [{ frame: index, reason: 'no face is found in the true picture' }] : [],
    ),
  ];

  const scorePicture = async (image: RgbImage, target: Target, i: number): Promise<Scores> => {
    const { region, picture } = target;
    const { features } = truth[i]!;
    if (features === null) return {};
    const where = { region, width: picture.width, height: picture.height };
    const own: FeatureMaps = await judges.faceTrunk.features(image);
    return {
      ...finite(compareImages(image, picture, region)),
      featureDistance: featureDistance(own, features, evenWeights(own), where),
      ...(judges.lpips === null ? {} : { lpips: await lpipsOf(judges.lpips, image, picture, where) }),
    };
  };

  return {
    truthFailures: missing,
    async score(answers) {
      const images = answers.map((answer, i) => ('missing' in answer ? black(targets[i]!.picture) : answer));
      const faces = await facesIn(images);
      const failures: Failure[] = [];
      const frames: FrameScores[] = [];
      for (const [i, target] of targets.entries()) {
        const [answer, face, image] = [answers[i]!, faces[i]!, images[i]!];
        if ('missing' in answer) failures.push({ frame: target.index, reason: answer.missing });
        else if (face === null)
          failures.push({ frame: target.index, reason: 'no face is found in the output' });
        const description = await describe(image, face);
        const shown = face?.parameters ?? absentFace(judges.head);
        const [wanted, known] = [trueFaces[i], truth[i]!.description];
        frames.push({
          index: target.index,
          turnDegrees: turnBetween(target.head, reference.parameters),
          expressionChange: expressionDistance(target.head, reference.parameters),
          ...(await scorePicture(image, target, i)),
          ...(known === null ? {} : { csim: similarity(description, known) }),
          ...(referenceDescription === null
            ? {}
            : { csimReference: similarity(description, referenceDescription) }),
          ...(wanted
            ? {
                aed: expressionDistance(shown, wanted.parameters),
                apd: poseDistance(shown, wanted.parameters),
              }
            : {}),
        });
      }
      return { frames, failures, whole: isSequence ? sequenceScores(images, faces) : {} };
    },
    async spread(heads, pictures) {
      const faces = await findFaces(judges, { ...one, isSequence: true }, pictures);
      const views = faces.flatMap((face, i) =>
        face ? [{ parameters: heads[i]!, landmarksPx: face.landmarksPx }] : [],
      );
      return multiViewSpread(judges.head, judges.poser, reference.camera, views);
    },
  };

  function sequenceScores(images: readonly RgbImage[], faces: FoundFaces): Scores {
    const { yaw, blink, mouth } = motionCorrelations(faces, trueFaces);
    return withoutNaN({
      flicker: flickerOf(
        images,
        targets.map(({ region }) => region),
      ),
      yawCorrelation: yaw,
      blinkCorrelation: blink,
      mouthCorrelation: mouth,
    });
  }
}

/** Activations of VGG16 are too large to keep those of the truth from method to method. */
async function lpipsOf(
  { trunk, weights }: NonNullable<Judges['lpips']>,
  image: RgbImage,
  truth: RgbImage,
  where: FeatureRegion,
): Promise<number> {
  return featureDistance(await trunk.features(image), await trunk.features(truth), weights, where);
}

/** A picture without a face resembles nobody. */
function similarity(description: Float32Array | null, known: Float32Array): number {
  return description === null ? 0 : descriptorSimilarity(description, known);
}

/** Faces by the tracker: of a sequence as a clip, else one by one; always with the reference's focal length. */
async function findFaces(
  { tracker }: Judges,
  { reference, isSequence }: EvaluationCase,
  images: readonly RgbImage[],
): Promise<FoundFaces> {
  const focalPx = reference.camera.focalXPx;
  if (!isSequence || images.length === 1) {
    const faces = [];
    for (const image of images) faces.push(await orNull(tracker.trackImage(image, { focalPx })));
    return faces;
  }
  const frames = async function* () {
    for (const [t, image] of images.entries()) yield { image, timestampSeconds: t / 25 };
  };
  const clip = await orNull(tracker.trackClip(frames(), { focalPx }));
  const landmarks = 2 * 478;
  return images.map((_, t) => {
    if (clip === null || clip.track.confidence[t] === 0) return null;
    const { track } = clip;
    return {
      parameters: parametersAt(track, t),
      landmarksPx: track.landmarksPx.subarray(landmarks * t, landmarks * (t + 1)),
    };
  });
}

async function orNull<T>(found: Promise<T>): Promise<T | null> {
  try {
    return await found;
  } catch (error) {
    if (error instanceof AvatarError && error.code === 'no-face') return null;
    throw error;
  }
}

function turnBetween(a: HeadParameters, b: HeadParameters): number {
  const rotation = ({ jointRotations }: HeadParameters) =>
    rotationFromAxisAngle(jointRotations.subarray(0, 3));
  return (rotationAngle(rotation(a), rotation(b)) * 180) / Math.PI;
}

function black({ width, height }: RgbImage): RgbImage {
  return { width, height, data: new Uint8Array(3 * width * height) };
}

/** The reference copied may be the truth itself: no pixel differs, and the ratio has no bound. */
const MOST_DECIBELS = 100;

function finite<T extends { readonly psnr: number }>(metrics: T): T {
  return { ...metrics, psnr: Math.min(MOST_DECIBELS, metrics.psnr) };
}

function withoutNaN(scores: Scores): Scores {
  return Object.fromEntries(Object.entries(scores).filter(([, value]) => !Number.isNaN(value)));
}
