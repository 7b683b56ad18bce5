// Novel view and expression on synthetic subjects with exact truth: each subject's first picture is the
// reference, another pose and expression of it the truth. Beside the method stand what costs nothing (the
// reference copied as the answer) and the lift alone.

import type { OpenModel } from '../avatar/index.ts';
import { FaultError } from '../errors/index.ts';
import type { EventSink } from '../events/index.ts';
import { silentSink } from '../events/index.ts';
import type { RgbImage } from '../media/index.ts';
import type { RenderTools, SyntheticPair } from '../synthesis/index.ts';
import { createSubject, makeSyntheticPair } from '../synthesis/index.ts';
import type { ImageMetrics } from './image-metrics.ts';
import { compareImages } from './image-metrics.ts';
import type { Interval } from './statistics.ts';
import { bootstrapMean } from './statistics.ts';

/** What is evaluated on how many subjects. */
export type SyntheticProtocolOptions = {
  readonly tools: RenderTools;
  readonly model: OpenModel;
  readonly subjects: number;
  /** Seed of the first subject; 500000 and above are held out of all training. */
  readonly seed: number;
  readonly sizePx: number;
  readonly events?: EventSink;
  readonly signal?: AbortSignal;
};

/** Means over subjects with their 95 % intervals. */
export type MetricSummary = Readonly<Record<keyof ImageMetrics, Interval>>;

/** The outcome, and the pictures to look at. */
export type SyntheticReport = {
  readonly subjects: number;
  readonly frames: number;
  /** Of the method, of the reference copied, of the lift alone; in the head region. */
  readonly metrics: MetricSummary;
  readonly copying: MetricSummary;
  readonly lift: MetricSummary;
  /** For each subject: reference, lift, output, truth. */
  readonly rows: readonly (readonly RgbImage[])[];
};

/** Runs the protocol; one other picture a subject. */
export async function evaluateSynthetic(options: SyntheticProtocolOptions): Promise<SyntheticReport> {
  const { tools, model, subjects, seed, sizePx, events = silentSink, signal } = options;
  const scores = { metrics: [], copying: [], lift: [] } as Record<string, ImageMetrics[]>;
  const rows: RgbImage[][] = [];
  for (let i = 0; i < subjects; i++) {
    signal?.throwIfAborted();
    const subject = createSubject(seed + i, tools);
    const pair = makeSyntheticPair(tools, subject, { sizePx, index: 0 });
    const picture = (data: Uint8Array): RgbImage => ({ width: sizePx, height: sizePx, data });
    const reference = picture(pair.reference);
    const lift = picture(pair.lifted);
    const truth = picture(pair.target);
    const output = await answer(model, pair);
    const score = (image: RgbImage): ImageMetrics => compareImages(image, truth, pair.headMask);
    scores.metrics!.push(score(output));
    scores.copying!.push(score(reference));
    scores.lift!.push(score(lift));
    rows.push([reference, lift, output, truth]);
    events({ kind: 'progress', stage: 'evaluate', done: i + 1, total: subjects, unit: 'subjects' });
  }
  return {
    subjects,
    frames: rows.length,
    metrics: summarise(scores.metrics!),
    copying: summarise(scores.copying!),
    lift: summarise(scores.lift!),
    rows,
  };
}

/** The model's picture of the pair's target, from its reference as a tracker would have fitted it. */
async function answer(model: OpenModel, { portrait, head }: SyntheticPair): Promise<RgbImage> {
  const renderer = await model.framedRenderer(portrait);
  for await (const image of renderer.render([{ ...head, identity: portrait.parameters.identity }]))
    return image;
  throw new FaultError({
    code: 'no-frame',
    message: 'expected one picture from the model, got none',
    hint: 'this is a fault of the program: report it',
  });
}

function summarise(scores: readonly ImageMetrics[]): MetricSummary {
  const of = (name: keyof ImageMetrics): Interval => bootstrapMean(scores.map((score) => score[name]));
  return { psnr: of('psnr'), ssim: of('ssim'), l1: of('l1') };
}
