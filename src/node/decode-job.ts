// One thread that decodes frames with a session of its own.

import { type DecoderPart, type DenoisedFrame, openFrameDecoder, shownPicture } from '../avatar/index.ts';
import type { RgbImage } from '../media/index.ts';
import { onOneThread } from '../tensor/index.ts';
import { type FrameFunction, jobs } from './frame-job.ts';
import { createDevice } from './onnx-device.ts';

/** The decoder of a model; plain data. */
export type DecodeStill = { readonly part: DecoderPart; readonly takesDetail: boolean };

export const decodeFrame: FrameFunction<DecodeStill, DenoisedFrame, RgbImage> = jobs(
  async ({ part, takesDetail }: DecodeStill) => {
    const decoder = await openFrameDecoder(part, { device: onOneThread(await createDevice('cpu')) });
    return async ({ latent, controls }: DenoisedFrame) =>
      shownPicture(await decoder.decode(latent, controls), controls, { takesDetail });
  },
);
