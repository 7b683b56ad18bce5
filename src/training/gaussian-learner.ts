// The Gaussian field learning: its map is splatted for a batch, the denoiser's graph returns the loss's
// gradient with respect to that map, and this carries it back through the splatting into the field. The
// denoising loss alone trains the field.

import type { ActivatedField, FieldGradients, GaussianBinding, GaussianField } from '../gaussians/index.ts';
import {
  activateField,
  activateFieldBackward,
  bindGaussians,
  FIELD_PARAMETERS,
  fieldOf,
  fieldParameters,
  initialiseField,
  paintedField,
  placeGaussians,
  Splatter,
  withoutPaint,
} from '../gaussians/index.ts';
import type { Camera } from '../geometry/index.ts';
import type { HeadModel, HeadParameters, HeadPoser } from '../head/index.ts';
import { createHeadPoser, neutralParameters, PAINT_CHANNELS } from '../head/index.ts';
import type { Weights } from '../nn/index.ts';
import type { Tensor } from '../tensor/index.ts';
import { tensor, zeros } from '../tensor/index.ts';

/** A head before a camera: one picture's control. */
export type PosedHead = { readonly head: HeadParameters; readonly camera: Camera };

/** Options of a `GaussianLearner`. */
export type GaussianLearnerOptions = {
  readonly head: HeadModel;
  readonly channels: number;
  /** Texels a side; default as of `bindGaussians`. */
  readonly uvSize?: number | undefined;
  /** Three scales a Gaussian instead of one. */
  readonly isAnisotropic: boolean;
  /** Of a field to begin from, copied, among others; without its parameters it begins fresh. */
  readonly weights?: Weights;
  /** Of a fresh field. */
  readonly seed: number;
  /** 0 freezes the field. */
  readonly learningRate: number;
};

const BETA1 = 0.9;
const BETA2 = 0.999;
const EPSILON = 1e-8;

/** Splats a learnable field for batches of heads, and learns from the gradient of the map. */
export class GaussianLearner {
  readonly field: GaussianField;
  readonly #options: GaussianLearnerOptions;
  readonly #poser: HeadPoser;
  readonly #binding: GaussianBinding;
  /** One for each picture of a batch: each remembers the scene that its gradient goes back to. */
  readonly #splatters: Splatter[] = [];
  readonly #moments: Record<string, Tensor> = {};
  #activated: ActivatedField;

  /** @throws BadInputError where weights hold a field of other sizes */
  constructor(options: GaussianLearnerOptions) {
    const { head, uvSize, weights = {} } = options;
    this.#options = options;
    this.#poser = createHeadPoser(head);
    this.#binding = bindGaussians(head, { uvSize });
    this.field = FIELD_PARAMETERS.features in weights ? this.#fieldFrom(weights) : this.#freshField();
    this.#activated = activateField(this.field);
    for (const [name, { shape }] of Object.entries(fieldParameters(this.field))) {
      this.#moments[`first.${name}`] = zeros(shape);
      this.#moments[`second.${name}`] = zeros(shape);
    }
  }

  /** Whether the field never changes. */
  get isStill(): boolean {
    return this.#options.learningRate === 0;
  }

  /**
   * The control map of a batch, `B C H W`; `learn` goes back through it.
   * @param paintings for each picture `N 4`, splatted as four more channels
   */
  map(batch: readonly PosedHead[], paintings?: readonly Float32Array[]): Tensor<'B C H W'> {
    const { width, height } = batch[0]!.camera;
    const channels = this.#options.channels + (paintings === undefined ? 0 : PAINT_CHANNELS);
    const pixels = channels * width * height;
    const map = zeros<'B C H W'>([batch.length, channels, height, width]);
    while (this.#splatters.length < batch.length) this.#splatters.push(new Splatter());
    for (const [i, { head, camera }] of batch.entries()) {
      const placement = placeGaussians(this.#binding, this.#activated, this.#poser.pose(head));
      const painting = paintings?.[i];
      const field = painting === undefined ? this.#activated : paintedField(this.#activated, painting);
      const images = this.#splatters[i]!.forward({ camera, ...placement, ...field });
      map.data.set(images.features.data, i * pixels);
    }
    return map;
  }

  /**
   * One step of Adam on the field.
   * @param gradient the loss's gradient with respect to the latest map, `B C H W`
   * @param step counted from 1
   */
  learn(gradient: Tensor, step: number): void {
    if (this.isStill) return;
    const [count, channels, height, width] = gradient.shape as [number, number, number, number];
    const pixels = channels * height * width;
    let total: FieldGradients | undefined;
    for (const [i, splatter] of this.#splatters.slice(0, count).entries()) {
      const data = gradient.data.subarray(i * pixels, (i + 1) * pixels);
      const features = tensor<'C H W'>(data, [channels, height, width]);
      const back = splatter.backward({ features });
      const isPainted = channels > this.#options.channels;
      const own = isPainted ? withoutPaint(back.features, this.#options.channels) : back.features;
      total = activateFieldBackward(this.#activated, { ...back, features: own }, total);
    }
    if (total === undefined) return;
    const parameters = Object.entries(fieldParameters(this.field));
    const gradients = [total.features, total.opacity, total.scale];
    for (const [i, [name, { data }]] of parameters.entries()) {
      this.#update(name, data, gradients[i]!, step);
    }
    activateField(this.field, this.#activated);
  }

  /** The field and its moments, for checkpoints. */
  state(): Record<string, Tensor> {
    return { ...fieldParameters(this.field), ...this.#moments };
  }

  /** Takes a state back. */
  restore(state: Readonly<Record<string, Tensor>>): void {
    for (const [name, { data }] of Object.entries(this.state())) data.set(state[name]!.data);
    activateField(this.field, this.#activated);
  }

  #freshField(): GaussianField {
    const { head, seed, channels, isAnisotropic } = this.#options;
    const neutral = this.#poser.pose(neutralParameters(head));
    return initialiseField(this.#binding, neutral, seed, { channels, isAnisotropic });
  }

  #fieldFrom(weights: Weights): GaussianField {
    const own = Object.values<string>(FIELD_PARAMETERS).filter((name) => name in weights);
    const copies = own.map((name) => [name, { ...weights[name]!, data: weights[name]!.data.slice() }]);
    return fieldOf(this.#binding, Object.fromEntries(copies), this.#options);
  }

  #update(name: string, data: Float32Array, gradient: Float32Array, step: number): void {
    const first = this.#moments[`first.${name}`]!.data;
    const second = this.#moments[`second.${name}`]!.data;
    const [firstCorrection, secondCorrection] = [1 / (1 - BETA1 ** step), 1 / (1 - BETA2 ** step)];
    for (let i = 0; i < data.length; i++) {
      const g = gradient[i]!;
      first[i] = BETA1 * first[i]! + (1 - BETA1) * g;
      second[i] = BETA2 * second[i]! + (1 - BETA2) * g * g;
      // The corrected root: many Gaussians have gradients so small that epsilon must stay beside it.
      const root = Math.sqrt(second[i]! * secondCorrection);
      data[i]! -= (this.#options.learningRate * first[i]! * firstCorrection) / (root + EPSILON);
    }
  }
}
