// Curves as inline SVG: stretched to the page's width, with lines of constant thickness, bands where frames
// are mistrusted and marks where shots begin. Axis text is HTML, so that it does not stretch.

import type { Curve, CurvePanel } from './curves.ts';
import type { Doubt } from './doubts.ts';
import { escapeHtml } from './html.ts';

/** What all panels of a page share. */
export type ChartScale = {
  /** `T`, seconds, growing. */
  readonly timestampsSeconds: Float64Array;
  readonly doubts: readonly Doubt[];
  /** First frames of shots. */
  readonly shots: readonly number[];
};

const WIDTH = 1000;
const HEIGHT = 100;
/** Longer tracks are drawn by the lowest and highest value of each column. */
const MAX_POINTS = 2000;

/** One panel: title, key, axis and lines. `firstSeries` numbers its lines over the page. */
export function panelHtml(panel: CurvePanel, scale: ChartScale, firstSeries: number): string {
  const [low, high] = axisOf(panel);
  const key = panel.curves.map(
    ({ name }, i) =>
      `<span class="key s${i}">${escapeHtml(name)} <output data-series="${firstSeries + i}"></output></span>`,
  );
  const ticks = ticksOf(low, high).map((value) => {
    const unit = panel.curves[0]!.unit;
    return {
      top: (100 * (high - value)) / (high - low),
      label: `${Number(value.toPrecision(6))}${unit}`,
      value,
    };
  });
  const lines = panel.curves.map(
    (curve, i) => `<path class="line s${i}" d="${pathOf(curve, scale, low, high)}"/>`,
  );
  const grid = ticks.map(({ top, value }) => {
    const y = round((top * HEIGHT) / 100);
    return `<path class="${value === 0 ? 'zero' : 'grid'}" d="M0 ${y}H${WIDTH}"/>`;
  });
  return `<figure class="panel">
<figcaption><b>${escapeHtml(panel.title)}</b>${key.join('')}<small>${escapeHtml(panel.note)}</small></figcaption>
<div class="plot">
<div class="ticks">${ticks.map(({ top, label }) => `<span style="top:${round(top)}%">${label}</span>`).join('')}</div>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${escapeHtml(panel.title)}">
${marksOf(scale)}${grid.join('')}${lines.join('')}
</svg><div class="cursor"></div></div>
</figure>`;
}

/** The time axis below the panels. */
export function timeAxisHtml({ timestampsSeconds }: ChartScale, startSeconds: number): string {
  const [first, last] = limitsOf(timestampsSeconds);
  const ticks = ticksOf(startSeconds + first, startSeconds + last, 8).map((seconds) => {
    const left = (100 * (seconds - startSeconds - first)) / (last - first);
    return `<span style="left:${round(left)}%">${Number(seconds.toFixed(2))} s</span>`;
  });
  return `<div class="time-axis">${ticks.join('')}</div>`;
}

function axisOf({ curves, range }: CurvePanel): [low: number, high: number] {
  let [low, high] = range ?? [-5, 5];
  for (const { values } of curves) {
    for (const value of values) {
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  const margin = 0.06 * (high - low);
  return [low - margin, high + margin];
}

/** Round values between two bounds, about `wanted` of them. */
function ticksOf(low: number, high: number, wanted = 3): number[] {
  const raw = (high - low) / wanted;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= raw) ?? 10);
  const first = Math.ceil(low / step);
  const count = Math.floor(high / step) - first + 1;
  return Array.from({ length: Math.max(0, count) }, (_, i) => (first + i) * step);
}

/** First and last time; a single frame gets a second. */
function limitsOf(timestampsSeconds: Float64Array): [first: number, last: number] {
  const first = timestampsSeconds[0]!;
  const last = timestampsSeconds.at(-1)!;
  return [first, last > first ? last : first + 1];
}

function placeOf(timestampsSeconds: Float64Array): (frame: number) => number {
  const [first, last] = limitsOf(timestampsSeconds);
  return (frame) => (WIDTH * (timestampsSeconds[frame]! - first)) / (last - first);
}

function pathOf(
  { values }: Curve,
  { timestampsSeconds, shots }: ChartScale,
  low: number,
  high: number,
): string {
  const x = placeOf(timestampsSeconds);
  const y = (value: number): number => (HEIGHT * (high - value)) / (high - low);
  let path = '';
  let isDrawing = false;
  let shot = 0;
  for (const frame of shownFrames(values)) {
    const value = values[frame]!;
    // What is on the two sides of a cut does not belong together.
    for (; shot < shots.length && frame >= shots[shot]!; shot++) isDrawing = false;
    if (Number.isNaN(value)) {
      isDrawing = false;
      continue;
    }
    path += `${isDrawing ? 'L' : 'M'}${round(x(frame))} ${round(y(value))}`;
    isDrawing = true;
  }
  // A lone point shows by its round cap.
  return values.length === 1 && path !== '' ? `${path}h0` : path;
}

/** All frames, or of a long track the lowest, the highest and a missing one of each column. */
function shownFrames(values: Float64Array): number[] {
  const size = Math.ceil(values.length / (MAX_POINTS / 2));
  if (values.length <= MAX_POINTS) return Array.from(values, (_, frame) => frame);
  const frames: number[] = [];
  for (let start = 0; start < values.length; start += size) {
    const column = Array.from({ length: Math.min(size, values.length - start) }, (_, i) => start + i);
    const missing = column.find((frame) => Number.isNaN(values[frame]!));
    const present = column.filter((frame) => !Number.isNaN(values[frame]!));
    if (present.length > 0) {
      const lowest = present.reduce((a, b) => (values[b]! < values[a]! ? b : a));
      const highest = present.reduce((a, b) => (values[b]! > values[a]! ? b : a));
      frames.push(...[...new Set([lowest, highest])].sort((a, b) => a - b));
    }
    if (missing !== undefined) frames.push(missing);
  }
  return frames;
}

/** Bands of doubt and starts of shots. */
function marksOf({ timestampsSeconds, doubts, shots }: ChartScale): string {
  const x = placeOf(timestampsSeconds);
  const last = timestampsSeconds.length - 1;
  const bands = doubts.map(({ reason, firstFrame, lastFrame }) => {
    const left = x(firstFrame);
    const width = Math.max(1.5, x(Math.min(last, lastFrame + 1)) - left);
    return `<rect class="band ${reason}" x="${round(left)}" y="0" width="${round(width)}" height="${HEIGHT}"/>`;
  });
  const cuts = shots.map((frame) => `<path class="cut" d="M${round(x(frame))} 0V${HEIGHT}"/>`);
  return [...bands, ...cuts].join('');
}

const round = (value: number): number => Math.round(100 * value) / 100;
