// Which pixels of a picture show a person: MediaPipe's selfie segmentation over the whole picture.

import type { AffineMap, RgbImage } from '../media/index.ts';
import { warpAffine } from '../media/index.ts';
import type { Device, Tensor } from '../tensor/index.ts';

/** Finds people's pixels. Owns a session: dispose of it, or hold it with `await using`. */
export type PersonSegmenter = {
  /** Probability of a person, `H W` at the picture's own size, 0 to 1. */
  segment(image: RgbImage): Promise<Tensor<'H W'>>;
  /** The same as a mask: `H W`, 0 to 255. */
  mask(image: RgbImage): Promise<Uint8Array>;
  [Symbol.asyncDispose](): Promise<void>;
};

const INPUT_SIZE = 256;

/** Loads the network; `model` is `models/perception/person-mask.onnx`. */
export async function createPersonSegmenter(device: Device, model: Uint8Array): Promise<PersonSegmenter> {
  const session = await device.createSession(model);
  const segment: PersonSegmenter['segment'] = async (image) => {
    // The network was trained on pictures squeezed to a square, so no letterbox.
    const [scaleX, scaleY] = [image.width / INPUT_SIZE, image.height / INPUT_SIZE];
    const sourceFromTarget: AffineMap = [scaleX, 0, 0, 0, scaleY, 0];
    const size = { width: INPUT_SIZE, height: INPUT_SIZE };
    const planar = warpAffine(image, { sourceFromTarget, ...size, range: [0, 1] });
    const { mask } = await session.run({ image: { ...planar, shape: [1, ...planar.shape] } });
    return enlarge(mask!.data as Float32Array, image.width, image.height);
  };
  return {
    segment,
    async mask(image) {
      const { data } = await segment(image);
      return Uint8Array.from(data, (share) => Math.round(255 * Math.min(1, Math.max(0, share))));
    },
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  };
}

/** Bilinear, from the network's square to the picture's size. */
function enlarge(mask: Float32Array, width: number, height: number): Tensor<'H W'> {
  const data = new Float32Array(width * height);
  const last = INPUT_SIZE - 1;
  for (let y = 0; y < height; y++) {
    const v = Math.min(last, Math.max(0, ((y + 0.5) * INPUT_SIZE) / height - 0.5));
    const v0 = Math.floor(v);
    const v1 = Math.min(last, v0 + 1);
    for (let x = 0; x < width; x++) {
      const u = Math.min(last, Math.max(0, ((x + 0.5) * INPUT_SIZE) / width - 0.5));
      const u0 = Math.floor(u);
      const u1 = Math.min(last, u0 + 1);
      const upper = mask[v0 * INPUT_SIZE + u0]! * (1 - (u - u0)) + mask[v0 * INPUT_SIZE + u1]! * (u - u0);
      const lower = mask[v1 * INPUT_SIZE + u0]! * (1 - (u - u0)) + mask[v1 * INPUT_SIZE + u1]! * (u - u0);
      data[y * width + x] = upper + (v - v0) * (lower - upper);
    }
  }
  return { dtype: 'float32', shape: [height, width], data };
}
