// The parts of the controls that nothing learns: the reference's colours on the Gaussians, and the posed head as
// maps. The heads that they are drawn with err as a tracker does, so that a network does not trust them blindly.

import { isSteeredBy, type ModelConfig } from '../denoiser/index.ts';
import { BadInputError } from '../errors/index.ts';
import { bindGaussians, type PaintTools, paintGaussians } from '../gaussians/index.ts';
import {
  HEAD_MAP_CHANNELS,
  type HeadMapTools,
  type HeadModel,
  headMaps,
  PAINT_CHANNELS,
} from '../head/index.ts';
import { createLiftTools } from '../lift/index.ts';
import { misfit } from '../synthesis/index.ts';
import type { AnyTensor, Tensor } from '../tensor/index.ts';
import { createRandom, stacked, tensor } from '../tensor/index.ts';
import type { GaussianLearner, PosedHead } from './gaussian-learner.ts';
import type { TrainingSample } from './sample-shard.ts';

/** Draws what a configuration's controls need besides the field; null for what they do not. */
export type ControlSources = {
  /** The paint of a sample's reference as it is shown (planar, in [-1, 1]): `N 4`. */
  readonly paint: ((sample: TrainingSample, reference: Float32Array) => Float32Array) | null;
  /** The maps of a posed head, `5 S S`. */
  readonly maps: ((posed: PosedHead) => Float32Array) | null;
};

/** @throws BadInputError from `paint` for samples without the head of their reference. */
export function createControlSources(head: HeadModel, model: ModelConfig): ControlSources {
  const isPainted = isSteeredBy(model, 'painted');
  const hasMaps = isSteeredBy(model, 'landmarks+normals+depth');
  if (!isPainted && !hasMaps) return { paint: null, maps: null };
  const tools = createLiftTools(head);
  const { uvSize } = model;
  return {
    paint: isPainted ? painter({ ...tools, binding: bindGaussians(head, { uvSize }) }) : null,
    maps: hasMaps ? (posed) => headMaps(tools, posed.head, posed.camera) : null,
  };
}

function painter(tools: PaintTools & HeadMapTools): NonNullable<ControlSources['paint']> {
  return ({ referencePlacement }, picture) => {
    if (referencePlacement === null) {
      throw new BadInputError({
        code: 'unplaced-reference',
        message:
          'expected samples with the head of their reference for the control "painted", got some without',
        hint: 'write the samples again with this version, or leave the control out',
      });
    }
    const { parameters, camera } = referencePlacement;
    return paintGaussians(tools, { picture, camera, vertices: tools.poser.pose(parameters) });
  };
}

/** A picture of a batch: its sample, the reference as it is shown, and the head that controls are drawn with. */
export type SteeredPicture = {
  readonly sample: TrainingSample;
  readonly reference: Float32Array;
  readonly posed: PosedHead;
};

/** Where a batch carries the paint of its pictures, `B N 4`, until the field is splatted with it. */
const PAINTING = 'painting';

/** What a batch's controls take besides the field's map and the lift. */
export function drawControls(
  { paint, maps }: ControlSources,
  pictures: readonly SteeredPicture[],
): Record<string, Tensor> {
  const { width, height } = pictures[0]!.posed.camera;
  const drawn: Record<string, Tensor> = {};
  if (paint !== null) {
    const paintings = pictures.map(({ sample, reference }) => paint(sample, reference));
    drawn[PAINTING] = tensor(stacked(paintings), [
      paintings.length,
      paintings[0]!.length / PAINT_CHANNELS,
      PAINT_CHANNELS,
    ]);
  }
  if (maps !== null) {
    const drawings = pictures.map(({ posed }) => maps(posed));
    drawn.maps = tensor(stacked(drawings), [drawings.length, HEAD_MAP_CHANNELS, height, width]);
  }
  return drawn;
}

/** Adds the field's map to a batch, painted where the batch carries paint; `heads` as in its pictures. */
export function withFieldMap(
  batch: Readonly<Record<string, AnyTensor>>,
  gaussians: GaussianLearner,
  heads: readonly PosedHead[],
): Record<string, AnyTensor> {
  const { [PAINTING]: painting, ...feeds } = batch;
  if (painting === undefined) return { ...feeds, gaussian: gaussians.map(heads) };
  const each = painting.data.length / heads.length;
  const paintings = heads.map((_, i) => (painting.data as Float32Array).subarray(i * each, (i + 1) * each));
  return { ...feeds, painted: gaussians.map(heads, paintings) };
}

/** What of a batch its model takes: the lifted picture where that steers it. */
export function steeringFeeds(
  model: ModelConfig,
  drawn: Readonly<Record<string, AnyTensor>>,
): Record<string, AnyTensor> {
  const { liftedLatent, visibility, ...others } = drawn;
  return isSteeredBy(model, 'lifted') ? { ...drawn } : others;
}

/** One picture's control in colours, `3 S S`: paint or features of the field, else the maps' first channels; null for neither. */
export function controlPicture(
  controls: Readonly<Record<string, AnyTensor>>,
  index: number,
): Float32Array | null {
  const drawn = controls.painted ?? controls.gaussian ?? controls.maps;
  if (drawn === undefined) return null;
  const [, channels, height, width] = drawn.shape as [number, number, number, number];
  const area = height * width;
  const first = index * channels + (drawn === controls.painted ? channels - PAINT_CHANNELS : 0);
  return (drawn.data as Float32Array).slice(first * area, (first + Math.min(3, channels)) * area);
}

/** The gradient of the field's map among a step's outputs. */
export function mapGradient(outputs: Readonly<Record<string, Tensor>>): Tensor | undefined {
  return outputs['gradient.gaussian'] ?? outputs['gradient.painted'];
}

/**
 * The head of a sample's target as a tracker would give it.
 * @param jitter as `misfit` takes it: 0 is exact, 1 a tracker's usual error
 */
export function trackedHead(
  sample: TrainingSample,
  { jitter, seed }: { jitter: number; seed: number },
): PosedHead {
  const { head, camera } = sample;
  return jitter === 0 ? sample : { head: misfit(head, jitter, createRandom(seed)), camera };
}
