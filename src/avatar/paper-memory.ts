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
import { type MemoryPlan, type OnnxModel, planMemory } from '../tensor/index.ts';
import { tileSide } from './paper-networks.ts';

/** The program, its head and its tracker. */
const PROGRAM_BYTES = 500e6;
/** While a network is opened its weights are held as they are read and as the kernels want them; measured. */
const OPENING_FACTOR = 1.55;
/** Once it is open: the C library keeps some of the pieces that were freed; measured. */
const OPENED_FACTOR = 1.25;

/** Bytes at the worst moment: opening the largest network, a step of the denoiser, or decoding beside it. */
export function paperMemoryBytes(
  config: PaperModelConfig,
  { windowFrames, guidanceScale }: { readonly windowFrames: number; readonly guidanceScale: number },
): number {
  const names = declareParameters(config).values;
  const form = { usesWinograd: true };
  const pixels = { width: tileSide(config), height: tileSide(config), ...form };
  const hidesReference = guidanceScale !== 1;
  const planOf = (model: OnnxModel): MemoryPlan =>
    planMemory(model, (name) => names.has(name), { reuses: false, folds: true });
  const denoiser = planOf(denoiserModel(config, { frames: windowFrames, hidesReference, ...form }));
  const decoder = planOf(decoderModel(config, pixels));
  const others = [
    referenceModel(config, form),
    guidanceModel(config, form),
    encoderModel(config, pixels),
  ].map(planOf);
  const all = [denoiser, decoder, ...others];
  const peaks = [
    ...all.map(({ weightBytes }) => OPENING_FACTOR * weightBytes),
    ...all.map(heldBytes),
    // What the denoiser's values took stays while its frames are decoded.
    heldBytes(denoiser) + heldBytes(decoder),
  ];
  return PROGRAM_BYTES + Math.max(...peaks);
}

function heldBytes({ weightBytes, boundaryBytes, arenaBytes }: MemoryPlan): number {
  return OPENED_FACTOR * weightBytes + boundaryBytes + arenaBytes;
}
