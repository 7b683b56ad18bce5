// Parts of a model for other programs: under diffusers' names, or as ONNX models with their weights beside them.

import { BadInputError } from '../errors/index.ts';
import type { ParameterSet } from '../nn/index.ts';
import { createParameterSet } from '../nn/index.ts';
import type { PaperModelConfig } from '../stable-diffusion/index.ts';
import {
  decodeLatent,
  encodePicture,
  guidanceEncoder,
  latentFactor,
  MOTION_NAME,
  paperModelSchema,
  unet,
} from '../stable-diffusion/index.ts';
import type { EmissionOptions, ExternalWeights, OnnxModel, Value } from '../tensor/index.ts';
import { emitModel, input } from '../tensor/index.ts';
import { WEIGHTS_FORMAT } from './layout.ts';
import { byteLengthOf, type WeightType } from './stored-type.ts';
import type { StoredTensor, TensorFile } from './tensor-file.ts';
import type { TensorToWrite } from './weights-writer.ts';

/** What can be exported as safetensors. */
export const TENSOR_PARTS = ['unet', 'reference_unet', 'motion', 'vae', 'guidance'] as const;
/** What can be exported as ONNX. */
export const ONNX_PARTS = ['unet', 'vae-encoder', 'vae-decoder', 'guidance'] as const;

/** The sizes that a file of this project carries. @throws BadInputError for other files. */
export function configOf(file: TensorFile): PaperModelConfig {
  const { format, config } = file.metadata;
  const parsed = paperModelSchema.safeParse(parseOrNull(config));
  if (format === WEIGHTS_FORMAT && parsed.success) return parsed.data;
  throw new BadInputError({
    code: 'foreign-weights',
    message: `expected ${file.name} to be weights that this program has imported, got another file`,
    hint: 'make one with weights import',
  });
}

/** A part's tensors under diffusers' names. @throws BadInputError where the file has none of them. */
export function partTensors(
  file: TensorFile,
  part: (typeof TENSOR_PARTS)[number],
  precision: WeightType | 'keep',
): TensorToWrite[] {
  const prefix = `${part === 'motion' ? 'unet' : part}.`;
  const isMotion = (name: string): boolean => name.includes(`.${MOTION_NAME}.`);
  const chosen = [...file.tensors.values()].filter(
    ({ name }) => name.startsWith(prefix) && isMotion(name) === (part === 'motion'),
  );
  if (chosen.length === 0) throw noSuchPart(file, part);
  return chosen.map((tensor) => ({
    ...tensor,
    name: tensor.name.slice(prefix.length),
    writtenType: precision === 'keep' ? (tensor.type as WeightType) : precision,
  }));
}

/** An ONNX model and the fp32 tensors of the file beside it, in order. */
export type OnnxExport = {
  readonly model: OnnxModel;
  readonly external: ExternalWeights;
  readonly tensors: readonly StoredTensor[];
};

/** Options of `onnxExport`. */
export type OnnxExportOptions = Pick<
  EmissionOptions,
  'usesFusedForms' | 'usesWinograd' | 'convolutionBlock'
> & {
  /** The name of the file beside the model. */
  readonly location: string;
  /** Side of the pictures; the default is the configuration's. */
  readonly sizePx?: number;
  /** Frames of a clip: a U-Net with its motion modules. Without it, one picture. */
  readonly frames?: number;
  /** Tokens of cross-attention; the default is one, the label. */
  readonly tokens?: number;
};

/**
 * A part as an ONNX model. Inputs and outputs: `unet` `latent`, `timesteps`, `context` (and `guidance`) to `out`;
 * `vae-encoder` `picture` to `mean` and `logVariance`; `vae-decoder` `latent` to `picture`; `guidance` `control` to
 * `guidance`.
 * @throws BadInputError where the file lacks a parameter.
 */
export function onnxExport(
  file: TensorFile,
  part: (typeof ONNX_PARTS)[number],
  { location, sizePx, frames, tokens = 1, ...form }: OnnxExportOptions,
): OnnxExport {
  const config = configOf(file);
  const set = createParameterSet();
  const outputs = networkOf(set, config, part, { sizePx: sizePx ?? config.size, frames, tokens });
  const model = emitModel({ name: part, outputs, ...form });
  const places = new Map<string, { offset: number; length: number }>();
  const tensors: StoredTensor[] = [];
  let offset = 0;
  for (const { name, shape } of model.inputs) {
    if (!set.values.has(name)) continue;
    const tensor = file.tensors.get(name);
    if (tensor === undefined || tensor.shape.join() !== shape.join()) throw noSuchPart(file, name);
    const length = byteLengthOf({ type: 'float32', shape: tensor.shape });
    places.set(name, { offset, length });
    tensors.push(tensor);
    offset += length;
  }
  return { model, external: { location, places }, tensors };
}

function networkOf(
  { scope }: ParameterSet,
  { autoencoder, unet: sizes, guidance }: PaperModelConfig,
  part: (typeof ONNX_PARTS)[number],
  { sizePx, frames, tokens }: { sizePx: number; frames: number | undefined; tokens: number },
): Record<string, Value> {
  const side = sizePx / latentFactor(autoencoder);
  const count = frames ?? 1;
  const latent = input('latent', [count, autoencoder.latentChannels, side, side]);
  switch (part) {
    case 'unet': {
      const inputs = {
        latent,
        timesteps: input('timesteps', [count], 'int64'),
        context: input('context', [count, tokens, sizes.contextWidth]),
        guidance: input('guidance', [count, sizes.widths[0]!, side, side]),
        ...(frames === undefined ? {} : { frames }),
      };
      return { out: unet(scope.at('unet'), inputs, sizes) };
    }
    case 'vae-encoder':
      return { ...encodePicture(scope.at('vae'), input('picture', [1, 3, sizePx, sizePx]), autoencoder) };
    case 'vae-decoder':
      return { picture: decodeLatent(scope.at('vae'), latent, autoencoder) };
    case 'guidance': {
      const control = input('control', [count, guidance.channels, sizePx, sizePx]);
      return { guidance: guidanceEncoder(scope.at('guidance'), control, sizes.widths[0]!, guidance) };
    }
  }
}

function noSuchPart(file: TensorFile, part: string): BadInputError {
  return new BadInputError({
    code: 'no-such-part',
    message: `expected ${file.name} to hold "${part}" in the configuration's shape, got none`,
    hint: 'see weights inspect for the parts of the file',
  });
}

function parseOrNull(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return null;
  }
}
