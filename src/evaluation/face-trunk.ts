// The first layers of the landmark network, which the package ships, as a perceptual distance. No training of the
// project's own learns from them, so that they may judge it; they see faces as that network was trained to.

import { type RgbImage, warpAffine } from '../media/index.ts';
import type { Device } from '../tensor/index.ts';
import type { FeatureTrunk } from './feature-distance.ts';

const INPUT_SIZE = 192;

/** Opens the trunk; `model` is `models/perception/face-features.onnx`. Pictures are brought to its square. */
export async function openFaceTrunk(device: Device, model: Uint8Array): Promise<FeatureTrunk> {
  const session = await device.createSession(model);
  return {
    async features(image: RgbImage) {
      const planar = warpAffine(image, {
        sourceFromTarget: [image.width / INPUT_SIZE, 0, 0, 0, image.height / INPUT_SIZE, 0],
        width: INPUT_SIZE,
        height: INPUT_SIZE,
        range: [0, 1],
      });
      const answer = await session.run({ image: { ...planar, shape: [1, ...planar.shape] } });
      return session.outputNames.map((name) => {
        const { data, shape } = answer[name]!;
        return { dtype: 'float32', shape: shape.slice(1), data: data as Float32Array };
      });
    },
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  };
}
