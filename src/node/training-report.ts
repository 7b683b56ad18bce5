// The report of a training run: how it went, on what machine, and what it cost over all its resumptions.

import { arch, availableParallelism, cpus, platform } from 'node:os';
import type { LoopResult, RunFolder, SampleReader, StageName } from '../training/index.ts';

/** Where the report lies in the stage's folder. */
export const REPORT_FILE = 'report.json';

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
