// What steers one frame, as the networks take it: the splatted Gaussian features and the lifted picture.

import { hideInvisible } from '../denoiser/index.ts';
import type { ActivatedField, GaussianBinding, GaussianField } from '../gaussians/index.ts';
import { activateField, bindGaussians, placeGaussians, rebindField, Splatter } from '../gaussians/index.ts';
import type { HeadParameters } from '../head/index.ts';
import { neutralParameters } from '../head/index.ts';
import type { LiftedImage, Lifter, LiftTools } from '../lift/index.ts';
import { createLifter } from '../lift/index.ts';
import { planarFromImage } from '../media/index.ts';
import type { Tensor } from '../tensor/index.ts';
import { tensor } from '../tensor/index.ts';
import type { FramedPortrait } from './avatar-renderer.ts';

/** The controls of one frame. */
export type FrameControls = {
  /** `1 C H W`, or null where the model takes none. */
  readonly gaussian: Tensor<'B C H W'> | null;
  /** `1 3 H W` in [-1, 1], zero where nothing is known. */
  readonly lifted: Tensor<'B C H W'>;
  /** `1 1 H W` in [0, 1]. */
  readonly visibility: Tensor<'B C H W'>;
};

/** Makes the controls of frames of one portrait. */
export type FrameController = (parameters: HeadParameters) => FrameControls;

/** Prepares what does not change from frame to frame. */
export function createFrameController(
  field: GaussianField | null,
  tools: LiftTools,
  portrait: FramedPortrait,
): FrameController {
  const lifter: Lifter = createLifter(tools, portrait);
  const splatField = field === null ? null : createFieldSplatter(field, tools, portrait);
  return (parameters) => ({
    gaussian: splatField?.(parameters) ?? null,
    ...liftedControl(lifter.lift({ parameters, camera: portrait.camera })),
  });
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
  { head, poser }: LiftTools,
  { camera }: FramedPortrait,
): (parameters: HeadParameters) => Tensor<'B C H W'> {
  const binding: GaussianBinding = bindGaussians(head, { uvSize: field.uvSize });
  const rest = poser.pose(neutralParameters(head));
  const activated: ActivatedField = activateField(rebindField(field, binding, rest, 0));
  const splatter = new Splatter();
  return (parameters) => {
    const placement = placeGaussians(binding, activated, poser.pose(parameters));
    const { features } = splatter.forward({ camera, ...placement, ...activated });
    return tensor(features.data, [1, ...features.shape]);
  };
}
