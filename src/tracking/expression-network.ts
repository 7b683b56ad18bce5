// A residual network that reads expression, jaw, gaze, turn and form from the face's picture, which shows creases, teeth and
// the form of brows and lips, and from its landmarks, whose places a small picture hardly tells. Learned from rendered
// people by tools/train-tracking-prior; the learned prior weighs what it reads against maps of the landmarks alone.

import type { RgbImage } from '../media/index.ts';
import {
  convLayer,
  createParameterSet,
  groupNormLayer,
  linearLayer,
  resnetBlock,
  type Scope,
  type Weights,
} from '../nn/index.ts';
import {
  add,
  type Device,
  emitModel,
  encodeOnnxModel,
  input,
  reshape,
  silu,
  type Value,
} from '../tensor/index.ts';
import { FACE_PATCH_SIZE, facePatch, patchPlaces } from './face-patch.ts';
import type { LandmarkModel } from './landmark-model.ts';
import { readingLength } from './learned-prior.ts';
import { createFaceMirror, type FaceMirror, mirroredPatch } from './mirrored-face.ts';

/** The first convolution; each stage halves the picture once more. */
const STEM = { channels: 48, stride: 4, kernel: 7 };
const STAGES = [
  { channels: 96, blocks: 1 },
  { channels: 128, blocks: 2 },
] as const;
const GROUPS = 8;
/** Before the places of the last stage come together. */
const CHANNELS_PER_PLACE = 48;
const FEATURES = 256;

/** Patches `B 1 H W` (as of `normalisePatch`) with landmarks `B 2L` (as of `createLandmarkPlaces`) to values `B targets`. */
export function expressionNetwork(scope: Scope, patches: Value, landmarks: Value, targets: number): Value {
  const activated = (name: string, value: Value): Value =>
    silu(groupNormLayer(scope.at(name), value, { groups: GROUPS }));
  let x = activated('stem_norm', convLayer(scope.at('stem'), patches, STEM));
  for (const [i, { channels, blocks }] of STAGES.entries()) {
    const stage = scope.at('stages').at(i);
    x = convLayer(stage.at('down'), x, { channels, stride: 2 });
    for (let b = 0; b < blocks; b++) {
      x = resnetBlock(stage.at('blocks').at(b), x, { channels, groups: GROUPS });
    }
  }
  x = activated('norm', x);
  x = silu(convLayer(scope.at('narrow'), x, { channels: CHANNELS_PER_PLACE, kernel: 1 }));
  const flat = reshape(x, [x.shape[0]!, -1]);
  const features = silu(
    add(
      linearLayer(scope.at('features'), flat, { features: FEATURES }),
      linearLayer(scope.at('places'), landmarks, { features: FEATURES }),
    ),
  );
  const joined = silu(linearLayer(scope.at('joined'), features, { features: FEATURES }));
  return linearLayer(scope.at('out'), joined, { features: targets });
}

/** Grey levels added to a patch's deviation. */
const LEAST_CONTRAST = 8;

/** A patch without its brightness and contrast, into `out` from `offset` on. */
export function normalisePatch(patch: ArrayLike<number>, out: Float32Array, offset = 0): void {
  const count = FACE_PATCH_SIZE ** 2;
  let [sum, squares] = [0, 0];
  for (let i = 0; i < count; i++) {
    sum += patch[i]!;
    squares += patch[i]! ** 2;
  }
  const mean = sum / count;
  const scale = 1 / (Math.sqrt(Math.max(0, squares / count - mean ** 2)) + LEAST_CONTRAST);
  for (let i = 0; i < count; i++) out[offset + i] = scale * (patch[i]! - mean);
}

/** Departures from the mean head's landmarks are blown up to about 1. */
const PLACE_FACTOR = 8;

/** Makes the network's other input: landmarks in the patch beside those of the mean head seen from the front, `2L`. */
export function createLandmarkPlaces(
  { template, pointCount }: LandmarkModel,
  mirror: FaceMirror,
): (landmarksPx: ArrayLike<number>) => Float32Array {
  const front = Float64Array.from({ length: 2 * pointCount }, (_, i) => {
    const value = template[3 * (i >> 1) + (i % 2)]!;
    return i % 2 === 0 ? value : -value;
  });
  const seen = patchPlaces(front);
  const rest = mirror.places(seen).map((mirrored, i) => (seen[i]! + mirrored) / 2);
  return (landmarksPx) => patchPlaces(landmarksPx).map((value, i) => PLACE_FACTOR * (value - rest[i]!));
}

/** Reads faces. Owns a session: dispose of it, or hold it with `await using`. */
export type ExpressionReader = {
  /** As of `readingInputs`, of the face at `landmarksPx` (`478 2`). */
  read(image: RgbImage, landmarksPx: Float32Array): Promise<Float32Array>;
  [Symbol.asyncDispose](): Promise<void>;
};

/** Reads patches as `facePatch` cuts them. */
export type PatchReader = {
  /** @param landmarksPx of the same face, `478 2` */
  read(patch: Uint8Array, landmarksPx: ArrayLike<number>): Promise<Float32Array>;
  [Symbol.asyncDispose](): Promise<void>;
};

/** Prepares a trained network; `model` is of its head's surface, `weights` name the parameters of `expressionNetwork`. */
export async function createExpressionReader(
  device: Device,
  model: LandmarkModel,
  weights: Weights,
): Promise<ExpressionReader> {
  const reader = await createPatchReader(device, model, weights);
  return {
    read: (image, landmarksPx) => reader.read(facePatch(image, landmarksPx), landmarksPx),
    [Symbol.asyncDispose]: () => reader[Symbol.asyncDispose](),
  };
}

/** The same for patches. Each is also read in a mirror: both readings err apart, so that their mean errs less. */
export async function createPatchReader(
  device: Device,
  model: LandmarkModel,
  weights: Weights,
): Promise<PatchReader> {
  const count = readingLength(model.head);
  const mirror = createFaceMirror(model);
  const places = createLandmarkPlaces(model, mirror);
  const shape = [2, 1, FACE_PATCH_SIZE, FACE_PATCH_SIZE];
  const width = 2 * model.pointCount;
  const values = expressionNetwork(
    createParameterSet().scope,
    input('patches', shape),
    input('landmarks', [2, width]),
    count,
  );
  const network = emitModel({ name: 'expression-network', weights, outputs: { values } });
  const session = await device.createSession(encodeOnnxModel(network));
  return {
    async read(patch, landmarksPx) {
      const data = new Float32Array(2 * FACE_PATCH_SIZE ** 2);
      normalisePatch(patch, data);
      normalisePatch(mirroredPatch(patch), data, FACE_PATCH_SIZE ** 2);
      const own = places(landmarksPx);
      const landmarks = new Float32Array(2 * width);
      landmarks.set(own);
      landmarks.set(mirror.places(own), width);
      const out = await session.run({
        patches: { dtype: 'float32', shape, data },
        landmarks: { dtype: 'float32', shape: [2, width], data: landmarks },
      });
      const both = out.values!.data as Float32Array;
      const mirrored = mirror.reading(both.subarray(count));
      return Float32Array.from(mirrored, (value, i) => (both[i]! + value) / 2);
    },
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  };
}
