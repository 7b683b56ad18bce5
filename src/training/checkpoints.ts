// Checkpoints of a run, from which it goes on as if it had never stopped: the newest few and the best stay,
// each with its digest, so that a damaged one is noticed and the one before it used.

import { BadInputError } from '../errors/index.ts';
import type { EventSink } from '../events/index.ts';
import type { OptimiserState } from '../nn/index.ts';
import { encodeWeights, STATE_PREFIXES } from '../nn/index.ts';
import type { AnyTensor, Tensor } from '../tensor/index.ts';
import { decodeSafetensors, encodeSafetensors } from '../tensor/index.ts';
import type { RunFolder, Stage } from './stage.ts';
import { averagedWeights } from './trainer.ts';

/** Where a run stands. */
export type RunState = {
  readonly state: Readonly<OptimiserState>;
  /** Steps that were taken. */
  readonly step: number;
  /** Of all runs of this stage together. */
  readonly seconds: number;
};

/** One checkpoint, as the index lists it. */
export type CheckpointEntry = {
  readonly file: string;
  readonly step: number;
  /** As `RunFolder.digest` gives it. */
  readonly digest: string;
  /** Of the validation at this step; more is better. */
  readonly score: number | null;
};

/** Where the index of a run's checkpoints lies in its folder. */
export const CHECKPOINT_INDEX = 'checkpoints/index.json';
/** Where the averaged weights of the newest checkpoint lie. */
export const WEIGHTS_FILE = 'weights.safetensors';

const FORMAT = 'learn2control/checkpoint';
const VERSION = 1;
const NEWEST_KEPT = 3;
const OUTSIDE = 'outside.';

/** The checkpoints of a run, the oldest first; none where there is no index. */
export async function listCheckpoints(folder: RunFolder): Promise<readonly CheckpointEntry[]> {
  const bytes = await folder.read(CHECKPOINT_INDEX);
  if (bytes === null) return [];
  const { version, checkpoints } = JSON.parse(new TextDecoder().decode(bytes)) as {
    version: number;
    checkpoints: CheckpointEntry[];
  };
  if (version > VERSION) throw newerVersion(version);
  return checkpoints;
}

/**
 * Writes a checkpoint and the averaged weights, then drops what need not be kept. The index is written once
 * the file it names is whole, so a run may be killed at any moment.
 */
export async function saveCheckpoint(
  folder: RunFolder,
  stage: Stage,
  { state, step, seconds }: RunState,
): Promise<void> {
  const metadata = { version: `${VERSION}`, stage: stage.name, step: `${step}`, seconds: `${seconds}` };
  const outside = Object.entries(stage.outsideState?.() ?? {});
  const tensors = {
    ...state,
    ...Object.fromEntries(outside.map(([name, value]) => [OUTSIDE + name, value])),
  };
  const bytes = encodeSafetensors({ metadata: { format: FORMAT, ...metadata }, tensors });
  const file = `checkpoints/step-${String(step).padStart(7, '0')}.safetensors`;
  await folder.write(file, bytes);
  const averages = Object.entries(averagedWeights(state));
  const own = averages.filter(([name]) => stage.isShipped?.(name) ?? true);
  const shipped = { ...Object.fromEntries(own), ...stage.shipped?.() };
  const ownMetadata = { ...metadata, format: 'learn2control/weights' };
  await folder.write(WEIGHTS_FILE, encodeWeights(shipped, { dtype: 'float16', metadata: ownMetadata }));

  // What lies ahead of this step was refused when the run was resumed.
  const before = await listCheckpoints(folder);
  const earlier = before.filter((entry) => entry.step < step);
  const score = before.find((entry) => entry.step === step)?.score ?? null;
  const all = [...earlier, { file, step, digest: await folder.digest(bytes), score }];
  const best = bestOf(all);
  const kept = all.filter((entry, i) => i >= all.length - NEWEST_KEPT || entry === best);
  await writeIndex(folder, kept);
  for (const entry of before) {
    if (kept.every((other) => other.file !== entry.file)) await folder.remove(entry.file);
  }
}

/** Notes how good the checkpoint of a step is. */
export async function scoreCheckpoint(folder: RunFolder, step: number, score: number): Promise<void> {
  const entries = await listCheckpoints(folder);
  await writeIndex(
    folder,
    entries.map((entry) => (entry.step === step ? { ...entry, score } : entry)),
  );
}

/**
 * The newest checkpoint that is whole, restored; null where the run has none.
 * @throws BadInputError if all are damaged, or if one belongs to another configuration or a newer version.
 */
export async function loadCheckpoint(
  folder: RunFolder,
  stage: Stage,
  events: EventSink,
): Promise<RunState | null> {
  const entries = await listCheckpoints(folder);
  if (entries.length === 0) return null;
  for (const { file, step, digest } of entries.toReversed()) {
    const bytes = await folder.read(file);
    if (bytes !== null && (await folder.digest(bytes)) === digest) return restore(bytes, file, stage);
    const fault = bytes === null ? 'is gone' : 'is damaged';
    const message = `the checkpoint of step ${step} ${fault}; trying the one before it`;
    events({ kind: 'log', level: 'warning', message });
  }
  throw new BadInputError({
    code: 'checkpoints-damaged',
    message: `expected a whole checkpoint of stage ${stage.name}, but all ${entries.length} are damaged or gone`,
    hint: 'restore the folder from a copy, or begin again in another one',
  });
}

function restore(bytes: Uint8Array, file: string, stage: Stage): RunState {
  const { metadata, tensors } = decodeSafetensors(bytes, file);
  if (Number(metadata.version) > VERSION) throw newerVersion(Number(metadata.version));
  const state: OptimiserState = {};
  for (const [weight, { shape }] of Object.entries(stage.initialWeights())) {
    for (const name of STATE_PREFIXES.map((prefix) => prefix + weight)) {
      state[name] = heldTensor(tensors[name], name, shape);
    }
  }
  const outside = Object.entries(tensors)
    .filter(([name]) => name.startsWith(OUTSIDE))
    .map(([name, value]) => [name.slice(OUTSIDE.length), value as Tensor]);
  if (outside.length > 0) stage.restore?.(Object.fromEntries(outside));
  return { state, step: Number(metadata.step), seconds: Number(metadata.seconds) };
}

function heldTensor(held: AnyTensor | undefined, name: string, shape: readonly number[]): Tensor {
  if (held?.dtype === 'float32' && held.shape.join() === shape.join()) return held;
  throw new BadInputError({
    code: 'checkpoint-mismatch',
    message: `expected the checkpoint to hold ${name} of shape [${shape}], got ${held ? `[${held.shape}]` : 'none'}`,
    hint: 'resume with the configuration that the run began with',
  });
}

function bestOf(entries: readonly CheckpointEntry[]): CheckpointEntry | null {
  const scored = entries.filter(({ score }) => score !== null);
  return scored.reduce<CheckpointEntry | null>(
    (best, entry) => (best === null || entry.score! > best.score! ? entry : best),
    null,
  );
}

async function writeIndex(folder: RunFolder, checkpoints: readonly CheckpointEntry[]): Promise<void> {
  const index = { format: `${FORMAT}s`, version: VERSION, checkpoints };
  await folder.write(CHECKPOINT_INDEX, `${JSON.stringify(index, null, 2)}\n`);
}

function newerVersion(version: number): BadInputError {
  return new BadInputError({
    code: 'checkpoint-version',
    message: `expected checkpoints of version ${VERSION} or older, got version ${version}`,
    hint: 'resume with the version of learn2control that wrote them, or a newer one',
  });
}
