// Holds what ARCHITECTURE.md promises: the order of the folders, imports through index.ts, file sizes,
// a comment at every file's head.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { test } from 'node:test';

const ROOT = join(import.meta.dirname, '..');
const SRC = join(ROOT, 'src');
const MAX_LINES = 400;

// Each row imports only from rows above it; ARCHITECTURE.md shows the same table.
const ROWS: readonly (readonly string[])[] = [
  ['errors', 'events'],
  ['tensor', 'kernels', 'numpy'],
  ['nn', 'geometry', 'webgpu'],
  ['head', 'diffusion', 'media'],
  ['gaussians', 'lift', 'denoiser', 'stable-diffusion', 'dataset', 'exchange', 'flame'],
  ['avatar', 'checkpoints'],
  ['tracking', 'synthesis'],
  ['training', 'evaluation', 'report'],
  ['node', 'cli', 'studio'],
];
// The last row: node serves cli and studio.
const ALLOWED_BESIDE = new Set(['cli -> node', 'studio -> node', 'cli -> studio']);

/** The library's entry stands beside the folders and gathers from all of them. */
const ENTRY = 'index.ts';

const rowOf = (folder: string): number =>
  folder === ENTRY ? ROWS.length : ROWS.findIndex((row) => row.includes(folder));
const isGenerated = (file: string): boolean => file.endsWith('.wasm.ts');

function sourceFiles(): string[] {
  return readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => join(SRC, file));
}

function importsOf(file: string): string[] {
  const source = readFileSync(file, 'utf8');
  const pattern = /(?:from\s+|import\s+|import\()'(\.[^']+)'/g;
  return [...source.matchAll(pattern)].map((match) => resolve(dirname(file), match[1]!));
}

test('every source folder has a row in the order of the folders', () => {
  const folders = readdirSync(SRC, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  for (const { name } of folders) assert.ok(rowOf(name) >= 0, `src/${name} has no row`);
});

test('a folder imports only from rows above it, and only through index.ts', () => {
  const faults: string[] = [];
  for (const file of sourceFiles()) {
    const [from] = relative(SRC, file).split('/') as [string];
    for (const target of importsOf(file)) {
      const path = relative(SRC, target);
      const [to] = path.split('/') as [string];
      if (path.startsWith('..') || to === from) continue;
      const isAbove = rowOf(to) < rowOf(from) || ALLOWED_BESIDE.has(`${from} -> ${to}`);
      if (!isAbove) faults.push(`${relative(ROOT, file)} imports ${to}, which is not above ${from}`);
      if (path !== `${to}/index.ts`) faults.push(`${relative(ROOT, file)} reaches into ${path}`);
    }
  }
  assert.deepEqual(faults, []);
});

test('portable folders import nothing of Node', () => {
  const hosted = new Set(['node', 'cli', 'studio']);
  const faults = sourceFiles()
    .filter((file) => !hosted.has(relative(SRC, file).split('/')[0]!))
    .filter((file) => /from 'node:/.test(readFileSync(file, 'utf8')));
  assert.deepEqual(faults, []);
});

test(`no source file is longer than ${MAX_LINES} lines, and each opens with what it is`, () => {
  const faults: string[] = [];
  for (const file of sourceFiles().filter((f) => !isGenerated(f))) {
    const lines = readFileSync(file, 'utf8').split('\n');
    if (lines.length > MAX_LINES) faults.push(`${relative(ROOT, file)}: ${lines.length} lines`);
    if (!lines[0]!.startsWith('//')) faults.push(`${relative(ROOT, file)}: no opening comment`);
  }
  assert.deepEqual(faults, []);
});

test('no source file is a drawer', () => {
  const drawers = sourceFiles().filter((file) => /(^|\/)(utils?|helpers?|misc|common)(\.ts|\/)/.test(file));
  assert.deepEqual(drawers, []);
});
