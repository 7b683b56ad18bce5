// A figure against an axis: the frames of the first series as dots, the means of all series in bins as lines.

import { escapeHtml } from './html.ts';

/** What is drawn. */
export type Scatter = {
  readonly metric: {
    readonly name: string;
    readonly label: string;
    readonly decimals: number;
    readonly unit: string;
  };
  readonly series: readonly {
    readonly name: string;
    readonly points: readonly Readonly<Partial<Record<string, number>>>[];
  }[];
  /** The field of a point that is its place on the axis. */
  readonly axis: string;
  readonly axisLabel: string;
  readonly axisUnit: string;
};

const [WIDTH, HEIGHT] = [400, 150];
const BINS = 6;
/** Series that are drawn; the style sheet knows so many colours. */
const MOST_SERIES = 3;

type Place = readonly [x: number, y: number];

/** The figure as HTML; empty where no series has the metric. */
export function scatterHtml({ metric, series, axis, axisLabel, axisUnit }: Scatter): string {
  const placed = series.slice(0, MOST_SERIES).map(({ name, points }) => ({
    name,
    places: points.flatMap((point): Place[] => {
      const [x, y] = [point[axis], point[metric.name]];
      return x === undefined || y === undefined ? [] : [[x, y]];
    }),
  }));
  const all = placed.flatMap(({ places }) => places);
  if (all.length === 0) return '';
  const right = all.reduce((most, [x]) => Math.max(most, x), 1e-6);
  const [low, high] = withMargin(all.map(([, y]) => y));
  const x = (value: number): number => round((WIDTH * value) / right);
  const y = (value: number): number => round((HEIGHT * (high - value)) / (high - low));
  const dots = placed[0]!.places.map(([a, b]) => `<path class="dot" d="M${x(a)} ${y(b)}h0"/>`);
  const lines = placed.map(({ places }, i) => {
    const means = binMeans(places, right);
    return `<path class="line s${i}" d="${means.map(([a, b], k) => `${k === 0 ? 'M' : 'L'}${x(a)} ${y(b)}`).join('')}"/>`;
  });
  const ticks = [0.1, 0.5, 0.9].map((share) => {
    const value = high - share * (high - low);
    return `<span style="top:${round(100 * share)}%">${value.toFixed(metric.decimals)}</span>`;
  });
  const key = placed.map(({ name }, i) => `<span class="key s${i}">${escapeHtml(name)}</span>`);
  const label = `${metric.label}${metric.unit === '' ? '' : `, ${metric.unit}`}`;
  return `<figure class="scatter"><figcaption><b>${escapeHtml(label)}</b>${key.join('')}</figcaption>
<div class="plot"><div class="ticks">${ticks.join('')}</div><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${escapeHtml(`${label} by ${axisLabel}`)}"><path class="zero" d="M0 ${HEIGHT}H${WIDTH}"/>${dots.join('')}${lines.join('')}</svg></div>
<div class="ends"><span>0${axisUnit}</span><span>${escapeHtml(axisLabel)}</span><span>${Number(right.toPrecision(2))}${axisUnit}</span></div></figure>`;
}

/** Means of the places in each part of the axis, where there are any. */
function binMeans(places: readonly Place[], right: number): Place[] {
  return Array.from({ length: BINS }, (_, bin) => {
    const inside = places.filter(([x]) => Math.min(BINS - 1, Math.floor((BINS * x) / right)) === bin);
    const mean = (of: 0 | 1): number => inside.reduce((sum, place) => sum + place[of], 0) / inside.length;
    return inside.length === 0 ? [] : [[mean(0), mean(1)] as const];
  }).flat();
}

function withMargin(values: readonly number[]): [low: number, high: number] {
  const low = values.reduce((least, value) => Math.min(least, value), Infinity);
  const high = values.reduce((most, value) => Math.max(most, value), -Infinity);
  const margin = Math.max(0.08 * (high - low), 1e-6);
  return [low - margin, high + margin];
}

const round = (value: number): number => Math.round(100 * value) / 100;
