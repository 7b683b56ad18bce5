// From datasets to training samples: what is lifted to where, and the tool that writes them by a mixture.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import {
  createHeadMirror,
  openDataset,
  openSampleStream,
  type SampleStreamOptions,
} from '../../src/dataset/index.ts';
import { createLiftTools } from '../../src/lift/index.ts';
import { datasetFolder, loadEmbeddedHead, openRunFolder, pictureDecoders } from '../../src/node/index.ts';
import { avatarFraming, learningSamples, openSamples, parseMixture } from '../../src/training/index.ts';
import { temporaryFolder } from '../node/test-clips.ts';
import { writeSmallSubjects } from './small-subjects.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const SIZE = 64;
const head = await loadEmbeddedHead();
const tools = createLiftTools(head);
const folder = temporaryFolder();
after(() => folder[Symbol.dispose]());

await writeSmallSubjects(folder.path, 'views', { seed: 60, views: 3, sizePx: SIZE });
await writeSmallSubjects(folder.path, 'stills', { seed: 70, views: 1, sizePx: SIZE });
await writeSmallSubjects(folder.path, 'clips', { seed: 80, views: 4, isClip: true, sizePx: SIZE });

async function streamOf(name: string, changes: Partial<SampleStreamOptions> = {}) {
  const dataset = await openDataset(datasetFolder(join(folder.path, name)));
  return openSampleStream({
    ...{ sources: [{ dataset, weight: 1 }], decoders: pictureDecoders, seed: 1, frames: 1, sizePx: SIZE },
    framing: avatarFraming(tools.poser),
    ...changes,
  });
}

const difference = (a: Uint8Array, b: Uint8Array, mask: Uint8Array): number =>
  a.reduce((sum, value, i) => sum + Math.abs(value - b[i]!) * mask[Math.floor(i / 3)]!, 0);

test('a reference is lifted to its target, nearer than copying it would be, flipped or not', async () => {
  for (const flip of [0, 1]) {
    const augmentation = { cropJitter: 0, colour: 0, flip };
    const stream = await streamOf('views', { augmentation, mirror: createHeadMirror(head) });
    let [lifting, copying] = [0, 0];
    for (let position = 0; position < 6; position++) {
      const taken = await stream.at(position);
      const [sample] = learningSamples(tools, taken, 3);
      assert.deepEqual([sample!.kind, sample!.label], ['singleLift', 'synthetic']);
      assert.equal(sample!.target, taken.targets[0]!.image.data);
      assert.equal(sample!.head, taken.targets[0]!.parameters);
      lifting += difference(sample!.lifted, sample!.target, sample!.headMask);
      copying += difference(sample!.reference, sample!.target, sample!.headMask);
      assert.deepEqual(learningSamples(tools, taken, 3)[0], sample);
    }
    assert.ok(lifting < 0.8 * copying, `flip ${flip}: ${lifting / copying} of the error`);
  }
});

test('a single still is its own target: carried away, and back', async () => {
  const taken = await (await streamOf('stills')).at(1);
  assert.ok(taken.isOwnReference);
  const [sample] = learningSamples(tools, taken, 3);
  assert.equal(sample!.kind, 'roundTrip');
  assert.deepEqual(sample!.target, taken.targets[0]!.image.data);
  assert.notDeepEqual(sample!.reference, sample!.target);
});

test('the frames of a clip have one reference and one subject, and people of two sources are two', async () => {
  const taken = await (await streamOf('clips', { frames: 3 })).at(0);
  const samples = learningSamples(tools, taken, 3);
  assert.equal(samples.length, 3);
  for (const { reference, subject } of samples) {
    assert.equal(reference, samples[0]!.reference);
    assert.equal(subject, samples[0]!.subject);
  }
  const [elsewhere] = learningSamples(tools, { ...taken, source: 1 }, 3);
  assert.notEqual(elsewhere!.subject, samples[0]!.subject);
});

test("the mixture that comes along is the paper's table, and mistakes in one are named", () => {
  const sources = parseMixture(readFileSync(join(ROOT, 'configs', 'mixture.json'), 'utf8'), 'mixture.json');
  assert.deepEqual(
    sources.map(({ folder: name, stage1, stage2 }) => [name, stage1, stage2]),
    [
      ['vfhq', 1, 1],
      ['nersemble', 0.8, 0.8],
      ['mead', 0.2, 0.2],
      ['subjects', 1, 0],
    ],
  );
  const wrong = (json: string, message: RegExp): void =>
    assert.throws(() => parseMixture(json, 'm.json'), { code: 'bad-mixture', message });
  wrong('{', /not JSON/);
  wrong('{"sources":[{"folder":"a","stage1":-1,"stage2":1}]}', /sources\.0\.stage1/);
  wrong('{"sources":[{"folder":"a","stage1":1,"stage2":1,"stage3":1}]}', /stage3: there is no such field/);
});

test('the tool writes shards by the weights of a stage, which training reads', async () => {
  const mixture = join(folder.path, 'mixture.json');
  const sources = [
    { folder: 'views', stage1: 1, stage2: 0 },
    { folder: 'clips', stage1: 0, stage2: 1 },
  ];
  writeFileSync(mixture, JSON.stringify({ sources }));
  const make = async (stage: string) => {
    const out = join(folder.path, `lessons-${stage}`);
    const words = ['--out', out, '--data', mixture, '--stage', stage, '--samples', '6', '--size', '32'];
    const tool = join(ROOT, 'tools', 'make-training-data', 'main.ts');
    const run = spawnSync(
      process.execPath,
      ['--import', 'tsx', tool, ...words, '--frames', '3', '--workers', '1'],
      { encoding: 'utf8' },
    );
    assert.equal(run.status, 0, run.stderr);
    return openSamples(openRunFolder(out).read, { batch: 2, seed: 1, realShare: 0.5, validationSubjects: 1 });
  };
  const singles = await make('1');
  assert.ok(singles.training.every(({ source }) => source === 'views'));
  assert.equal(singles.size, 32);
  assert.equal(singles.training.length + singles.validation.length, 6);
  const clips = await make('2');
  assert.equal(clips.training.length + clips.validation.length, 6 * 3);
  for (const clip of clips.clipsAt(0, 3)) assert.equal(new Set(clip.map(({ subject }) => subject)).size, 1);
});
