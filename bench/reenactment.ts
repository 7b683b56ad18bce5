// Cross-identity reenactment, judged by the tracker itself: held-out portraits, and pictures that no training ever takes
// (paintings, an old photograph), are driven by clips, the output is tracked as if it were a clip, and what it finds is
// correlated with the driver. The lift alone runs beside. Neither portraits nor clips are part of the project.
//
//   npm run -s bench:reenactment [-- --portraits DIR --clips DIR --only d3,d10 --every 3 --weights F --motion absolute --sheets DIR]

import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { parseArgs } from 'node:util';
import type { AvatarRenderer, FittedPortrait } from '../src/avatar/index.ts';
import { createPreviewRenderer, openModel, portraitMotion } from '../src/avatar/index.ts';
import { type FoundFaces, motionCorrelations } from '../src/evaluation/index.ts';
import { frameCount, type HeadTrack, parametersAt } from '../src/head/index.ts';
import type { RgbImage } from '../src/media/index.ts';
import { contactSheet } from '../src/media/index.ts';
import {
  createDevice,
  loadAvatar,
  loadEmbeddedHead,
  loadFaceDescriptor,
  loadTracker,
  readImage,
  readVideo,
  writeImage,
} from '../src/node/index.ts';
import { descriptorSimilarity } from '../src/tracking/index.ts';

const SHARED = join(import.meta.dirname, '../../shared');
const CONFIG = join(import.meta.dirname, '../configs/compact.json');
const SHEET_FRAMES = 6;

const { values } = parseArgs({
  options: {
    portraits: { type: 'string', default: join(SHARED, 'portraits') },
    clips: { type: 'string', default: join(SHARED, 'clips') },
    only: { type: 'string', default: 'd3,d10' },
    every: { type: 'string', default: '3' },
    weights: { type: 'string' },
    motion: { type: 'string', default: 'relative' },
    sheets: { type: 'string' },
  },
});
if (!existsSync(values.portraits) || !existsSync(values.clips)) {
  console.log(JSON.stringify({ bench: 'reenactment', skipped: `no ${values.portraits} or ${values.clips}` }));
  process.exit(0);
}
const motion = values.motion === 'absolute' ? 'absolute' : 'relative';
const heldOut: string[] = JSON.parse(readFileSync(CONFIG, 'utf8')).training.heldOutPortraits;
const files = readdirSync(values.portraits).filter((file) =>
  /^(painting|lincoln)/.test(file) ? true : heldOut.includes(basename(file, extname(file))),
);
const head = await loadEmbeddedHead();
const device = await createDevice('cpu');
await using tracker = await loadTracker(device, head);
await using descriptor = await loadFaceDescriptor(device);
await using model = await openModel({ ...(await loadAvatar(head, values.weights)), head, device });
if (values.sheets) mkdirSync(values.sheets, { recursive: true });

const FIGURES = ['yaw', 'mouth', 'blink', 'similarity'] as const;
type Figures = Readonly<Record<(typeof FIGURES)[number], number>>;

type Driver = { readonly name: string; readonly track: HeadTrack; readonly pictures: readonly RgbImage[] };
const drivers: Driver[] = [];
for (const name of values.only.split(',')) {
  using clip = await readVideo(join(values.clips, `${name}.mp4`));
  const kept: { timestampSeconds: number; image: RgbImage }[] = [];
  for await (const { index, timestampSeconds, image } of clip.frames()) {
    if (index % Number(values.every) === 0) kept.push({ timestampSeconds, image });
  }
  const { track } = await tracker.trackClip(asStream(kept));
  drivers.push({ name, track, pictures: kept.map(({ image }) => image) });
}

type Row = {
  readonly portrait: string;
  readonly driver: string;
  readonly output: Figures;
  readonly lift: Figures;
};
const rows: Row[] = [];
for (const file of files) {
  const name = basename(file, extname(file));
  const { image } = await readImage(join(values.portraits, file));
  const { parameters, focalPx, landmarksPx } = await tracker.trackImage(image);
  const personMask = (await tracker.personMask(image)) ?? undefined;
  const portrait: FittedPortrait = { image, parameters, focalPx, personMask };
  const face = await descriptor.describe(image, landmarksPx);
  for (const driver of drivers) {
    const lift = await judge(createPreviewRenderer(head, portrait, { sizePx: 256 }), portrait, driver, face);
    const output = await judge(await model.renderer(portrait), portrait, driver, face);
    rows.push({ portrait: name, driver: driver.name, output: output.figures, lift: lift.figures });
    console.error(JSON.stringify(rows.at(-1)));
    if (values.sheets) {
      const cells = Array.from({ length: SHEET_FRAMES }, (_, i) => {
        const t = Math.floor(((i + 0.5) * output.pictures.length) / SHEET_FRAMES);
        return [image, driver.pictures[t]!, lift.pictures[t]!, output.pictures[t]!];
      });
      const sheet = contactSheet(cells.flat(), { columns: 4, cellWidth: 256, cellHeight: 256 });
      await writeImage(join(values.sheets, `${name}-${driver.name}.png`), sheet);
    }
  }
}
const medians = drivers.map(({ name }) => {
  const own = rows.filter(({ driver }) => driver === name);
  const of = (method: 'output' | 'lift', key: keyof Figures): number =>
    round(own.map(({ [method]: { [key]: value } }) => value).sort((a, b) => a - b)[own.length >> 1]!);
  const all = (method: 'output' | 'lift') =>
    Object.fromEntries(FIGURES.map((key) => [key, of(method, key)] as const));
  return { driver: name, output: all('output'), lift: all('lift') };
});
console.log(JSON.stringify({ bench: 'reenactment', every: Number(values.every), rows, medians }));

/** Renders a driver's motion, tracks the result, compares. */
async function judge(
  renderer: AvatarRenderer,
  portrait: FittedPortrait,
  { track }: Driver,
  face: Float32Array,
) {
  const pictures: RgbImage[] = [];
  for await (const image of renderer.render(portraitMotion(head, portrait.parameters, track, { motion })))
    pictures.push(image);
  const frames = pictures.map((image, t) => ({ timestampSeconds: track.timestampsSeconds[t]!, image }));
  const found = await tracker.trackClip(asStream(frames));
  const similarities: number[] = [];
  for (const [t, image] of pictures.entries()) {
    if (t % 5 !== 0 || found.track.confidence[t] === 0) continue;
    similarities.push(
      descriptorSimilarity(await descriptor.describe(image, landmarksAt(found.track, t)), face),
    );
  }
  const { yaw, mouth, blink } = motionCorrelations(facesOf(found.track), facesOf(track));
  const figures = {
    framesTracked: found.framesTracked,
    frames: frames.length,
    ...{ yaw: round(yaw), mouth: round(mouth), blink: round(blink) },
    similarity: round(similarities.reduce((sum, value) => sum + value, 0) / similarities.length),
  };
  return { figures, pictures };
}

function landmarksAt({ landmarksPx }: HeadTrack, t: number): Float32Array {
  return landmarksPx.subarray(t * 478 * 2, (t + 1) * 478 * 2);
}

/** The faces of a track; null where there was none. */
function facesOf(track: HeadTrack): FoundFaces {
  return Array.from({ length: frameCount(track) }, (_, t) =>
    track.confidence[t]! > 0
      ? { parameters: parametersAt(track, t), landmarksPx: landmarksAt(track, t) }
      : null,
  );
}

function round(value: number): number {
  return Number(value.toFixed(3));
}

async function* asStream<T>(items: readonly T[]): AsyncGenerator<T, void, undefined> {
  yield* items;
}
