// Finds the 478 landmarks on the embedded head and writes them into its file: the head is rendered as many
// people from many sides, the landmark network looks at every picture, and what it says is cast back on
// the surface and averaged. Lip points come from open mouths, so that upper and lower lip stay apart.
//
//   npx tsx tools/derive-landmarks/main.ts [--head FILE] [--identities N] [--seed S]

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { frontCamera } from '../../src/geometry/index.ts';
import {
  createHeadPoser,
  decodeHead,
  encodeHead,
  type HeadModel,
  neutralParameters,
  PART_NAMES,
  type PartName,
} from '../../src/head/index.ts';
import { createRasteriser, NO_TRIANGLE } from '../../src/kernels/index.ts';
import { createDevice } from '../../src/node/index.ts';
import { createRandom, type Random } from '../../src/tensor/index.ts';
import {
  createFaceDetector,
  createLandmarkNetwork,
  LANDMARK_COUNT,
  regionFromBox,
  regionFromLandmarks,
} from '../../src/tracking/index.ts';
import { groupWeight, IRIS_POINTS, MOUTH_POINTS } from './landmark-groups.ts';
import { type Paint, paintHead } from './paint-head.ts';
import { averagePlaces, type MeanPlace, type Place, packPlaces } from './surface-average.ts';

const ROOT = join(import.meta.dirname, '../..');
const { values } = parseArgs({
  options: {
    head: { type: 'string', default: join(ROOT, 'models/head/embedded.head') },
    identities: { type: 'string', default: '36' },
    seed: { type: 'string', default: '1' },
  },
});

const SIZE = 512;
const DISTANCE_METRES = 0.8;
/** A head's height takes about half of the picture. */
const FOCAL_PX = 1.7 * SIZE;
const YAWS = [-0.6, -0.35, -0.15, 0, 0.15, 0.35, 0.6];
const OPEN_JAW = 0.2;
/** How far from the network's point the skin is looked for, where the pixel shows something else. */
const SEARCH_PX = 9;
/** A landmark whose places spread by this much (metres) keeps the trust of its group. */
const USUAL_SPREAD = 0.0022;

const head = decodeHead(new Uint8Array(readFileSync(values.head)), values.head);
const poser = createHeadPoser(head);
const rasteriser = createRasteriser();
const device = await createDevice('cpu');
const modelFile = (name: string): Uint8Array => readFileSync(join(ROOT, `models/perception/${name}.onnx`));
await using detector = await createFaceDetector(device, modelFile('face-detector'));
await using network = await createLandmarkNetwork(device, modelFile('face-landmarks'));

const skin = surfaceOf(head, ['skin', 'lips']);
const eyeballs = {
  rightEyeball: surfaceOf(head, ['rightEyeball']),
  leftEyeball: surfaceOf(head, ['leftEyeball']),
};
const places: Place[][] = Array.from({ length: LANDMARK_COUNT }, () => []);
const random = createRandom(Number(values.seed));
let [looks, misses] = [0, 0];
for (let subject = 0; subject < Number(values.identities); subject++) {
  const identity = Float32Array.from({ length: head.identityCount }, () => 0.8 * random.normal());
  const paint = randomPaint(random);
  for (const yaw of YAWS) {
    for (const isOpen of [false, true]) {
      looks++;
      if (!(await look(identity, paint, yaw, isOpen))) misses++;
    }
  }
}
console.error(`${looks} pictures, no face in ${misses}`);

const canonicalParameters = neutralParameters(head);
canonicalParameters.jointRotations[6] = OPEN_JAW;
const canonical = poser.pose(canonicalParameters);
const means = places.map((found, landmark) => meanPlace(found, landmark));
const landmarkWeights = Float32Array.from(means, ({ spread }, landmark) => {
  return groupWeight(landmark) * Math.min(1.1, Math.max(0.4, USUAL_SPREAD / spread));
});
writeFileSync(values.head, encodeHead({ ...head, landmarks: packPlaces(means), landmarkWeights }));
const spreads = means.map(({ spread }) => spread * 1000).sort((a, b) => a - b);
const fixed = (value: number | undefined): number => Number(value?.toFixed(2));
console.log(
  JSON.stringify({
    file: values.head,
    pictures: looks,
    misses,
    spreadMedianMm: fixed(spreads[spreads.length >> 1]),
    spread90Mm: fixed(spreads[Math.floor(0.9 * spreads.length)]),
  }),
);

/** One picture: renders, looks, and adds every landmark's place. False where no face is found. */
async function look(identity: Float32Array, paint: Paint, yaw: number, isOpen: boolean): Promise<boolean> {
  const parameters = neutralParameters(head);
  parameters.identity.set(identity);
  parameters.jointRotations.set([0.12 * random.normal(), yaw, 0.05 * random.normal()]);
  if (isOpen) parameters.jointRotations[6] = random.uniform(0.12, 0.3);
  parameters.translation.set([0.01 * random.normal(), 0.01 * random.normal(), -DISTANCE_METRES]);
  const vertices = poser.pose(parameters);
  const camera = frontCamera(SIZE, SIZE, FOCAL_PX);
  const { image } = paintHead(rasteriser, head, vertices, camera, paint);
  const [face] = await detector.detect(image);
  if (!face) return false;
  const first = await network.locate(
    image,
    regionFromBox(face, [face.keyPointsPx[0]!, face.keyPointsPx[1]!]),
  );
  const { landmarksPx, presence } = await network.locate(image, regionFromLandmarks(first.landmarksPx));
  if (presence < 0.5) return false;

  const mirrored = Math.abs(yaw);
  const skinBuffer = rasteriser.rasterise({ camera, vertices, triangles: skin.triangles });
  for (let landmark = 0; landmark < IRIS_POINTS.rightEyeball[0]!; landmark++) {
    // Closed lips lie on each other: which is which shows only when they part.
    if (MOUTH_POINTS.has(landmark) && !isOpen) continue;
    const hit = nearestPixel(skinBuffer.triangleIds, landmarksPx, landmark);
    if (hit === null) continue;
    const triangle = skin.original[skinBuffer.triangleIds[hit]!]!;
    const facing = facingOf(vertices, triangle);
    if (facing < 0.25) continue;
    const weights = skinBuffer.barycentrics.subarray(3 * hit, 3 * hit + 3);
    const barycentrics = [weights[0]!, weights[1]!, weights[2]!] as const;
    places[landmark]!.push({ triangle, barycentrics, weight: facing });
  }
  for (const side of ['rightEyeball', 'leftEyeball'] as const) {
    if (mirrored > 0.4) continue;
    const buffer = rasteriser.rasterise({ camera, vertices, triangles: eyeballs[side].triangles });
    for (const landmark of IRIS_POINTS[side]) {
      const hit = nearestPixel(buffer.triangleIds, landmarksPx, landmark);
      if (hit === null) continue;
      const weights = buffer.barycentrics.subarray(3 * hit, 3 * hit + 3);
      places[landmark]!.push({
        triangle: eyeballs[side].original[buffer.triangleIds[hit]!]!,
        barycentrics: [weights[0]!, weights[1]!, weights[2]!],
        weight: 1,
      });
    }
  }
  return true;
}

function meanPlace(found: readonly Place[], landmark: number): MeanPlace {
  if (found.length === 0) throw new Error(`landmark ${landmark} was never seen`);
  const parts = partsOf(landmark);
  return averagePlaces(head, canonical, found, (triangle) => parts.has(head.triangleParts[triangle]!));
}

function partsOf(landmark: number): ReadonlySet<number> {
  const names: readonly PartName[] = IRIS_POINTS.rightEyeball.includes(landmark)
    ? ['rightEyeball']
    : IRIS_POINTS.leftEyeball.includes(landmark)
      ? ['leftEyeball']
      : ['skin', 'lips'];
  return new Set(names.map((name) => PART_NAMES.indexOf(name)));
}

/** The triangles of some parts, and what number each has in the head. */
function surfaceOf(
  model: HeadModel,
  parts: readonly PartName[],
): { triangles: Uint32Array; original: number[] } {
  const wanted = new Set(parts.map((name) => PART_NAMES.indexOf(name)));
  const original = [...model.triangleParts.keys()].filter((f) => wanted.has(model.triangleParts[f]!));
  return {
    triangles: Uint32Array.from(original.flatMap((f) => [...model.triangles.subarray(3 * f, 3 * f + 3)])),
    original,
  };
}

/** The covered pixel nearest to a landmark, within `SEARCH_PX`. */
function nearestPixel(triangleIds: Uint32Array, landmarksPx: Float32Array, landmark: number): number | null {
  const [x, y] = [landmarksPx[2 * landmark]!, landmarksPx[2 * landmark + 1]!];
  let [best, bestDistance] = [-1, SEARCH_PX];
  for (let row = Math.floor(y) - SEARCH_PX; row <= y + SEARCH_PX; row++) {
    for (let column = Math.floor(x) - SEARCH_PX; column <= x + SEARCH_PX; column++) {
      if (row < 0 || column < 0 || row >= SIZE || column >= SIZE) continue;
      const pixel = row * SIZE + column;
      const distance = Math.hypot(column + 0.5 - x, row + 0.5 - y);
      if (triangleIds[pixel] === NO_TRIANGLE || distance >= bestDistance) continue;
      [best, bestDistance] = [pixel, distance];
    }
  }
  return best < 0 ? null : best;
}

/** Cosine between a triangle's normal and the way to the camera at the origin. */
function facingOf(vertices: Float32Array, triangle: number): number {
  const corner = (c: number): number[] => {
    const v = head.triangles[3 * triangle + c]!;
    return [...vertices.subarray(3 * v, 3 * v + 3)];
  };
  const [a, b, c] = [corner(0), corner(1), corner(2)];
  const u = b.map((value, k) => value - a[k]!);
  const v = c.map((value, k) => value - a[k]!);
  const normal = [
    u[1]! * v[2]! - u[2]! * v[1]!,
    u[2]! * v[0]! - u[0]! * v[2]!,
    u[0]! * v[1]! - u[1]! * v[0]!,
  ];
  const along = normal.reduce((sum, value, k) => sum - value * a[k]!, 0);
  return along / (Math.hypot(...normal) * Math.hypot(...a) || 1);
}

function randomPaint(source: Random): Paint {
  const depth = source.uniform(0.25, 1);
  const hair = source.uniform(0.02, 0.12);
  const eye = source.uniform(0.06, 0.25);
  return {
    skin: [0.72 * depth, 0.5 * depth, 0.4 * depth],
    hair: [hair, 0.7 * hair, 0.5 * hair],
    iris: [eye, 0.7 * eye, 0.5 * eye],
    light: [source.uniform(-0.8, 0.8), source.uniform(0, 0.8), 1],
  };
}
