// `dataset import`, `inspect` and `verify` as a user meets them.

import assert from 'node:assert/strict';
import { copyFileSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { writeImage } from '../../src/node/index.ts';
import { orientedFrame, temporaryFolder } from '../node/test-clips.ts';
import { runJson, runToFailure } from './run-cli.ts';

const folder = temporaryFolder();
after(() => folder[Symbol.dispose]());
const [source, out] = [join(folder.path, 'source'), join(folder.path, 'out')];
mkdirSync(source);
await writeImage(join(source, 'a.png'), orientedFrame(24, 16));
copyFileSync(join(source, 'a.png'), join(source, 'b<i>.png'));
writeFileSync(join(source, 'c.png'), 'no picture');
const words = ['dataset', 'import', source, '--format', 'images', '--untracked', '--out', out];

test('pictures become a dataset that verifies, and one page that needs nothing beside it', async () => {
  const made = await runJson(...words, '--licence', 'CC0-1.0', '--name', 'two <walls>');
  assert.deepEqual(
    [made.clips, made.frames, made.skipped, made.itemsImported, made.heldOutItems, made.outputs],
    [2, 2, 1, 2, 0, [out]],
  );
  assert.match(String(made.warnings), /^Skipped: Expected a picture, but .*c\.png/);
  const checked = await runJson('dataset', 'verify', out);
  assert.deepEqual([checked.clips, checked.isComplete, checked.warnings], [2, true, []]);

  const page = join(folder.path, 'page.html');
  const seen = await runJson('dataset', 'inspect', out, '--out', page);
  assert.deepEqual(
    [seen.people, seen.framesTracked, seen.labels],
    [2, 0, { real: { clips: 2, frames: 2 }, synthetic: { clips: 0, frames: 0 } }],
  );
  const html = readFileSync(page, 'utf8');
  assert.ok(html.startsWith('<!doctype html>') && html.endsWith('</html>\n'));
  assert.equal(html.match(/<img src="data:image\/jpeg;base64,/g)?.length, 2);
  assert.doesNotMatch(html, /https?:|<i>|<walls>|undefined|NaN/);
  assert.match(html, /two &lt;walls&gt;/);
  assert.match(html, /c\.png cannot be read/);
});

test('a damaged dataset and one that is none end with one line that names the place', async () => {
  const shard = join(out, 'shard-000000.tar');
  const bytes = readFileSync(shard);
  bytes[bytes.length - 1200]! ^= 16;
  writeFileSync(shard, bytes);
  const failure = await runToFailure('dataset', 'verify', out);
  assert.deepEqual([failure.status, failure.code], [2, 'dataset-damaged']);
  assert.match(failure.line, /is damaged: b_i_[\w-]* in shard-000000\.tar: the (checksum|padding)/);
  assert.equal((await runToFailure('dataset', 'verify', source)).code, 'no-dataset');
  assert.equal((await runToFailure('dataset', 'inspect', join(folder.path, 'gone'))).status, 3);
});

test('a folder whose name is a word is named as it is, at the beginning of a line too', async () => {
  cpSync(out, join(folder.path, 'cut'), { recursive: true });
  const before = process.cwd();
  process.chdir(folder.path);
  try {
    const { line } = await runToFailure('dataset', 'verify', 'cut');
    assert.match(line, /^learn2control: cut is damaged: /);
  } finally {
    process.chdir(before);
  }
});

test('contradictions and a mapping that is none are refused before anything is written', async () => {
  const size = await runToFailure(...words, '--size', '64');
  assert.deepEqual([size.status, size.code], [2, 'contradictory-options']);
  const mapping = join(folder.path, 'mapping.json');
  writeFileSync(mapping, '{"pattern": 3}');
  assert.equal((await runToFailure(...words, '--mapping', mapping)).code, 'bad-mapping');
  const other = await runToFailure(...words, '--label', 'synthetic');
  assert.equal(other.code, 'dataset-of-other-request');
});
