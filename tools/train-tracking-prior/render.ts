// Renders what the prior learns from: one folder entry per subject, pictures as JPEG (as clips come) and the
// truth as JSON. Subjects that are there already are kept.

import { existsSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import type { HeadModel } from '../../src/head/index.ts';
import { type AssetLibrary, createRenderTools } from '../../src/synthesis/index.ts';
import { createRandom, deriveSeed } from '../../src/tensor/index.ts';
import { FIRST_HELD_OUT_SEED, renderViewsTake } from './rendered-takes.ts';

/** The truth of one subject's pictures. */
export type TakeTruth = {
  readonly focalPx: number;
  readonly sizePx: number;
  readonly identity: readonly number[];
  readonly frames: readonly {
    readonly expression: readonly number[];
    readonly jointRotations: readonly number[];
    readonly translation: readonly number[];
  }[];
};

const SIZES_PX = [208, 256, 304];
/** From a head with its shoulders to a face that fills the picture. */
const ZOOMS = [1.2, 1.5, 1.7, 1.9];

/** Renders the subjects of `seeds`, `views` pictures each. */
export async function renderSubjects(
  head: HeadModel,
  options: {
    readonly folder: string;
    readonly seeds: readonly number[];
    readonly views: number;
    /** How far heads turn to either side. */
    readonly yawDegrees: number;
    readonly assets: AssetLibrary | null;
  },
): Promise<void> {
  const { folder, seeds, views, yawDegrees, assets } = options;
  if (seeds.some((seed) => seed >= FIRST_HELD_OUT_SEED))
    throw new RangeError('seeds from 500000 on are held out');
  await mkdir(folder, { recursive: true });
  const tools = createRenderTools(head);
  for (const [done, seed] of seeds.entries()) {
    const name = join(folder, String(seed).padStart(6, '0'));
    if (existsSync(`${name}.json`)) continue;
    const random = createRandom(deriveSeed(seed, 73));
    const sizePx = random.choose(SIZES_PX);
    const zoom = random.choose(ZOOMS);
    const take = renderViewsTake(tools, { seed, sizePx, frames: views, yawDegrees, assets, zoom });
    const frames: TakeTruth['frames'][number][] = [];
    let identity: number[] = [];
    for (const { image, parameters } of take.frames) {
      const { data, ...size } = image;
      const quality = Math.round(random.uniform(80, 96));
      await sharp(data, { raw: { ...size, channels: 3 } })
        .jpeg({ quality })
        .toFile(`${name}-${frames.length}.jpg`);
      identity = Array.from(parameters.identity);
      frames.push({
        expression: Array.from(parameters.expression),
        jointRotations: Array.from(parameters.jointRotations),
        translation: Array.from(parameters.translation),
      });
    }
    const truth: TakeTruth = { focalPx: take.focalPx, sizePx, identity, frames };
    await writeFile(`${name}.json.part`, JSON.stringify(truth));
    await rename(`${name}.json.part`, `${name}.json`);
    console.log(`${done + 1} of ${seeds.length} subjects: seed ${seed}`);
  }
}
