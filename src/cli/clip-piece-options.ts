// The piece of a clip that --from and --to choose.

import type { TimeRange } from '../media/index.ts';
import { contradictoryOptions } from './arguments.ts';

/** `--from` and `--to`, seconds, as given. */
export type PieceChoices = { readonly from?: number | undefined; readonly to?: number | undefined };

/** The range of a clip that is asked for. */
export function rangeOf({ from, to }: PieceChoices): TimeRange {
  return {
    ...(from === undefined ? {} : { fromSeconds: from }),
    ...(to === undefined ? {} : { toSeconds: to }),
  };
}

/**
 * Refuses a piece where a file is tracked already.
 * @param use what to do with the track of the piece instead
 * @throws BadInputError for a `.track` with `--from` or `--to`
 */
export function expectPieceOfClip({ from, to }: PieceChoices, path: string, use: string): void {
  if ((from === undefined && to === undefined) || !path.toLowerCase().endsWith('.track')) return;
  throw contradictoryOptions(
    '--from and --to choose what is tracked, and a .track is tracked already.',
    `Track the piece with \`track --from --to\`, and ${use} that.`,
  );
}
