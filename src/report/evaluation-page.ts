// An evaluation as one page that needs nothing beside it: the table with its intervals, the paper's own rows in grey,
// figures by turn and by change of expression, pictures of every subject, and every failure.

import { escapeHtml } from './html.ts';
import type { ReportPicture } from './page.ts';
import { PAGE_STYLE } from './page-style.ts';
import { scatterHtml } from './scatter.ts';

/** A figure as the page shows it. */
export type ReportMetric = {
  readonly name: string;
  readonly label: string;
  readonly unit: string;
  readonly decimals: number;
  readonly isHigherBetter: boolean;
  readonly meaning: string;
};

type ReportInterval = { readonly mean: number; readonly low: number; readonly high: number };
type ReportFigures = Readonly<Partial<Record<string, ReportInterval>>>;

/** A frame's place on the axes of plots, with its figures. */
export type ReportPoint = Readonly<Partial<Record<string, number>>>;

/** What the page says. */
export type EvaluationReport = {
  readonly protocol: 'self' | 'cross' | 'novel-view';
  /** The options that made it. */
  readonly request: Readonly<Record<string, string | number | boolean | null>>;
  readonly metrics: readonly ReportMetric[];
  readonly subjects: number;
  readonly frames: number;
  /** The main row first. */
  readonly rows: readonly {
    readonly name: string;
    readonly metrics: ReportFigures;
    readonly framesPerSecond: number | null;
    readonly failures: number;
  }[];
  readonly differences: Readonly<Record<string, ReportFigures>>;
  readonly points: Readonly<Record<string, readonly ReportPoint[]>>;
  readonly failureList: readonly {
    readonly subject: string;
    readonly frame: number | null;
    readonly row: string | null;
    readonly reason: string;
  }[];
  /** Pictures of subjects, with the heads of their columns. */
  readonly strips: readonly {
    readonly name: string;
    readonly picture: ReportPicture;
    readonly caption: string;
  }[];
  readonly stripColumns: readonly string[];
  /** The program that made it. */
  readonly maker: string;
};

/** Failures beyond these are only counted. */
const MAX_FAILURES = 300;

/** Self: PSNR, SSIM, LPIPS, L1, CSIM, AED, APD; cross: CSIM, AED, APD. Source: arXiv 2503.15809, its tables. */
const PAPER: Readonly<Record<EvaluationReport['protocol'], readonly (readonly [string, ReportPoint])[]>> = {
  self: [
    [
      'paper, VFHQ',
      { psnr: 27.84, ssim: 0.89, lpips: 0.099, l1: 0.016, csim: 0.831, aed: 0.123, apd: 0.014 },
    ],
    [
      'paper, NeRSemble',
      { psnr: 26.78, ssim: 0.905, lpips: 0.119, l1: 0.02, csim: 0.702, aed: 0.164, apd: 0.018 },
    ],
  ],
  cross: [
    ['paper, VFHQ', { csim: 0.648, aed: 0.232, apd: 0.023 }],
    ['paper, NeRSemble', { csim: 0.624, aed: 0.257, apd: 0.03 }],
  ],
  'novel-view': [],
};
const PAPER_NOTE =
  "The grey rows are the paper's own. They come from other data, another tracker and other crops, and compare with each other only.";

const TITLES = {
  self: 'Self-reenactment',
  cross: 'Cross-reenactment',
  'novel-view': 'Novel views from one picture',
} as const;

/** What is plotted, where it is there: the first picture figure, then what networks and tracker see. */
const PLOTTED = ['psnr', 'lpips', 'featureDistance', 'csim', 'aed', 'apd'];

const STYLE = `
main{max-width:1320px}
.figures{width:100%}
.wide{overflow-x:auto;background:var(--card);border:1px solid var(--rule);border-radius:10px;padding:6px 0}
.figures td,.figures th{padding:5px 12px 5px 0;white-space:nowrap;vertical-align:top}
.figures td:first-child,.figures th:first-child{position:sticky;left:0;background:var(--card);padding-left:16px}
@media(max-width:520px){.figures td:first-child{white-space:normal}}
.figures th{border-bottom:1px solid var(--rule)}
.figures small{display:block;color:var(--soft);font-size:11px}
.figures .main td{font-weight:600}.figures .main small{font-weight:400}
.figures .less td{color:var(--soft)}
.figures .less td.better{color:var(--s2)}.figures .less td.worse{color:var(--warn)}
.figures .paper td{color:color-mix(in srgb,var(--soft) 75%,var(--card))}
.figures tr.first td{border-top:1px solid var(--rule)}
.scatters,.scatters div.pair{display:grid;gap:12px;grid-template-columns:repeat(auto-fill,minmax(min(100%,560px),1fr))}
.scatters div.pair{grid-template-columns:repeat(auto-fit,minmax(min(100%,260px),1fr))}
.scatter{margin:0;background:var(--card);border:1px solid var(--rule);border-radius:10px;padding:10px 14px}
.scatter .plot{margin:6px 0 2px 46px}.scatter .plot svg{height:150px}
.scatter .ends{display:flex;white-space:nowrap;justify-content:space-between;margin-left:46px;font-size:11px;color:var(--soft);font-variant-numeric:tabular-nums}
.dot{stroke:var(--s0);stroke-opacity:.28;stroke-width:4.5;stroke-linecap:round;vector-effect:non-scaling-stroke}
.cases{display:grid;gap:10px;grid-template-columns:repeat(auto-fill,minmax(min(100%,560px),1fr))}
.cases figure{margin:0;background:var(--card);border:1px solid var(--rule);border-radius:8px;overflow:hidden}
.cases img{display:block;width:100%;height:auto}
.cases figcaption{padding:4px 10px 6px;font-size:12px;color:var(--soft);font-variant-numeric:tabular-nums}
.columns{display:grid;grid-auto-flow:column;grid-auto-columns:1fr;font-size:11px;color:var(--soft);text-align:center;padding:3px 0}
dl.meanings{display:grid;grid-template-columns:max-content 1fr;gap:3px 18px;font-size:13px}
dl.meanings dt{font-weight:550}dl.meanings dd{margin:0;color:var(--soft)}
.failures td{font-size:13px}
`;

/** The page, as HTML. The same report gives the same bytes. */
export function evaluationHtml(report: EvaluationReport): string {
  const { protocol, rows, subjects, frames, failureList, strips, stripColumns, maker } = report;
  const title = `${TITLES[protocol]}: ${rows[0]?.name ?? 'nothing measured'}`;
  const shown = report.metrics.filter(({ name }) => rows.some(({ metrics }) => metrics[name] !== undefined));
  const facts: readonly (readonly [string, string, boolean?])[] = [
    ['Subjects', String(subjects)],
    ['Frames', String(frames)],
    ['Failures', String(failureList.length), failureList.length > 0],
    ...rows.flatMap(({ name, framesPerSecond: rate }) =>
      rate === null ? [] : [[`Frames a second, ${escapeHtml(name)}`, String(rate)] as const],
    ),
  ];
  const heads = stripColumns.map((column) => `<span>${escapeHtml(column)}</span>`).join('');
  const cases = strips.map(
    ({ name, caption, picture: { uri, width, height } }) =>
      `<figure><div class="columns">${heads}</div><img src="${uri}" width="${width}" height="${height}" alt="${escapeHtml(name)}" loading="lazy"><figcaption><b>${escapeHtml(name)}</b> ${escapeHtml(caption)}</figcaption></figure>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>${escapeHtml(title)}</title><style>${PAGE_STYLE}${STYLE}</style></head>
<body><main>
<h1>${escapeHtml(title)}</h1>
<p class="lead">${escapeHtml(requestText(report.request))}</p>
<dl class="facts">${facts.map(([name, value, isBad]) => `<div${isBad ? ' class="bad"' : ''}><dt>${name}</dt><dd>${value}</dd></div>`).join('')}</dl>
<h2>Figures <small>in the head region; mean over subjects, below it its 95 % bootstrap interval; differences subject by subject</small></h2>
<div class="wide">${tableHtml(report, shown)}</div>
${PAPER[protocol].length === 0 ? '' : `<p class="lead">${PAPER_NOTE}</p>`}
<h2>By turn and by expression <small>away from the reference; every frame of the first row as a dot, lines through the means of all rows</small></h2>
<div class="scatters">${plotsHtml(report, shown)}</div>
<h2>Subjects <small>${strips.length === subjects ? 'all' : `${strips.length} of ${subjects}`}</small></h2>
<div class="cases">${cases.join('\n')}</div>
${failuresHtml(report)}
<h2>What the figures are</h2>
<dl class="meanings">${shown.map(({ label, meaning, unit }) => `<dt>${escapeHtml(label)}${unit === '' ? '' : `, ${escapeHtml(unit)}`}</dt><dd>${escapeHtml(meaning)}</dd>`).join('')}</dl>
<footer>${escapeHtml(maker)}. A picture that is missing or of another size counts as black, a face that is not found as nobody, at rest and facing the camera.</footer>
</main></body></html>
`;
}

function tableHtml(
  { protocol, rows, differences }: EvaluationReport,
  shown: readonly ReportMetric[],
): string {
  const head = shown.map(
    ({ label, unit, isHigherBetter, meaning }) =>
      `<th title="${escapeHtml(meaning)}">${escapeHtml(label)} ${isHigherBetter ? '↑' : '↓'}<small>${escapeHtml(unit) || '&nbsp;'}</small></th>`,
  );
  const cell = (value: ReportInterval | undefined, { decimals }: ReportMetric): string =>
    value === undefined
      ? '<td>–</td>'
      : `<td>${value.mean.toFixed(decimals)}<small>${value.low.toFixed(decimals)} to ${value.high.toFixed(decimals)}</small></td>`;
  const difference = (value: ReportInterval | undefined, metric: ReportMetric): string => {
    if (value === undefined) return '<td>–</td>';
    const isSure = value.low > 0 || value.high < 0;
    const verdict = !isSure ? '' : value.mean > 0 === metric.isHigherBetter ? 'better' : 'worse';
    const signed = (n: number): string => `${n > 0 ? '+' : ''}${n.toFixed(metric.decimals)}`;
    return `<td class="${verdict}">${signed(value.mean)}<small>${signed(value.low)} to ${signed(value.high)}</small></td>`;
  };
  const own = rows.map(
    ({ name, metrics }, i) =>
      `<tr${i === 0 ? ' class="main"' : ''}><td>${escapeHtml(name)}</td>${shown.map((metric) => cell(metrics[metric.name], metric)).join('')}</tr>`,
  );
  const less = Object.entries(differences).map(
    ([name, metrics], i) =>
      `<tr class="less${i === 0 ? ' first' : ''}"><td>${escapeHtml(rows[0]!.name)} − ${escapeHtml(name)}</td>${shown.map((metric) => difference(metrics[metric.name], metric)).join('')}</tr>`,
  );
  const paper = PAPER[protocol].map(
    ([name, values], i) =>
      `<tr class="paper${i === 0 ? ' first' : ''}"><td>${name}</td>${shown.map(({ name: metric, decimals }) => `<td>${values[metric]?.toFixed(decimals) ?? ''}</td>`).join('')}</tr>`,
  );
  return `<table class="figures"><tr><th></th>${head.join('')}</tr>${[...own, ...less, ...paper].join('\n')}</table>`;
}

function plotsHtml({ rows, points }: EvaluationReport, shown: readonly ReportMetric[]): string {
  const plotted = shown.filter(({ name }) => PLOTTED.includes(name));
  const series = rows.map(({ name }) => ({ name, points: points[name] ?? [] }));
  return plotted
    .map((metric) => {
      const byTurn = scatterHtml({
        ...{ metric, series, axis: 'turnDegrees' },
        ...{ axisLabel: 'turn', axisUnit: '°' },
      });
      const byExpression = scatterHtml({
        ...{ metric, series, axis: 'expressionChange' },
        ...{ axisLabel: 'change of expression', axisUnit: '' },
      });
      return `<div class="pair">${byTurn}\n${byExpression}</div>`;
    })
    .join('\n');
}

function failuresHtml({ failureList }: EvaluationReport): string {
  if (failureList.length === 0) return '';
  const lines = failureList
    .slice(0, MAX_FAILURES)
    .map(
      ({ subject, frame, row, reason }) =>
        `<tr><td>${escapeHtml(subject)}</td><td>${frame ?? ''}</td><td>${escapeHtml(row ?? '')}</td><td>${escapeHtml(reason)}</td></tr>`,
    );
  const more = failureList.length - lines.length;
  return `<h2>Failures <small>counted in the figures, none dropped</small></h2>
<table class="failures"><tr><th>subject</th><th>frame</th><th>row</th><th>reason</th></tr>${lines.join('')}</table>${more > 0 ? `<p class="lead">and ${more} more.</p>` : ''}`;
}

function requestText(request: EvaluationReport['request']): string {
  const shown = Object.entries(request).filter(([name, value]) => name !== 'protocol' && value !== null);
  return shown
    .map(([name, value]) => `${name} ${name === 'weights' ? String(value).slice(0, 12) : value}`)
    .join(', ');
}
