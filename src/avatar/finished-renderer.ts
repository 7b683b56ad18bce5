// What comes after the renderer: a larger size with the portrait's own detail, and the way back into the whole
// portrait. It wraps any renderer and lifts the portrait at the size that is asked for.

import { cropCamera, frontCamera } from '../geometry/index.ts';
import type { HeadParameters } from '../head/index.ts';
import { createLifter, createLiftTools } from '../lift/index.ts';
import { cropImage, type RgbImage, resampleMask, resizeImage } from '../media/index.ts';
import {
  type AvatarRenderer,
  type FittedPortrait,
  framePortrait,
  portraitWindow,
} from './avatar-renderer.ts';
import { addLiftedDetail } from './detailed-picture.ts';
import { createPasteBack } from './paste-back.ts';

/** What becomes of a renderer's pictures. */
export type FinishOptions = {
  /** Side of the square around the head; the default is the renderer's, or with `pasteBack` the portrait's own. */
  readonly sizePx?: number | undefined;
  /** Lay the square back into the whole portrait; without it the square alone is shown. */
  readonly pasteBack?: boolean;
};

/** The renderer at another size, or in the whole portrait; itself where neither is asked for. */
export function finishedRenderer(
  renderer: AvatarRenderer,
  portrait: FittedPortrait,
  { sizePx, pasteBack = false }: FinishOptions,
): AvatarRenderer {
  if (pasteBack) return pastedRenderer(renderer, portrait, sizePx);
  if (sizePx === undefined || sizePx === renderer.sizePx) return renderer;
  const size = { sizePx, width: sizePx, height: sizePx };
  if (sizePx < renderer.sizePx) {
    return { ...renderer, ...size, render: (motion) => resized(renderer.render(motion), sizePx) };
  }
  const tools = createLiftTools(renderer.head);
  const framed = framePortrait(tools.poser, portrait, sizePx);
  const lifter = createLifter(tools, framed);
  return {
    ...renderer,
    ...size,
    render: (motion) =>
      withParameters(renderer, motion, (image, parameters) =>
        addLiftedDetail(image, lifter.lift({ parameters, camera: framed.camera })),
      ),
  };
}

/** The square's side and place become whole pixels, and the portrait's size follows. */
function pastedRenderer(
  renderer: AvatarRenderer,
  portrait: FittedPortrait,
  wantedPx: number | undefined,
): AvatarRenderer {
  const tools = createLiftTools(renderer.head);
  const { image, parameters, focalPx, personMask } = portrait;
  const own = portraitWindow(tools.poser, portrait);
  const scale = wantedPx === undefined ? 1 : wantedPx / own.sizePx;
  const [width, height] = [Math.round(image.width * scale), Math.round(image.height * scale)];
  const canvas = resizeImage(image, width, height);
  const window = {
    leftPx: Math.round(own.leftPx * scale),
    topPx: Math.round(own.topPx * scale),
    sizePx: Math.min(Math.round(own.sizePx * scale), width, height),
  };
  const { leftPx: left, topPx: top, sizePx } = window;
  const camera = cropCamera(frontCamera(width, height, focalPx * scale), window, sizePx);
  const square = cropImage(canvas, { left, top, width: sizePx, height: sizePx });
  const cut = { leftPx: left / scale, topPx: top / scale, widthPx: sizePx / scale, heightPx: sizePx / scale };
  const mask = personMask && resampleMask({ ...image, data: personMask }, cut, sizePx, sizePx);
  const lifter = createLifter(tools, {
    ...{ image: square, parameters, camera, personMask: mask },
    bodyStays: true,
  });
  const back = createPasteBack(canvas, window, lifter.lift({ parameters, camera }).headMask);
  return {
    ...renderer,
    ...{ sizePx, width, height },
    async *render(motion) {
      if (renderer.weights === null) {
        // Without a network the lift is all there is.
        for await (const placed of motion) {
          const lifted = lifter.lift({ parameters: placed, camera });
          yield back.paste(lifted.image, lifted.headMask);
        }
        return;
      }
      yield* withParameters(renderer, motion, (picture, placed) => {
        const lifted = lifter.lift({ parameters: placed, camera });
        return back.paste(addLiftedDetail(picture, lifted), lifted.headMask);
      });
    },
  };
}

/** A renderer's pictures, each changed with the placement that it shows. */
async function* withParameters(
  renderer: AvatarRenderer,
  motion: Parameters<AvatarRenderer['render']>[0],
  change: (image: RgbImage, parameters: HeadParameters) => RgbImage,
): AsyncGenerator<RgbImage, void, undefined> {
  // Placements are drawn a window ahead of their pictures.
  const drawn: HeadParameters[] = [];
  async function* remembered(): AsyncGenerator<HeadParameters, void, undefined> {
    for await (const parameters of motion) {
      drawn.push(parameters);
      yield parameters;
    }
  }
  for await (const image of renderer.render(remembered())) yield change(image, drawn.shift()!);
}

async function* resized(
  images: AsyncIterable<RgbImage>,
  sizePx: number,
): AsyncGenerator<RgbImage, void, undefined> {
  for await (const image of images) yield resizeImage(image, sizePx, sizePx);
}
