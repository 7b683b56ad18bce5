// The training loop: steps, curves, validation sheets, and checkpoints from which a run resumes as if it
// had never stopped. The next batch is made while a step runs.

import { BadInputError } from '../errors/index.ts';
import type { EventSink } from '../events/index.ts';
import { silentSink } from '../events/index.ts';
import { encodeWeights, initialState, type OptimiserState } from '../nn/index.ts';
import type { Device, Tensor } from '../tensor/index.ts';
import { decodeSafetensors, encodeSafetensors } from '../tensor/index.ts';
import type { RunFolder, Stage } from './stage.ts';
import { averagedWeights, Trainer } from './trainer.ts';

/** When to stop and how often to save. */
export type LoopOptions = {
  readonly stage: Stage;
  readonly device: Device;
  /** The files of this stage. */
  readonly folder: RunFolder;
  readonly isResumed: boolean;
  /** Stop after this many steps in all, or this many minutes of this run. */
  readonly steps?: number;
  readonly minutes?: number;
  /** Minutes between checkpoints; the default is 5. */
  readonly checkpointMinutes?: number;
  /** Minutes between validations; the default is 15; null leaves all of them out. */
  readonly validationMinutes?: number | null;
  readonly events?: EventSink;
  /** Stops after the step that runs, with a checkpoint. */
  readonly signal?: AbortSignal;
};

/** How a run went. */
export type LoopResult = {
  readonly step: number;
  readonly resumedFromStep: number;
  /** Mean of the last steps. */
  readonly loss: number;
  readonly imagesPerSecond: number;
  /** Of all runs of this stage together. */
  readonly trainedSeconds: number;
};

/** Where a checkpoint lies in the stage's folder. */
export const CHECKPOINT_FILE = 'checkpoint.safetensors';
/** Where the averaged weights lie. */
export const WEIGHTS_FILE = 'weights.safetensors';
const CURVES_FILE = 'curves.jsonl';
const OUTSIDE = 'outside.';
const REPORT_SECONDS = 20;

/**
 * Trains a stage.
 * @throws BadInputError if a run is there and `isResumed` is false, or the other way round.
 */
export async function runTraining(options: LoopOptions): Promise<LoopResult> {
  const { stage, device, folder, events = silentSink, signal } = options;
  const start = await loadCheckpoint(options);
  if (start.outside !== null) stage.restore?.(start.outside);
  await using trainer = await Trainer.create(device, stage.problem, start.state);
  const { settings } = stage;
  const began = performance.now();
  const minutesSince = (time: number): number => (performance.now() - time) / 60_000;
  const trainedSeconds = (): number => start.seconds + (performance.now() - began) / 1000;
  let { step } = start;
  const isOver = (): boolean =>
    signal?.aborted === true ||
    (options.steps !== undefined && step >= options.steps) ||
    (options.minutes !== undefined && minutesSince(began) >= options.minutes);

  const save = async (): Promise<void> => {
    await saveCheckpoint(options, trainer.state, { step, seconds: trainedSeconds() });
  };
  const { validationMinutes = 15 } = options;
  const validate = async (): Promise<void> => {
    if (validationMinutes === null) return;
    const { figures, sheet } = await stage.validate(averagedWeights(trainer.state));
    const line = { step, seconds: Math.round(trainedSeconds()), validation: figures };
    await folder.append(CURVES_FILE, `${JSON.stringify(line)}\n`);
    await folder.writePicture(`sheets/step-${String(step).padStart(7, '0')}.png`, sheet);
    events({ kind: 'log', level: 'info', message: `step ${step}: ${describe(figures)}` });
  };

  let window = { loss: 0, norm: 0, steps: 0, time: performance.now() };
  let last = { loss: Number.NaN, imagesPerSecond: 0 };
  const report = async (): Promise<void> => {
    if (window.steps === 0) return;
    const seconds = (performance.now() - window.time) / 1000;
    last = {
      loss: window.loss / window.steps,
      imagesPerSecond: (window.steps * settings.batch) / seconds,
    };
    const line = {
      step,
      seconds: Math.round(trainedSeconds()),
      loss: round(last.loss),
      gradientNorm: round(window.norm / window.steps),
      imagesPerSecond: round(last.imagesPerSecond),
    };
    await folder.append(CURVES_FILE, `${JSON.stringify(line)}\n`);
    const total = options.steps === undefined ? {} : { total: options.steps };
    events({ kind: 'progress', stage: `train ${stage.name}`, done: step, unit: 'steps', ...total });
    events({ kind: 'log', level: 'info', message: describe(line) });
    window = { loss: 0, norm: 0, steps: 0, time: performance.now() };
  };

  let savedAt = performance.now();
  let validatedAt = performance.now();
  if (step === 0 && !isOver()) await validate();
  let upcoming = isOver() ? null : stage.batchAt(step);
  while (!isOver() && upcoming !== null) {
    const batch = await upcoming;
    const feeds = stage.complete?.(batch, step) ?? batch;
    const warmup = Math.min(1, (step + 1) / Math.max(1, settings.warmupSteps));
    const running = trainer.step(feeds, {
      learningRate: settings.learningRate * warmup,
      step: step + 1,
      // Early averages forget their start sooner.
      emaDecay: Math.min(settings.emaDecay, (step + 1) / (step + 10)),
    });
    upcoming = stage.batchAt(step + 1);
    const outputs = await running;
    stage.learn?.(outputs, step);
    step++;
    window.loss += outputs.loss!.data[0]!;
    window.norm += outputs.gradientNorm!.data[0]!;
    window.steps++;
    if (performance.now() - window.time > REPORT_SECONDS * 1000) await report();
    if (minutesSince(savedAt) >= (options.checkpointMinutes ?? 5)) {
      await save();
      savedAt = performance.now();
    }
    if (minutesSince(validatedAt) >= (validationMinutes ?? Number.POSITIVE_INFINITY)) {
      await validate();
      validatedAt = performance.now();
      window.time = performance.now();
    }
  }
  await upcoming;
  await report();
  await save();
  if (step > start.step && signal?.aborted !== true) await validate();
  return { step, resumedFromStep: start.step, ...last, trainedSeconds: trainedSeconds() };
}

type Start = {
  readonly state: OptimiserState;
  readonly outside: Record<string, Tensor> | null;
  readonly step: number;
  readonly seconds: number;
};

async function loadCheckpoint({ stage, folder, isResumed }: LoopOptions): Promise<Start> {
  const bytes = await folder.read(CHECKPOINT_FILE);
  if (bytes === null && isResumed) {
    throw new BadInputError({
      code: 'no-checkpoint',
      message: `expected a checkpoint of stage ${stage.name} to resume from, but there is none`,
      hint: 'leave --resume out to begin, or name the folder of the run',
    });
  }
  if (bytes === null)
    return { state: initialState(stage.initialWeights()), outside: null, step: 0, seconds: 0 };
  if (!isResumed) {
    throw new BadInputError({
      code: 'run-exists',
      message: `expected an empty folder for stage ${stage.name}, but it holds a checkpoint`,
      hint: 'add --resume to go on, or name another folder',
    });
  }
  const { metadata, tensors } = decodeSafetensors(bytes, CHECKPOINT_FILE);
  const state: OptimiserState = {};
  const fresh = initialState(stage.initialWeights());
  for (const [name, { shape }] of Object.entries(fresh)) {
    const held = tensors[name];
    if (held?.dtype !== 'float32' || held.shape.join() !== shape.join()) {
      throw new BadInputError({
        code: 'checkpoint-mismatch',
        message: `expected the checkpoint to hold ${name} of shape [${shape}], got ${held ? `[${held.shape}]` : 'none'}`,
        hint: 'resume with the configuration that the run began with',
      });
    }
    state[name] = held;
  }
  const outside = Object.entries(tensors)
    .filter(([name]) => name.startsWith(OUTSIDE))
    .map(([name, value]) => [name.slice(OUTSIDE.length), value as Tensor]);
  return {
    state,
    outside: Object.fromEntries(outside),
    step: Number(metadata.step),
    seconds: Number(metadata.seconds),
  };
}

async function saveCheckpoint(
  { stage, folder }: LoopOptions,
  state: Readonly<OptimiserState>,
  { step, seconds }: { step: number; seconds: number },
): Promise<void> {
  const metadata = {
    format: 'learn2control/checkpoint',
    stage: stage.name,
    step: `${step}`,
    seconds: `${seconds}`,
  };
  const outside = Object.entries(stage.outsideState?.() ?? {}).map(([name, value]) => [
    OUTSIDE + name,
    value,
  ]);
  await folder.write(
    CHECKPOINT_FILE,
    encodeSafetensors({ metadata, tensors: { ...state, ...Object.fromEntries(outside) } }),
  );
  const shipped = { ...averagedWeights(state), ...stage.shipped?.() };
  await folder.write(
    WEIGHTS_FILE,
    encodeWeights(shipped, { dtype: 'float16', metadata: { ...metadata, format: 'learn2control/weights' } }),
  );
}

const round = (value: number): number => Number(value.toPrecision(5));

function describe(figures: Readonly<Record<string, number>>): string {
  return Object.entries(figures)
    .map(([name, value]) => `${name} ${Number(value.toPrecision(5))}`)
    .join(', ');
}
