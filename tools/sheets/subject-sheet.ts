// Draws a contact sheet of synthetic subjects, each at a random view of its own: docs/synthesis-*.jpg.
// npx tsx tools/sheets/subject-sheet.ts --out FILE.jpg [--seed 0] [--subjects 64] [--columns 8] [--size 128]
//   [--render 256] [--assets DIR]; or --seeds 3,17,40

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import sharp, { type OverlayOptions } from 'sharp';
import { decodeHead } from '../../src/head/index.ts';
import { readAssetFolder } from '../../src/node/index.ts';
import {
  createRenderTools,
  createSubject,
  placeSubject,
  renderSubject,
  sampleMotion,
} from '../../src/synthesis/index.ts';
import { createRandom, deriveSeed } from '../../src/tensor/index.ts';

const { values } = parseArgs({
  options: {
    out: { type: 'string' },
    seed: { type: 'string', default: '0' },
    seeds: { type: 'string' },
    subjects: { type: 'string', default: '64' },
    columns: { type: 'string', default: '8' },
    /** Pixels of a picture on the sheet, and as rendered. */
    size: { type: 'string', default: '128' },
    render: { type: 'string', default: '256' },
    assets: { type: 'string' },
  },
});
if (!values.out) throw new Error('Name the sheet: --out FILE.jpg');
const [first, count, columns, sizePx, renderPx] = [
  values.seed,
  values.subjects,
  values.columns,
  values.size,
  values.render,
].map(Number) as [number, number, number, number, number];
const seeds = values.seeds?.split(',').map(Number) ?? Array.from({ length: count }, (_, i) => first + i);

const head = decodeHead(readFileSync(join(import.meta.dirname, '../../models/head/embedded.head')));
const tools = createRenderTools(head);
const assets = values.assets ? (await readAssetFolder(values.assets, head)).library : null;
const tiles: OverlayOptions[] = [];
for (const [i, seed] of seeds.entries()) {
  const subject = createSubject(seed, tools, { assets });
  const random = createRandom(deriveSeed(seed, 41, 0));
  const motion = sampleMotion(random, head, { yawDegrees: 30, pitchDegrees: 12, calm: 0.5 });
  const { image } = renderSubject(tools, subject, placeSubject(subject.traits, motion, renderPx));
  const input = await sharp(image.data, {
    raw: { width: image.width, height: image.height, channels: 3 },
  })
    .resize(sizePx, sizePx)
    .png()
    .toBuffer();
  tiles.push({ input, left: (i % columns) * sizePx, top: Math.floor(i / columns) * sizePx });
}
const sheet = sharp({
  create: {
    width: columns * sizePx,
    height: Math.ceil(seeds.length / columns) * sizePx,
    channels: 3,
    background: '#000000',
  },
}).composite(tiles);
await (values.out.endsWith('.png') ? sheet.png() : sheet.jpeg({ quality: 82 })).toFile(values.out);
console.log(values.out);
