// What the lifted picture says about the answer, taken before the network speaks. Where the reference is
// visible, its lifted latent mu is a guess at the clean latent with a known small error; the noisy latent
// and the guess together imply a v, and the network predicts only what that v lacks.
// Departs: the paper's network predicts v from nothing. Without this, hours of training on small machines
// go into copying a latent that is there already; `liftPriorVariance: null` is the paper's form.
//
// How far to believe an invented pixel was measured on training pairs: its latent explains about half of the
// truth's. So belief b = (1 + k) v / (k + v) rises fast with visibility v, and the prior is N(b mu, 1 - b (1 - var)).
//
// With x_t = a x_0 + s eps and x_0 ~ N(mu, tau^2):  E[x_0 | x_t] = mu + a tau^2 (x_t - a mu) / D,
// D = a^2 tau^2 + s^2, and v = (a x_t - x_0) / s gives  v = s (a (1 - tau^2) x_t - mu) / D.
// Where nothing is visible mu = 0 and tau = 1, so that v = 0: the prior is silent.

import { createSchedule, mixtureAt } from '../diffusion/index.ts';
import type { Value } from '../tensor/index.ts';
import {
  add,
  averagePool2d,
  concat,
  constant,
  div,
  gatherRows,
  mul,
  reshape,
  slice,
  square,
  sub,
} from '../tensor/index.ts';
import type { ModelConfig } from './config.ts';
import { latentFactor } from './config.ts';
import type { Controls } from './guidance-network.ts';

/** The visibility at which a guess is believed by half. */
const HALF_BELIEF = 0.06;

/** Joins the prior's latent and how far it is believed to the guidance features: `B W+C+1 h w`, made once a frame. */
export function withLiftPrior(features: Value, controls: Controls, config: ModelConfig): Value {
  if (config.unet.liftPriorVariance === null) return features;
  const visibility = controls.visibility!;
  const pixelBelief = div(mul(visibility, 1 + HALF_BELIEF), add(visibility, HALF_BELIEF));
  const belief = averagePool2d(pixelBelief, latentFactor(config.autoencoder));
  return concat([features, mul(controls.liftedLatent!, belief), belief], 1);
}

/** The extents of what steers a batch: the guidance features, and the prior where there is one. */
export function guidanceShape({ unet, autoencoder, size }: ModelConfig, batch: number): number[] {
  const side = size / latentFactor(autoencoder);
  const prior = unet.liftPriorVariance === null ? 0 : autoencoder.latentChannels + 1;
  return [batch, unet.widths[0]! + prior, side, side];
}

/** Takes apart what `withLiftPrior` joined: the guidance features, and the v that the prior implies. */
export function splitGuidance(
  guidance: Value,
  { noisy, timesteps }: { noisy: Value; timesteps: Value },
  config: ModelConfig,
): { features: Value; priorVelocity: Value | null } {
  const { liftPriorVariance, widths } = config.unet;
  if (liftPriorVariance === null) return { features: guidance, priorVelocity: null };
  const [width, channels] = [widths[0]!, config.autoencoder.latentChannels];
  const part = (start: number, count: number): Value =>
    slice(guidance, { axis: 1, start, end: start + count });
  const [mu, belief] = [part(width, channels), part(width + channels, 1)];
  const variance = sub(1, mul(belief, 1 - liftPriorVariance));
  const schedule = createSchedule(config.diffusion);
  const mixtures = Array.from({ length: schedule.steps }, (_, t) => mixtureAt(schedule, t));
  const perPicture = (values: readonly number[]): Value => {
    const table = constant({ dtype: 'float32', shape: [values.length, 1], data: Float32Array.from(values) });
    return reshape(gatherRows(table, timesteps), [-1, 1, 1, 1]);
  };
  const signal = perPicture(mixtures.map((mixture) => mixture.signal));
  const noise = perPicture(mixtures.map((mixture) => mixture.noise));
  const denominator = add(mul(square(signal), variance), square(noise));
  const difference = sub(mul(mul(signal, sub(1, variance)), noisy), mu);
  return { features: part(0, width), priorVelocity: mul(div(noise, denominator), difference) };
}
