// Draws docs/head-sheet.png: the embedded head's identities, expressions, joints, texture and landmarks.
// npx tsx tools/sheets/head-sheet.ts [--head FILE] [--out FILE]

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { headSheet } from '../../src/flame/index.ts';
import { decodeHead } from '../../src/head/index.ts';

const ROOT = join(import.meta.dirname, '../..');
const { values } = parseArgs({
  options: {
    head: { type: 'string', default: join(ROOT, 'models/head/embedded.head') },
    out: { type: 'string', default: join(ROOT, 'docs/head-sheet.png') },
  },
});

const { width, height, data } = headSheet(decodeHead(new Uint8Array(readFileSync(values.head)), values.head));
// A palette keeps the picture small in the repository.
await sharp(data, { raw: { width, height, channels: 3 } })
  .png({ palette: true, quality: 90 })
  .toFile(values.out);
console.log(values.out);
