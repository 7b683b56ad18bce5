// The report of an evaluation, from what its folder keeps: JSON, a Markdown table, and the page.

import type { CaseResult, EvaluationSummary, Protocol } from '../evaluation/index.ts';
import { METRICS, markdownTable, stripColumns } from '../evaluation/index.ts';
import type { EvaluationFolder, EvaluationRequest } from '../node/index.ts';
import { evaluationHtml } from '../report/index.ts';
import { packageVersion } from './package-info.ts';

/** What is reported. */
export type EvaluationReportJob = {
  readonly folder: EvaluationFolder;
  readonly protocol: Protocol;
  readonly request: EvaluationRequest;
  readonly results: readonly CaseResult[];
  readonly summary: EvaluationSummary;
  /** The fields of the result that people ask machines for. */
  readonly fields: Readonly<Record<string, unknown>>;
};

/** Subjects beyond these have no pictures on the page. */
const MAX_STRIPS = 60;

/** Writes the report into the folder. @returns the files; the same results give the same bytes */
export async function writeEvaluationReport(job: EvaluationReportJob): Promise<string[]> {
  const { folder, protocol, request, results, summary, fields } = job;
  const main = summary.rows[0]?.name ?? '';
  const strips = [];
  for (const { name, rows } of results.slice(0, MAX_STRIPS)) {
    const bytes = await folder.strip(name);
    if (bytes === null) continue;
    const uri = `data:image/jpeg;base64,${Buffer.from(bytes).toString('base64')}`;
    strips.push({ name, caption: captionOf(rows[main]?.frames ?? []), picture: { uri, ...jpegSize(bytes) } });
  }
  const methods = summary.rows.map(({ name }) => name);
  const html = evaluationHtml({
    ...summary,
    ...{ protocol, request, strips },
    metrics: METRICS,
    stripColumns: methods.length === 0 ? [] : stripColumns({ hasTruth: protocol !== 'cross', methods }),
    maker: `learn2control ${packageVersion()}`,
  });
  return [
    await folder.writeFile('report.json', `${JSON.stringify({ request, ...fields }, null, 2)}\n`),
    await folder.writeFile('report.md', markdownTable(summary)),
    await folder.writeFile('report.html', html),
  ];
}

/** The main row's first figures of a subject. */
function captionOf(frames: readonly Readonly<Partial<Record<string, number>>>[]): string {
  const mean = (name: string): number | null => {
    const values = frames.flatMap((frame) => frame[name] ?? []);
    return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
  };
  return METRICS.filter(({ name }) => ['psnr', 'csim', 'aed', 'apd'].includes(name))
    .flatMap(({ name, label, decimals }) => {
      const value = mean(name);
      return value === null ? [] : [`${label} ${value.toFixed(decimals)}`];
    })
    .join(', ');
}

/** The size that a JPEG's frame header states. */
function jpegSize(bytes: Uint8Array): { readonly width: number; readonly height: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 2; at + 9 < bytes.length; at += 2 + view.getUint16(at + 2)) {
    const marker = view.getUint8(at + 1);
    if (marker >= 0xc0 && marker <= 0xc3)
      return { height: view.getUint16(at + 5), width: view.getUint16(at + 7) };
  }
  return { width: 1, height: 1 };
}
