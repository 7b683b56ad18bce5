// How far synthetic subjects are from photographs. The package's own detector and tracker on renders within 75
// degrees of yaw, against the truth; and small linear classifiers, cross-validated, that try to tell renders
// from portraits: by the face's description, by the pixels of the face, by those of the whole picture.
//
//   npm run -s bench:domain-gap [-- --subjects 96] [--size 256] [--portraits DIR] [--assets DIR]
// The last line is one JSON object. Portraits are not part of the project.

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { rotationAngle, rotationFromAxisAngle } from '../src/geometry/index.ts';
import { type RgbImage, warpAffine } from '../src/media/index.ts';
import {
  createDevice,
  loadEmbeddedHead,
  loadFaceDescriptor,
  loadTracker,
  readAssetFolder,
  readImage,
  readModel,
} from '../src/node/index.ts';
import {
  createRenderTools,
  createSubject,
  type Motion,
  placeSubject,
  renderSubject,
  rotationVector,
  sampleMotion,
} from '../src/synthesis/index.ts';
import { createRandom, deriveSeed } from '../src/tensor/index.ts';
import { createFaceDetector, type ImageTrack } from '../src/tracking/index.ts';
import { crossValidate } from './domain-gap/ridge-classifier.ts';

const SHARED = join(import.meta.dirname, '../../shared');
const FIRST_SEED = 900_000;
const DEGREES = 180 / Math.PI;
const [LIMIT_YAW, LIMIT_PITCH] = [75, 15];
const FOLDS = 6;
/** Square looks at a face: side over the height of its landmarks, and pixels a side. */
const LOOKS = { face: { scale: 1.1, sizePx: 24 }, picture: { scale: 2.4, sizePx: 24 } } as const;

const { values } = parseArgs({
  options: {
    subjects: { type: 'string', default: '96' },
    size: { type: 'string', default: '256' },
    portraits: { type: 'string', default: join(SHARED, 'portraits') },
    assets: { type: 'string' },
  },
});
const [subjects, sizePx] = [Number(values.subjects), Number(values.size)];
if (!existsSync(values.portraits)) {
  console.log(JSON.stringify({ bench: 'domain-gap', skipped: `no ${values.portraits}` }));
  process.exit(0);
}
const head = await loadEmbeddedHead();
const tools = createRenderTools(head);
const assets = values.assets ? (await readAssetFolder(values.assets, head)).library : null;
const device = await createDevice('cpu');
await using tracker = await loadTracker(device, head);
await using descriptor = await loadFaceDescriptor(device);
await using detector = await createFaceDetector(device, await readModel('perception', 'face-detector.onnx'));

type Seen = {
  readonly description: Float32Array;
  readonly face: Float32Array;
  readonly picture: Float32Array;
};
const renders: Seen[] = [];
const poseErrors: { readonly yaw: number; readonly error: number }[] = [];
const missed: number[] = [];
let detections = 0;
for (let i = 0; i < subjects; i++) {
  const seed = FIRST_SEED + i;
  const subject = createSubject(seed, tools, { assets });
  const random = createRandom(deriveSeed(seed, 61));
  const turned = turnedMotion(i);
  const { image, parameters } = renderSubject(
    tools,
    subject,
    placeSubject(subject.traits, turned.motion, sizePx),
  );
  if ((await detector.detect(image, { closely: true })).length > 0) detections++;
  const found = await find(image);
  if (!found) missed.push(Math.round(turned.yaw));
  else poseErrors.push({ yaw: turned.yaw, error: turnBetween(found, parameters.jointRotations) });
  // As people hold themselves in portraits.
  const held = sampleMotion(random, head, { yawDegrees: 15, pitchDegrees: 8, calm: 0.8 });
  const portrait = renderSubject(tools, subject, placeSubject(subject.traits, held, sizePx)).image;
  const seen = await look(portrait);
  if (seen) renders.push(seen);
}

const photographs: Seen[] = [];
const files = readdirSync(values.portraits).filter((name) => /\.(jpe?g|png|webp)$/i.test(name));
for (let i = 0; i < Math.min(subjects, files.length); i++) {
  const file = files[Math.floor((i * files.length) / Math.min(subjects, files.length))]!;
  const seen = await look((await readImage(join(values.portraits, file))).image);
  if (seen) photographs.push(seen);
}

const count = Math.min(renders.length, photographs.length);
const accuracy = Object.fromEntries(
  (['description', 'face', 'picture'] as const).map((key) => [
    key,
    crossValidate(
      [photographs, renders].map((group) => group.slice(0, count).map((seen) => seen[key])),
      FOLDS,
    ),
  ]),
);
const errors = poseErrors.map(({ error }) => error).sort((a, b) => a - b);
const median = errors[Math.floor(errors.length / 2)]!;
const [detected, tracked] = [detections / subjects, poseErrors.length / subjects];
console.log(
  `within ${LIMIT_YAW} degrees of yaw the detector finds ${(100 * detected).toFixed(1)} % of the faces, the tracker ${(100 * tracked).toFixed(1)} %; it misses yaws ${missed}`,
);
for (const [low, high] of [
  [0, 25],
  [25, 50],
  [50, 75],
] as const) {
  const within = poseErrors.filter(({ yaw }) => Math.abs(yaw) >= low && Math.abs(yaw) < high);
  const sorted = within.map(({ error }) => error).sort((a, b) => a - b);
  console.log(
    `  yaw ${low} to ${high}: pose error ${sorted[Math.floor(sorted.length / 2)]?.toFixed(2)} degrees (${sorted.length})`,
  );
}
console.log(`pose error, median of all: ${median.toFixed(2)} degrees`);
for (const [key, share] of Object.entries(accuracy)) {
  console.log(`renders told from portraits by ${key}: ${(100 * share).toFixed(1)} % (half would be chance)`);
}
console.log(
  JSON.stringify({
    bench: 'domain-gap',
    subjects,
    sizePx,
    detected,
    tracked,
    poseErrorMedian: median,
    accuracy,
    pictures: count,
  }),
);

/** A head turned evenly over the whole range, at rest or speaking. */
function turnedMotion(i: number): { readonly yaw: number; readonly motion: Motion } {
  const random = createRandom(deriveSeed(FIRST_SEED, 62, i));
  const motion = sampleMotion(random, head, { calm: 0.5 });
  const yaw = LIMIT_YAW * (((i + 0.5) / subjects) * 2 - 1);
  const pitch = random.uniform(-LIMIT_PITCH, LIMIT_PITCH);
  const jointRotations = motion.jointRotations.slice();
  jointRotations.set(rotationVector(yaw / DEGREES, pitch / DEGREES, random.uniform(-8, 8) / DEGREES), 0);
  return { yaw, motion: { ...motion, jointRotations } };
}

async function find(image: RgbImage): Promise<ImageTrack | null> {
  return tracker.trackImage(image).catch((error: { code?: string }) => {
    if (error.code === 'no-face') return null;
    throw error;
  });
}

function turnBetween({ parameters }: ImageTrack, truth: Float32Array): number {
  const [own, other] = [parameters.jointRotations, truth].map((joints) =>
    rotationFromAxisAngle(joints.subarray(0, 3)),
  );
  return rotationAngle(own!, other!) * DEGREES;
}

async function look(image: RgbImage): Promise<Seen | null> {
  const found = await find(image);
  if (!found) return null;
  const { landmarksPx } = found;
  return {
    description: await descriptor.describe(image, landmarksPx),
    face: cut(image, landmarksPx, LOOKS.face),
    picture: cut(image, landmarksPx, LOOKS.picture),
  };
}

/** The pixels of a square about the landmarks (`3 S S`, 0 to 1), each the mean of what it covers. */
function cut(
  image: RgbImage,
  landmarksPx: Float32Array,
  { scale, sizePx: side }: { readonly scale: number; readonly sizePx: number },
): Float32Array {
  const [xs, ys] = [0, 1].map((k) => [...landmarksPx].filter((_, i) => i % 2 === k)) as [number[], number[]];
  const [top, bottom] = [Math.min(...ys), Math.max(...ys)];
  const width = scale * (bottom - top);
  const left = (Math.min(...xs) + Math.max(...xs)) / 2 - width / 2;
  const step = width / side;
  return warpAffine(image, {
    sourceFromTarget: [step, 0, left, 0, step, (top + bottom) / 2 - width / 2],
    ...{ width: side, height: side, range: [0, 1] },
  }).data;
}
