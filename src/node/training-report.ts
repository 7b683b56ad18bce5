// The report of a training run: how it went, on what machine, and what it cost over all its resumptions.

import { arch, availableParallelism, cpus, platform } from 'node:os';
import { type TrainingLine, trainingHtml } from '../report/index.ts';
import {
  CURVES_FILE,
  type LoopResult,
  type RunFolder,
  type SampleReader,
  type StageName,
  sheetFile,
} from '../training/index.ts';

/** Where the report lies in the stage's folder. */
export const REPORT_FILE = 'report.json';

/** Where its curves lie as a page. */
export const PAGE_FILE = 'curves.html';

/** What a report is made from. */
export type TrainingReport = {
  readonly stage: StageName;
  readonly counts: SampleReader['counts'];
  readonly result: LoopResult;
};

/** Writes the report; processor time adds up over the runs of a stage. */
export async function writeTrainingReport(
  folder: RunFolder,
  { stage, counts, result }: TrainingReport,
): Promise<void> {
  const before = await folder.read(REPORT_FILE);
  const earlier = before
    ? (JSON.parse(new TextDecoder().decode(before)) as { processorSeconds?: number })
    : {};
  const { user, system } = process.cpuUsage();
  const processorSeconds = (earlier.processorSeconds ?? 0) + (user + system) / 1e6;
  const machine = {
    processor: cpus()[0]?.model ?? 'unknown',
    threads: availableParallelism(),
    system: `${platform()} ${arch()}`,
    node: process.version,
  };
  const report = {
    stage,
    samples: counts,
    ...result,
    processorSeconds: Math.round(processorSeconds),
    machine,
  };
  await folder.write(REPORT_FILE, `${JSON.stringify(report, null, 2)}\n`);
}

/** Draws the curves that a run has so far. */
export async function writeTrainingPage(
  folder: RunFolder,
  { stage, title }: { readonly stage: StageName; readonly title: string },
): Promise<void> {
  const bytes = await folder.read(CURVES_FILE);
  if (bytes === null) return;
  const lines = new TextDecoder()
    .decode(bytes)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as TrainingLine);
  const validated = lines.findLast(({ validation }) => validation !== undefined)?.step;
  const sheet = validated === undefined ? null : sheetFile(validated);
  await folder.write(PAGE_FILE, trainingHtml({ title: `${title}, stage ${stage}`, lines, sheet }));
}
