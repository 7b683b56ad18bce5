// Observed samples as what the prior is fitted to: what was seen of every face and the truth beside it.

import { readFile } from 'node:fs/promises';
import { rotationFromAxisAngle } from '../../src/geometry/index.ts';
import type { HeadModel } from '../../src/head/index.ts';
import { decodeSafetensors } from '../../src/tensor/index.ts';
import { apparentTurn, faceRay } from '../../src/tracking/apparent-turn.ts';
import { createFaceFeatures, type FaceFeatures } from '../../src/tracking/face-features.ts';
import type { FrameState } from '../../src/tracking/head-state.ts';
import { createLandmarkModel, type LandmarkModel } from '../../src/tracking/landmark-model.ts';
import type { ImageCentre } from '../../src/tracking/landmark-projection.ts';
import { IDENTITY_TARGETS } from '../../src/tracking/learned-prior.ts';

/** One picture. */
export type Sample = {
  readonly subject: number;
  /** `478 2`, of a square picture of this side. */
  readonly landmarksPx: Float32Array;
  readonly sizePx: number;
  readonly focalPx: number;
  /** As of `eyePatches`. */
  readonly eyes: Uint8Array;
  /** As of `facePatch`. */
  readonly patch: Uint8Array;
  readonly expression: Float32Array;
  readonly jointRotations: Float32Array;
  readonly translation: Float32Array;
  /** `I`. */
  readonly identity: Float32Array;
};

/** Every eighth subject judges and is not learned from. */
const FOLDS = 8;

/** Whether a sample is kept to judge by. */
export function isHeldOut({ subject }: Sample): boolean {
  return subject % FOLDS === 0;
}

/** Jaw pitch, yaw and pitch of the gaze, as in `HINGE_TARGETS`; radians. @param j `J 3` */
export function hingesOf(j: Float32Array): [jawPitch: number, gazeYaw: number, gazePitch: number] {
  return [j[6]!, (j[10]! + j[13]!) / 2, (j[9]! + j[12]!) / 2];
}

/** What the expression network should read, in the order of `targetNames`. */
export function readTargets({
  expression,
  jointRotations: j,
  landmarksPx,
  sizePx,
  focalPx,
  identity,
}: Sample): Float32Array {
  const ray = faceRay(landmarksPx, centreOf(sizePx), focalPx);
  const { yaw, pitch } = apparentTurn(rotationFromAxisAngle(j.subarray(0, 3)), ray);
  return Float32Array.of(
    ...expression,
    ...hingesOf(j),
    yaw,
    pitch,
    ...identity.subarray(0, IDENTITY_TARGETS),
  );
}

/** The landmarks as the head's own surface has them, without a network's answer. */
export function surfaceOf(head: HeadModel): LandmarkModel {
  return createLandmarkModel(head, head.landmarks!, head.landmarkWeights!);
}

/** A picture as the prior sees it. */
export type DescribedSample = Sample & { readonly features: FaceFeatures };

/** Describes every face beside the mean head. */
export function describeSamples(model: LandmarkModel, samples: readonly Sample[]): DescribedSample[] {
  const maker = createFaceFeatures(model);
  return samples.map((sample) => {
    const { landmarksPx, sizePx } = sample;
    return { ...sample, features: maker.describe(landmarksPx, centreOf(sizePx)) };
  });
}

/** The true head and camera, as the fit has them. */
export function stateOf(sample: Sample): {
  readonly frame: FrameState;
  readonly identity: Float64Array;
  readonly focalPx: number;
  readonly centre: ImageCentre;
} {
  const { jointRotations: j, sizePx, focalPx } = sample;
  const frame = {
    rotation: rotationFromAxisAngle(j.subarray(0, 3)),
    translation: Float64Array.from(sample.translation),
    // Yaw and pitch of jaw, left and right eye.
    hinges: Float64Array.of(j[7]!, j[6]!, j[10]!, j[9]!, j[13]!, j[12]!),
    expression: Float64Array.from(sample.expression),
  };
  const centre = centreOf(sizePx);
  return { frame, identity: Float64Array.from(sample.identity), focalPx, centre };
}

/** Reads what `observe` wrote. */
export async function readSamples(files: readonly string[]): Promise<Sample[]> {
  const samples: Sample[] = [];
  let firstSubject = 0;
  for (const file of files) {
    const { tensors } = decodeSafetensors(new Uint8Array(await readFile(file)), file);
    const count = tensors.subject!.shape[0]!;
    const rowOf = <A extends Float32Array | Uint8Array>(data: A, i: number): A => {
      const width = data.length / count;
      return data.slice(i * width, (i + 1) * width) as A;
    };
    const row = (name: string, i: number): Float32Array => rowOf(tensors[name]!.data as Float32Array, i);
    const bytes = (name: string, i: number): Uint8Array => rowOf(tensors[name]!.data as Uint8Array, i);
    for (let i = 0; i < count; i++) {
      const [sizePx, focalPx] = row('camera', i) as unknown as [number, number];
      const landmarksPx = row('landmarks', i);
      samples.push({
        subject: firstSubject + row('subject', i)[0]!,
        landmarksPx,
        sizePx,
        focalPx,
        eyes: bytes('eyes', i),
        patch: bytes('patch', i),
        expression: row('expression', i),
        jointRotations: row('jointRotations', i),
        translation: row('translation', i),
        identity: row('identity', i),
      });
    }
    firstSubject = samples.at(-1)!.subject + 1;
  }
  return samples;
}

function centreOf(sizePx: number): ImageCentre {
  return { xPx: sizePx / 2, yPx: sizePx / 2 };
}
