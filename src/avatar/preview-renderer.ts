// The preview: the portrait lifted to each pose, without any network. Quick, and the measure that the
// network has to beat.

import type { HeadModel, HeadParameters } from '../head/index.ts';
import { createLifter, createLiftTools } from '../lift/index.ts';
import type { RgbImage } from '../media/index.ts';
import { type AvatarRenderer, type FittedPortrait, framePortrait } from './avatar-renderer.ts';

type PreviewOptions = { readonly sizePx: number };

/** Prepares a portrait for previews of `sizePx`. */
export function createPreviewRenderer(
  head: HeadModel,
  portrait: FittedPortrait,
  options: PreviewOptions,
): AvatarRenderer {
  const lift = createPreviewLifter(head, portrait, options);
  return {
    ...previewProperties(head, options),
    async *render(motion) {
      for await (const placed of motion) yield lift(placed);
    },
  };
}

/** The preview's pictures one by one: each depends on the placement of the head alone. */
export function createPreviewLifter(
  head: HeadModel,
  portrait: FittedPortrait,
  { sizePx }: PreviewOptions,
): (placed: HeadParameters) => RgbImage {
  const tools = createLiftTools(head);
  const framed = framePortrait(tools.poser, portrait, sizePx);
  const lifter = createLifter(tools, framed);
  return (parameters) => lifter.lift({ parameters, camera: framed.camera }).image;
}

/** All of a preview's renderer but how it renders. */
export function previewProperties(
  head: HeadModel,
  { sizePx }: PreviewOptions,
): Omit<AvatarRenderer, 'render'> {
  return { head, sizePx, width: sizePx, height: sizePx, weights: null, memoryFrames: 0 };
}
