// One thread of a threaded preview: it prepares a portrait once and lifts it to one placement after another.

import { createPreviewLifter, type FittedPortrait } from '../avatar/index.ts';
import type { HeadModel, HeadParameters } from '../head/index.ts';
import type { RgbImage } from '../media/index.ts';

/** The first job of a thread names the portrait, the others where its head shall be; plain data. */
export type LiftJob =
  | { readonly head: HeadModel; readonly portrait: FittedPortrait; readonly sizePx: number }
  | { readonly placed: HeadParameters };

let lift: ((placed: HeadParameters) => RgbImage) | null = null;

/** Null for the job that names the portrait. */
export function liftPortrait(job: LiftJob): RgbImage | null {
  if ('placed' in job) return lift!(job.placed);
  lift = createPreviewLifter(job.head, job.portrait, job);
  return null;
}
