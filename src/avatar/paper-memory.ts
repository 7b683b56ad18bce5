// What a model of the paper's scale needs of a processor's memory, known before anything is opened.

import type { PaperModelConfig } from '../stable-diffusion/index.ts';
import {
  decoderModel,
  denoiserModel,
  encoderModel,
  guidanceModel,
  referenceModel,
} from '../stable-diffusion/index.ts';
import { type ExternalWeights, type OnnxModel, planMemory, withStoredWeights } from '../tensor/index.ts';
import { tileSide } from './paper-networks.ts';

/** The program, its head and its tracker. */
const PROGRAM_BYTES = 500e6;
/** What a run holds by what its values' arena is planned to: kernels pack operands, too; measured, 1.05 to 1.35. */
const RUN_FACTOR = 1.3;
/** The wider of the blocks that processors have; what is planned is the same with the other. */
const CONVOLUTION_BLOCK = 16;

/** Bytes at the worst moment: a pass of the largest network, or decoding beside the denoiser. */
export function paperMemoryBytes(
  { config, weights }: { readonly config: PaperModelConfig; readonly weights: ExternalWeights },
  { windowFrames, guidanceScale }: { readonly windowFrames: number; readonly guidanceScale: number },
): number {
  const form = { convolutionBlock: CONVOLUTION_BLOCK };
  const pixels = { width: tileSide(config), height: tileSide(config), ...form };
  const heldBytes = (emitted: OnnxModel): number => {
    const { model, places } = withStoredWeights(emitted, weights.places);
    const plan = planMemory(model, (name) => places.has(name), { reuses: false });
    return plan.weightBytes + plan.boundaryBytes + RUN_FACTOR * plan.arenaBytes;
  };
  const hidesReference = guidanceScale !== 1;
  const denoiser = heldBytes(denoiserModel(config, { frames: windowFrames, hidesReference, ...form }));
  const others = [
    referenceModel(config, form),
    guidanceModel(config, form),
    encoderModel(config, pixels),
  ].map(heldBytes);
  // What the denoiser's values took stays while its frames are decoded.
  return PROGRAM_BYTES + Math.max(denoiser + heldBytes(decoderModel(config, pixels)), ...others);
}
