// The last part of a frame: its latent becomes a picture, beside the lifted one, whose detail it takes where both agree. It
// knows nothing of other frames, so it may be done wherever there is a thread.

import { decoderModel, latentShape, restoreLatents } from '../denoiser/index.ts';
import type { RgbImage } from '../media/index.ts';
import { imageFromPlanar } from '../media/index.ts';
import type { Device, Precision, Tensor } from '../tensor/index.ts';
import { encodeOnnxModel, gainsByWinograd, inPrecision, tensor } from '../tensor/index.ts';
import type { Avatar } from './avatar-file.ts';
import { exchangeLiftedDetail } from './detailed-picture.ts';
import type { FrameControls } from './frame-controls.ts';

/** What of a frame's controls its picture takes. */
export type DecodingControls = Pick<FrameControls, 'lifted' | 'visibility' | 'lift'>;

/** A frame that is denoised: its normalised latent, and the lifted picture. */
export type DenoisedFrame = { readonly latent: Float32Array; readonly controls: DecodingControls };

/** The pictures of frames, in order. */
export type FramePictures = (
  frames: AsyncIterable<DenoisedFrame>,
) => AsyncGenerator<RgbImage, void, undefined>;

/** A decoder on a device. Owns a session. */
export type FrameDecoder = AsyncDisposable & {
  /** `1 3 S S` in [-1, 1]. */
  decode(latent: Float32Array, controls: DecodingControls): Promise<Tensor<'B C H W'>>;
};

/** What of a model its decoder is. */
export type DecoderPart = Pick<Avatar, 'config' | 'weights' | 'statistics'>;

/** @throws MissingResourceError where the device does not compute in the precision that is asked for */
export async function openFrameDecoder(
  { config, weights, statistics }: DecoderPart,
  { device, precision = 'fp32' }: { readonly device: Device; readonly precision?: Precision | undefined },
): Promise<FrameDecoder> {
  const model = decoderModel(config, weights, { batch: 1, usesWinograd: gainsByWinograd(device) });
  const session = await device.createSession(encodeOnnxModel(inPrecision(model, precision, device)));
  const shape = latentShape(config, 1);
  const area = shape[2]! * shape[3]!;
  return {
    async decode(latent, { lifted, visibility }) {
      const restored = tensor(restoreLatents(latent, area, statistics), shape);
      const { picture } = await session.run({ latent: restored, lifted, visibility });
      return picture as Tensor<'B C H W'>;
    },
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  };
}

/** A decoded picture as it is shown. `takesDetail`: whether the model sees the lift, whose detail then goes into it. */
export function shownPicture(
  { data, shape }: Tensor<'B C H W'>,
  { lift }: DecodingControls,
  { takesDetail }: { readonly takesDetail: boolean },
): RgbImage {
  const decoded = imageFromPlanar(tensor(data, shape.slice(1)));
  return takesDetail ? exchangeLiftedDetail(decoded, lift) : decoded;
}
