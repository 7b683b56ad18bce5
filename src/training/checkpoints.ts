// Checkpoints of a run, from which it goes on as if it had never stopped: the newest few and the best stay,
// each with its digest, so that a damaged one is noticed and the one before it used.

import {
  openSafetensors,
  readTensor,
  type StoredTensor,
  safetensorsChunks,
  storedTensors,
  type TensorToWrite,
} from '../checkpoints/index.ts';
import { BadInputError } from '../errors/index.ts';
import type { EventSink } from '../events/index.ts';
import type { Tensor } from '../tensor/index.ts';
import type { RunFolder, Stage } from './stage.ts';
import { averagedWeights, type StateTensor, stateLayout, type TrainerState } from './trainer-state.ts';

/** Where a run stands. */
export type RunState = {
  readonly state: TrainerState;
  /** Steps that were taken. */
  readonly step: number;
  /** Of all runs of this stage together. */
  readonly seconds: number;
};

/** A checkpoint that is whole and fits its stage; its tensors are still in its file. */
export type HeldCheckpoint = Omit<RunState, 'state'> & {
  /** Fills a state of the stage, and what the stage learned outside its graph. */
  fill(state: TrainerState): Promise<void>;
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
  const { version, checkpoints } = parseIndex(new TextDecoder().decode(bytes));
  if (version > VERSION) throw newerVersion(version);
  return checkpoints;
}

function parseIndex(text: string): { readonly version: number; readonly checkpoints: CheckpointEntry[] } {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new BadInputError({
      code: 'checkpoints-damaged',
      message: `expected ${CHECKPOINT_INDEX} of the run to list its checkpoints, but it is damaged`,
      hint: 'restore the folder from a copy, or begin again in another one',
      cause,
    });
  }
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
  const outside = Object.entries(stage.outsideState?.() ?? {}).map(([name, value]) => [
    OUTSIDE + name,
    value,
  ]);
  const tensors = storedTensors({ ...state, ...Object.fromEntries(outside) });
  const file = `checkpoints/step-${String(step).padStart(7, '0')}.safetensors`;
  await folder.write(file, chunksOf(tensors, 'float32', { format: FORMAT, ...metadata }));
  const own = storedTensors(averagedWeights(state)).filter(({ name }) => stage.isShipped?.(name) ?? true);
  const shipped = [...own, ...(stage.shipped?.() ?? [])];
  const ownMetadata = { ...metadata, format: 'learn2control/weights' };
  await folder.write(WEIGHTS_FILE, chunksOf(shipped, 'float16', ownMetadata));

  // What lies ahead of this step was refused when the run was resumed.
  const before = await listCheckpoints(folder);
  const earlier = before.filter((entry) => entry.step < step);
  const score = before.find((entry) => entry.step === step)?.score ?? null;
  const all = [...earlier, { file, step, digest: (await folder.digest(file))!, score }];
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
 * The newest checkpoint that is whole; null where the run has none.
 * @throws BadInputError if all are damaged, or if one belongs to another configuration or a newer version.
 */
export async function loadCheckpoint(
  folder: RunFolder,
  stage: Stage,
  events: EventSink,
): Promise<HeldCheckpoint | null> {
  const entries = await listCheckpoints(folder);
  if (entries.length === 0) return null;
  for (const { file, step, digest } of entries.toReversed()) {
    const found = await folder.digest(file);
    if (found === digest) return holdCheckpoint(folder, file, stage);
    const fault = found === null ? 'is gone' : 'is damaged';
    const message = `the checkpoint of step ${step} ${fault}; trying the one before it`;
    events({ kind: 'log', level: 'warning', message });
  }
  throw new BadInputError({
    code: 'checkpoints-damaged',
    message: `expected a whole checkpoint of stage ${stage.name}, but all ${entries.length} are damaged or gone`,
    hint: 'restore the folder from a copy, or begin again in another one',
  });
}

async function holdCheckpoint(folder: RunFolder, file: string, stage: Stage): Promise<HeldCheckpoint> {
  await using source = (await folder.open(file))!;
  const { metadata, tensors } = await openSafetensors(source);
  if (Number(metadata.version) > VERSION) throw newerVersion(Number(metadata.version));
  for (const [name, wanted] of stateLayout(stage.problem)) expectHeld(tensors.get(name), name, wanted);
  for (const [name, wanted] of Object.entries(stage.outsideState?.() ?? {}))
    expectHeld(tensors.get(OUTSIDE + name), name, wanted);
  return {
    ...{ step: Number(metadata.step), seconds: Number(metadata.seconds) },
    fill: (state) => fillFrom(folder, file, stage, state),
  };
}

/** Tensor by tensor, so that a state is never held twice. */
async function fillFrom(folder: RunFolder, file: string, stage: Stage, state: TrainerState): Promise<void> {
  await using source = (await folder.open(file))!;
  const { tensors } = await openSafetensors(source);
  for (const [name, { data }] of Object.entries(state)) data.set((await readTensor(tensors.get(name)!)).data);
  const outside: Record<string, Tensor> = {};
  for (const [name, held] of tensors) {
    if (name.startsWith(OUTSIDE)) outside[name.slice(OUTSIDE.length)] = await readTensor(held);
  }
  if (Object.keys(outside).length > 0) stage.restore?.(outside);
}

function expectHeld(
  held: StoredTensor | undefined,
  name: string,
  { dtype, shape }: Pick<StateTensor, 'dtype' | 'shape'>,
): void {
  if (held?.type === dtype && held.shape.join() === shape.join()) return;
  const isOfType = held === undefined || held.type === dtype;
  const wanted = isOfType ? `shape [${shape}]` : `type ${dtype}`;
  const found = isOfType ? (held ? `[${held.shape}]` : 'none') : held.type;
  throw new BadInputError({
    code: 'checkpoint-mismatch',
    message: `expected the checkpoint to hold ${name} of ${wanted}, got ${found}`,
    hint: 'resume with the configuration that the run began with',
  });
}

/** The chunks of a file in which the last tensor of a name counts. */
function chunksOf(
  tensors: readonly StoredTensor[],
  writtenType: 'float32' | 'float16',
  metadata: Readonly<Record<string, string>>,
): AsyncIterable<Uint8Array> {
  const byName = new Map(tensors.map((held) => [held.name, toWrite(held, writtenType)]));
  return safetensorsChunks([...byName.values()], metadata);
}

/** Codes stay as they are. */
function toWrite(held: StoredTensor, writtenType: 'float32' | 'float16'): TensorToWrite {
  const { type } = held;
  return type === 'uint8' ? { ...held, type, writtenType: type } : { ...held, writtenType };
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
