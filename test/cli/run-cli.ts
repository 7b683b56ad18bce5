// Runs the command line: as a user does, in a process of its own, or quicker in the test's.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { mock } from 'node:test';
import { main } from '../../src/cli/main.ts';

const DOCUMENT = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'cli.md'), 'utf8');
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

/** Runs `learn2control ...words` in this process, which spares the start-up; one run at a time. */
async function runHere(words: readonly string[]): Promise<CliRun> {
  let [stdout, stderr] = ['', ''];
  const mocks = [
    mock.method(console, 'log', (text: string) => {
      stdout += `${text}\n`;
    }),
    mock.method(console, 'error', (text: string) => {
      stderr += `${text}\n`;
    }),
    mock.method(process.stderr, 'write', (text: string) => {
      stderr += text;
      return true;
    }),
  ];
  // A test that failed before has set the process's own.
  const own = process.exitCode;
  process.exitCode = undefined;
  try {
    await main(words);
    return { status: Number(process.exitCode ?? 0), stdout, stderr };
  } finally {
    process.exitCode = own;
    for (const { mock: method } of mocks) method.restore();
  }
}

/** Runs `learn2control ...words --json` to its result, whose fields must be in docs/cli.md. */
export async function runJson(...words: readonly string[]): Promise<Record<string, unknown>> {
  const { status, stdout, stderr } = await runHere([...words, '--json']);
  assert.equal(status, 0, stderr);
  const result = JSON.parse(stdout) as Record<string, unknown>;
  for (const field of Object.keys(result)) {
    assert.ok(DOCUMENT.includes(`\`${field}\``), `${words[0]}: the field ${field} is not in docs/cli.md`);
  }
  return result;
}

/** What a run that must fail said. */
export type CliFailure = { readonly status: number | null; readonly code: string; readonly line: string };

/** Runs `learn2control ...words --json`, which must fail with one line, begun and ended as a sentence. */
export async function runToFailure(...words: readonly string[]): Promise<CliFailure> {
  const { status, stdout, stderr } = await runHere([...words, '--json']);
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
