// Runs the command line as a user does, in a process of its own.

import { spawn } from 'node:child_process';
import { join } from 'node:path';

const BIN = join(import.meta.dirname, '..', '..', 'bin', 'learn2control.js');

/** What a run of the program left. */
export type CliRun = {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
};

/** A run in progress; `onStderr` sees its standard error as it comes, and may signal the process. */
export type CliOptions = {
  /** Another program than `learn2control`, as a TypeScript file. */
  readonly program?: string;
  readonly onStderr?: (text: string, interrupt: (signal: NodeJS.Signals) => void) => void;
};

/** Runs `learn2control ...words`. */
export function runCli(words: readonly string[], { program, onStderr }: CliOptions = {}): Promise<CliRun> {
  return new Promise((resolve, reject) => {
    const script = program === undefined ? [BIN] : ['--import', 'tsx', program];
    const child = spawn(process.execPath, [...script, ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (data) => {
      stdout += data;
    });
    child.stderr.on('data', (data) => {
      stderr += data;
      onStderr?.(String(data), (signal) => child.kill(signal));
    });
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, stdout, stderr }));
  });
}
