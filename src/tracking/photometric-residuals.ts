// What frames show of the followed points, weighed: the light taken off, outliers trusted less, and how far
// each point is from its own mean over the frames.

import { addLocalLight, fitLight, type LitPoints, meanAlbedo } from './photometric-light.ts';

/** Residuals of all frames with the weights that they count with; `N` values a frame. */
export type WeighedAppearance = {
  /** 0 where a point is not seen; else in 1 / squared logarithms. */
  readonly weights: readonly Float64Array[];
  /** Logarithms that each frame's light adds. */
  readonly lit: readonly Float64Array[];
  readonly residuals: readonly Float64Array[];
  /** 0 to 1: how far each value is believed, for the next round. */
  readonly trust: readonly Float64Array[];
  readonly cost: number;
  /** The usual residual. */
  readonly deviation: number;
};

/** What is below this is noise of the picture and the sampling, logarithms. */
const LEAST_DEVIATION = 0.01;
/** In deviations: where a residual begins to count as an outlier (hair, shadows, shine). */
const OUTLIER = 2;
/** Neighbouring points err together: each counts as this share of an independent one. */
const INDEPENDENT_SHARE = 0.5;
/** Points that fewer frames see say nothing of depth. */
const LEAST_FRAMES = 3;

/**
 * Weighs what frames show.
 * @param frames values, normals, and how well each point is seen
 * @param earlier the trust of a round before
 * @param neighbours for each point those around it
 */
export function weighAppearance(
  frames: readonly LitPoints[],
  earlier: readonly Float64Array[] | null,
  neighbours: readonly Uint32Array[],
): WeighedAppearance {
  const seen = withoutLonely(frames.map(({ weights }) => weights));
  const trusted = frames.map((frame, i) => ({
    ...frame,
    weights: earlier === null ? seen[i]! : seen[i]!.map((weight, t) => weight * earlier[i]![t]!),
  }));
  const lit = addLocalLight(trusted, fitLight(trusted), neighbours);
  const first = residualsOf(trusted, lit);
  const deviation = Math.max(LEAST_DEVIATION, 1.48 * medianAbsolute(first, seen));
  const trust = first.map((row) => row.map((value) => 1 / (1 + (value / (OUTLIER * deviation)) ** 2)));
  const strength = INDEPENDENT_SHARE / deviation ** 2;
  const weights = seen.map((row, i) => row.map((weight, t) => strength * weight * trust[i]![t]!));
  const weighed = frames.map((frame, i) => ({ ...frame, weights: weights[i]! }));
  const residuals = residualsOf(weighed, lit);
  return { weights, lit, residuals, trust, deviation, cost: costOf(residuals, weights) };
}

/** One frame's residuals against an albedo that is known, with the light that `lightOf` finds; `N` values each. */
export function weighAgainst(
  frame: LitPoints,
  albedo: Float64Array,
  lightOf: (frame: LitPoints) => Float64Array,
): { readonly weights: Float64Array; readonly residual: Float64Array; readonly lit: Float64Array } {
  const { values, weights: seen } = frame;
  const left = (lit: Float64Array): Float64Array =>
    values.map((value, t) => (seen[t]! > 0 ? value - lit[t]! - albedo[t]! : 0));
  const first = left(lightOf(frame));
  const deviation = Math.max(LEAST_DEVIATION, 1.48 * medianAbsolute([first], [seen]));
  const trust = first.map((value) => 1 / (1 + (value / (OUTLIER * deviation)) ** 2));
  const trusted = seen.map((weight, t) => weight * trust[t]!);
  const lit = lightOf({ ...frame, weights: trusted });
  const strength = INDEPENDENT_SHARE / deviation ** 2;
  return { weights: trusted.map((weight) => strength * weight), residual: left(lit), lit };
}

/**
 * The cost of other values under the same light and weights, each point's albedo being free.
 * @param isInside `N` a frame: 0 where a point left the picture
 */
export function appearanceCost(
  { weights, lit }: WeighedAppearance,
  shown: readonly { readonly values: Float64Array; readonly isInside: Uint8Array }[],
): number {
  const frames = shown.map(({ values, isInside }, i) => ({
    values,
    weights: weights[i]!.map((weight, t) => weight * isInside[t]!),
    normals: values,
  }));
  return costOf(
    residualsOf(frames, lit),
    frames.map((frame) => frame.weights),
  );
}

function residualsOf(frames: readonly LitPoints[], lit: readonly Float64Array[]): Float64Array[] {
  const albedo = meanAlbedo(frames, lit);
  return frames.map(({ values, weights }, i) =>
    values.map((value, t) => (weights[t]! > 0 ? value - lit[i]![t]! - albedo[t]! : 0)),
  );
}

function withoutLonely(seen: readonly Float64Array[]): Float64Array[] {
  const frames = new Uint16Array(seen[0]!.length);
  for (const row of seen) for (let t = 0; t < row.length; t++) if (row[t]! > 0) frames[t]!++;
  return seen.map((row) => row.map((weight, t) => (frames[t]! < LEAST_FRAMES ? 0 : weight)));
}

function costOf(residuals: readonly Float64Array[], weights: readonly Float64Array[]): number {
  return residuals.reduce((sum, row, i) => sum + halfSquares(row, weights[i]!), 0);
}

/** Half the weighed sum of squares. */
export function halfSquares(residual: Float64Array, weights: Float64Array): number {
  let sum = 0;
  for (let t = 0; t < residual.length; t++) sum += 0.5 * weights[t]! * residual[t]! ** 2;
  return sum;
}

function medianAbsolute(residuals: readonly Float64Array[], seen: readonly Float64Array[]): number {
  const all: number[] = [];
  for (const [i, row] of residuals.entries()) {
    for (let t = 0; t < row.length; t++) if (seen[i]![t]! > 0) all.push(Math.abs(row[t]!));
  }
  return Float64Array.from(all).sort()[all.length >> 1] ?? 0;
}
