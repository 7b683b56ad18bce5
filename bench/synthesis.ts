// Pictures of synthetic subjects and lifts: rendering with two workers (subjects x views, the making of the
// subjects counted), rendering and lifting on one thread. Run: npm run bench:synthesis. The last line is one
// JSON object.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeHead } from '../src/head/index.ts';
import { createLifter } from '../src/lift/index.ts';
import { WorkerPool } from '../src/node/index.ts';
import {
  createRenderTools,
  createSubject,
  placeSubject,
  type RenderedSubject,
  renderSubject,
  sampleMotion,
  type ViewsJob,
} from '../src/synthesis/index.ts';
import { createRandom, deriveSeed } from '../src/tensor/index.ts';

const WORKERS = 2;
const SUBJECTS = 8;
const VIEWS = 10;
const SIZE_PX = 256;
const LIFTS = 16;

const bytes = readFileSync(join(import.meta.dirname, '../models/head/embedded.head'));
const head = decodeHead(bytes);
const tools = createRenderTools(head);

const pool = new WorkerPool<ViewsJob, RenderedSubject[]>({
  module: new URL('../src/synthesis/index.ts', import.meta.url),
  functionName: 'renderViews',
  size: WORKERS,
});
const jobOf = (seed: number, views: number): ViewsJob => ({
  head: bytes,
  seed,
  views,
  sizePx: SIZE_PX,
  yawDegrees: 35,
  pitchDegrees: 15,
});
await pool.map([jobOf(100, 3), jobOf(101, 3)]);
const start = performance.now();
const before = process.cpuUsage();
await pool.map(Array.from({ length: SUBJECTS }, (_, seed) => jobOf(seed, VIEWS)));
const imagesPerSecond = (SUBJECTS * VIEWS) / ((performance.now() - start) / 1000);
// Time on processors tells more than the clock does while a machine is busy with other work.
const { user, system } = process.cpuUsage(before);
const cpuMsAnImage = (user + system) / 1000 / (SUBJECTS * VIEWS);
await pool[Symbol.asyncDispose]();

const subjectTimes: number[] = [];
const imageTimes: number[] = [];
for (let seed = 0; seed < SUBJECTS; seed++) {
  const subject = timed(subjectTimes, () => createSubject(seed, tools));
  for (let view = 0; view < 4; view++) {
    const motion = sampleMotion(createRandom(deriveSeed(seed, 41, view)), head);
    const placement = placeSubject(subject.traits, motion, SIZE_PX);
    timed(imageTimes, () => renderSubject(tools, subject, placement));
  }
}

const liftMs = Object.fromEntries(
  [256, 512].map((sizePx) => {
    const times: number[] = [];
    const subject = createSubject(3, tools);
    const random = createRandom(9);
    const still = renderSubject(
      tools,
      subject,
      placeSubject(subject.traits, sampleMotion(random, head), sizePx),
    );
    const lifter = createLifter(tools, still);
    for (let i = 0; i < LIFTS; i++) {
      const to = placeSubject(subject.traits, sampleMotion(random, head), sizePx);
      timed(times, () => lifter.lift(to));
    }
    return [sizePx, median(times)];
  }),
);

const subjectMs = median(subjectTimes);
const imageMs = median(imageTimes);
console.log(`${WORKERS} workers: ${imagesPerSecond.toFixed(1)} pictures a second at ${SIZE_PX} x ${SIZE_PX}`);
console.log(
  `   (${SUBJECTS} subjects x ${VIEWS} views, wall clock; ${cpuMsAnImage.toFixed(0)} ms of processor each)`,
);
console.log(`one thread, medians: ${imageMs.toFixed(0)} ms a picture, ${subjectMs.toFixed(0)} ms a subject`);
for (const [sizePx, ms] of Object.entries(liftMs)) {
  console.log(
    `lift at ${sizePx} x ${sizePx}: ${ms.toFixed(1)} ms, ${(1000 / ms).toFixed(0)} frames a second`,
  );
}
console.log(
  JSON.stringify({
    bench: 'synthesis',
    workers: WORKERS,
    subjects: SUBJECTS,
    views: VIEWS,
    imagesPerSecond,
    cpuMsAnImage,
    imageMs,
    subjectMs,
    liftMs,
  }),
);

function timed<T>(times: number[], act: () => T): T {
  const begun = performance.now();
  const result = act();
  times.push(performance.now() - begun);
  return result;
}

function median(times: readonly number[]): number {
  return [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)]!;
}
