// One thread that draws frames of a motion: it prepares a portrait once, and then draws one placement of the head
// after another.

import {
  createFrameController,
  createPreviewLifter,
  type FittedPortrait,
  type FrameControls,
  type FramedPortrait,
  type SteeredBy,
} from '../avatar/index.ts';
import type { HeadModel, HeadParameters } from '../head/index.ts';
import { createLiftTools } from '../lift/index.ts';
import type { RgbImage } from '../media/index.ts';

/** The first job of a thread says what it is to prepare, the others what to draw; plain data. */
export type FrameJob<Still, Item = HeadParameters> = { readonly still: Still } | { readonly item: Item };

/** What previews are drawn of. */
export type PreviewStill = {
  readonly head: HeadModel;
  readonly portrait: FittedPortrait;
  readonly sizePx: number;
};
/** What a model's controls are drawn of. */
export type ControlsStill = {
  readonly head: HeadModel;
  readonly framed: FramedPortrait;
  readonly steeredBy: SteeredBy;
};

export const previewDrawer = ({
  head,
  portrait,
  sizePx,
}: PreviewStill): ((placed: HeadParameters) => RgbImage) => createPreviewLifter(head, portrait, { sizePx });

export const drawPreview: FrameFunction<PreviewStill, HeadParameters, RgbImage> = jobs(previewDrawer);
export const drawControls: FrameFunction<ControlsStill, HeadParameters, FrameControls> = jobs(
  ({ head, framed, steeredBy }: ControlsStill) =>
    createFrameController(steeredBy, createLiftTools(head), framed),
);

/** Null for the job that prepares. */
export type FrameFunction<Still, Item, Frame> = (job: FrameJob<Still, Item>) => Promise<Frame | null>;

/** The function of a thread that is prepared once and then draws one item after another. */
export function jobs<Still, Item, Frame>(
  prepare: (still: Still) => Drawer<Item, Frame> | Promise<Drawer<Item, Frame>>,
): FrameFunction<Still, Item, Frame> {
  let draw: Drawer<Item, Frame> | undefined;
  return async (job) => {
    if ('item' in job) return draw!(job.item);
    draw = await prepare(job.still);
    return null;
  };
}

type Drawer<Item, Frame> = (item: Item) => Frame | Promise<Frame>;
