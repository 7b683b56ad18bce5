// The first layers of the landmark network, which the package ships, as a perceptual distance.

import { type RgbImage, warpAffine } from '../media/index.ts';
import { createParameterSet, type Weights } from '../nn/index.ts';
import { type Device, emitModel, encodeOnnxModel, input } from '../tensor/index.ts';
import { faceTrunk } from '../tracking/index.ts';
import type { FeatureTrunk } from './feature-distance.ts';

const INPUT_SIZE = 192;

/** Opens the trunk with its `weights`. Pictures are brought to its square. */
export async function openFaceTrunk(device: Device, weights: Weights): Promise<FeatureTrunk> {
  const maps = faceTrunk(createParameterSet().scope, input('image', [1, 3, INPUT_SIZE, INPUT_SIZE]));
  const names = maps.map((_, i) => `map${i}`);
  const outputs = Object.fromEntries(maps.map((map, i) => [names[i]!, map]));
  const session = await device.createSession(
    encodeOnnxModel(emitModel({ name: 'face-trunk', weights, outputs })),
  );
  return {
    async features(image: RgbImage) {
      const planar = warpAffine(image, {
        sourceFromTarget: [image.width / INPUT_SIZE, 0, 0, 0, image.height / INPUT_SIZE, 0],
        width: INPUT_SIZE,
        height: INPUT_SIZE,
        range: [0, 1],
      });
      const answer = await session.run({ image: { ...planar, shape: [1, ...planar.shape] } });
      return names.map((name) => {
        const { data, shape } = answer[name]!;
        return { dtype: 'float32', shape: shape.slice(1), data: data as Float32Array };
      });
    },
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  };
}
