// What a model of the paper's scale needs of a processor's memory, known before anything is opened.

import type { PaperModelConfig } from '../stable-diffusion/index.ts';
import {
  declareParameters,
  decoderModel,
  denoiserModel,
  encoderModel,
  guidanceModel,
  referenceModel,
} from '../stable-diffusion/index.ts';
import { type OnnxModel, planMemory } from '../tensor/index.ts';
import { tileSide } from './paper-networks.ts';

/** The program, its head and its tracker. */
const PROGRAM_BYTES = 500e6;
/** While a network is opened its weights are held as they are read and as the kernels want them; measured. */
const OPENING_FACTOR = 1.55;

/** Bytes at the worst moment: opening the largest network, or a step of the denoiser. */
export function paperMemoryBytes(
  config: PaperModelConfig,
  { windowFrames, guidanceScale }: { readonly windowFrames: number; readonly guidanceScale: number },
): number {
  const names = declareParameters(config).values;
  const pixels = { width: tileSide(config), height: tileSide(config) };
  const denoiser = denoiserModel(config, { frames: windowFrames, hidesReference: guidanceScale !== 1 });
  const plans = [
    denoiser,
    encoderModel(config, pixels),
    referenceModel(config),
    guidanceModel(config),
    decoderModel(config, pixels),
  ].map((model: OnnxModel) => planMemory(model, (name) => names.has(name), { reuses: false }));
  const peaks = plans.map(({ weightBytes, boundaryBytes, activationBytes }) =>
    Math.max(OPENING_FACTOR * weightBytes, weightBytes + boundaryBytes + activationBytes),
  );
  return PROGRAM_BYTES + Math.max(...peaks);
}
