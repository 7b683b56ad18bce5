// The first frame of some clips of a dataset, a row each, with all maps that are stored of it.
// npx tsx tools/sheets/map-sheet.ts DATASET --out FILE.jpg [--clips 4] [--size 128]

import { parseArgs } from 'node:util';
import { mapsOf, openDataset, spreadClips } from '../../src/dataset/index.ts';
import { contactSheet, type RgbImage, resizeImage } from '../../src/media/index.ts';
import { datasetFolder, decodeFrame, mapImage, writeImage } from '../../src/node/index.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    out: { type: 'string' },
    clips: { type: 'string', default: '4' },
    size: { type: 'string', default: '128' },
  },
});
if (!values.out || !positionals[0]) throw new Error('Name the dataset and the sheet: DATASET --out FILE.jpg');
const size = Number(values.size);

await using folder = datasetFolder(positionals[0]);
const dataset = await openDataset(folder);
const images: RgbImage[] = [];
const labels: string[] = [];
for (const place of spreadClips(dataset.clips, Number(values.clips))) {
  const clip = await dataset.open(place);
  const names = mapsOf(clip.info);
  images.push(await decodeFrame((await clip.frame(0)).bytes));
  for (const name of names) images.push(await mapImage(name, (await clip.map(name, 0))!));
  labels.push('picture', ...names);
}
const cells = images.map((image) => resizeImage(image, size, size));
const columns = cells.length / Math.min(Number(values.clips), dataset.clips.length);
await writeImage(values.out, contactSheet(cells, { columns, labels }));
