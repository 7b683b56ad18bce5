// The judges of an evaluation, from the package's networks and those that a user names.

import { toFloats } from '../checkpoints/index.ts';
import { BadInputError } from '../errors/index.ts';
import {
  type FeatureTrunk,
  type Judges,
  openFaceRecogniser,
  openFaceTrunk,
  openOnnxTrunk,
  openVggTrunk,
  vggParameters,
} from '../evaluation/index.ts';
import { createHeadPoser, type HeadModel } from '../head/index.ts';
import { type Device, decodeSafetensors, type Tensor, tensor } from '../tensor/index.ts';
import type { Tracker } from '../tracking/index.ts';
import { loadFaceDescriptor } from './load-tracker.ts';
import { loadFaceTrunk, readBytes, readModel } from './model-files.ts';
import { openWeightsFiles } from './weights-files.ts';

/** Networks of the user's. */
export type JudgeFiles = {
  /** A recogniser in ArcFace's form, ONNX; else the package's face descriptor. */
  readonly faceNetwork?: string | undefined;
  /** VGG16 for LPIPS: torchvision's weights, or an ONNX of five activations. */
  readonly lpipsTrunk?: string | undefined;
};

/** Judges that own their networks, but not the tracker: hold them with `await using`. */
export type OpenJudges = Judges & AsyncDisposable;

/** Opens the judges. @throws MissingResourceError, BadInputError for files that are not what they should be. */
export async function loadJudges(
  device: Device,
  head: HeadModel,
  tracker: Tracker,
  { faceNetwork, lpipsTrunk }: JudgeFiles,
): Promise<OpenJudges> {
  const lpips = lpipsTrunk === undefined ? null : await loadLpips(device, lpipsTrunk);
  const descriptor =
    faceNetwork === undefined
      ? await loadFaceDescriptor(device)
      : await openFaceRecogniser(device, await readBytes(faceNetwork, 'a face network'), faceNetwork);
  const faceTrunk = await openFaceTrunk(device, await loadFaceTrunk());
  return {
    ...{ head, tracker, descriptor, faceTrunk, lpips },
    poser: createHeadPoser(head),
    async [Symbol.asyncDispose]() {
      await lpips?.trunk[Symbol.asyncDispose]();
      await descriptor[Symbol.asyncDispose]();
      await faceTrunk[Symbol.asyncDispose]();
    },
  };
}

/** The user's trunk with LPIPS' own linear weights. */
async function loadLpips(device: Device, path: string): Promise<Judges['lpips']> {
  const { tensors } = decodeSafetensors(await readModel('perception', 'lpips-vgg.safetensors'));
  const weights = Object.keys(tensors)
    .sort()
    .map((name) => tensors[name]!.data as Float32Array);
  return { trunk: await loadTrunk(device, path), weights };
}

async function loadTrunk(device: Device, path: string): Promise<FeatureTrunk> {
  if (path.toLowerCase().endsWith('.onnx')) {
    return openOnnxTrunk(device, await readBytes(path, "LPIPS' trunk"), path);
  }
  await using opened = await openWeightsFiles(path);
  const stored = new Map(opened.files.flatMap(({ tensors }) => [...tensors]));
  const found: Record<string, Tensor> = {};
  for (const { name, shape } of vggParameters()) {
    const own = stored.get(name);
    if (own === undefined || own.shape.join() !== shape.join()) {
      const what = own === undefined ? `has no ${name}` : `has ${name} as [${own.shape.join(', ')}]`;
      throw new BadInputError({
        code: 'lpips-trunk',
        message: `Expected VGG16's weights under torchvision's names, ${name} as [${shape.join(', ')}], but ${path} ${what}.`,
        hint: 'Give the vgg16 file that torchvision publishes, or its state dict as safetensors.',
      });
    }
    found[name] = tensor(toFloats(await own.read(), own.type), shape);
  }
  return openVggTrunk(device, found);
}
