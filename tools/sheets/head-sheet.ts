// Draws docs/head-sheet.png: the embedded head's identities, expressions and joint rotations.
// npx tsx tools/sheets/head-sheet.ts [--head FILE] [--out FILE]

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { frontCamera, vertexNormals } from '../../src/geometry/index.ts';
import {
  createHeadPoser,
  decodeHead,
  eyeCharts,
  type HeadParameters,
  JOINT_NAMES,
  type JointName,
  neutralParameters,
  PART_NAMES,
  type PartName,
} from '../../src/head/index.ts';
import { createRasteriser, NO_TRIANGLE } from '../../src/kernels/index.ts';
import { createRandom } from '../../src/tensor/index.ts';

const ROOT = join(import.meta.dirname, '../..');
const { values } = parseArgs({
  options: {
    head: { type: 'string', default: join(ROOT, 'models/head/embedded.head') },
    out: { type: 'string', default: join(ROOT, 'docs/head-sheet.png') },
  },
});

const TILE = 160;
const COLUMNS = 8;
const OVERSAMPLING = 2;
const BACKGROUND = 92;
const IRIS_METRES = 0.0059;
const PUPIL_METRES = 0.0022;

const head = decodeHead(readFileSync(values.head), values.head);
const poser = createHeadPoser(head);
const rasteriser = createRasteriser();
const eyes = eyeCharts(head);
// Lashes need their alpha texture; as solid cards they would only hide the lids.
const drawn = [...head.triangleParts.keys()].filter((t) => partOf(t) !== 'lashes');
const triangles = Uint32Array.from(drawn.flatMap((t) => [...head.triangles.subarray(3 * t, 3 * t + 3)]));

const COLOURS: Record<PartName, readonly number[]> = {
  skin: [214, 172, 150],
  lips: [196, 120, 112],
  mouthCavity: [110, 40, 44],
  leftEyeball: [238, 236, 232],
  rightEyeball: [238, 236, 232],
  lashes: [40, 30, 30],
  upperTeeth: [240, 234, 220],
  lowerTeeth: [232, 226, 210],
  tongue: [196, 96, 98],
};

const joint = (name: JointName, x: number, y: number, z: number): Partial<HeadParameters> => {
  const jointRotations = new Float32Array(3 * JOINT_NAMES.length);
  jointRotations.set([x, y, z], 3 * JOINT_NAMES.indexOf(name));
  return { jointRotations };
};
const units = (weights: Record<string, number>): Partial<HeadParameters> => ({
  expression: Float32Array.from(head.expressionNames, (name) => weights[name] ?? 0),
});
const both = (...stems: string[]): Partial<HeadParameters> =>
  units(
    Object.fromEntries(stems.flatMap((stem) => [`${stem}Left`, `${stem}Right`].map((name) => [name, 1]))),
  );
const person = (seed: number): Partial<HeadParameters> => {
  const random = createRandom(seed);
  return { identity: Float32Array.from({ length: head.identityCount }, () => random.normal()) };
};
const component = (index: number, value: number): Partial<HeadParameters> => {
  const identity = new Float32Array(head.identityCount);
  identity[index] = value;
  return { identity };
};
const gaze = (x: number, y: number): Partial<HeadParameters> => {
  const jointRotations = new Float32Array(3 * JOINT_NAMES.length);
  for (const eye of ['leftEye', 'rightEye'] as const)
    jointRotations.set([x, y, 0], 3 * JOINT_NAMES.indexOf(eye));
  return { jointRotations };
};

const tiles: Partial<HeadParameters>[] = [
  ...Array.from({ length: 16 }, (_, i) => person(i + 1)),
  ...[0, 1, 2, 3].flatMap((index) => [component(index, -2), component(index, 2)]),
  {},
  units({ jawOpen: 1 }),
  both('eyeBlink'),
  units({ eyeBlinkLeft: 1 }),
  both('mouthSmile', 'cheekSquint'),
  units({ mouthPucker: 1 }),
  both('mouthFrown', 'browDown'),
  both('eyeWide', 'browOuterUp'),
  units({ mouthFunnel: 1, jawOpen: 0.3 }),
  both('mouthUpperUp', 'mouthLowerDown'),
  units({ tongueOut: 1, jawOpen: 0.6 }),
  units({ mouthLeft: 1 }),
  units({ jawRight: 1 }),
  units({ cheekPuff: 1 }),
  both('noseSneer', 'eyeSquint'),
  units({ mouthRollLower: 1, mouthRollUpper: 1 }),
  joint('root', 0, 0.6, 0),
  joint('root', 0, 1.4, 0),
  joint('root', 0.4, 0, 0),
  joint('root', 0, 0, 0.4),
  joint('neck', 0, 0.6, 0),
  joint('neck', 0.35, 0, 0),
  joint('jaw', 0.42, 0, 0),
  joint('jaw', 0.2, 0.12, 0),
  gaze(0, 0.4),
  gaze(0, -0.4),
  gaze(-0.3, 0),
  gaze(0.3, 0),
  joint('root', 0, Math.PI, 0),
  joint('root', -0.5, 0, 0),
  { ...joint('root', 0, -0.8, 0), ...units({ jawOpen: 1 }) },
  { ...joint('root', 0, 0.8, 0), ...both('mouthSmile') },
];

const rows = Math.ceil(tiles.length / COLUMNS);
const sheet = new Uint8Array(rows * COLUMNS * TILE * TILE * 3);
for (const [i, changes] of tiles.entries()) {
  const tile = drawHead({ ...neutralParameters(head), ...changes });
  const [left, top] = [(i % COLUMNS) * TILE, Math.floor(i / COLUMNS) * TILE];
  for (let y = 0; y < TILE; y++) {
    sheet.set(tile.subarray(3 * y * TILE, 3 * (y + 1) * TILE), 3 * ((top + y) * COLUMNS * TILE + left));
  }
}
await sharp(sheet, { raw: { width: COLUMNS * TILE, height: rows * TILE, channels: 3 } })
  .png({ palette: true, quality: 90 })
  .toFile(values.out);
console.log(values.out);

function partOf(triangle: number): PartName {
  return PART_NAMES[head.triangleParts[triangle]!]!;
}

/** One head before the camera at 0.75 m, lit from the upper left, `TILE TILE 3`. */
function drawHead(parameters: HeadParameters): Uint8Array {
  const translation = Float32Array.of(0, 0.005, -0.75);
  const vertices = poser.pose({ ...parameters, translation });
  const size = TILE * OVERSAMPLING;
  const buffer = rasteriser.rasterise({ camera: frontCamera(size, size, 2.7 * size), vertices, triangles });
  const normals = vertexNormals(vertices, triangles);
  const large = new Float32Array(size * size * 3).fill(BACKGROUND);
  for (let pixel = 0; pixel < size * size; pixel++) {
    const row = buffer.triangleIds[pixel]!;
    if (row === NO_TRIANGLE) continue;
    const normal = [0, 0, 0];
    const uv = [0, 0];
    for (let corner = 0; corner < 3; corner++) {
      const weight = buffer.barycentrics[3 * pixel + corner]!;
      const v = triangles[3 * row + corner]!;
      const at = head.uvTriangles[3 * drawn[row]! + corner]!;
      for (let axis = 0; axis < 3; axis++) normal[axis]! += weight * normals[3 * v + axis]!;
      for (let axis = 0; axis < 2; axis++) uv[axis]! += weight * head.uvs[2 * at + axis]!;
    }
    const length = Math.hypot(...normal) || 1;
    const [x, y, z] = normal.map((value) => value / length) as [number, number, number];
    const light = 0.32 + 0.6 * Math.max(0, -0.35 * x + 0.4 * y + 0.85 * z) + 0.12 * Math.max(0, z);
    const colour = colourAt(partOf(drawn[row]!), uv as [number, number]);
    for (let c = 0; c < 3; c++) large[3 * pixel + c] = Math.min(255, colour[c]! * light);
  }
  return shrink(large, size);
}

function colourAt(part: PartName, [u, v]: [number, number]): readonly number[] {
  if (part !== 'leftEyeball' && part !== 'rightEyeball') return COLOURS[part];
  const { pupilUv, uvPerRadian, radiusMetres } = part === 'leftEyeball' ? eyes.left : eyes.right;
  const reach = radiusMetres * Math.sin(Math.hypot(u - pupilUv[0], v - pupilUv[1]) / uvPerRadian);
  if (reach < PUPIL_METRES) return [12, 12, 14];
  return reach < IRIS_METRES ? [86, 110, 126] : COLOURS[part];
}

function shrink(large: Float32Array, size: number): Uint8Array {
  const small = new Uint8Array(TILE * TILE * 3);
  for (let y = 0; y < TILE; y++) {
    for (let x = 0; x < TILE; x++) {
      for (let c = 0; c < 3; c++) {
        let sum = 0;
        for (let dy = 0; dy < OVERSAMPLING; dy++) {
          for (let dx = 0; dx < OVERSAMPLING; dx++) {
            sum += large[3 * ((y * OVERSAMPLING + dy) * size + x * OVERSAMPLING + dx) + c]!;
          }
        }
        small[3 * (y * TILE + x) + c] = Math.round(sum / OVERSAMPLING ** 2);
      }
    }
  }
  return small;
}
