// The preview: the portrait lifted to each pose, without any network. Quick, and the measure that the
// network has to beat.

import type { HeadModel } from '../head/index.ts';
import { createLifter, createLiftTools } from '../lift/index.ts';
import { type AvatarRenderer, type FittedPortrait, framePortrait } from './avatar-renderer.ts';

/** Prepares a portrait for previews of `sizePx`. */
export function createPreviewRenderer(
  head: HeadModel,
  portrait: FittedPortrait,
  { sizePx }: { readonly sizePx: number },
): AvatarRenderer {
  const tools = createLiftTools(head);
  const framed = framePortrait(tools.poser, portrait, sizePx);
  const lifter = createLifter(tools, framed);
  return {
    head,
    sizePx,
    width: sizePx,
    height: sizePx,
    weights: null,
    memoryFrames: 0,
    async *render(motion) {
      for await (const parameters of motion) {
        yield lifter.lift({ parameters, camera: framed.camera }).image;
      }
    },
  };
}
