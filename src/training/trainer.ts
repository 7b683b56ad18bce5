// One network learning: the loss's graph becomes ONNX (forward, backward and update in one model, and
// gradients and update also apart), and the trainer carries the state from step to step.

import { BadInputError } from '../errors/index.ts';
import type { AdamWOptions, AdamWStep, Weights } from '../nn/index.ts';
import { adamW } from '../nn/index.ts';
import type {
  AnyTensor,
  Device,
  HalvesOptions,
  OnnxModel,
  Precision,
  Session,
  Tensor,
  Value,
} from '../tensor/index.ts';
import {
  div,
  elementCount,
  emitModel,
  encodeOnnxModel,
  gradients,
  inPrecision,
  input,
  mul,
  nameOf,
  parametersOf,
  planMemory,
  tensor,
  withHalves,
  withOpenExtents,
} from '../tensor/index.ts';
import { adaptLossScale } from './loss-scale.ts';
import {
  createTrainerMemory,
  LOSS_SCALE,
  type TrainerMemory,
  type TrainerState,
  trainerBytes,
} from './trainer-state.ts';

/** What is to be learned. */
export type LearningProblem = {
  readonly name: string;
  /** A scalar. */
  readonly loss: Value;
  /** The parameters that learn; all others that the loss needs are in `frozen`. */
  readonly trained: ReadonlyMap<string, Value>;
  readonly frozen: Weights;
  /** Further values to compute at each step, by name. */
  readonly outputs?: Readonly<Record<string, Value>>;
  /** Inputs to return the loss's gradient of, as `gradient.NAME`. */
  readonly gradientsOf?: Readonly<Record<string, Value>>;
  readonly optimiser: AdamWOptions;
  /** What is fed to a step passes in so many equal parts along its first axis; default 1. */
  readonly microBatches?: number | undefined;
  /** Whether the trainer holds both moments in 8 bits; a step or an update as a model holds them in fp32. */
  readonly quantisesMoments?: boolean | undefined;
  /** What gradients are computed in; weights, their gradients and the update are fp32's. Default fp32. */
  readonly precision?: Precision | undefined;
};

const FLOAT_BYTES = 4;
/**
 * What is held for each node, here and in the runtime, besides values: of a graph that is run as it is written, and of one that
 * the runtime has rewritten. Measured by bench/paper-training.ts.
 */
const [WRITTEN_NODE_BYTES, REWRITTEN_NODE_BYTES] = [10e3, 15e3];
/** Frozen weights beyond this are fed and not part of the model, which Protobuf ends at 2 GiB. */
const MAX_EMBEDDED_BYTES = 2 ** 30;

/**
 * The runtime opens graphs of more nodes only slowly where extents are open: 1.2 s with 6,345 nodes, but 95 s, not 5, with
 * the 15,231 of `paper-tiny`. Values of this size are worth it: a quarter of them goes.
 */
const MOST_OPEN_NODES = 10_000;
const WORTH_OPENING_BYTES = 4e9;

/** Weights by name, in any order. */
export type WeightStream = Iterable<readonly [string, Tensor]> | AsyncIterable<readonly [string, Tensor]>;

/** What a model of the problem carries in itself: all that is frozen, or nothing. */
function embeddedWeights({ frozen }: LearningProblem, maxBytes: number = MAX_EMBEDDED_BYTES): Weights {
  const bytes = Object.values(frozen).reduce((sum, { data }) => sum + data.byteLength, 0);
  return bytes > maxBytes ? {} : frozen;
}

/**
 * Whether all weights learn, in fp32, so that the runtime finds no constants to prepare. Its rewriting then brings no
 * time, and costs memory by another order of nodes than the graph's.
 */
function isFedAlone({ frozen, precision = 'fp32' }: LearningProblem): boolean {
  return precision === 'fp32' && Object.keys(frozen).length === 0;
}

/** Whether a step's extents are left open, so that no buffer waits for the next result of its very shape. */
function opensExtents(problem: LearningProblem, model: OnnxModel): boolean {
  if (!isFedAlone(problem)) return false;
  return model.nodes.length <= MOST_OPEN_NODES || planMemory(model).activationBytes > WORTH_OPENING_BYTES;
}

/** About how many bytes a step of a problem holds at most: its graph and its values, its state, what is frozen. */
export function stepBytes(problem: LearningProblem): number {
  const { trained, frozen, microBatches = 1, precision } = problem;
  const total = (shapes: Iterable<{ readonly shape: readonly number[] }>): number =>
    [...shapes].reduce((sum, { shape }) => sum + FLOAT_BYTES * elementCount(shape), 0);
  const wide = gradientsModel(problem);
  const model = precision === 'fp16' ? withHalves(wide, mastersOf(problem)) : wide;
  // Gradients of what learns come into the state's memory.
  const isElsewhere = ({ name }: { readonly name: string }): boolean =>
    name.startsWith(GRADIENT) && trained.has(name.slice(GRADIENT.length));
  const { arenaBytes } = planMemory(
    {
      ...model,
      outputs: model.outputs.filter((output) => !isElsewhere(output)),
      intermediates: (model.intermediates ?? []).filter((value) => !isElsewhere(value)),
    },
    undefined,
    { reuses: !opensExtents(problem, model) },
  );
  // onnxruntime-node hands out a copy of every output, even of one that it was given the memory for; the parts of a batch
  // sum up in arrays of their own.
  const copies = microBatches > 1 ? 2 : 1;
  // What is part of the model is held by the session, too.
  const held = frozen === embeddedWeights(problem) ? 2 : 1;
  const state =
    trainerBytes(problem) + copies * total(trained.values()) + held * total(Object.values(frozen));
  const nodeBytes = isFedAlone(problem) ? WRITTEN_NODE_BYTES : REWRITTEN_NODE_BYTES;
  return nodeBytes * model.nodes.length + arenaBytes + state;
}

const NEXT = 'next.';
const GRADIENT = 'gradient.';

/** The whole step as one model: outputs `loss`, `gradientNorm`, what the problem asks for, `next.VECTOR`. */
export function stepModel(problem: LearningProblem): OnnxModel {
  const { byName, others } = allGradients(problem);
  const { state, gradientNorm } = adamW(problem.trained, byName, problem.optimiser);
  return emitModel({
    name: `${problem.name}-step`,
    weights: embeddedWeights(problem),
    outputs: { loss: problem.loss, gradientNorm, ...problem.outputs, ...others, ...prefixed(state) },
  });
}

/** How a model of gradients is emitted. */
export type GradientsModelOptions = {
  /** Frozen weights beyond this are inputs; the default keeps the model below Protobuf's 2 GiB. */
  readonly maxEmbeddedBytes?: number | undefined;
  /** As of `emitModel`. */
  readonly convolutionBlock?: number | undefined;
};

/**
 * Loss and gradients alone, as `gradient.NAME`: for data-parallel training. In fp16 it takes `lossScale`, by which the loss
 * is multiplied on its way to the gradients, and they are divided.
 */
export function gradientsModel(
  problem: LearningProblem,
  { maxEmbeddedBytes, convolutionBlock }: GradientsModelOptions = {},
): OnnxModel {
  const { byName, others } = allGradients(problem);
  const outputs: Record<string, Value> = { loss: problem.loss, ...problem.outputs, ...others };
  for (const [name, gradient] of byName) outputs[GRADIENT + name] = gradient;
  return emitModel({
    name: `${problem.name}-gradients`,
    weights: embeddedWeights(problem, maxEmbeddedBytes),
    outputs,
    convolutionBlock,
  });
}

/** The update alone: takes weights, `gradient.NAME` and vectors, gives `next.VECTOR`. */
export function updateModel({ name, trained, optimiser }: LearningProblem): OnnxModel {
  const fed = new Map([...trained].map(([key, { shape }]) => [key, input(`gradient.${key}`, shape)]));
  const { state, gradientNorm } = adamW(trained, fed, optimiser);
  return emitModel({ name: `${name}-update`, outputs: { gradientNorm, ...prefixed(state) } });
}

/**
 * Runs steps: the session computes gradients, the kernel updates in one pass. Weights and gradients lie in
 * the kernel's memory, where the session reads and writes them; nothing is copied.
 */
export class Trainer implements AsyncDisposable {
  readonly #session: Session;
  readonly #problem: LearningProblem;
  readonly #memory: TrainerMemory;
  /** Fed to the session: weights that learn, and those of the frozen ones that are not in the model. */
  readonly #weights: Readonly<Record<string, Tensor>>;

  private constructor(session: Session, problem: LearningProblem) {
    this.#session = session;
    this.#problem = problem;
    this.#memory = createTrainerMemory(problem);
    const isFed = new Set(session.inputNames);
    const frozen = Object.entries(problem.frozen).filter(([name]) => isFed.has(name));
    this.#weights = { ...Object.fromEntries(frozen), ...this.#memory.weights };
  }

  /**
   * A trainer whose weights and moments are all zeros: let it `begin`, or fill its `state`.
   * @param maxEmbeddedBytes as of `gradientsModel`
   * @throws MissingResourceError where the device does not compute in the problem's precision
   */
  static async create(device: Device, problem: LearningProblem, maxEmbeddedBytes?: number): Promise<Trainer> {
    const { convolutionBlock } = device;
    const { precision = 'fp32' } = problem;
    const wide = gradientsModel(problem, { maxEmbeddedBytes, convolutionBlock });
    const model = inPrecision(wide, precision, device, mastersOf(problem));
    const runsAsWritten = device.name === 'cpu' && isFedAlone(problem);
    const isOpen = runsAsWritten && opensExtents(problem, model);
    const session = await device.createSession(
      encodeOnnxModel(isOpen ? withOpenExtents(model, (name) => problem.trained.has(name)) : model),
      { plansRuns: false, spins: true, optimisation: runsAsWritten ? 'none' : 'all' },
    );
    return new Trainer(session, problem);
  }

  /** Takes fresh weights, which are the averages, too; they are copied one at a time. */
  async begin(weights: WeightStream): Promise<void> {
    for await (const [name, { data }] of weights) {
      this.state[name]!.data.set(data);
      this.state[`ema.${name}`]!.data.set(data);
    }
  }

  /** Weights, moments and averages after the last step, by parameter; views that later steps overwrite. */
  get state(): TrainerState {
    return this.#memory.state;
  }

  /** One step; returns the loss, the norm of its gradients and what else the problem asks for. */
  async step(feeds: Readonly<Record<string, AnyTensor>>, at: AdamWStep): Promise<Record<string, Tensor>> {
    const scale = this.state[LOSS_SCALE] as Tensor | undefined;
    const used = scale === undefined ? {} : { [LOSS_SCALE]: lossScaleOf(scale) };
    const others = await this.#accumulate(feeds, used);
    const norm = this.#memory.update({ ...this.#problem.optimiser, ...at });
    if (scale !== undefined) adaptLossScale(scale.data, Number.isFinite(norm));
    return { ...others, ...used, gradientNorm: tensor(Float32Array.of(norm), []) };
  }

  /** Leaves the mean gradients of the parts in the kernel's memory; returns what else the problem gives. */
  async #accumulate(
    feeds: Readonly<Record<string, AnyTensor>>,
    scaled: Readonly<Record<string, Tensor>>,
  ): Promise<Record<string, Tensor>> {
    const { microBatches = 1 } = this.#problem;
    const { gradients } = this.#memory;
    const run = async (part: Readonly<Record<string, AnyTensor>>): Promise<Record<string, Tensor>> => {
      const outputs = await this.#session.run({ ...part, ...scaled, ...this.#weights }, gradients);
      const others = Object.entries(outputs).filter(([name]) => !(name in gradients));
      return Object.fromEntries(others) as Record<string, Tensor>;
    };
    if (microBatches === 1) return run(feeds);
    const sums = Object.values(gradients).map(({ data }) => new Float32Array(data.length));
    const parts: Record<string, Tensor>[] = [];
    for (const part of partsOf(feeds, microBatches)) {
      parts.push(await run(part));
      for (const [i, { data }] of Object.values(gradients).entries()) {
        const sum = sums[i]!;
        for (let k = 0; k < sum.length; k++) sum[k]! += data[k]! / microBatches;
      }
    }
    for (const [i, { data }] of Object.values(gradients).entries()) data.set(sums[i]!);
    return joinedOutputs(parts);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session[Symbol.asyncDispose]();
  }
}

/** How much of a batch each of its parts holds. @throws BadInputError if it does not divide. */
export function partSize(batch: number, microBatches: number): number {
  if (batch % microBatches === 0) return batch / microBatches;
  throw new BadInputError({
    code: 'bad-configuration',
    message: `expected a batch that microBatches divides, got ${batch} in ${microBatches} parts`,
    hint: 'set batch to a multiple of microBatches',
  });
}

/** Feeds cut into equal parts along the first axis. */
function partsOf(feeds: Readonly<Record<string, AnyTensor>>, count: number): Record<string, AnyTensor>[] {
  return Array.from({ length: count }, (_, i) =>
    Object.fromEntries(
      Object.entries(feeds).map(([name, held]) => {
        const each = held.data.length / count;
        const data = held.data.subarray(i * each, (i + 1) * each);
        return [name, { ...held, shape: held.shape.with(0, held.shape[0]! / count), data } as AnyTensor];
      }),
    ),
  );
}

/** Scalars as their mean; gradients of inputs one after the other, each a part of the mean's. */
function joinedOutputs(parts: readonly Record<string, Tensor>[]): Record<string, Tensor> {
  const count = parts.length;
  return Object.fromEntries(
    Object.entries(parts[0]!).map(([name, { shape }]) => {
      const held = parts.map((part) => part[name]!.data);
      if (shape.length === 0) {
        return [name, tensor(Float32Array.of(held.reduce((sum, [value]) => sum + value!, 0) / count), [])];
      }
      const all = new Float32Array(held.reduce((sum, data) => sum + data.length, 0));
      for (const [i, data] of held.entries())
        all.set(
          data.map((value) => value / count),
          i * data.length,
        );
      return [name, tensor(all, shape.with(0, shape[0]! * count))];
    }),
  );
}

/** A scale's number, apart from what it goes on as. */
function lossScaleOf({ data }: Tensor): Tensor {
  return tensor(data.slice(0, 1), []);
}

/** Weights come in fp32, which the optimiser moves by less than a half can tell, and are narrowed at each step. */
function mastersOf({ trained, frozen }: LearningProblem): HalvesOptions {
  return { isWeight: (name) => trained.has(name) || name in frozen, keepsWeights: true };
}

function allGradients({ loss, trained, gradientsOf = {}, precision }: LearningProblem): {
  byName: Map<string, Value>;
  others: Record<string, Value>;
} {
  const names = [...trained.keys()];
  const extra = Object.entries(gradientsOf);
  const wanted = [...trained.values(), ...extra.map(([, value]) => value)];
  const scale = precision === 'fp16' ? input(LOSS_SCALE, []) : null;
  const all =
    scale === null
      ? gradients(loss, wanted)
      : gradients(mul(loss, scale), wanted).map((gradient) => div(gradient, scale));
  const place = new Map(parametersOf([loss]).map((value, i) => [nameOf(value), i]));
  const inOrderOfUse = names.map((name, i) => ({ name, gradient: all[i]!, place: place.get(name) ?? -1 }));
  inOrderOfUse.sort((a, b) => a.place - b.place);
  return {
    // ONNX Runtime begins with the outputs that stand last. So the last layers stand there: their gradients are computed as the
    // way back reaches them, and what they need can go.
    byName: new Map(inOrderOfUse.map(({ name, gradient }) => [name, gradient])),
    others: Object.fromEntries(extra.map(([name], i) => [`gradient.${name}`, all[names.length + i]!])),
  };
}

function prefixed<T>(record: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [NEXT + name, value]));
}
