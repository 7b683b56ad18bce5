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

/** The first job of a thread says what it is to prepare, the others where the head shall be; plain data. */
export type FrameJob<Still> = { readonly still: Still } | { readonly placed: HeadParameters };

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

/** Null for the job that prepares. */
export const drawPreview: (job: FrameJob<PreviewStill>) => RgbImage | null = jobs(previewDrawer);
export const drawControls: (job: FrameJob<ControlsStill>) => FrameControls | null = jobs(
  ({ head, framed, steeredBy }: ControlsStill) =>
    createFrameController(steeredBy, createLiftTools(head), framed),
);

function jobs<Still, Frame>(
  prepare: (still: Still) => (placed: HeadParameters) => Frame,
): (job: FrameJob<Still>) => Frame | null {
  let draw: ((placed: HeadParameters) => Frame) | undefined;
  return (job) => {
    if ('placed' in job) return draw!(job.placed);
    draw = prepare(job.still);
    return null;
  };
}
