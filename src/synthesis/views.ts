// The views of one subject as a job of plain data, for worker threads.

import { decodeHead } from '../head/index.ts';
import { createRandom, deriveSeed } from '../tensor/index.ts';
import type { AssetLibrary } from './asset-library.ts';
import { sampleMotion } from './motion.ts';
import { placeSubject } from './placement.ts';
import { createRenderTools, type RenderedSubject, type RenderTools, renderSubject } from './renderer.ts';
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
};

let known: { readonly length: number; readonly tools: RenderTools } | null = null;

/** Renders the views of a subject; view k of a seed is always the same picture. */
export function renderViews({
  head,
  seed,
  views,
  sizePx,
  assets = null,
  ...range
}: ViewsJob): RenderedSubject[] {
  if (known?.length !== head.length) {
    known = { length: head.length, tools: createRenderTools(decodeHead(head)) };
  }
  const { tools } = known;
  const subject = createSubject(seed, tools, { assets });
  return Array.from({ length: views }, (_, view) => {
    const motion = sampleMotion(createRandom(deriveSeed(seed, 41, view)), tools.head, range);
    const placement = placeSubject(subject.traits, motion, sizePx);
    return renderSubject(tools, subject, { ...placement, noiseSeed: view });
  });
}
