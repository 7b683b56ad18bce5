// Tracks the clips of a folder end to end (decoding included) and says how many frames were tracked, how
// well and how fast, stage by stage. The clips are not part of the project.
//
//   npm run -s bench:tracking [-- --clips DIR] [--only d3,d10] [--repeats 1]
// --repeats: each clip is played so many times in a row, to see what its length costs.

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createDevice, loadEmbeddedHead, loadTracker, peakMemoryMb, readVideo } from '../src/node/index.ts';

/** A whole body with a head too small for the detector: no talking head. */
const LEFT_OUT = new Set(['s13']);

const { values } = parseArgs({
  options: {
    clips: { type: 'string', default: join(import.meta.dirname, '../../shared/clips') },
    only: { type: 'string' },
    repeats: { type: 'string', default: '1' },
  },
});
if (!existsSync(values.clips)) {
  console.log(JSON.stringify({ bench: 'tracking', skipped: `no folder ${values.clips}` }));
  process.exit(0);
}
const wanted = values.only?.split(',');
const names = readdirSync(values.clips)
  .filter((file) => file.endsWith('.mp4'))
  .map((file) => file.slice(0, -4))
  .filter((name) => (wanted === undefined ? !LEFT_OUT.has(name) : wanted.includes(name)));

const head = await loadEmbeddedHead();
await using tracker = await loadTracker(await createDevice('cpu'), head);
const median = (sorted: readonly number[]): number => sorted[sorted.length >> 1] ?? Number.NaN;
const round = (value: number, digits: number): number => Number(value.toFixed(digits));
const clips = [];
for (const name of names) {
  using clip = await readVideo(join(values.clips, `${name}.mp4`));
  const start = performance.now();
  let decodeSeconds = 0;
  async function* played() {
    for (let round = 0; round < Number(values.repeats); round++) {
      const startsAt = round * clip.durationSeconds;
      for await (const frame of clip.frames()) {
        yield { ...frame, timestampSeconds: startsAt + frame.timestampSeconds };
      }
    }
  }
  // The time between asking for a frame and having it.
  async function* timed() {
    const frames = played();
    while (true) {
      const asked = performance.now();
      const next = await frames.next();
      decodeSeconds += (performance.now() - asked) / 1000;
      if (next.done) return;
      yield next.value;
    }
  }
  const { track, framesTracked, landmarkErrors, secondsByStage } = await tracker.trackClip(timed());
  const seconds = (performance.now() - start) / 1000;
  const frames = track.timestampsSeconds.length;
  const errors = [...landmarkErrors].filter((error) => !Number.isNaN(error)).sort((a, b) => a - b);
  const row = {
    name,
    size: `${track.width}x${track.height}`,
    frames,
    trackedShare: round(framesTracked / frames, 4),
    landmarkErrorMedian: round(median(errors), 4),
    landmarkError95: round(errors[Math.floor(0.95 * errors.length)] ?? Number.NaN, 4),
    framesPerSecond: round(frames / seconds, 1),
    decodeMs: round((1000 * decodeSeconds) / frames, 1),
    networksMs: round((1000 * (secondsByStage.landmarks - decodeSeconds)) / frames, 1),
    fitMs: round((1000 * secondsByStage.fit) / frames, 1),
  };
  clips.push(row);
  console.error(JSON.stringify(row));
}
const all = clips.map((clip) => clip.landmarkErrorMedian).sort((a, b) => a - b);
console.log(
  JSON.stringify({
    bench: 'tracking',
    clips,
    trackedShareLowest: Math.min(...clips.map((clip) => clip.trackedShare)),
    landmarkErrorMedian: median(all),
    framesPerSecondLowest: Math.min(...clips.map((clip) => clip.framesPerSecond)),
    peakMemoryMB: peakMemoryMb(),
  }),
);
