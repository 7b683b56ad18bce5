// The training loop: steps, curves, validation sheets, and checkpoints from which a run resumes as if it
// had never stopped. The next batch is asked for while a step runs; a device that computes on this thread
// (onnxruntime-node's all do) makes it wait, which `waitingShare` tells.

import { BadInputError, FaultError } from '../errors/index.ts';
import type { EventSink } from '../events/index.ts';
import { silentSink } from '../events/index.ts';
import type { AnyTensor, Device, Tensor } from '../tensor/index.ts';
import { encodeSafetensors } from '../tensor/index.ts';
import type { HeldCheckpoint } from './checkpoints.ts';
import { listCheckpoints, loadCheckpoint, saveCheckpoint, scoreCheckpoint } from './checkpoints.ts';
import { Curves, describeFigures } from './curves.ts';
import { updateAt } from './learning-rate.ts';
import { CONFIGURATION_FILE, type RunFolder, type Stage, type StageName } from './stage.ts';
import { Trainer } from './trainer.ts';
import { averagedWeights } from './trainer-state.ts';

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
  /** Called once what a checkpoint belongs to is written. */
  readonly afterSave?: () => Promise<void>;
  readonly events?: EventSink;
  /** Stops after the step that runs, with a checkpoint. */
  readonly signal?: AbortSignal;
};

/** How a run went. */
export type LoopResult = {
  readonly step: number;
  readonly resumedFromStep: number;
  /** Mean of the last steps, of an earlier run's where this one took none; null where there were none at all. */
  readonly loss: number | null;
  readonly imagesPerSecond: number;
  /** Share of this run's time that steps waited for their batch. */
  readonly waitingShare: number;
  /** Steps of this run whose gradient was not finite: they changed nothing. */
  readonly skippedSteps: number;
  /** Of all runs of this stage together. */
  readonly trainedSeconds: number;
};

/** Where the batch lies at which a run gave up. */
export const FAULTY_BATCH_FILE = 'faulty-batch.safetensors';
const SKIPS_IN_A_ROW = 20;

/** Where the validation sheet of a step lies. */
export function sheetFile(step: number): string {
  return `sheets/step-${String(step).padStart(7, '0')}.png`;
}

/**
 * Trains a stage.
 * @throws BadInputError if a run is there and `isResumed` is false, or the other way round; FaultError where
 *   gradients stay infinite or a file cannot be written.
 */
export async function runTraining(options: LoopOptions): Promise<LoopResult> {
  const { stage, folder, events = silentSink, signal } = options;
  const { trainer: opened, ...start } = await beginTraining(options, events);
  await using trainer = opened;
  const { settings } = stage;
  const began = performance.now();
  const minutesSince = (time: number): number => (performance.now() - time) / 60_000;
  const trainedSeconds = (): number => start.seconds + (performance.now() - began) / 1000;
  const curves = await Curves.open({ folder, stage, events, startStep: start.step, steps: options.steps });
  let { step } = start;
  const isOver = (): boolean =>
    signal?.aborted === true ||
    (options.steps !== undefined && step >= options.steps) ||
    (options.minutes !== undefined && minutesSince(began) >= options.minutes);

  const save = async (): Promise<void> => {
    await saveCheckpoint(folder, stage, { state: trainer.state, step, seconds: trainedSeconds() });
    await options.afterSave?.();
  };
  const { validationMinutes = 15 } = options;
  const validate = async (): Promise<void> => {
    if (validationMinutes === null) return;
    const { figures, score, sheet } = await stage.validate(averagedWeights(trainer.state));
    await curves.validated(figures, { step, seconds: trainedSeconds() });
    await folder.writePicture(sheetFile(step), sheet);
    await scoreCheckpoint(folder, step, score);
    events({ kind: 'log', level: 'info', message: `step ${step}: ${describeFigures(figures)}` });
  };

  let savedAt = performance.now();
  let validatedAt = performance.now();
  let skippedInARow = 0;
  if (step === 0 && !isOver()) await validate();
  const ask = (of: number): Promise<Record<string, AnyTensor>> => {
    const asked = performance.now();
    const batch = stage.batchAt(of);
    // What is made here at once holds the step up, too.
    curves.waited(performance.now() - asked);
    return batch;
  };
  let upcoming = isOver() ? null : ask(step);
  while (!isOver() && upcoming !== null) {
    const waiting = performance.now();
    const batch = await upcoming;
    curves.waited(performance.now() - waiting);
    const feeds = stage.complete?.(batch, step) ?? batch;
    const running = trainer.step(feeds, updateAt(step, settings));
    upcoming = ask(step + 1);
    // Where the step fails, nobody waits for the next batch.
    upcoming.catch(() => {});
    const outputs = await running;
    const [loss, gradientNorm] = [outputs.loss!.data[0]!, outputs.gradientNorm!.data[0]!];
    const isTaken = Number.isFinite(loss) && Number.isFinite(gradientNorm);
    if (isTaken) stage.learn?.(outputs, step);
    step++;
    skippedInARow = isTaken ? 0 : skippedInARow + 1;
    const parts = scalarsOf(outputs);
    await curves.stepped({ step, loss, gradientNorm, isSkipped: !isTaken, parts }, trainedSeconds());
    if (skippedInARow >= SKIPS_IN_A_ROW) {
      await upcoming;
      throw await gaveUp(folder, feeds, step);
    }
    const isTimeToValidate = minutesSince(validatedAt) >= (validationMinutes ?? Number.POSITIVE_INFINITY);
    if (isTimeToValidate || minutesSince(savedAt) >= (options.checkpointMinutes ?? 5)) {
      await save();
      savedAt = performance.now();
    }
    if (isTimeToValidate) {
      await curves.flush(trainedSeconds());
      await validate();
      validatedAt = performance.now();
      curves.restartClock();
    }
  }
  await upcoming;
  await curves.flush(trainedSeconds());
  await save();
  if (step > start.step && signal?.aborted !== true) await validate();
  const summary = curves.summary();
  return { step, resumedFromStep: start.step, ...summary, trainedSeconds: trainedSeconds() };
}

/** The parts of the loss that a problem gives beside it. */
function scalarsOf(outputs: Readonly<Record<string, Tensor>>): Record<string, number> {
  const { loss: _, gradientNorm: __, ...others } = outputs;
  const scalars = Object.entries(others).filter(([, { shape }]) => shape.length === 0);
  return Object.fromEntries(scalars.map(([name, { data }]) => [name, data[0]!]));
}

/** The trainer at the run's beginning: a checkpoint that does not fit is refused before it is made. */
async function beginTraining(
  options: LoopOptions,
  events: EventSink,
): Promise<{ trainer: Trainer; step: number; seconds: number }> {
  const { device, stage } = options;
  const held = await startingPoint(options, events);
  const trainer = await Trainer.create(device, stage.problem);
  if (held === null) await trainer.begin(stage.initialWeights());
  else await held.fill(trainer.state);
  return { trainer, step: held?.step ?? 0, seconds: held?.seconds ?? 0 };
}

/** The checkpoint to go on from; null at a run's beginning. */
async function startingPoint(
  { stage, folder, isResumed }: LoopOptions,
  events: EventSink,
): Promise<HeldCheckpoint | null> {
  await expectStart(folder, { stage: stage.name, isResumed });
  const held = isResumed ? await loadCheckpoint(folder, stage, events) : null;
  if (isResumed && held === null) {
    const message = `stage ${stage.name} was stopped before its first checkpoint: it begins again`;
    events({ kind: 'log', level: 'info', message });
  }
  return held;
}

/**
 * A stage that was stopped before its first checkpoint may be resumed, and begins again.
 * @throws BadInputError if a run is there and is not to be resumed, or the other way round
 */
export async function expectStart(
  folder: RunFolder,
  { stage, isResumed }: { readonly stage: StageName; readonly isResumed: boolean },
): Promise<void> {
  const exists = (await listCheckpoints(folder)).length > 0;
  const isBegun = exists || (await folder.read(CONFIGURATION_FILE)) !== null;
  if (!isBegun && isResumed) {
    throw new BadInputError({
      code: 'no-checkpoint',
      message: `expected a checkpoint of stage ${stage} to resume from, but there is none`,
      hint: 'leave --resume out to begin, or name the folder of the run',
    });
  }
  if (exists && !isResumed) {
    throw new BadInputError({
      code: 'run-exists',
      message: `expected an empty folder for stage ${stage}, but it holds a checkpoint`,
      hint: 'add --resume to go on, or name another folder',
    });
  }
}

/** Keeps the batch for inspection; the last checkpoint stays as it is. */
async function gaveUp(
  folder: RunFolder,
  feeds: Readonly<Record<string, AnyTensor>>,
  step: number,
): Promise<FaultError> {
  await folder.write(FAULTY_BATCH_FILE, encodeSafetensors({ metadata: { step: `${step}` }, tensors: feeds }));
  return new FaultError({
    code: 'training-diverged',
    message: `${SKIPS_IN_A_ROW} steps in a row, up to step ${step}, gave no finite gradient`,
    hint: `look at ${FAULTY_BATCH_FILE} in the run's folder, or resume with a lower learning rate`,
  });
}
