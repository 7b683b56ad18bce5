// Progress: one living line on a terminal, sparse lines elsewhere.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clock, createProgressRenderer, progressLine } from '../../src/cli/progress.ts';

function renderer(isTerminal: boolean) {
  const written: string[] = [];
  const time = { ms: 0 };
  const sink = createProgressRenderer({
    write: (text) => written.push(text),
    isTerminal,
    columns: 60,
    nowMs: () => time.ms,
  });
  return { written, time, ...sink };
}

const step = (done: number) =>
  ({ kind: 'progress', stage: 'fit', done, total: 100, unit: 'frames' }) as const;

test('the line says what is done of what, how fast, and the time left', () => {
  assert.equal(progressLine(step(25), 10), 'fit: 25 of 100 frames · 2.5 a second · 0:30 left');
  assert.equal(progressLine({ ...step(25) }, 10, 5), 'fit: 25 of 100 frames · 2.0 a second · 0:38 left');
  const open = { kind: 'progress', stage: 'train', done: 7, unit: 'steps' } as const;
  assert.equal(progressLine(open, 70), 'train: 7 steps · 0.10 a second · 1:10');
});

test('times are read at a glance', () => {
  assert.deepEqual([clock(5), clock(75), clock(3671)], ['0:05', '1:15', '1:01:11']);
});

test('a terminal gets one line that is overwritten, at most ten times a second', () => {
  const { emit, finish, written, time } = renderer(true);
  for (let done = 1; done <= 99; done++) {
    time.ms += 10;
    emit(step(done));
  }
  assert.ok(written.length <= 11, `${written.length} writes in 0.99 s`);
  assert.ok(written.every((text) => text.startsWith('\r') && !text.includes('\n')));
  finish();
  assert.equal(written.at(-1), '\r\u001b[2K');
});

test('a log gets a line every ten seconds, and the last one', () => {
  const { emit, written, time } = renderer(false);
  for (let done = 0; done <= 100; done++) {
    emit(step(done));
    time.ms += 250;
  }
  assert.equal(written.length, 3);
  assert.match(written[2]!, /^fit: 100 of 100 frames .*\n$/);
});

test('a warning is printed at once, above the living line', () => {
  const { emit, written } = renderer(true);
  emit(step(1));
  emit({ kind: 'log', level: 'warning', message: 'two faces' });
  assert.deepEqual(written.slice(1), ['\r\u001b[2K', 'warning: two faces\n']);
});
