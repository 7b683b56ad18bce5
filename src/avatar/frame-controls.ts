// What steers one frame, as the networks take it: the splatted Gaussian features and the lifted picture.

import { type ControlKind, hideInvisible } from '../denoiser/index.ts';
import type { ActivatedField, GaussianBinding, GaussianField } from '../gaussians/index.ts';
import {
  activateField,
  bindGaussians,
  paintedField,
  paintGaussians,
  placeGaussians,
  rebindField,
  Splatter,
} from '../gaussians/index.ts';
import type { HeadParameters } from '../head/index.ts';
import { HEAD_MAP_CHANNELS, headMaps, neutralParameters } from '../head/index.ts';
import type { LiftedImage, Lifter, LiftTools } from '../lift/index.ts';
import { createLifter } from '../lift/index.ts';
import { planarFromImage } from '../media/index.ts';
import type { Tensor } from '../tensor/index.ts';
import { tensor } from '../tensor/index.ts';
import type { FramedPortrait } from './avatar-renderer.ts';

/** The controls of one frame. */
export type FrameControls = {
  /** What the model takes besides, by the names of its inputs: `gaussian`, `painted`, `maps`, `1 C H W` each. */
  readonly drawn: Readonly<Record<string, Tensor>>;
  /** `1 3 H W` in [-1, 1], zero where nothing is known. */
  readonly lifted: Tensor<'B C H W'>;
  /** `1 1 H W` in [0, 1]. */
  readonly visibility: Tensor<'B C H W'>;
  /** The lifted picture itself. */
  readonly lift: LiftedImage;
};

/** Makes the controls of frames of one portrait. */
export type FrameController = (parameters: HeadParameters) => FrameControls;

/** The controls of the frames of a motion, in order. */
export type FrameControlStream = (
  motion: Iterable<HeadParameters> | AsyncIterable<HeadParameters>,
) => AsyncGenerator<FrameControls, void, undefined>;

/** What a model is steered by. */
export type SteeredBy = {
  readonly field: GaussianField | null;
  readonly kinds: ReadonlySet<ControlKind>;
};

/** Prepares what does not change from frame to frame. */
export function createFrameController(
  { field, kinds }: SteeredBy,
  tools: LiftTools,
  portrait: FramedPortrait,
): FrameController {
  const lifter: Lifter = createLifter(tools, portrait);
  const splatField = field === null ? null : createFieldSplatter(field, kinds, tools, portrait);
  const { width, height } = portrait.camera;
  const drawMaps = (parameters: HeadParameters): Record<string, Tensor> => {
    if (!kinds.has('landmarks+normals+depth')) return {};
    const maps = headMaps(tools, parameters, portrait.camera);
    return { maps: tensor(maps, [1, HEAD_MAP_CHANNELS, height, width]) };
  };
  return (parameters) => {
    const lift = lifter.lift({ parameters, camera: portrait.camera });
    const drawn = { ...splatField?.(parameters), ...drawMaps(parameters) };
    return { drawn, ...liftedControl(lift), lift };
  };
}

/** A lifted picture as networks take it: what is declared unknown is never seen. */
export function liftedControl({
  image,
  visibility,
}: LiftedImage): Pick<FrameControls, 'lifted' | 'visibility'> {
  const { data } = planarFromImage(image);
  const shares = Float32Array.from(visibility, (value) => value / 255);
  hideInvisible(data, shares);
  return {
    lifted: tensor(data, [1, 3, image.height, image.width]),
    visibility: tensor(shares, [1, 1, image.height, image.width]),
  };
}

function createFieldSplatter(
  field: GaussianField,
  kinds: ReadonlySet<ControlKind>,
  { head, poser, rasteriser }: LiftTools,
  { camera, image, parameters: ofPortrait }: FramedPortrait,
): (parameters: HeadParameters) => Record<string, Tensor> {
  const binding: GaussianBinding = bindGaussians(head, { uvSize: field.uvSize });
  const rest = poser.pose(neutralParameters(head));
  const bare: ActivatedField = activateField(rebindField(field, binding, rest, 0));
  const painting = kinds.has('painted')
    ? paintGaussians(
        { head, binding, rasteriser },
        { picture: planarFromImage(image).data, camera, vertices: poser.pose(ofPortrait) },
      )
    : null;
  const activated = painting === null ? bare : paintedField(bare, painting);
  const name = painting === null ? 'gaussian' : 'painted';
  const splatter = new Splatter();
  return (parameters) => {
    const placement = placeGaussians(binding, activated, poser.pose(parameters));
    const { features } = splatter.forward({ camera, ...placement, ...activated });
    return { [name]: tensor(features.data, [1, ...features.shape]) };
  };
}
