// The views of one subject as a job of plain data, for worker threads.

import { decodeHead, type HeadTrack } from '../head/index.ts';
import { createRandom, deriveSeed } from '../tensor/index.ts';
import type { AssetLibrary } from './asset-library.ts';
import { sampleMotion } from './motion.ts';
import { placeSubject } from './placement.ts';
import { createRenderTools, type RenderedSubject, type RenderTools, renderSubject } from './renderer.ts';
import { replayTrack, sampleTakes, type Take } from './replay.ts';
import { createSubject } from './subject.ts';

/** Which views of which subject. */
export type ViewsJob = {
  /** The bytes of a `*.head` file. */
  readonly head: Uint8Array;
  readonly seed: number;
  readonly views: number;
  readonly sizePx: number;
  readonly yawDegrees: number;
  readonly pitchDegrees: number;
  /** What subjects may wear. */
  readonly assets?: AssetLibrary | null;
  /** Whether the maps of the surface come with each view. */
  readonly hasMaps?: boolean;
  /** The views follow each other in time, 25 a second, in a sampled motion or a track's; null: each by itself. */
  readonly clip?: { readonly track: HeadTrack | null } | null;
};

let known: { readonly length: number; readonly tools: RenderTools } | null = null;

/** Renders the views of a subject; view k of a seed is always the same picture. */
export function renderViews({
  head,
  seed,
  views,
  sizePx,
  assets = null,
  clip = null,
  hasMaps = false,
  ...range
}: ViewsJob): RenderedSubject[] {
  if (known?.length !== head.length) {
    known = { length: head.length, tools: createRenderTools(decodeHead(head)) };
  }
  const { tools } = known;
  const subject = createSubject(seed, tools, { assets });
  const takes =
    clip === null
      ? Array.from({ length: views }, (_, view): Take => {
          const motion = sampleMotion(createRandom(deriveSeed(seed, 41, view)), tools.head, range);
          return { motion, shiftMetres: [0, 0, 0] };
        })
      : clipTakes(clip.track, tools, seed, { frames: views, ...range });
  return takes.map(({ motion, shiftMetres }, view) => {
    const placement = placeSubject(subject.traits, motion, sizePx, shiftMetres);
    return renderSubject(tools, subject, { ...placement, noiseSeed: view, hasMaps });
  });
}

function clipTakes(
  track: HeadTrack | null,
  { head }: RenderTools,
  seed: number,
  options: { readonly frames: number; readonly yawDegrees: number; readonly pitchDegrees: number },
): Take[] {
  const random = createRandom(deriveSeed(seed, 42));
  return track === null ? sampleTakes(random, head, options) : replayTrack(track, random, options.frames);
}
