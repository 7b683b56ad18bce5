// What a run will take, measured before it starts: two steps whose outcome is thrown away.

import type { Device } from '../tensor/index.ts';
import { elementCount } from '../tensor/index.ts';
import { updateAt } from './learning-rate.ts';
import type { Stage } from './stage.ts';
import { Trainer } from './trainer.ts';

/** What a stage is and costs. */
export type Rehearsal = {
  /** Numbers that learn in the graph, and numbers that stay as they are. */
  readonly trainedParameters: number;
  readonly frozenParameters: number;
  /** Of a step once the device is warm, its batch included. */
  readonly secondsPerStep: number;
  readonly imagesPerSecond: number;
};

/** Takes two steps of a fresh stage and measures the second; writes nothing. */
export async function rehearseTraining(stage: Stage, device: Device): Promise<Rehearsal> {
  const { problem, settings } = stage;
  await using trainer = await Trainer.create(device, problem);
  await trainer.begin(stage.initialWeights());
  let secondsPerStep = 0;
  for (let step = 0; step < 2; step++) {
    const began = performance.now();
    const batch = await stage.batchAt(step);
    const feeds = stage.complete?.(batch, step) ?? batch;
    await trainer.step(feeds, updateAt(step, settings));
    secondsPerStep = (performance.now() - began) / 1000;
  }
  const total = (shapes: Iterable<readonly number[]>): number =>
    [...shapes].reduce((sum, shape) => sum + elementCount(shape), 0);
  return {
    trainedParameters: total([...problem.trained.values()].map(({ shape }) => shape)),
    frozenParameters: total(Object.values(problem.frozen).map(({ shape }) => shape)),
    secondsPerStep,
    imagesPerSecond: settings.batch / secondsPerStep,
  };
}
