// VGG16's convolutions for LPIPS. The weights are the user's: the file that torchvision publishes, or an ONNX model
// that answers the five activations. Sources: Simonyan & Zisserman 2014 (the network); the lpips package 0.1.4
// (which activations, how pictures are scaled).

import { BadInputError } from '../errors/index.ts';
import { planarFromImage, type RgbImage } from '../media/index.ts';
import type { Device, OnnxModel, OnnxNode, Session, Tensor } from '../tensor/index.ts';
import { encodeOnnxModel } from '../tensor/index.ts';
import type { FeatureTrunk } from './feature-distance.ts';

/** Channels of each layer's convolutions; a halving of the size lies between layers. */
const LAYERS = [
  [64, 64],
  [128, 128],
  [256, 256, 256],
  [512, 512, 512],
  [512, 512, 512],
] as const;
/** What is taken from pictures in [-1, 1], red, green, blue, and what they are divided by then. */
const SHIFT = [-0.03, -0.088, -0.188] as const;
const SCALE = [0.458, 0.448, 0.45] as const;

/** A parameter that the trunk needs, under torchvision's name. */
export type VggParameter = { readonly name: string; readonly shape: readonly number[] };

/** The parameters of the trunk, in order. */
export function vggParameters(): VggParameter[] {
  let channels = 3;
  return convolutions().flatMap(({ index, width }) => {
    const shape = [width, channels, 3, 3];
    channels = width;
    return [
      { name: `features.${index}.weight`, shape },
      { name: `features.${index}.bias`, shape: [width] },
    ];
  });
}

/** Opens the trunk with weights by torchvision's names; pictures of any size from 16 x 16. */
export async function openVggTrunk(
  device: Device,
  weights: Readonly<Record<string, Tensor>>,
): Promise<FeatureTrunk> {
  return trunkOf(await device.createSession(encodeOnnxModel(vggModel(weights))));
}

/**
 * Opens a trunk from an ONNX model: a picture `1 3 H W`, scaled as LPIPS does, to five activations.
 * @throws BadInputError `lpips-trunk` if it has not one input and five outputs.
 */
export async function openOnnxTrunk(device: Device, model: Uint8Array, name: string): Promise<FeatureTrunk> {
  const session = await device.createSession(model);
  if (session.inputNames.length === 1 && session.outputNames.length === LAYERS.length)
    return trunkOf(session);
  await session[Symbol.asyncDispose]();
  throw new BadInputError({
    code: 'lpips-trunk',
    message: `Expected a model with one input and ${LAYERS.length} activations, but ${name} has ${session.inputNames.length} and ${session.outputNames.length}.`,
    hint: "Export VGG16 with the outputs relu1_2 to relu5_3, or give torchvision's weights as safetensors.",
  });
}

function trunkOf(session: Session): FeatureTrunk {
  return {
    async features(image: RgbImage) {
      const { data, shape } = planarFromImage(image);
      const plane = image.width * image.height;
      const scaled = data.map((value, i) => {
        const channel = Math.floor(i / plane);
        return (value - SHIFT[channel]!) / SCALE[channel]!;
      });
      const feed = { dtype: 'float32', shape: [1, ...shape], data: scaled } as const;
      const answer = await session.run({ [session.inputNames[0]!]: feed });
      return session.outputNames.map((name) => {
        const { data: values, shape: extents } = answer[name]!;
        return { dtype: 'float32', shape: extents.slice(1), data: values as Float32Array };
      });
    },
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  };
}

type Convolution = {
  readonly index: number;
  readonly layer: number;
  readonly isLast: boolean;
  readonly width: number;
};

/** With the places that torchvision counts: each convolution has a rectifier behind it, each layer a pooling. */
function convolutions(): Convolution[] {
  let index = 0;
  return LAYERS.flatMap((widths, layer) => {
    const found = widths.map((width, i) => ({
      index: index + 2 * i,
      layer,
      width,
      isLast: i === widths.length - 1,
    }));
    index += 2 * widths.length + 1;
    return found;
  });
}

function vggModel(weights: Readonly<Record<string, Tensor>>): OnnxModel {
  const nodes: OnnxNode[] = [];
  let value = 'picture';
  for (const { index, layer, isLast } of convolutions()) {
    const [convolved, rectified] = [`conv${index}`, isLast ? `features${layer}` : `relu${index}`];
    const inputs = [value, `features.${index}.weight`, `features.${index}.bias`];
    nodes.push({ op: 'Conv', inputs, outputs: [convolved], attributes: { pads: [1, 1, 1, 1] } });
    nodes.push({ op: 'Relu', inputs: [convolved], outputs: [rectified] });
    value = rectified;
    if (!isLast || layer === LAYERS.length - 1) continue;
    const window = { kernel_shape: [2, 2], strides: [2, 2] };
    nodes.push({ op: 'MaxPool', inputs: [value], outputs: [`pool${layer}`], attributes: window });
    value = `pool${layer}`;
  }
  const free = (name: string, channels: number) => ({
    name,
    dtype: 'float32' as const,
    shape: [1, channels, `height ${name}`, `width ${name}`],
  });
  return {
    name: 'vgg16',
    nodes,
    inputs: [free('picture', 3)],
    outputs: LAYERS.map((widths, layer) => free(`features${layer}`, widths.at(-1)!)),
    initialisers: Object.fromEntries(vggParameters().map(({ name }) => [name, weights[name]!])),
  };
}
