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
import { createRandom, deriveSeed, encodeOnnxModel, tensor } from '../tensor/index.ts';
import { unchanged } from './augmentation.ts';
import type { ControlSources } from './control-sources.ts';
import { drawControls, withFieldMap } from './control-sources.ts';
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
  readonly samples: readonly TrainingSample[];
  /** How many of the samples are looked at, from the first on; default 10. */
  readonly count?: number | undefined;
};

const VALIDATION_SAMPLES = 10;
const SHEET_ROWS = 8;

/**
 * Columns of the sheet: reference, lifted, visibility, lift decoded, output, target. `sharpness` and `liftSharpness` tell
 * how much detail the head's newly seen pixels have, as a share of the truth's.
 */
export async function validateDenoiser(weights: Weights, how: DenoiserValidation): Promise<Validation> {
  const { model, device, schedule, statistics, gaussians, sources } = how;
  const open = (onnx: OnnxModel): Promise<Session> =>
    device.createSession(encodeOnnxModel(onnx), { spins: false });
  await using reference = await open(referenceModel(model, weights, { batch: 1 }));
  await using guidance = await open(guidanceModel(model, weights, { batch: 1 }));
  await using denoiser = await open(denoiserModel(model, weights, { batch: 1, seesReference: true }));
  await using decoder = await open(decoderModel(model, weights, { batch: 1 }));
  const size = model.size;
  const shape = latentShape(model, 1);
  const each = shape.reduce((a, b) => a * b);
  const picture = (data: Float32Array, channels: number): Tensor => tensor(data, [1, channels, size, size]);
  const names = ['copying', 'lift', 'liftDecoded', 'output', 'ceiling'] as const;
  const figures: Record<string, number[]> = { latentError: [], liftLatentError: [] };
  for (const name of names) figures[name] = [];
  const details = { output: 0, lift: 0, truth: 0 };
  const rows: Float32Array[][] = [];
  for (const [i, one] of how.samples.slice(0, how.count ?? VALIDATION_SAMPLES).entries()) {
    const planes = unchanged(one, size);
    const labels: AnyTensor = {
      dtype: 'int64',
      shape: [1],
      data: BigInt64Array.of(BigInt(SAMPLE_LABELS.indexOf(LABEL_IN_USE))),
    };
    const truth = await encode(how, planes.target);
    const liftedLatent = await encode(how, planes.lifted);
    const drawn = {
      liftedLatent: tensor(liftedLatent, shape),
      visibility: picture(planes.visibility, 1),
      ...drawControls(sources, [{ sample: one, reference: planes.reference, posed: one }]),
    };
    const controls = gaussians === null ? drawn : withFieldMap(drawn, gaussians, [one]);
    const features = await guidance.run(only(controls, guidance));
    const tokens = await reference.run({
      reference: tensor(await encode(how, planes.reference), shape),
      labels,
    });
    const noise = createRandom(deriveSeed(how.seed, i)).fillNormal(new Float32Array(each));
    const predict = async (noisy: Float32Array, t: number): Promise<Float32Array> => {
      const timesteps: AnyTensor = { dtype: 'int64', shape: [1], data: BigInt64Array.of(BigInt(t)) };
      const feeds = { noisy: tensor(noisy, shape), timesteps, labels, ...features, ...tokens };
      const { velocity } = await denoiser.run(only(feeds, denoiser));
      return velocity!.data as Float32Array;
    };
    const sampled = await sampleSignal(predict, { schedule, steps: how.steps, noise });
    const decode = async (latent: Float32Array): Promise<Float32Array> => {
      const restored = restoreLatents(latent, shape[2]! * shape[3]!, statistics);
      const decoded = await decoder.run({
        latent: tensor(restored, shape),
        lifted: picture(planes.lifted, 3),
        visibility: picture(planes.visibility, 1),
      });
      return decoded.picture!.data as Float32Array;
    };
    const pictures = {
      copying: planes.reference,
      lift: planes.storedLift,
      liftDecoded: await decode(liftedLatent),
      output: await decode(sampled),
      ceiling: await decode(truth),
    };
    for (const name of names) figures[name]!.push(maskedPsnr(pictures[name], planes.target, one.headMask));
    const isNewlySeen = (pixel: number): boolean =>
      one.headMask[pixel]! > 127 && planes.visibility[pixel]! < INVENTED_BELOW;
    details.output += detailAmount(pictures.output, size, isNewlySeen);
    details.lift += detailAmount(pictures.lift, size, isNewlySeen);
    details.truth += detailAmount(planes.target, size, isNewlySeen);
    figures.latentError!.push(meanSquare(sampled, truth));
    figures.liftLatentError!.push(meanSquare(liftedLatent, truth));
    if (rows.length < SHEET_ROWS) {
      const mask = maskPicture(planes.visibility);
      const { liftDecoded, output } = pictures;
      rows.push([planes.reference, planes.storedLift, mask, liftDecoded, output, planes.target]);
    }
  }
  const averages = Object.fromEntries(
    Object.entries(figures).map(([name, values]) => [name, average(values)]),
  );
  const sharpness = details.output / details.truth;
  return {
    figures: { ...averages, sharpness, liftSharpness: details.lift / details.truth },
    score: averages.output!,
    sheet: pictureSheet(rows, size),
  };
}

/** The feeds that a session takes. */
function only(feeds: Record<string, AnyTensor>, { inputNames }: Session): Record<string, AnyTensor> {
  return Object.fromEntries(inputNames.map((name) => [name, feeds[name]!]));
}

function meanSquare(a: Float32Array, b: Float32Array): number {
  return a.reduce((total, value, i) => total + (value - b[i]!) ** 2, 0) / a.length;
}
