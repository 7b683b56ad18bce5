// Ears beside a head that turns away. What lies beyond the skull's outline keeps its size on the rubber sheet, and an ear
// that the turned head hides would still stand beside it. It is drawn in as far as the posed head's own ear is.

import { smoothstep } from './lift-geometry.ts';
import { OUTLINE_BINS, type Outline, radiusAt, smoothBins } from './outline.ts';

/** A still's ear reaches further than the fitted one, as a share and in pixels. */
const MARGIN = { share: 1.25, px: 1 } as const;
/** An ear that has moved so far away from the camera is drawn in as its head says, metres. */
const AWAY_METRES = 0.02;

/**
 * How far beyond the outline of the still lies what is beyond that of the target: `(outside, bin)`, pixels and the outline's
 * angle, to pixels.
 * @param scale pixels of the still to one of the target
 */
export function earsBeyond(
  from: Outline,
  to: Outline,
  scale: number,
): (outside: number, bin: number) => number {
  const reach = new Float32Array(OUTLINE_BINS);
  const left = new Float32Array(OUTLINE_BINS);
  let isDrawnIn = false;
  for (const [i, ear] of from.ears.entries()) {
    const away = smoothstep(0, AWAY_METRES, to.ears[i]!.behindMetres - ear.behindMetres);
    if (away === 0) continue;
    isDrawnIn = true;
    const before = protrusion(ear.radiiPx, from.radiiPx);
    const after = protrusion(to.ears[i]!.radiiPx, to.radiiPx);
    for (let bin = 0; bin < OUTLINE_BINS; bin++) {
      if (before[bin] === 0) continue;
      reach[bin] = Math.max(reach[bin]!, before[bin]!);
      const kept = before[bin]! / scale;
      left[bin] = Math.max(left[bin]!, kept + away * (Math.min(kept, after[bin]!) - kept));
    }
  }
  if (!isDrawnIn) return (outside) => outside * scale;
  return (outside, bin) => {
    const [before, after] = [radiusAt(reach, bin), radiusAt(left, bin)];
    return outside < after ? (outside * before) / after : before + (outside - after) * scale;
  };
}

/** How far an ear stands beyond the skull at the outline's angles, with a margin, pixels. */
function protrusion(ear: Float32Array, skull: Float32Array): Float32Array {
  const own = ear.map((radius, bin) => {
    const beyond = radius - skull[bin]!;
    return radius > 0 && beyond > 0 ? MARGIN.share * beyond + MARGIN.px : 0;
  });
  const widest = own.map((_, bin) =>
    Math.max(...[-1, 0, 1].map((k) => own[(bin + k + OUTLINE_BINS) % OUTLINE_BINS]!)),
  );
  return smoothBins(widest);
}
