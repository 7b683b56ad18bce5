// Clips of synthetic subjects: motion is continuous yet moves, one reference serves all frames, and what is
// written is found again as clips.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { projectPoint } from '../../src/geometry/index.ts';
import { decodeHead, JOINT_NAMES } from '../../src/head/index.ts';
import {
  createRenderTools,
  createSubject,
  makeSyntheticClip,
  sampleMotionClip,
} from '../../src/synthesis/index.ts';
import { createRandom } from '../../src/tensor/index.ts';
import {
  encodeSampleShard,
  openSamples,
  SHARD_FORMAT,
  shardEntry,
  type TrainingSample,
} from '../../src/training/index.ts';

const HEAD = decodeHead(
  new Uint8Array(readFileSync(new URL('../../models/head/embedded.head', import.meta.url))),
);
const tools = createRenderTools(HEAD);
const SIZE = 64;
const FRAMES = 8;

/** The landmarks of a head in the image. */
function landmarksOf({ head, camera }: Pick<TrainingSample, 'head' | 'camera'>): number[][] {
  const posed = tools.poser.pose(head);
  const { triangles, barycentrics } = HEAD.landmarks!;
  return Array.from({ length: triangles.length }, (_, l) =>
    projectPoint(
      camera,
      [0, 1, 2].map((k) =>
        [0, 1, 2].reduce(
          (sum, corner) =>
            sum + barycentrics[3 * l + corner]! * posed[3 * HEAD.triangles[3 * triangles[l]! + corner]! + k]!,
          0,
        ),
      ),
    ),
  );
}

const meanDistance = (a: number[][], b: number[][]): number =>
  a.reduce((sum, [x, y], l) => sum + Math.hypot(x! - b[l]![0]!, y! - b[l]![1]!), 0) / a.length;

function clipOf(seed: number): TrainingSample[] {
  const clip = makeSyntheticClip(tools, createSubject(seed, tools), {
    sizePx: SIZE,
    index: 0,
    frames: FRAMES,
  });
  return clip.map((pair) => ({ ...pair, label: 'synthetic', kind: 'singleLift', subject: seed }));
}

test('neighbouring frames lie close together, the ends of a clip further apart, and frames differ', () => {
  let [steps, spans] = [0, 0];
  const seeds = [0, 1, 2, 3];
  for (const seed of seeds) {
    const clip = clipOf(seed);
    assert.equal(clip.length, FRAMES);
    const points = clip.map(landmarksOf);
    for (let frame = 1; frame < FRAMES; frame++) {
      const step = meanDistance(points[frame - 1]!, points[frame]!);
      assert.ok(step < 0.025 * SIZE, `seed ${seed}, frame ${frame}: ${step.toFixed(2)} px`);
      steps += step / (FRAMES - 1);
      assert.notDeepEqual(clip[frame]!.target, clip[frame - 1]!.target);
    }
    spans += meanDistance(points[0]!, points[FRAMES - 1]!);
  }
  assert.ok(steps / seeds.length > 0.001 * SIZE, `mean step ${(steps / seeds.length).toFixed(3)} px`);
  assert.ok(spans > 2 * steps, `span ${spans.toFixed(2)}, step ${steps.toFixed(2)} px`);
});

test('all frames of a clip share one reference, which is none of them, and one identity', () => {
  const clip = clipOf(5);
  for (const frame of clip) {
    assert.equal(frame.reference, clip[0]!.reference);
    assert.deepEqual(frame.head.identity, clip[0]!.head.identity);
    assert.notDeepEqual(frame.target, frame.reference);
  }
  assert.deepEqual(clipOf(5)[3]!.lifted, clip[3]!.lifted);
});

test('training finds the written clips as clips: consecutive frames of one subject', async () => {
  const samples = [7, 8, 9].flatMap(clipOf);
  const shard = { size: SIZE, headName: HEAD.name, samples };
  const index = {
    format: SHARD_FORMAT,
    version: 1,
    size: SIZE,
    headName: HEAD.name,
    shards: [shardEntry('clips.safetensors', shard)],
  };
  const files: Record<string, Uint8Array> = {
    'index.json': new TextEncoder().encode(JSON.stringify(index)),
    'clips.safetensors': encodeSampleShard(shard),
  };
  const reader = await openSamples(async (file) => files[file] ?? null, {
    batch: 2,
    seed: 1,
    realShare: 0.5,
    validationSubjects: 1,
  });
  const found = reader.clipsAt(0, FRAMES);
  assert.deepEqual(found.map((clip) => clip[0]!.subject).sort(), [7, 8]);
  for (const clip of found) {
    const written = samples.filter((sample) => sample.subject === clip[0]!.subject);
    for (const [i, frame] of clip.entries())
      assert.deepEqual(frame.head.translation, written[i]!.head.translation);
  }
});

test('a long motion blinks, looks about, turns and speaks, within its ranges', () => {
  let [blinks, saccades, jaws] = [0, 0, 0];
  const clips = 8;
  for (let seed = 0; seed < clips; seed++) {
    const motions = sampleMotionClip(createRandom(seed), HEAD, { frames: 250, yawDegrees: 30 });
    const lid = HEAD.eyelidExpressions[0]!;
    const eye = 3 * JOINT_NAMES.indexOf('leftEye');
    const jaw = 3 * JOINT_NAMES.indexOf('jaw');
    motions.forEach(({ expression, jointRotations }, frame) => {
      assert.ok(expression.every((value) => value >= 0 && value <= 1));
      assert.ok(jointRotations[jaw]! >= 0 && jointRotations[jaw]! < 0.45);
      assert.ok(Math.hypot(...jointRotations.subarray(0, 3)) < 0.65);
      const before = motions[frame - 1];
      if (!before) return;
      if (expression[lid]! > 0.6 && before.expression[lid]! <= 0.6) blinks++;
      if (Math.abs(jointRotations[eye + 1]! - before.jointRotations[eye + 1]!) > 0.02) saccades++;
      jaws += Math.abs(jointRotations[jaw]! - before.jointRotations[jaw]!);
    });
  }
  const seconds = clips * 10;
  assert.ok(blinks / seconds > 0.2 && blinks / seconds < 1, `${blinks} blinks in ${seconds} s`);
  assert.ok(saccades / seconds > 0.5 && saccades / seconds < 4, `${saccades} saccades in ${seconds} s`);
  assert.ok(jaws / seconds > 0.05, `the jaw turns ${jaws / seconds} radians a second`);
});

test('over many short clips brows, smiles and puckers move about as far as those of people who talk', () => {
  // Deviations within 1.6 s, roots of the mean square, of MediaPipe's scores on real clips (docs/tracking.md).
  const measured = { browInnerUp: 0.15, browOuterUpLeft: 0.14, mouthSmileRight: 0.11, mouthPucker: 0.21 };
  const clips = Array.from({ length: 150 }, (_, seed) =>
    sampleMotionClip(createRandom(seed), HEAD, { frames: 40 }).map(({ expression }) => expression),
  );
  for (const [name, real] of Object.entries(measured)) {
    const unit = HEAD.expressionNames.indexOf(name);
    const variances = clips.map((clip) => {
      const mean = clip.reduce((sum, e) => sum + e[unit]!, 0) / clip.length;
      return clip.reduce((sum, e) => sum + (e[unit]! - mean) ** 2, 0) / clip.length;
    });
    const moved = Math.sqrt(variances.reduce((sum, v) => sum + v, 0) / clips.length);
    assert.ok(
      moved > 0.6 * real && moved < 1.5 * real,
      `${name} moves by ${moved.toFixed(3)}, people by ${real}`,
    );
  }
});
