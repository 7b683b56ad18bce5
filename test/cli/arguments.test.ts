// Options: values are checked by their schemas, and every mistake is one line with the way out.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { parseArguments } from '../../src/cli/arguments.ts';
import { choice, flag, inputFile, integer, outputFile, real } from '../../src/cli/option-types.ts';
import { editDistance, nearestName } from '../../src/errors/index.ts';

const SCHEMA = {
  positionals: ['clip'],
  options: z.object({
    clip: inputFile('the clip'),
    outFile: outputFile('the result', '.mp4').optional(),
    size: integer('the size', { min: 64, max: 1024, multipleOf: 8 }).default(256),
    strength: real('how much', { min: 0, max: 1 }).default(0.5),
    mode: choice('how', ['fast', 'good']).default('good'),
    loud: flag('say more'),
  }),
};
const parse = (...words: string[]) => parseArguments(words, SCHEMA);

test('values come typed, defaults fill the rest', () => {
  assert.deepEqual(parse('a.mp4', '--size', '64', '--strength=0.25', '--loud'), {
    clip: 'a.mp4',
    size: 64,
    strength: 0.25,
    mode: 'good',
    loud: true,
  });
  assert.equal(parse('a.mp4', '--out-file', 'b.mp4').outFile, 'b.mp4');
});

test('a value may begin with a dash, and a name after -- too', () => {
  assert.throws(() => parse('a', '--size', '-5'), { message: /--size expects a multiple of 8 .* got "-5"/ });
  assert.equal(parse('--', '--odd-name.mp4').clip, '--odd-name.mp4');
});

test('the last of a repeated option counts', () => {
  assert.equal(parse('a', '--size=64', '--size=128').size, 128);
});

test('each mistake names the option, what it expects and what came', () => {
  const cases: readonly (readonly [string[], string, RegExp])[] = [
    [['a', '--size', '100'], 'bad-option', /--size expects a multiple of 8 from 64 to 1024, got "100"/],
    [['a', '--size', 'big'], 'bad-option', /got "big"/],
    [['a', '--strength', '2'], 'bad-option', /--strength expects a number from 0 to 1, got "2"/],
    [['a', '--mode', 'best'], 'bad-option', /--mode expects one of fast, good, got "best"/],
    [
      ['a', '--out-file', 'b.avi'],
      'bad-option',
      /--out-file expects a file name that ends in .mp4, got "b.avi"/,
    ],
    [['a', '--size'], 'missing-value', /--size expects a multiple of 8 from 64 to 1024, got nothing/],
    [['a', '--size', '--loud'], 'missing-value', /--size expects/],
    [['a', '--loud=yes'], 'bad-option', /--loud takes no value/],
    [[], 'missing-option', /CLIP is missing: the clip/],
    [['a', 'b'], 'unexpected-argument', /Unexpected argument "b"/],
  ];
  for (const [words, code, message] of cases) {
    assert.throws(() => parse(...words), { code, message, exitStatus: 2 }, words.join(' '));
  }
});

test('an unknown option gets the nearest valid name, if one is near', () => {
  assert.throws(() => parse('a', '--sise', '64'), { code: 'unknown-option', hint: 'Did you mean --size?' });
  assert.throws(() => parse('a', '--outfile=b.mp4'), { hint: 'Did you mean --out-file?' });
  assert.throws(() => parse('a', '--xyzzy'), { hint: 'See --help for the options.' });
});

test('edit distance counts insertions, deletions and replacements', () => {
  assert.equal(editDistance('kitten', 'sitting'), 3);
  assert.equal(editDistance('', 'abc'), 3);
  assert.equal(editDistance('same', 'same'), 0);
  assert.equal(nearestName('trian', ['train', 'track']), 'train');
  assert.equal(nearestName('zzzzzz', ['train', 'track']), null);
});
