// Tracks clips and asks MediaPipe's own Face Landmarker of the same frames: how far the landmarks are apart, and
// how units go with its blend shape scores, which are another network's opinion and no truth.
//
//   npm run -s bench:tracking-peer -- --python VENV/bin/python [--model FILE.task] [--only d0] [--every 2]
// The last line is one JSON object.

import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { parametersAt } from '../src/head/index.ts';
import { createDevice, loadEmbeddedHead, loadTracker, readVideo } from '../src/node/index.ts';
import { outerEyeDistance } from '../src/tracking/index.ts';
import { median } from './tracking-truth/truth-metrics.ts';

const SHARED = join(import.meta.dirname, '../../shared');
const { values } = parseArgs({
  options: {
    python: { type: 'string', default: 'python3' },
    model: { type: 'string', default: join(SHARED, 'perception/face_landmarker.task') },
    clips: { type: 'string', default: join(SHARED, 'clips') },
    only: { type: 'string', default: 'd0' },
    every: { type: 'string', default: '2' },
  },
});
const every = Number(values.every);

type PeerFace = {
  readonly landmarksPx: readonly (readonly [number, number])[];
  readonly scores: Readonly<Record<string, number>>;
};
/** Signals: MediaPipe's scores on one side, units or joint angles on the other. */
type Signal = {
  readonly name: string;
  readonly score: (scores: PeerFace['scores']) => number;
  readonly found: (units: (name: string) => number, joints: Float32Array) => number;
};
const both =
  (name: string) =>
  (of: (name: string) => number): number =>
    (of(`${name}Left`) + of(`${name}Right`)) / 2;
const unitSignal = (name: string, paired: boolean): Signal => ({
  name,
  score: (scores) => (paired ? both(name)((n) => scores[n]!) : scores[name]!),
  found: (units) => (paired ? both(name)(units) : units(name)),
});
const SIGNALS: readonly Signal[] = [
  { name: 'jawOpen', score: (s) => s.jawOpen!, found: (_, joints) => joints[6]! },
  {
    name: 'gazeYaw',
    score: (s) => s.eyeLookOutLeft! + s.eyeLookInRight! - s.eyeLookInLeft! - s.eyeLookOutRight!,
    found: (_, joints) => joints[10]! + joints[13]!,
  },
  {
    name: 'gazePitch',
    score: (s) => s.eyeLookDownLeft! + s.eyeLookDownRight! - s.eyeLookUpLeft! - s.eyeLookUpRight!,
    found: (_, joints) => joints[9]! + joints[12]!,
  },
  ...['eyeBlink', 'eyeSquint', 'mouthSmile', 'browDown', 'browOuterUp'].map((n) => unitSignal(n, true)),
  ...['browInnerUp', 'mouthPucker', 'mouthFunnel'].map((n) => unitSignal(n, false)),
];

const head = await loadEmbeddedHead();
await using tracker = await loadTracker(await createDevice('cpu'), head);
const folder = await mkdtemp(join(tmpdir(), 'tracking-peer-'));
const clips = [];
for (const name of values.only.split(',')) {
  using clip = await readVideo(join(values.clips, `${name}.mp4`));
  const kept: Uint8Array[] = [];
  let read = 0;
  async function* frames() {
    for await (const frame of clip.frames()) {
      if (read++ % every === 0) kept.push(frame.image.data.slice());
      yield frame;
    }
  }
  const { track } = await tracker.trackClip(frames());
  const path = join(folder, `${name}.rgb`);
  await writeFile(path, Buffer.concat(kept));
  const script = join(import.meta.dirname, 'peers/mediapipe_faces.py');
  const size = [String(track.width), String(track.height)];
  const answer = execFileSync(values.python, [script, values.model, path, ...size], {
    maxBuffer: 1 << 30,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const peers = JSON.parse(answer.toString()) as (PeerFace | null)[];
  clips.push({ name, frames: peers.length, ...compare(peers) });

  function compare(faces: readonly (PeerFace | null)[]) {
    const errors: number[] = [];
    const pairs = new Map(SIGNALS.map((signal) => [signal.name, [] as (readonly [number, number])[]]));
    for (const [i, face] of faces.entries()) {
      const frame = i * every;
      if (face === null || track.confidence[frame] === 0) continue;
      const own = track.landmarksPx.subarray(956 * frame, 956 * (frame + 1));
      const apart = face.landmarksPx.map(([x, y], l) => Math.hypot(own[2 * l]! - x, own[2 * l + 1]! - y));
      errors.push(apart.reduce((sum, d) => sum + d, 0) / apart.length / outerEyeDistance(own));
      const { expression, jointRotations } = parametersAt(track, frame);
      const unit = (n: string): number => expression[head.expressionNames.indexOf(n)]!;
      for (const signal of SIGNALS) {
        pairs.get(signal.name)!.push([signal.score(face.scores), signal.found(unit, jointRotations)]);
      }
    }
    const correlations = [...pairs].map(([n, list]) => [n, Number(correlation(list).toFixed(2))] as const);
    const landmarkDistance = Number(median(errors).toFixed(4));
    return { facesOfPeer: errors.length, landmarkDistance, correlations: Object.fromEntries(correlations) };
  }
}
await rm(folder, { recursive: true });
console.log(JSON.stringify({ bench: 'tracking-peer', clips }));

function correlation(pairs: readonly (readonly [number, number])[]): number {
  const mean = (k: 0 | 1): number => pairs.reduce((sum, pair) => sum + pair[k], 0) / pairs.length;
  const [ma, mb] = [mean(0), mean(1)];
  let [ab, aa, bb] = [0, 0, 0];
  for (const [a, b] of pairs) {
    ab += (a - ma) * (b - mb);
    aa += (a - ma) ** 2;
    bb += (b - mb) ** 2;
  }
  return ab / Math.sqrt(aa * bb);
}
