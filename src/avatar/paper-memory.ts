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
  const needOf = (held: 'activationBytes' | 'arenaBytes', models: readonly OnnxModel[]): number[] =>
    models.map((model) => {
      const plan = planMemory(model, (name) => names.has(name), { reuses: false, folds: true });
      const { weightBytes, boundaryBytes } = plan;
      return Math.max(OPENING_FACTOR * weightBytes, weightBytes + boundaryBytes + plan[held]);
    });
  const peaks = [
    ...needOf('activationBytes', [denoiser, referenceModel(config), guidanceModel(config)]),
    ...needOf('arenaBytes', [encoderModel(config, pixels), decoderModel(config, pixels)]),
  ];
  return PROGRAM_BYTES + Math.max(...peaks);
}
