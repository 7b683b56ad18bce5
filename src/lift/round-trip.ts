// A still lifted away and back again: away is a reference, back is the control, and the untouched still is
// the true answer, so that one photograph teaches motion. The way back is placed by the way there, so that
// hair and background return to where they were.

import type { RgbImage } from '../media/index.ts';
import type { LiftedImage } from './composition.ts';
import { createSheetLifter, type HeadPlacement, type LiftSource, type LiftTools } from './lifter.ts';
import { invertSheet } from './rubber-sheet.ts';

/** A still carried away and back. */
export type RoundTrip = {
  /** The still as it looks at the turning point: the reference. */
  readonly away: LiftedImage;
  /** The way back from there, with the trust of both ways: the control. */
  readonly back: LiftedImage;
  /** The untouched still: the target. */
  readonly target: RgbImage;
};

/** Lifts a still to `via` and back to its own placement. */
export function liftRoundTrip(tools: LiftTools, source: LiftSource, via: HeadPlacement): RoundTrip {
  const there = createSheetLifter(tools, source).liftWithSheet(via);
  const returning = createSheetLifter(tools, {
    image: there.lifted.image,
    trust: there.lifted.visibility,
    personMask: there.lifted.personMask ?? undefined,
    ...via,
  });
  const { lifted: back } = returning.liftWithSheet(source, invertSheet(there.sheet, source.image));
  return { away: there.lifted, back, target: source.image };
}
