// A residual network that reads expression, jaw, gaze and turn from the face's picture, where landmarks hardly
// tell them: creases, teeth, the form of brows and lips. Learned from rendered people by
// tools/train-tracking-prior; the learned prior weighs what it reads against the landmarks.

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
  type Device,
  emitModel,
  encodeOnnxModel,
  input,
  reshape,
  silu,
  type Value,
} from '../tensor/index.ts';
import { FACE_PATCH_SIZE, facePatch } from './face-patch.ts';

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

/** Patches `B 1 H W` (as of `normalisePatch`) to values `B targets`. */
export function expressionNetwork(scope: Scope, patches: Value, targets: number): Value {
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
  const features = silu(linearLayer(scope.at('features'), flat, { features: FEATURES }));
  return linearLayer(scope.at('out'), features, { features: targets });
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

/** Reads faces. Owns a session: dispose of it, or hold it with `await using`. */
export type ExpressionReader = {
  /** One value per target of the network, in its order, of the face at `landmarksPx` (`478 2`). */
  read(image: RgbImage, landmarksPx: Float32Array): Promise<Float32Array>;
  [Symbol.asyncDispose](): Promise<void>;
};

/** Reads patches as `facePatch` cuts them. */
export type PatchReader = {
  read(patch: Uint8Array): Promise<Float32Array>;
  [Symbol.asyncDispose](): Promise<void>;
};

/** Prepares a trained network; `weights` name the parameters of `expressionNetwork`. */
export async function createExpressionReader(device: Device, weights: Weights): Promise<ExpressionReader> {
  const reader = await createPatchReader(device, weights);
  return {
    read: (image, landmarksPx) => reader.read(facePatch(image, landmarksPx)),
    [Symbol.asyncDispose]: () => reader[Symbol.asyncDispose](),
  };
}

/** The same for patches. */
export async function createPatchReader(device: Device, weights: Weights): Promise<PatchReader> {
  const targets = weights['out.bias']!.shape[0]!;
  const shape = [1, 1, FACE_PATCH_SIZE, FACE_PATCH_SIZE];
  const values = expressionNetwork(createParameterSet().scope, input('patches', shape), targets);
  const model = emitModel({ name: 'expression-network', weights, outputs: { values } });
  const session = await device.createSession(encodeOnnxModel(model));
  return {
    async read(patch) {
      const data = new Float32Array(FACE_PATCH_SIZE ** 2);
      normalisePatch(patch, data);
      const out = await session.run({ patches: { dtype: 'float32', shape, data } });
      return Float32Array.from(out.values!.data as Float32Array);
    },
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  };
}
