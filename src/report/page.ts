// The report on a track: one page that needs nothing beside it. Pictures and curves are inside, and it reads in
// light and dark, on paper and without its script.

import { frameCount, type HeadModel, type HeadTrack } from '../head/index.ts';
import { type ChartScale, panelHtml, timeAxisHtml } from './chart.ts';
import { type CurvePanel, trackCurves } from './curves.ts';
import { type Doubt, mistrustedFrames } from './doubts.ts';
import { escapeHtml } from './html.ts';
import type { Moment } from './moments.ts';
import { PAGE_SCRIPT, PAGE_STYLE } from './page-style.ts';

/** What a report says. */
export type TrackReport = {
  /** What was tracked, as people know it. */
  readonly title: string;
  readonly head: HeadModel;
  readonly track: HeadTrack;
  /** `T`; NaN where not tracked. */
  readonly landmarkErrors: ArrayLike<number>;
  /** Where in its clip the track begins. */
  readonly startSeconds: number;
  /** First frames of the shots after the first. */
  readonly shots: readonly number[];
  readonly doubts: readonly Doubt[];
  /** Doubts beyond these have no picture and are only counted. */
  readonly shownDoubts: readonly Doubt[];
  readonly stripFrames: readonly number[];
  readonly poses: readonly Moment[];
  /** Further facts for the head of the page. */
  readonly facts: readonly (readonly [name: string, value: string])[];
  /** The program that made it. */
  readonly maker: string;
};

/** A picture as `data:` URI with its size. */
export type ReportPicture = { readonly uri: string; readonly width: number; readonly height: number };

/** The pictures of a report: the whole frame, and the mesh over the face; null where there is none. */
export type ReportPictures = {
  frame(frame: number): ReportPicture | null;
  overlay(frame: number): ReportPicture | null;
};

/** Values for the cursor are thinned to about this many frames. */
const MAX_VALUES = 6000;

/** The page, as HTML. */
export function reportHtml(report: TrackReport, pictures: ReportPictures): string {
  const { title, head, track, landmarkErrors, doubts, shownDoubts, shots, startSeconds } = report;
  const panels = trackCurves(head, track, landmarkErrors);
  const scale: ChartScale = { timestampsSeconds: track.timestampsSeconds, doubts, shots };
  let series = 0;
  const curves = panels.map((panel) => {
    const html = panelHtml(panel, scale, series);
    series += panel.curves.length;
    return html;
  });
  const at = (frame: number): string => `${(startSeconds + track.timestampsSeconds[frame]!).toFixed(2)} s`;
  const card = (frame: number, picture: ReportPicture | null, text: string): string =>
    `<button class="shot" data-t="${track.timestampsSeconds[frame]!.toFixed(4)}">${imageHtml(picture, at(frame))}<span>${text}</span></button>`;
  const strip = report.stripFrames.map((frame) => card(frame, pictures.frame(frame), at(frame)));
  const poses = report.poses.map(({ frame, caption }) =>
    card(frame, pictures.overlay(frame), `<b>${escapeHtml(caption)}</b>${at(frame)}`),
  );
  const mistrusted = shownDoubts.map((doubt) => {
    const { firstFrame, lastFrame, worstFrame, text } = doubt;
    const count = lastFrame - firstFrame + 1;
    const when = count === 1 ? at(firstFrame) : `${at(firstFrame)} to ${at(lastFrame)}`;
    const picture = pictures.overlay(worstFrame) ?? pictures.frame(worstFrame);
    return card(worstFrame, picture, `<b>${when}, ${counted(count, 'frame')}</b>${escapeHtml(text)}`);
  });
  const more = doubts.length - shownDoubts.length;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>${escapeHtml(title)}: head track</title><style>${PAGE_STYLE}</style></head>
<body><main>
<h1>${escapeHtml(title)}</h1>
<p class="lead">${escapeHtml(leadOf(report))}</p>
${factsHtml(report)}
<h2>Film strip</h2>
<div class="strip">${strip.join('')}</div>
<h2>The fitted head <small>where it does most: mesh over the face, landmarks in green</small></h2>
<div class="poses">${poses.join('')}</div>
<h2>Over time <small class="now">move over the curves to read them; orange bands are frames to mistrust</small></h2>
<section class="curves">${curves.join('\n')}${timeAxisHtml(scale, startSeconds)}</section>
<h2>Frames to mistrust <small>${doubts.length === 0 ? 'none was found' : `${counted(mistrustedFrames(doubts), 'frame')}, gravest reasons first`}</small></h2>
<div class="doubts">${mistrusted.join('')}</div>
${more > 0 ? `<p class="lead">and ${counted(more, 'more span')}, marked in the curves.</p>` : ''}
${shotsHtml(report, at)}
<footer>${escapeHtml(report.maker)}. Angles are of the head model, in the camera's frame. The landmark error is a share of the distance between the eyes' outer corners; a small one means that the head meets the landmarks, not that both are right.</footer>
</main><script type="application/json" id="data">${dataOf(panels, report)}</script><script>${PAGE_SCRIPT}</script></body></html>
`;
}

function imageHtml(picture: ReportPicture | null, alt: string): string {
  if (picture === null) return '';
  const { uri, width, height } = picture;
  return `<img src="${uri}" width="${width}" height="${height}" alt="${alt}" decoding="async">`;
}

function leadOf({ track, startSeconds, head }: TrackReport): string {
  const seconds = track.timestampsSeconds.at(-1)! - track.timestampsSeconds[0]!;
  const from = startSeconds > 0 ? ` from ${startSeconds} s` : '';
  return `${counted(frameCount(track), 'frame')}, ${seconds.toFixed(1)} s${from}, ${track.width} × ${track.height}, fitted with the head ${head.name}`;
}

function factsHtml({ track, landmarkErrors, doubts, facts }: TrackReport): string {
  const frames = frameCount(track);
  const tracked = track.confidence.reduce((count, value) => count + (value > 0 ? 1 : 0), 0);
  const errors = Array.from(landmarkErrors)
    .filter((error) => !Number.isNaN(error))
    .sort((a, b) => a - b);
  const percent = (share: number): string => {
    const error = errors[Math.min(errors.length - 1, Math.floor(share * errors.length))];
    return error === undefined ? '–' : `${(100 * error).toFixed(2)} %`;
  };
  const wrong = mistrustedFrames(doubts);
  const field = (2 * Math.atan(track.width / 2 / track.focalPx) * 180) / Math.PI;
  const rows: readonly (readonly [string, string, boolean?])[] = [
    ['Tracked', `${tracked} <small>of ${frames}</small>`, tracked < frames],
    ['To mistrust', `${wrong} <small>${((100 * wrong) / frames).toFixed(1)} %</small>`, wrong > 0],
    ['Landmark error', `${percent(0.5)} <small>median</small>`],
    ['Error, 95th percentile', percent(0.95)],
    ['Focal length', `${track.focalPx.toFixed(0)} px <small>${field.toFixed(0)}° wide</small>`],
    ...facts.map(([name, value]) => [escapeHtml(name), escapeHtml(value)] as const),
  ];
  const items = rows.map(
    ([name, value, isBad]) => `<div${isBad ? ' class="bad"' : ''}><dt>${name}</dt><dd>${value}</dd></div>`,
  );
  return `<dl class="facts">${items.join('')}</dl>`;
}

function shotsHtml({ track, shots }: TrackReport, at: (frame: number) => string): string {
  if (shots.length === 0) return '';
  const starts = [0, ...shots];
  const rows = starts.map((first, i) => {
    const last = (starts[i + 1] ?? frameCount(track)) - 1;
    return `<tr><td>${i + 1}</td><td>${at(first)}</td><td>${at(last)}</td><td>${last - first + 1}</td></tr>`;
  });
  return `<h2>Shots <small>where the picture cuts, dashed in the curves</small></h2>
<table><tr><th>Shot</th><th>from</th><th>to</th><th>frames</th></tr>${rows.join('')}</table>`;
}

/** Times and values for the cursor, as JSON that cannot end its element. */
function dataOf(panels: readonly CurvePanel[], { track, startSeconds }: TrackReport): string {
  const stride = Math.ceil(frameCount(track) / MAX_VALUES);
  const thin = (values: Float64Array, decimals: number): (number | null)[] =>
    Array.from(
      values.filter((_, i) => i % stride === 0),
      (value) => (Number.isNaN(value) ? null : Number(value.toFixed(decimals))),
    );
  const series = panels.flatMap(({ curves }) =>
    curves.map(({ values, unit, decimals }) => ({ unit, decimals, values: thin(values, decimals) })),
  );
  const data = { start: startSeconds, seconds: thin(track.timestampsSeconds, 4), series };
  return JSON.stringify(data).replaceAll('<', '\\u003c');
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
