// Runs the command line as a user does, in a process of its own.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';

const BIN = join(import.meta.dirname, '..', '..', 'bin', 'learn2control.js');

/** What a run of the program left. */
export type CliRun = {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
};

type Interrupt = (signal: NodeJS.Signals) => void;

/** A run in progress; its watchers may signal the process. */
export type CliOptions = {
  /** Another program than `learn2control`, as a TypeScript file. */
  readonly program?: string;
  /** Sees the standard error as it comes. */
  readonly onStderr?: (text: string, interrupt: Interrupt) => void;
  /** Called once, when the process runs. */
  readonly onStart?: (interrupt: Interrupt) => void;
};

/** Runs `learn2control ...words`. */
export function runCli(
  words: readonly string[],
  { program, onStderr, onStart }: CliOptions = {},
): Promise<CliRun> {
  return new Promise((resolve, reject) => {
    const script = program === undefined ? [BIN] : ['--import', 'tsx', program];
    const child = spawn(process.execPath, [...script, ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
    const interrupt: Interrupt = (signal) => child.kill(signal);
    child.on('spawn', () => onStart?.(interrupt));
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (data) => {
      stdout += data;
    });
    child.stderr.on('data', (data) => {
      stderr += data;
      onStderr?.(String(data), interrupt);
    });
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, stdout, stderr }));
  });
}

/** Runs `learn2control ...words --json` to its result. @throws AssertionError if it fails. */
export async function runJson(...words: readonly string[]): Promise<Record<string, unknown>> {
  const { status, stdout, stderr } = await runCli([...words, '--json']);
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout) as Record<string, unknown>;
}

/** What a run that must fail said. */
export type CliFailure = { readonly status: number | null; readonly code: string; readonly line: string };

/** Runs `learn2control ...words --json`, which must fail with one line, begun and ended as a sentence. */
export async function runToFailure(...words: readonly string[]): Promise<CliFailure> {
  const { status, stdout, stderr } = await runCli([...words, '--json']);
  assert.notEqual(status, 0, stdout);
  const lines = stderr
    .trim()
    .split('\n')
    .filter((line) => line.startsWith('learn2control: '));
  assert.equal(lines.length, 1, stderr);
  assert.match(lines[0]!, /^learn2control: .*\. [A-Z].*[.?]$/);
  const { error } = JSON.parse(stdout) as { error: { code: string; message: string; hint: string } };
  assert.equal(lines[0], `learn2control: ${error.message} ${error.hint}`);
  return { status, code: error.code, line: lines[0]! };
}
