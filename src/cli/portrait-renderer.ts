// From a picture's path to a renderer of the person: the head is fitted, the network opened once for all
// portraits, and what comes after it (size, the way back into the portrait) laid over it.

import { existsSync } from 'node:fs';
import { type AvatarRenderer, type FittedPortrait, finishedRenderer } from '../avatar/index.ts';
import { MissingResourceError } from '../errors/index.ts';
import type { EventSink } from '../events/index.ts';
import { type HeadModel, jointAngles } from '../head/index.ts';
import {
  createThreadedPreview,
  findModel,
  type ModelSource,
  readImage,
  SHIPPED_AVATAR,
} from '../node/index.ts';
import type { Tracker } from '../tracking/index.ts';
import type { CommandContext } from './command.ts';
import type { RendererChoices } from './renderer-options.ts';

/** Side of a preview's pictures where no size is asked for. */
const PREVIEW_SIZE_PX = 256;
/** Beyond this one side of a face is hardly seen. */
const PROFILE_DEGREES = 35;

/** Opens renderers of portraits. Owns the network: hold it with `await using`. */
export type PortraitRenderers = AsyncDisposable & {
  rendererOf(portrait: FittedPortrait): Promise<AvatarRenderer>;
};

/** Fits the head to a portrait; what is doubtful about it is warned of. */
export async function fitPortrait(
  tracker: Tracker,
  path: string,
  { pasteBack }: RendererChoices,
  emit: EventSink,
): Promise<FittedPortrait> {
  const warn = (message: string): void => emit({ kind: 'log', level: 'warning', message });
  const { image, notes } = await readImage(path);
  notes.forEach(warn);
  const { parameters, focalPx } = await tracker.trackImage(image, { onEvent: naming(path, emit) });
  const degrees = (jointAngles(parameters, 'root').yaw * 180) / Math.PI;
  if (Math.abs(degrees) > PROFILE_DEGREES) {
    const side = degrees > 0 ? 'left' : 'right';
    warn(
      `${path}: the head is turned ${Math.abs(degrees).toFixed(0)} degrees to its ${side}; the hidden side will be guessed.`,
    );
  }
  const personMask = (await tracker.personMask(image)) ?? undefined;
  return { image, parameters, focalPx, personMask, bodyStays: pasteBack };
}

/** Says of which file a message is. */
export function naming(path: string, emit: EventSink): EventSink {
  return (event) => emit(event.kind === 'log' ? { ...event, message: `${path}: ${event.message}` } : event);
}

/** The model that the choices ask for, null for a preview; before long work, so that a wrong one is refused at once. */
export async function chosenModel(
  head: HeadModel,
  { preview, weights, config }: RendererChoices,
  emit: EventSink,
): Promise<ModelSource | null> {
  if (preview) return null;
  if (weights === undefined && config === undefined && !existsSync(SHIPPED_AVATAR)) {
    throw new MissingResourceError({
      code: 'no-weights',
      message: `Expected the package's weights at ${SHIPPED_AVATAR}, but they are not there.`,
      hint: 'Name others with --weights, or add --preview to carry the portrait by geometry alone.',
    });
  }
  const model = await findModel(head, { weights, config });
  for (const message of model.notes) emit({ kind: 'log', level: 'warning', message });
  return model;
}

/** Opens the network, if there is one. */
export async function openRenderers(
  head: HeadModel,
  source: ModelSource | null,
  { size, steps, guidance, precision, pasteBack }: RendererChoices,
  { openDevice, seed }: CommandContext,
): Promise<PortraitRenderers> {
  const finish = { sizePx: size, pasteBack };
  if (source === null) {
    return {
      async rendererOf(portrait) {
        const sizePx = size ?? PREVIEW_SIZE_PX;
        return finishedRenderer(createThreadedPreview(head, portrait, { sizePx }), portrait, finish);
      },
      [Symbol.asyncDispose]: async () => {},
    };
  }
  const model = await source.open({
    head,
    device: await openDevice(),
    seed,
    ...(steps === undefined ? {} : { steps }),
    ...(guidance === undefined ? {} : { guidanceScale: guidance }),
    ...(precision === undefined ? {} : { precision }),
  });
  return {
    rendererOf: async (portrait) => finishedRenderer(await model.renderer(portrait), portrait, finish),
    [Symbol.asyncDispose]: () => model[Symbol.asyncDispose](),
  };
}
