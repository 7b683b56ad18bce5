// A training run as one page: its curves over steps, what validation measured, and the newest sheet, which the page
// shows from beside itself.

import { panelHtml } from './chart.ts';
import type { CurvePanel } from './curves.ts';
import { escapeHtml } from './html.ts';
import { PAGE_STYLE } from './page-style.ts';

/** One line of a run's curves: figures of some steps, or of a validation. */
export type TrainingLine = {
  readonly step: number;
  readonly seconds: number;
  readonly validation?: Readonly<Record<string, number>>;
} & Readonly<Record<string, number | Readonly<Record<string, number>>>>;

/** What the page says. */
export type TrainingPage = {
  readonly title: string;
  readonly lines: readonly TrainingLine[];
  /** Address of the newest validation sheet, relative to the page; null where there is none. */
  readonly sheet: string | null;
};

const PANELS = [
  ['loss', 'Loss', 'mean since the line before'],
  ['gradientNorm', 'Norm of the gradient', 'before clipping'],
  ['imagesPerSecond', 'Images a second', ''],
  ['waitingShare', 'Share of time waiting for data', ''],
  ['latentLoss', 'Loss of the latent', ''],
  ['adversarialLoss', 'Minus the critic’s judgement', 'of what the model decodes'],
  ['featureLoss', 'Distance of the critic’s features', ''],
  ['criticLoss', 'Loss of the critic', '2: it tells nothing apart'],
] as const;

/** The page, as HTML. */
export function trainingHtml({ title, lines, sheet }: TrainingPage): string {
  const steps = lines.filter(({ validation }) => validation === undefined);
  const validations = lines.filter(({ validation }) => validation !== undefined);
  const figures = [...new Set(validations.flatMap(({ validation }) => Object.keys(validation!)))];
  const last = lines.at(-1);
  const hours = ((last?.seconds ?? 0) / 3600).toFixed(2);
  const drawn = PANELS.filter(([key]) => steps.some((line) => line[key] !== undefined));
  const own = drawn.map(([key, name, note]) =>
    chart(steps, { title: name, note, figureOf: (line) => line[key] as number | undefined }),
  );
  const measured = figures.map((figure) =>
    chart(validations, {
      title: figure,
      note: 'validation',
      figureOf: ({ validation }) => validation![figure],
    }),
  );
  const picture =
    sheet === null
      ? ''
      : `<h2>Validation</h2><img class="sheet" src="${escapeHtml(sheet)}" alt="validation sheet">`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>${escapeHtml(title)}</title><style>${PAGE_STYLE}.sheet{max-width:100%;border-radius:8px}</style></head>
<body><main>
<h1>${escapeHtml(title)}</h1>
<p class="lead">Step ${last?.step ?? 0}, ${hours} hours of training.</p>
<div class="curves">${own.join('')}</div>
${measured.length === 0 ? '' : `<h2>Held-out samples</h2><div class="curves">${measured.join('')}</div>`}
${picture}
</main></body></html>
`;
}

type Chart = Pick<CurvePanel, 'title' | 'note'> & {
  readonly figureOf: (line: TrainingLine) => number | undefined;
};

function chart(lines: readonly TrainingLine[], { title, note, figureOf }: Chart): string {
  if (lines.length === 0) return '';
  const values = Float64Array.from(lines, (line) => figureOf(line) ?? Number.NaN);
  const known = [...values].filter(Number.isFinite);
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const spread = high > low ? 0 : Math.max(1e-6, 0.05 * Math.abs(high));
  const last = known.at(-1);
  const name = last === undefined ? 'none' : `${Number(last.toPrecision(4))}`;
  const [first, end] = [lines[0]!.step, lines.at(-1)!.step];
  const range = `steps ${first} to ${end}`;
  const panel: CurvePanel = {
    title,
    note: note === '' ? range : `${note}; ${range}`,
    curves: [{ name, unit: '', decimals: 4, values }],
    range: [low - spread, high + spread],
  };
  const timestampsSeconds = Float64Array.from(lines, ({ step }) => step);
  return panelHtml(panel, { timestampsSeconds, doubts: [], shots: [] }, 0);
}
