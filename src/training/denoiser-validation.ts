// How good the denoiser is on held-out samples: it samples as in use (few DDIM steps, reference keys and
// values computed once, the label of use), decodes with the lifted picture beside, and is compared with what
// costs nothing.

import type { LatentStatistics, ModelConfig } from '../denoiser/index.ts';
import {
  decoderModel,
  denoiserModel,
  guidanceModel,
  latentShape,
  referenceModel,
  restoreLatents,
} from '../denoiser/index.ts';
import type { NoiseSchedule } from '../diffusion/index.ts';
import { sample as sampleSignal } from '../diffusion/index.ts';
import type { Weights } from '../nn/index.ts';
import type { AnyTensor, Device, OnnxModel, Session, Tensor } from '../tensor/index.ts';
import { createRandom, deriveSeed, encodeOnnxModel, stacked, tensor } from '../tensor/index.ts';
import { unchanged } from './augmentation.ts';
import type { ControlSources } from './control-sources.ts';
import { controlPicture, drawControls, withFieldMap } from './control-sources.ts';
import { encode } from './denoiser-batch.ts';
import { INVENTED_BELOW } from './distill-batch.ts';
import type { GaussianLearner } from './gaussian-learner.ts';
import type { TrainingSample } from './sample-shard.ts';
import { LABEL_IN_USE, SAMPLE_LABELS } from './sample-shard.ts';
import type { Validation } from './stage.ts';
import { average, detailAmount, maskedPsnr, maskPicture, pictureSheet } from './validation-sheet.ts';

/** What validation runs with. */
export type DenoiserValidation = {
  readonly model: ModelConfig;
  readonly device: Device;
  readonly schedule: NoiseSchedule;
  readonly steps: number;
  readonly seed: number;
  readonly encoder: Session;
  readonly statistics: LatentStatistics;
  readonly gaussians: GaussianLearner | null;
  readonly sources: ControlSources;
  /** Equally long; where they have more than one frame, the temporal layers take part. */
  readonly clips: readonly (readonly TrainingSample[])[];
};

/** Pictures that are looked at where nothing else is asked for. */
export const VALIDATION_SAMPLES = 10;
const SHEET_ROWS = 8;
const PICTURES = ['copying', 'lift', 'liftDecoded', 'output', 'ceiling'] as const;
type Pictures = Readonly<Record<(typeof PICTURES)[number] | 'target', Float32Array>>;

/**
 * Columns of the sheet: reference, control (where it is more than the lift), lifted, visibility, lift decoded, output, target.
 * `sharpness` and `liftSharpness` tell how much detail the head's newly seen pixels have, as a share of the truth's; of clips,
 * `changeError` and `liftChangeError` how far what changes from frame to frame is from what should (mean square over the head).
 */
export async function validateDenoiser(weights: Weights, how: DenoiserValidation): Promise<Validation> {
  const { model } = how;
  await using networks = await openNetworks(weights, how);
  const figures: Record<string, number[]> = { latentError: [], liftLatentError: [] };
  const add = (name: string, value: number): void => {
    figures[name] ??= [];
    figures[name].push(value);
  };
  const details = { output: 0, lift: 0, truth: 0 };
  const rows: Float32Array[][] = [];
  for (const [i, clip] of how.clips.entries()) {
    const shown = await showClip(clip, i, how, networks);
    for (const [f, { pictures, visibility, control }] of shown.frames.entries()) {
      const { headMask } = clip[f]!;
      for (const name of PICTURES) add(name, maskedPsnr(pictures[name], pictures.target, headMask));
      const isNewlySeen = (pixel: number): boolean =>
        headMask[pixel]! > 127 && visibility[pixel]! < INVENTED_BELOW;
      details.output += detailAmount(pictures.output, model.size, isNewlySeen);
      details.lift += detailAmount(pictures.lift, model.size, isNewlySeen);
      details.truth += detailAmount(pictures.target, model.size, isNewlySeen);
      if (rows.length < SHEET_ROWS) {
        const { copying, lift, liftDecoded, output, target } = pictures;
        const drawn = control === null ? [] : [control];
        rows.push([copying, ...drawn, lift, maskPicture(visibility), liftDecoded, output, target]);
      }
      const before = shown.frames[f - 1]?.pictures;
      if (before === undefined) continue;
      add('changeError', changeError(pictures, before, 'output', headMask));
      add('liftChangeError', changeError(pictures, before, 'lift', headMask));
    }
    add('latentError', meanSquare(shown.sampled, shown.truth));
    add('liftLatentError', meanSquare(shown.liftedLatent, shown.truth));
  }
  const averages = Object.fromEntries(
    Object.entries(figures).map(([name, values]) => [name, average(values)]),
  );
  const sharpness = details.output / details.truth;
  return {
    figures: { ...averages, sharpness, liftSharpness: details.lift / details.truth },
    score: averages.output!,
    sheet: pictureSheet(rows, model.size),
  };
}

type Networks = Readonly<Record<'reference' | 'guidance' | 'denoiser' | 'decoder', Session>> &
  AsyncDisposable;

async function openNetworks(
  weights: Weights,
  { model, device, clips }: DenoiserValidation,
): Promise<Networks> {
  const frames = clips[0]!.length;
  const open = (onnx: OnnxModel): Promise<Session> => device.createSession(encodeOnnxModel(onnx));
  const clip = { batch: frames, seesReference: true, ...(frames === 1 ? {} : { frames }) };
  const sessions = {
    reference: await open(referenceModel(model, weights, { batch: 1 })),
    guidance: await open(guidanceModel(model, weights, { batch: frames })),
    denoiser: await open(denoiserModel(model, weights, clip)),
    decoder: await open(decoderModel(model, weights, { batch: 1 })),
  };
  return {
    ...sessions,
    async [Symbol.asyncDispose]() {
      for (const session of Object.values(sessions)) await session[Symbol.asyncDispose]();
    },
  };
}

/** What is made of a clip: its frames as pictures, and latents of all of them, one after the other. */
type ShownClip = Readonly<Record<'sampled' | 'truth' | 'liftedLatent', Float32Array>> & {
  readonly frames: readonly {
    readonly pictures: Pictures;
    readonly visibility: Float32Array;
    /** Null where the lift alone steers. */
    readonly control: Float32Array | null;
  }[];
};

async function showClip(
  clip: readonly TrainingSample[],
  index: number,
  how: DenoiserValidation,
  { reference, guidance, denoiser, decoder }: Networks,
): Promise<ShownClip> {
  const { model, schedule, statistics, gaussians, sources } = how;
  const { size } = model;
  const count = clip.length;
  const shape = latentShape(model, count);
  const each = shape.slice(1).reduce((a, b) => a * b);
  const planes = clip.map((one) => unchanged(one, size));
  const encoded = async (name: 'target' | 'lifted'): Promise<Float32Array> => {
    const latents: Float32Array[] = [];
    for (const one of planes) latents.push(await encode(how, one[name]));
    return stacked(latents);
  };
  const truth = await encoded('target');
  const liftedLatent = await encoded('lifted');
  const picture = (data: Float32Array, channels: number): Tensor => tensor(data, [1, channels, size, size]);
  const steered = clip.map((sample, f) => ({ sample, reference: planes[f]!.reference, posed: sample }));
  const drawn = {
    liftedLatent: tensor(liftedLatent, shape),
    visibility: tensor(stacked(planes.map(({ visibility }) => visibility)), [count, 1, size, size]),
    ...drawControls(sources, steered),
  };
  const controls = gaussians === null ? drawn : withFieldMap(drawn, gaussians, clip);
  const features = await guidance.run(only(controls, guidance));
  const tokens = await reference.run({
    reference: tensor(await encode(how, planes[0]!.reference), latentShape(model, 1)),
    labels: repeated(LABEL_NUMBER, 1),
  });
  const noise = createRandom(deriveSeed(how.seed, index)).fillNormal(new Float32Array(count * each));
  const predict = async (noisy: Float32Array, t: number): Promise<Float32Array> => {
    const steps = { timesteps: repeated(t, count), labels: repeated(LABEL_NUMBER, count) };
    const feeds = { noisy: tensor(noisy, shape), ...steps, ...features, ...tokens };
    const { velocity } = await denoiser.run(only(feeds, denoiser));
    return velocity!.data as Float32Array;
  };
  const sampled = await sampleSignal(predict, { schedule, steps: how.steps, noise });
  const frames: ShownClip['frames'][number][] = [];
  for (const [f, { target, reference: copying, lifted, storedLift, visibility }] of planes.entries()) {
    const decode = async (latents: Float32Array): Promise<Float32Array> => {
      const own = latents.subarray(f * each, (f + 1) * each);
      const decoded = await decoder.run({
        latent: tensor(restoreLatents(own, shape[2]! * shape[3]!, statistics), latentShape(model, 1)),
        lifted: picture(lifted, 3),
        visibility: picture(visibility, 1),
      });
      return decoded.picture!.data as Float32Array;
    };
    const decoded = {
      liftDecoded: await decode(liftedLatent),
      output: await decode(sampled),
      ceiling: await decode(truth),
    };
    const pictures = { copying, lift: storedLift, target, ...decoded };
    frames.push({ pictures, visibility, control: controlPicture(controls, f) });
  }
  return { sampled, truth, liftedLatent, frames };
}

const LABEL_NUMBER = SAMPLE_LABELS.indexOf(LABEL_IN_USE);

function repeated(value: number, count: number): AnyTensor {
  return { dtype: 'int64', shape: [count], data: new BigInt64Array(count).fill(BigInt(value)) };
}

/** Mean square over the head of what a picture changes from the frame before, less what the truth does. */
function changeError(now: Pictures, before: Pictures, name: 'output' | 'lift', headMask: Uint8Array): number {
  let [total, count] = [0, 0];
  for (let i = 0; i < now.target.length; i++) {
    if (headMask[i % headMask.length]! <= 127) continue;
    const change = now[name][i]! - before[name][i]!;
    total += (change - (now.target[i]! - before.target[i]!)) ** 2;
    count++;
  }
  return total / Math.max(1, count);
}

/** The feeds that a session takes. */
function only(feeds: Record<string, AnyTensor>, { inputNames }: Session): Record<string, AnyTensor> {
  return Object.fromEntries(inputNames.map((name) => [name, feeds[name]!]));
}

function meanSquare(a: Float32Array, b: Float32Array): number {
  return a.reduce((total, value, i) => total + (value - b[i]!) ** 2, 0) / a.length;
}
