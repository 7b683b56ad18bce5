// How far what was found comes after what is true, in frames, and how much it trembles.

/** One quantity over a clip: true and found. */
export type Curve = { readonly truth: readonly number[]; readonly found: readonly number[] };

/** Shifts that are tried, in steps of `STEP` frames. */
const [MOST_FRAMES, STEP] = [3, 0.05];

/**
 * The delay with which found curves follow true ones best, frames: positive where they come late. A factor and an
 * offset of each clip's own are free, so that only time counts.
 */
export function lagFrames(curves: readonly Curve[]): number {
  let [best, least] = [0, Infinity];
  for (let lag = -MOST_FRAMES; lag <= MOST_FRAMES + 1e-9; lag += STEP) {
    const left = curves.reduce((sum, curve) => sum + unexplained(curve, lag), 0);
    if (left < least) [best, least] = [lag, left];
  }
  return best;
}

/** Root mean square of the error's second difference, a measure of trembling in the quantity's unit. */
export function tremble(curves: readonly Curve[]): number {
  let [sum, count] = [0, 0];
  for (const { truth, found } of curves) {
    const error = found.map((value, i) => value - truth[i]!);
    for (let i = 2; i < error.length; i++) {
      sum += (error[i]! - 2 * error[i - 1]! + error[i - 2]!) ** 2;
      count++;
    }
  }
  return Math.sqrt(sum / count);
}

/** Squared rest of a regression of the found curve on the true one, `lag` frames earlier. */
function unexplained({ truth, found }: Curve, lag: number): number {
  const margin = MOST_FRAMES + 1;
  let [n, x1, y1, xx, xy, yy] = [0, 0, 0, 0, 0, 0];
  for (let i = margin; i < found.length - margin; i++) {
    const at = i - lag;
    const [low, share] = [Math.floor(at), at - Math.floor(at)];
    const x = truth[low]! + share * (truth[low + 1]! - truth[low]!);
    const y = found[i]!;
    n++;
    x1 += x;
    y1 += y;
    xx += x * x;
    xy += x * y;
    yy += y * y;
  }
  const [sxx, sxy, syy] = [xx - (x1 * x1) / n, xy - (x1 * y1) / n, yy - (y1 * y1) / n];
  return sxx > 0 ? syy - (sxy * sxy) / sxx : syy;
}
