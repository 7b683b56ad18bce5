// One network learning: the loss's graph becomes ONNX (forward, backward and update in one model, and
// gradients and update also apart), and the trainer carries the state from step to step.

import type { AdamWOptions, AdamWStep, OptimiserState, PackedState, Weights } from '../nn/index.ts';
import { adamW, adamWFeeds, packState } from '../nn/index.ts';
import type { AnyTensor, Device, OnnxModel, Session, Tensor, Value } from '../tensor/index.ts';
import { emitModel, encodeOnnxModel, gradients, input } from '../tensor/index.ts';

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
};

const NEXT = 'next.';

/** The whole step as one model: outputs `loss`, `gradientNorm`, what the problem asks for, `next.VECTOR`. */
export function stepModel(problem: LearningProblem): OnnxModel {
  const { byName, others } = allGradients(problem);
  const { state, gradientNorm } = adamW(problem.trained, byName, problem.optimiser);
  return emitModel({
    name: `${problem.name}-step`,
    weights: problem.frozen,
    outputs: { loss: problem.loss, gradientNorm, ...problem.outputs, ...others, ...prefixed(state) },
  });
}

/** Loss and gradients alone, as `gradient.NAME`: for data-parallel training. */
export function gradientsModel(problem: LearningProblem): OnnxModel {
  const { byName, others } = allGradients(problem);
  const outputs: Record<string, Value> = { loss: problem.loss, ...problem.outputs, ...others };
  for (const [name, gradient] of byName) outputs[`gradient.${name}`] = gradient;
  return emitModel({ name: `${problem.name}-gradients`, weights: problem.frozen, outputs });
}

/** The update alone: takes weights, `gradient.NAME` and vectors, gives `next.VECTOR`. */
export function updateModel({ name, trained, optimiser }: LearningProblem): OnnxModel {
  const fed = new Map([...trained].map(([key, { shape }]) => [key, input(`gradient.${key}`, shape)]));
  const { state, gradientNorm } = adamW(trained, fed, optimiser);
  return emitModel({ name: `${name}-update`, outputs: { gradientNorm, ...prefixed(state) } });
}

/** Runs steps; owns the session and two sets of state that change places. */
export class Trainer implements AsyncDisposable {
  readonly #session: Session;
  readonly #names: readonly string[];
  #state: PackedState;
  #spare: PackedState;

  private constructor(session: Session, names: readonly string[], states: [PackedState, PackedState]) {
    this.#session = session;
    this.#names = names;
    [this.#state, this.#spare] = states;
  }

  /** @param state as `initialState` gives it, or as a checkpoint held it; it is copied */
  static async create(device: Device, problem: LearningProblem, state: OptimiserState): Promise<Trainer> {
    // Idle threads that wait busily would take the cores from the preparation of the next batch.
    const session = await device.createSession(encodeOnnxModel(stepModel(problem)), { spins: false });
    const pack = (): PackedState => packState(problem.trained, state);
    return new Trainer(session, [...problem.trained.keys()], [pack(), pack()]);
  }

  /** Weights, moments and averages after the last step, by parameter; views that later steps overwrite. */
  get state(): Readonly<OptimiserState> {
    return this.#state.byName;
  }

  /** One step; returns every output of the model but the state. */
  async step(feeds: Readonly<Record<string, AnyTensor>>, at: AdamWStep): Promise<Record<string, Tensor>> {
    const { vectors, byName } = this.#state;
    const weights = this.#names.map((name) => [name, byName[name]!] as const);
    const moments = Object.entries(vectors).filter(([name]) => !name.startsWith('weights.'));
    const outputs = await this.#session.run(
      { ...feeds, ...Object.fromEntries([...weights, ...moments]), ...adamWFeeds(at) },
      prefixed(this.#spare.vectors),
    );
    [this.#state, this.#spare] = [this.#spare, this.#state];
    return Object.fromEntries(Object.entries(outputs).filter(([name]) => !name.startsWith(NEXT))) as Record<
      string,
      Tensor
    >;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session[Symbol.asyncDispose]();
  }
}

/** The averaged weights of a state. */
export function averagedWeights(state: Readonly<OptimiserState>): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(state)
      .filter(([name]) => name.startsWith('ema.'))
      .map(([name, t]) => [name.slice('ema.'.length), t]),
  );
}

function allGradients({ loss, trained, gradientsOf = {} }: LearningProblem): {
  byName: Map<string, Value>;
  others: Record<string, Value>;
} {
  const names = [...trained.keys()];
  const extra = Object.entries(gradientsOf);
  const all = gradients(loss, [...trained.values(), ...extra.map(([, value]) => value)]);
  return {
    byName: new Map(names.map((name, i) => [name, all[i]!])),
    others: Object.fromEntries(extra.map(([name], i) => [`gradient.${name}`, all[names.length + i]!])),
  };
}

function prefixed<T>(record: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [NEXT + name, value]));
}
