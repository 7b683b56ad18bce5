// Pictures of synthetic subjects and lifts: rendering with two workers (subjects x views, the making of the
// subjects counted), rendering with and without maps, and lifting, on one thread. Run: npm run bench:synthesis.
// The last line is one JSON object.

import { readFileSync } from 'node:fs';
import { loadavg } from 'node:os';
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
const SUBJECTS = 24;
const VIEWS = 10;
const SIZES_PX = [256, 512] as const;
const LIFTS = 16;

const bytes = readFileSync(join(import.meta.dirname, '../models/head/embedded.head'));
const head = decodeHead(bytes);
const tools = createRenderTools(head);

const pool = new WorkerPool<ViewsJob, RenderedSubject[]>({
  module: new URL('../src/synthesis/index.ts', import.meta.url),
  functionName: 'renderViews',
  size: WORKERS,
});
const jobOf = (seed: number, views: number, sizePx: number): ViewsJob => ({
  head: bytes,
  seed,
  views,
  sizePx,
  yawDegrees: 35,
  pitchDegrees: 15,
});
// What else runs here: processes that wanted a processor in the last minute.
const [loadBefore] = loadavg();
await pool.map([jobOf(100, 3, 256), jobOf(101, 3, 256)]);
const rates: { sizePx: number; imagesPerSecond: number; cpuMsAnImage: number }[] = [];
for (const sizePx of SIZES_PX) {
  const start = performance.now();
  const before = process.cpuUsage();
  await pool.map(Array.from({ length: SUBJECTS }, (_, seed) => jobOf(seed, VIEWS, sizePx)));
  const imagesPerSecond = (SUBJECTS * VIEWS) / ((performance.now() - start) / 1000);
  // Time on processors tells more than the clock does while a machine is busy with other work.
  const { user, system } = process.cpuUsage(before);
  rates.push({ sizePx, imagesPerSecond, cpuMsAnImage: (user + system) / 1000 / (SUBJECTS * VIEWS) });
}
await pool[Symbol.asyncDispose]();

const subjectTimes: number[] = [];
const imageTimes: number[] = [];
const mapTimes: number[] = [];
for (let seed = 0; seed < SUBJECTS; seed++) {
  const subject = timed(subjectTimes, () => createSubject(seed, tools));
  for (let view = 0; view < 4; view++) {
    const motion = sampleMotion(createRandom(deriveSeed(seed, 41, view)), head);
    const placement = placeSubject(subject.traits, motion, SIZES_PX[0]);
    timed(imageTimes, () => renderSubject(tools, subject, placement));
    timed(mapTimes, () => renderSubject(tools, subject, { ...placement, hasMaps: true }));
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
const mapsMs = median(mapTimes) - imageMs;
console.log(
  `${WORKERS} workers, ${SUBJECTS} subjects x ${VIEWS} views; load before ${loadBefore!.toFixed(1)}`,
);
for (const { sizePx, imagesPerSecond, cpuMsAnImage } of rates) {
  const cost = `${cpuMsAnImage.toFixed(0)} ms of processor each`;
  console.log(`   ${imagesPerSecond.toFixed(1)} pictures a second at ${sizePx} x ${sizePx}, ${cost}`);
}
console.log(
  `one thread, medians: ${imageMs.toFixed(0)} ms a picture, ${mapsMs.toFixed(0)} ms its maps, ${subjectMs.toFixed(0)} ms a subject`,
);
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
    loadBefore,
    rates,
    imageMs,
    mapsMs,
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
