// A dataset as one page that needs nothing beside it: what is in it, how it looks, how heads are turned and move, and
// what was left out. It looks like the report on a track.

import {
  CLIP_LABELS,
  type DatasetStatistics,
  type Histogram,
  type ItemRecord,
  type PartCount,
} from '../dataset/index.ts';
import { escapeHtml } from './html.ts';
import type { ReportPicture } from './page.ts';
import { PAGE_STYLE } from './page-style.ts';

/** What the page says. */
export type DatasetReport = {
  /** What people call the dataset. */
  readonly title: string;
  /** The command and options that made it. */
  readonly request: Readonly<Record<string, unknown>>;
  readonly headName: string | null;
  readonly shards: number;
  readonly isComplete: boolean;
  readonly statistics: DatasetStatistics;
  readonly skipped: readonly ItemRecord[];
  /** The contact sheet. */
  readonly pictures: readonly { readonly picture: ReportPicture; readonly caption: string }[];
  /** Frames with their maps, frame by frame; empty where there are none. */
  readonly maps: DatasetReport['pictures'];
  /** The program that made it. */
  readonly maker: string;
};

/** Skipped items beyond these are only counted. */
const MAX_SKIPPED = 500;

const STYLE = `
.sheet{display:grid;gap:6px;grid-template-columns:repeat(auto-fill,minmax(112px,1fr))}
.sheet figure{margin:0;background:var(--card);border:1px solid var(--rule);border-radius:6px;overflow:hidden;font-size:11px;color:var(--soft)}
.sheet img{display:block;width:100%;height:auto;aspect-ratio:1;object-fit:contain}
.sheet figcaption{padding:2px 6px 3px;white-space:nowrap;overflow:hidden;text-overflow:ellipsis;display:block;font-size:11px}
.histograms{display:grid;gap:12px;grid-template-columns:repeat(auto-fit,minmax(320px,1fr))}
.histogram{margin:0;background:var(--card);border:1px solid var(--rule);border-radius:10px;padding:10px 14px}
.histogram svg{display:block;width:100%;height:130px;margin:6px 0 2px}
.histogram .ends{display:flex;justify-content:space-between;font-size:11px;color:var(--soft);font-variant-numeric:tabular-nums}
.bar.s0{fill:var(--s0)}.bar.s1{fill:var(--s1);fill-opacity:.75}
.parts{display:flex;align-items:start;flex-wrap:wrap;gap:8px 60px}
.skipped td:last-child{color:var(--soft);overflow-wrap:anywhere}
`;

/** The page, as HTML. */
export function datasetHtml(report: DatasetReport): string {
  const { title, statistics: s, skipped, pictures, headName, shards, isComplete } = report;
  const lead = `${counted(s.clips, 'clip')}, ${counted(s.frames, 'frame')}, ${counted(s.people, 'person', 'people')}, ${counted(shards, 'shard')}`;
  const share = s.framesOpened === 0 ? 0 : s.framesTracked / s.framesOpened;
  const facts: readonly (readonly [string, string, boolean?])[] = [
    ['Clips', number(s.clips)],
    ['Frames', number(s.frames)],
    ['People', number(s.people)],
    ['Size', `${(s.bytes / 1e6).toFixed(1)} MB`],
    ['Frames tracked', `${(100 * share).toFixed(1)} %`],
    ['Skipped', number(skipped.length), skipped.length > 0],
    ['State', isComplete ? 'complete' : 'being written', !isComplete],
  ];
  const items = facts.map(
    ([name, value, isBad]) => `<div${isBad ? ' class="bad"' : ''}><dt>${name}</dt><dd>${value}</dd></div>`,
  );
  const opened = s.clipsOpened < s.clips ? ` of ${number(s.clipsOpened)} clips, evenly spread` : '';
  const figures = (shown: DatasetReport['pictures']): string[] =>
    shown.map(
      ({ picture, caption }) =>
        `<figure title="${escapeHtml(caption)}"><img src="${picture.uri}" width="${picture.width}" height="${picture.height}" alt="${escapeHtml(caption)}" loading="lazy"><figcaption>${escapeHtml(caption)}</figcaption></figure>`,
    );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>${escapeHtml(title)}: dataset</title><style>${PAGE_STYLE}${STYLE}</style></head>
<body><main>
<h1>${escapeHtml(title)}</h1>
<p class="lead">${lead}. ${escapeHtml(requestText(report.request))}. ${headName === null ? 'Nothing is tracked' : `Tracks are of the head ${escapeHtml(headName)}`}.</p>
<dl class="facts">${items.join('')}</dl>
<h2>Contact sheet <small>${counted(pictures.length, 'frame')}, evenly spread</small></h2>
<div class="sheet">${figures(pictures).join('')}</div>
${report.maps.length === 0 ? '' : `<h2>Maps</h2><div class="sheet">${figures(report.maps).join('')}</div>`}
<h2>Parts</h2>
<div class="parts">${partsHtml('Label', s.labels)}${partsHtml('Split', s.splits)}${partsHtml('Kind', s.kinds)}${partsHtml('Licence', s.licences)}${partsHtml('Map', s.maps)}</div>
<h2>Heads <small>${number(s.framesTracked)} tracked frames${opened}</small></h2>
<div class="histograms">
${histogramHtml('Yaw', '+ to their left', '°', s.yawDegrees)}
${histogramHtml('Pitch', '+ down', '°', s.pitchDegrees)}
${histogramHtml('Expression energy', 'root mean square of the coefficients', '', s.expressionEnergy)}
</div>
${skippedHtml(skipped)}
<footer>${escapeHtml(report.maker)}. Values outside an axis are counted in its outermost bars; each label's bars are drawn to its own frames.</footer>
</main></body></html>
`;
}

function requestText(request: Readonly<Record<string, unknown>>): string {
  const { command, layout: _, ...options } = request;
  const shown = Object.entries(options).filter(([, value]) => value !== null && typeof value !== 'object');
  return `Made by ${String(command ?? 'an unknown command')}: ${shown.map(([name, value]) => `${name} ${value}`).join(', ')}`;
}

function partsHtml(title: string, parts: Readonly<Record<string, PartCount>>): string {
  const rows = Object.entries(parts).map(
    ([name, { clips, frames }]) =>
      `<tr><td>${escapeHtml(name)}</td><td>${number(clips)}</td><td>${number(frames)}</td></tr>`,
  );
  return `<table><tr><th>${title}</th><th>clips</th><th>frames</th></tr>${rows.join('')}</table>`;
}

const [WIDTH, HEIGHT] = [450, 130];

function histogramHtml(title: string, note: string, unit: string, { low, high, counts }: Histogram): string {
  const labels = CLIP_LABELS.map((label, i) => {
    const total = counts[label].reduce((sum, count) => sum + count, 0);
    return { label, i, total, shares: counts[label].map((count) => count / Math.max(1, total)) };
  }).filter(({ total }) => total > 0);
  const top = Math.max(1e-9, ...labels.flatMap(({ shares }) => shares));
  const bars = labels.map(({ i, shares }) => {
    const width = WIDTH / shares.length;
    return shares
      .map((share, bin) => {
        const height = (share / top) * (HEIGHT - 4);
        return height === 0
          ? ''
          : `<rect class="bar s${i}" x="${round(bin * width + 0.5)}" y="${round(HEIGHT - height)}" width="${round(width - 1)}" height="${round(height)}"/>`;
      })
      .join('');
  });
  const key = labels.map(
    ({ label, i, total }) => `<span class="key s${i}">${label} (${number(total)})</span>`,
  );
  const zero =
    low < 0 && high > 0
      ? `<path class="zero" d="M${round((-low / (high - low)) * WIDTH)} 0V${HEIGHT}"/>`
      : '';
  const end = (value: number): string => `${Number(value.toFixed(2))}${unit}`;
  return `<figure class="histogram"><figcaption><b>${title}</b>${key.join('')}<small>${escapeHtml(note)}</small></figcaption>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="Histogram of ${escapeHtml(title)}">${zero}${bars.join('')}</svg>
<div class="ends"><span>${end(low)}</span><span>${end((low + high) / 2)}</span><span>${end(high)}</span></div></figure>`;
}

function skippedHtml(skipped: readonly ItemRecord[]): string {
  if (skipped.length === 0) return '';
  const rows = skipped
    .slice(0, MAX_SKIPPED)
    .map(
      ({ name, skipped: reason }) =>
        `<tr><td>${escapeHtml(name)}</td><td>${escapeHtml(reason ?? '')}</td></tr>`,
    );
  const more = skipped.length - rows.length;
  return `<h2>Skipped <small>${counted(skipped.length, 'item')} of the source without a clip</small></h2>
<table class="skipped">${rows.join('')}</table>${more > 0 ? `<p class="lead">and ${number(more)} more.</p>` : ''}`;
}

function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${number(count)} ${count === 1 ? noun : plural}`;
}

/** With thin spaces between thousands. */
function number(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, '\u2009');
}

const round = (value: number): number => Math.round(100 * value) / 100;
