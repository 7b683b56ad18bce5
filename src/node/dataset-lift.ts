// Fitted portraits as a dataset: each clip is a photograph, then for every variant the photograph lifted away
// to a random pose and expression, and lifted back from there. Away is a reference, back the control, and the
// photograph the true answer.

import {
  type ClipInfo,
  clipKey,
  type DatasetTotals,
  type EncodedClip,
  encodeClip,
} from '../dataset/index.ts';
import { BadInputError } from '../errors/index.ts';
import type { EventSink } from '../events/index.ts';
import { createHeadPoser, type HeadModel, type HeadParameters, type HeadTrack } from '../head/index.ts';
import { createLiftTools, type LiftedImage, type LiftSource, liftRoundTrip } from '../lift/index.ts';
import type { RgbImage } from '../media/index.ts';
import { type AwayOptions, moveAway } from '../synthesis/index.ts';
import { createRandom, deriveSeed } from '../tensor/index.ts';
import type { Tracker } from '../tracking/index.ts';
import { beginDataset } from './dataset-builder.ts';
import { encodeFrame, encodeMask } from './dataset-pictures.ts';
import { fitPortraitFile, listPortraits, type PortraitFile } from './fitted-portraits.ts';

/** What is lifted, and how far. */
export type LiftDatasetOptions = {
  readonly source: string;
  readonly out: string;
  readonly name: string;
  readonly licence: string;
  readonly sizePx: number;
  /** Round trips of each portrait. */
  readonly variants: number;
  readonly away: Required<AwayOptions>;
  readonly seed: number;
  readonly tracker: Tracker;
  readonly head: HeadModel;
  readonly emit: EventSink;
  readonly signal: AbortSignal;
  /** Sees every portrait that this run lifts, with its variants on the way there. */
  readonly onPortrait?: (photograph: RgbImage, variants: readonly LiftedVariant[]) => void;
};

/** One lift away, and how much of its head the photograph shows, 0 to 1. */
export type LiftedVariant = { readonly lifted: LiftedImage; readonly quality: number };

/** What lifting a folder came to. */
export type LiftDatasetResult = {
  readonly totals: DatasetTotals;
  /** Of this run. */
  readonly portraitsLifted: number;
  /** Over the variants of this run, lowest first. */
  readonly qualities: readonly number[];
  readonly skipped: readonly { readonly item: string; readonly reason: string }[];
};

/** Lifts a folder of portraits into a dataset; a run that was stopped is continued. */
export async function liftDataset(options: LiftDatasetOptions): Promise<LiftDatasetResult> {
  const { source, out, name, licence, sizePx, variants, away, seed, head, emit, signal } = options;
  const portraits = await listPortraits(source);
  using dataset = await beginDataset({
    path: out,
    name,
    request: { command: 'dataset lift', licence, sizePx, variants, ...away, seed },
    headName: head.name,
    items: portraits.map((portrait) => portrait.name),
  });
  const tools = createLiftTools(head);
  const poser = createHeadPoser(head);
  const qualities: number[] = [];
  const skipped: { item: string; reason: string }[] = [];
  let done = portraits.length - dataset.missing.length;
  for (const item of dataset.missing) {
    signal.throwIfAborted();
    const portrait = portraits[item]!;
    const fitted = await fitPortraitFile(portrait, { tracker: options.tracker, poser, sizePx }).catch(
      (error) => {
        if (error instanceof BadInputError) return error;
        throw error;
      },
    );
    if (fitted instanceof BadInputError) {
      await dataset.put(item, { skipped: fitted.message });
      skipped.push({ item: portrait.name, reason: fitted.message });
    } else {
      const trips = Array.from({ length: variants }, (_, variant) => {
        const random = createRandom(deriveSeed(seed, 71, item, variant));
        const parameters = moveAway(fitted.parameters, head, random, away);
        const trip = liftRoundTrip(tools, fitted, { parameters, camera: fitted.camera });
        return {
          parameters,
          ...trip,
          quality: visibleShare(trip.away),
          qualityBack: visibleShare(trip.back),
        };
      });
      await dataset.put(item, { clips: [await clipOf(options, portrait, fitted, trips)] });
      options.onPortrait?.(
        fitted.image,
        trips.map(({ away: lifted, quality }) => ({ lifted, quality })),
      );
      for (const { quality } of trips) qualities.push(quality);
    }
    emit({ kind: 'progress', stage: 'lift', done: ++done, total: portraits.length, unit: 'portraits' });
  }
  const totals = await dataset.finish();
  const portraitsLifted = dataset.missing.length - skipped.length;
  return { totals, portraitsLifted, qualities: qualities.sort((a, b) => a - b), skipped };
}

/** How much of a lifted head its still shows, 0 to 1. */
function visibleShare({ visibility, headMask }: LiftedImage): number {
  let [seen, all] = [0, 0];
  for (const [pixel, mask] of headMask.entries()) {
    seen += mask * visibility[pixel]!;
    all += mask * 255;
  }
  return all === 0 ? 0 : seen / all;
}

type Trip = {
  readonly parameters: HeadParameters;
  readonly away: LiftedImage;
  readonly back: LiftedImage;
  readonly quality: number;
  readonly qualityBack: number;
};

/** Frame 0 is the photograph; then away and back of each variant in turn. */
async function clipOf(
  { name, licence, head, sizePx }: LiftDatasetOptions,
  portrait: PortraitFile,
  fitted: LiftSource,
  trips: readonly Trip[],
): Promise<EncodedClip> {
  const whole = new Uint8Array(sizePx * sizePx).fill(255);
  const photograph = { image: fitted.image, visibility: whole, headMask: trips[0]!.back.headMask };
  const pictures = [photograph, ...trips.flatMap(({ away, back }) => [away, back])];
  const heads = [fitted.parameters, ...trips.flatMap(({ parameters }) => [parameters, fitted.parameters])];
  const confidence = [1, ...trips.flatMap(({ quality, qualityBack }) => [quality, qualityBack])];
  const masks = (part: 'headMask' | 'visibility'): Promise<Uint8Array[]> =>
    Promise.all(pictures.map((picture) => encodeMask(picture[part], sizePx, sizePx)));
  const { rotation, translation } = fitted.camera.cameraFromWorld;
  const info: ClipInfo = {
    identity: portrait.identity,
    label: 'real',
    kind: 'views',
    split: 'train',
    licence,
    origin: `${name}: ${portrait.name}, lifted`,
    sequence: null,
    view: null,
    width: sizePx,
    height: sizePx,
    framesPerSecond: null,
    camera: {
      ...fitted.camera,
      cameraFromWorld: { rotation: Array.from(rotation), translation: Array.from(translation) },
    },
    calibration: null,
  };
  return encodeClip({
    key: clipKey(portrait.name),
    info,
    track: trackOf(head, fitted, heads, confidence),
    frames: await Promise.all(pictures.map(({ image }) => encodeFrame(image))),
    maps: { head: await masks('headMask'), visibility: await masks('visibility') },
  });
}

function trackOf(
  head: HeadModel,
  { camera, parameters }: LiftSource,
  heads: readonly HeadParameters[],
  confidence: readonly number[],
): HeadTrack {
  const rows = (part: 'expression' | 'jointRotations' | 'translation'): Float32Array =>
    Float32Array.from(heads.flatMap((own) => [...own[part]]));
  return {
    headName: head.name,
    width: camera.width,
    height: camera.height,
    focalPx: camera.focalXPx,
    timestampsSeconds: Float64Array.from(heads, (_, i) => i),
    identity: parameters.identity,
    expression: rows('expression'),
    jointRotations: rows('jointRotations'),
    translation: rows('translation'),
    confidence: Float32Array.from(confidence),
    landmarksPx: new Float32Array(heads.length * 478 * 2),
    provenance: { source: 'dataset lift', frames: 'photograph, then away and back of each variant' },
  };
}
