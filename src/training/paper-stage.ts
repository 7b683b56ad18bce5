// The stages of the paper's scale as the loop takes them: batches are those of the compact model, with Stable Diffusion's
// encoder before them.

import { readTensor, type StoredTensor, storedTensors } from '../checkpoints/index.ts';
import { cleanFrom, createSchedule, mixtureAt } from '../diffusion/index.ts';
import { BadInputError } from '../errors/index.ts';
import { FIELD_PARAMETERS, fieldParameters } from '../gaussians/index.ts';
import type { HeadModel } from '../head/index.ts';
import type { ParameterSet, Weights } from '../nn/index.ts';
import { declareParameters, decoderModel, encoderModel } from '../stable-diffusion/index.ts';
import type { AnyTensor, Device, Session, Tensor } from '../tensor/index.ts';
import { emitModel, encodeOnnxModel, tensor } from '../tensor/index.ts';
import { unchanged } from './augmentation.ts';
import { controlPicture, createControlSources, mapGradient, withFieldMap } from './control-sources.ts';
import type { BatchMaker } from './denoiser-batch.ts';
import { denoiserBatch, trackedHeads } from './denoiser-batch.ts';
import { GaussianLearner } from './gaussian-learner.ts';
import { batchSizesOf, type PaperConfiguration } from './paper-config.ts';
import { learnsAtStage, paperProblem } from './paper-problem.ts';
import type { SampleReader } from './sample-reader.ts';
import type { TrainingSample } from './sample-shard.ts';
import type { Stage } from './stage.ts';
import { pictureSheet } from './validation-sheet.ts';

/** What a stage is made from. */
export type PaperStageOptions = {
  readonly configuration: PaperConfiguration;
  readonly samples: SampleReader;
  readonly device: Device;
  readonly head: HeadModel;
  readonly name: '1' | '2';
  /** Imported weights, or those of the stage before, read when they are needed; what they lack begins fresh. */
  readonly weights: ReadonlyMap<string, StoredTensor>;
};

/** Batches at steps that no run reaches: validation draws the same noise every time. */
const VALIDATION_STEP = 2 ** 30;

/** The clean latent that one pass implies, `1 C h w`, and the control as a picture. */
type Answer = { readonly latent: Tensor; readonly control: Float32Array };

const SHEET_ROWS = 4;

/** The batches of a stage, without what its steps need. */
export type PaperBatches = Pick<Stage, 'batchAt'> & {
  readonly gaussians: GaussianLearner;
  clipsAt(step: number): Clips;
  batchOf(clips: Clips, step: number): ReturnType<Stage['batchAt']>;
  /** Adds the field's map. */
  withMap(batch: Record<string, AnyTensor>, clips: Clips, step: number): Record<string, AnyTensor>;
};

type Clips = readonly (readonly TrainingSample[])[];

/** Sets up what makes batches. It owns an encoder session for as long as the process runs. */
export async function paperBatches(options: PaperStageOptions): Promise<PaperBatches> {
  const { configuration, samples, device, head, name } = options;
  const { model, training } = configuration;
  const { seed } = training;
  const settings = name === '1' ? training.stage1 : training.stage2;
  const sizes = batchSizesOf(model);
  const { latentChannels } = model.autoencoder;
  const maker: BatchMaker = {
    ...{ model: sizes, settings, seed },
    schedule: createSchedule(model.diffusion),
    encoder: await encoderSession(),
    // The encoder scales its latents itself.
    statistics: {
      mean: tensor(new Float32Array(latentChannels), [latentChannels]),
      deviation: tensor(Float32Array.of(1), [1]),
    },
    sources: createControlSources(head, sizes),
  };
  const fieldNames = new Set<string>(Object.values(FIELD_PARAMETERS));
  const gaussians = new GaussianLearner({
    ...{ head, channels: model.gaussianChannels, uvSize: model.uvSize, isAnisotropic: false, seed },
    weights: await readAll(options.weights, (key) => fieldNames.has(key)),
    learningRate: name === '1' ? settings.fieldLearningRate : 0,
  });
  const { frames } = training.stage2;
  const clipsAt: PaperBatches['clipsAt'] = (step) =>
    name === '1' ? samples.batchAt(step).map((one) => [one]) : samples.clipsAt(step, frames);
  const batchOf: PaperBatches['batchOf'] = async (clips, step) => {
    const { liftedLatent, visibility, ...others } = await denoiserBatch(maker, clips, step);
    return others;
  };

  const withMap: PaperBatches['withMap'] = (batch, clips, step) =>
    withFieldMap(batch, gaussians, trackedHeads(maker, clips, step));
  return {
    ...{ gaussians, clipsAt, batchOf, withMap },
    async batchAt(step) {
      const clips = clipsAt(step);
      const batch = await batchOf(clips, step);
      // The map of a field that stays as it is is a function of the step, so it may be made ahead.
      return gaussians.isStill ? withMap(batch, clips, step) : batch;
    },
  };

  async function encoderSession(): Promise<Session> {
    const { fusesAttention: usesFusedForms } = device;
    const encoder = encoderModel(model, { width: model.size, height: model.size, usesFusedForms });
    // Its memory comes and goes between steps: it stands beside none of theirs.
    const session = await device.createSession(encodeOnnxModel(encoder), { keepsMemory: false });
    const isOwn = new Set(session.inputNames);
    const all = weightsToRead(declareParameters(model), seed, options.weights);
    const own = await readAll(all, (key) => isOwn.has(key));
    return {
      inputNames: ['picture'],
      outputNames: session.outputNames,
      run: (feeds) => session.run({ ...own, ...feeds }),
      [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
    };
  }
}

/** Sets a stage up. It owns an encoder session for as long as the process runs. */
export async function paperStage(options: PaperStageOptions): Promise<Stage> {
  const { configuration, samples, device, name } = options;
  const { model, training } = configuration;
  const { seed } = training;
  const settings = name === '1' ? training.stage1 : training.stage2;
  const frames = name === '1' ? 1 : training.stage2.frames;
  const all = weightsToRead(declareParameters(model), seed, options.weights);
  const isStill = (key: string): boolean => !key.startsWith('vae.') && !learnsAtStage(name, key);
  const still = await readAll(all, isStill);
  const { problem, velocity } = paperProblem({ model, settings, name, frames, weights: still });
  const { gaussians, clipsAt, batchOf, withMap, batchAt } = await paperBatches(options);
  const schedule = createSchedule(model.diffusion);

  /**
   * The loss on fixed held-out samples. Columns of the sheet: reference, control, what one pass makes of the noised picture,
   * target.
   */
  async function validate(weights: Weights): ReturnType<Stage['validate']> {
    const count = settings.batch * frames;
    const shown = Array.from({ length: count }, (_, i) => samples.validation[i % samples.validation.length]!);
    const { velocityError, answers } = await answersTo(shown, weights);
    const pictures = await decoded(answers.slice(0, SHEET_ROWS).map(({ latent }) => latent));
    const rows = pictures.map((output, i) => {
      const { reference, target } = unchanged(shown[i]!, model.size);
      return [reference, answers[i]!.control, output, target];
    });
    return { figures: { velocityError }, score: -velocityError, sheet: pictureSheet(rows, model.size) };
  }

  async function answersTo(
    shown: readonly TrainingSample[],
    weights: Weights,
  ): Promise<{ readonly velocityError: number; readonly answers: readonly Answer[] }> {
    const { batch, microBatches = 1 } = settings;
    const lossModel = emitModel({ name: 'loss', outputs: { loss: problem.loss, answer: velocity } });
    await using session = await device.createSession(encodeOnnxModel(lossModel));
    const clips = Array.from({ length: batch }, (_, i) => shown.slice(i * frames, (i + 1) * frames));
    const answers: Answer[] = [];
    let velocityError = 0;
    for (let part = 0; part < microBatches; part++) {
      const each = clips.slice((part * batch) / microBatches, ((part + 1) * batch) / microBatches);
      const step = VALIDATION_STEP + part;
      const fed = withMap(await batchOf(each, step), each, step);
      const outputs = await session.run({ ...fed, ...problem.frozen, ...weights });
      velocityError += (outputs.loss as Tensor).data[0]! / microBatches;
      answers.push(...answersOf(fed, outputs.answer as Tensor));
    }
    return { velocityError, answers };
  }

  /** The clean latents that velocities imply, with the controls that they followed. */
  function answersOf(fed: Readonly<Record<string, AnyTensor>>, { data, shape }: Tensor): Answer[] {
    const [count, ...extents] = shape as [number, ...number[]];
    const each = data.length / count;
    return Array.from({ length: count }, (_, i) => {
      const at = mixtureAt(schedule, Number(fed.timesteps!.data[i]));
      const own = (all: Float32Array): Float32Array => all.subarray(i * each, (i + 1) * each);
      const latent = cleanFrom(own((fed.noisy as Tensor).data), own(data), at);
      return { latent: tensor(latent, [1, ...extents]), control: controlPicture(fed, i)! };
    });
  }

  async function decoded(latents: readonly Tensor[]): Promise<Float32Array[]> {
    const { size } = model;
    const decoder = decoderModel(model, { width: size, height: size, usesFusedForms: device.fusesAttention });
    await using session = await device.createSession(encodeOnnxModel(decoder), { keepsMemory: false });
    const isOwn = new Set(session.inputNames);
    const own = await readAll(all, (key) => isOwn.has(key));
    const pictures: Float32Array[] = [];
    for (const latent of latents)
      pictures.push((await session.run({ ...own, latent })).picture!.data as Float32Array);
    return pictures;
  }

  return {
    name,
    settings: { ...settings, batch: settings.batch * frames },
    problem,
    async *initialWeights() {
      for (const key of problem.trained.keys()) yield [key, await readTensor(all.get(key)!)] as const;
    },
    batchAt,
    complete: (batch, step) => (gaussians.isStill ? batch : withMap(batch, clipsAt(step), step)),
    learn(outputs, step) {
      const gradient = mapGradient(outputs);
      if (gradient !== undefined) gaussians.learn(gradient, step + 1);
    },
    outsideState: () => gaussians.state(),
    restore(state) {
      // A field that stays comes with the weights, wherever batches are made.
      if (!gaussians.isStill) gaussians.restore(state);
    },
    shipped: () => [
      ...[...all.values()].filter((held) => !problem.trained.has(held.name)),
      ...storedTensors(fieldParameters(gaussians.field)),
    ],
    validate,
  };
}

/** All parameters, each as the given weights or its initialiser have it, made anew whenever it is read. */
function weightsToRead(
  { values, initialise }: ParameterSet,
  seed: number,
  given: ReadonlyMap<string, StoredTensor>,
): ReadonlyMap<string, StoredTensor> {
  const fresh = (name: string, shape: readonly number[]): StoredTensor => ({
    ...{ name, shape, type: 'float32' },
    read: () => storedTensors(initialise(seed, (key) => key === name))[0]!.read(),
  });
  return new Map(
    [...values].map(([name, { shape }]) => {
      const held = given.get(name);
      if (held === undefined || held.shape.join() === shape.join()) {
        return [name, held ?? fresh(name, shape)] as const;
      }
      throw new BadInputError({
        code: 'weights-mismatch',
        message: `expected the weights to begin from to hold ${name} of shape [${shape}], got [${held.shape}]`,
        hint: 'use weights that were made with this configuration',
      });
    }),
  );
}

async function readAll(
  weights: ReadonlyMap<string, StoredTensor>,
  isWanted: (name: string) => boolean,
): Promise<Record<string, Tensor>> {
  const read: Record<string, Tensor> = {};
  for (const [name, held] of weights) if (isWanted(name)) read[name] = await readTensor(held);
  return read;
}
