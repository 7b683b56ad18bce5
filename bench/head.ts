// Posing the embedded head on one thread: a new identity every call, and the same identity with new
// expressions; and carrying a person to another head, paired by their surfaces, in
// processor time. Run: npm run bench:head. The last line is one JSON object.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createHeadConverter } from '../src/flame/index.ts';
import { createHeadPoser, decodeHead, type HeadParameters, poseHeadReference } from '../src/head/index.ts';

const CALLS = 400;
const WARM_UP = 50;

const head = decodeHead(readFileSync(join(import.meta.dirname, '../models/head/embedded.head')));
const poser = createHeadPoser(head);
const out = new Float32Array(head.template.length);

function parametersOf(call: number, identitySeed: number): HeadParameters {
  const wave = (length: number, seed: number, size: number): Float32Array =>
    Float32Array.from({ length }, (_, i) => size * Math.sin(1 + seed * 0.7 + i * 1.3));
  return {
    identity: wave(head.identityCount, identitySeed, 1),
    expression: wave(head.expressionNames.length, call, 0.5).map((value) => 0.5 + value),
    jointRotations: wave(15, call, 0.2),
    translation: wave(3, call, 0.1),
  };
}

function median(act: (parameters: HeadParameters) => unknown, identityOf: (call: number) => number): number {
  const times: number[] = [];
  for (let call = 0; call < CALLS + WARM_UP; call++) {
    const parameters = parametersOf(call, identityOf(call));
    const start = performance.now();
    act(parameters);
    if (call >= WARM_UP) times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b)[CALLS / 2]!;
}

const newIdentityMs = median(
  (parameters) => poser.pose(parameters, out),
  (call) => call,
);
const sameIdentityMs = median(
  (parameters) => poser.pose(parameters, out),
  () => 0,
);
const referenceStart = performance.now();
poseHeadReference(head, parametersOf(0, 0));
const referenceMs = performance.now() - referenceStart;

const processorMs = (act: () => void): number => {
  const before = process.cpuUsage();
  act();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
};
// Other triangles, so that the two heads are paired by their surfaces.
const other = {
  ...head,
  name: 'other',
  triangles: head.triangles.slice(0, -3),
  triangleParts: head.triangleParts.slice(0, -1),
};
const person = parametersOf(3, 3);
let converter = createHeadConverter(head, head, person.identity);
const convertPrepareMs = processorMs(() => {
  converter = createHeadConverter(head, other, person.identity);
});
converter.convert(person);
const FRAMES = 40;
const convertFrameMs =
  processorMs(() => {
    for (let t = 0; t < FRAMES; t++) {
      converter.convert({ ...parametersOf(t / 20, 3), identity: person.identity });
    }
  }) / FRAMES;

console.log(`new identity, all 52 units, all joints: ${newIdentityMs.toFixed(2)} ms (median of ${CALLS})`);
console.log(`same identity:                          ${sameIdentityMs.toFixed(2)} ms`);
console.log(`plain reference, one call:              ${referenceMs.toFixed(1)} ms`);
console.log(`another head, prepared for a person: ${convertPrepareMs.toFixed(0)} ms of processor time`);
console.log(`another head, a frame:              ${convertFrameMs.toFixed(1)} ms of processor time`);
console.log(
  JSON.stringify({
    bench: 'head',
    vertices: head.template.length / 3,
    identities: head.identityCount,
    newIdentityMs,
    sameIdentityMs,
    referenceMs,
    convertPrepareMs,
    convertFrameMs,
  }),
);
