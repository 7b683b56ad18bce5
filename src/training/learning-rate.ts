// The numbers of each update over a run. The learning rate rises from zero, and where the run's length is known
// falls along a cosine.

import type { AdamWStep } from '../nn/index.ts';
import type { OptimiserConfig } from './training-config.ts';

/** What is left of the learning rate once it has fallen. */
const FINAL_SHARE = 0.05;

/** The learning rate of a step, counted from 0. */
export function learningRateAt(
  step: number,
  {
    learningRate,
    warmupSteps,
    decaySteps,
  }: Pick<OptimiserConfig, 'learningRate' | 'warmupSteps' | 'decaySteps'>,
): number {
  const warmup = Math.min(1, (step + 1) / Math.max(1, warmupSteps));
  if (decaySteps === undefined) return learningRate * warmup;
  const progress = Math.min(1, Math.max(0, (step - warmupSteps) / Math.max(1, decaySteps - warmupSteps)));
  const cosine = FINAL_SHARE + (1 - FINAL_SHARE) * 0.5 * (1 + Math.cos(Math.PI * progress));
  return learningRate * warmup * cosine;
}

/** The update of a step, counted from 0. */
export function updateAt(step: number, settings: OptimiserConfig): AdamWStep {
  // Early averages forget their start sooner.
  const emaDecay = Math.min(settings.emaDecay, (step + 1) / (step + 10));
  return { learningRate: learningRateAt(step, settings), step: step + 1, emaDecay };
}
