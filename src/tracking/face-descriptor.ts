// A face as a vector that stays the same over pose, expression and light: how two pictures are judged to
// show the same person. The network (faceres) was trained on VGGFace2 with age and gender.
// Source: Savchenko, "Efficient facial representations for age, gender and identity recognition", 2019.

import type { RgbImage } from '../media/index.ts';
import { warpAffine } from '../media/index.ts';
import type { Device } from '../tensor/index.ts';
import { type FaceRegion, regionFromLandmarks, regionMap } from './face-region.ts';

/** Describes faces. Owns a session: dispose of it, or hold it with `await using`. */
export type FaceDescriptor = {
  /** The description of the face at `landmarksPx` (`478 2`): 1,024 values, unit length. */
  describe(image: RgbImage, landmarksPx: Float32Array): Promise<Float32Array>;
  [Symbol.asyncDispose](): Promise<void>;
};

const INPUT_SIZE = 224;
/** The landmark network's region, cropped closer: brows to chin fill the picture, as in training. */
const REGION_SCALE = 0.8;
/** What the network expects: blue, green, red, each less the mean of its training pictures. */
const BGR_MEANS = [103.939, 116.779, 123.68] as const;

/** Loads the network; `model` is `models/perception/face-descriptor.onnx`. */
export async function createFaceDescriptor(device: Device, model: Uint8Array): Promise<FaceDescriptor> {
  const session = await device.createSession(model);
  return {
    async describe(image, landmarksPx) {
      const region = regionFromLandmarks(landmarksPx);
      const closer: FaceRegion = { ...region, sizePx: REGION_SCALE * region.sizePx };
      const { descriptor } = await session.run({
        image: {
          dtype: 'float32',
          shape: [1, 3, INPUT_SIZE, INPUT_SIZE],
          data: descriptorInput(image, closer),
        },
      });
      const values = Float32Array.from(descriptor!.data as Float32Array);
      const length = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
      return values.map((value) => value / length);
    },
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  };
}

/** Cosine of two descriptions of unit length: 1 for the same picture. */
export function descriptorSimilarity(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}

function descriptorInput(image: RgbImage, region: FaceRegion): Float32Array {
  const size = { width: INPUT_SIZE, height: INPUT_SIZE };
  const rgb = warpAffine(image, {
    sourceFromTarget: regionMap(region, INPUT_SIZE),
    ...size,
    range: [0, 255],
  });
  const plane = INPUT_SIZE * INPUT_SIZE;
  const bgr = new Float32Array(3 * plane);
  for (const [channel, mean] of BGR_MEANS.entries()) {
    const source = rgb.data.subarray((2 - channel) * plane, (3 - channel) * plane);
    for (let i = 0; i < plane; i++) bgr[channel * plane + i] = source[i]! - mean;
  }
  return bgr;
}
