// `synthesize --subjects N --views V --out DIR`: a dataset of synthetic subjects with their exact truth.

import { availableParallelism } from 'node:os';
import { z } from 'zod';
import type { EncodedClip } from '../../dataset/index.ts';
import type { SubjectJob, SubjectMapName } from '../../node/index.ts';
import { contradictoryOptions } from '../arguments.ts';
import { type CliCommand, defineCommand } from '../command.ts';
import { choices, integer, real, text } from '../option-types.ts';

/** More threads than this only share the memory's bandwidth. */
const MAX_WORKERS = 8;
/** The paper's, and three seconds. */
const DEFAULT_VIEWS = 60;
const DEFAULT_FRAMES = 75;
const MAPS = [
  'face',
  'hair',
  'eyes',
  'mouth',
  'landmarks',
  'normals',
  'depth',
] as const satisfies readonly SubjectMapName[];
/** What goes into a render is CC0: the head, and MakeHuman's assets. */
const LICENCE = 'CC0-1.0';

export const command: CliCommand = defineCommand({
  summary: 'render synthetic subjects with exact head parameters, cameras and masks into a dataset',
  options: z.object({
    out: text('the folder of the dataset; subjects that it has already are kept', {
      expects: 'a folder',
      hint: 'DIR',
    }),
    subjects: integer('how many subjects, from the seed on', { min: 1 }).default(10),
    views: integer('pictures of each subject (60 if not given)', { min: 1 }).optional(),
    frames: integer('instead of single views, one clip of so many frames of each subject in motion', {
      min: 2,
    }).optional(),
    motion: text('tracks whose motion the subjects replay, one after the other (75 frames if not said)', {
      expects: 'a folder of .track files',
      hint: 'DIR',
    }).optional(),
    size: integer('width and height, pixels', { min: 32, max: 2048 }).default(256),
    yaw: real('largest turn to either side, degrees', { min: 0, max: 90 }).default(35),
    pitch: real('largest nod, degrees', { min: 0, max: 60 }).default(15),
    maps: choices('masks, landmarks, normals and depth to store with every picture', MAPS).optional(),
    assets: text("skins, hair, brows and lashes in MakeHuman's layout, worn by a share of the subjects", {
      expects: 'a folder',
      hint: 'DIR',
    }).optional(),
  }),
  examples: [
    'synthesize --subjects 36 --views 4 --out subjects',
    'synthesize --subjects 20 --motion tracks --out talking',
    'synthesize --subjects 8 --views 2 --maps face hair normals depth --out maps',
  ],
  async run(
    { out, subjects, size, yaw, pitch, assets: folder, motion, maps: asked = [], ...given },
    { emit, seed, signal },
  ) {
    const frames = given.frames ?? (motion === undefined ? null : DEFAULT_FRAMES);
    if (frames !== null && given.views !== undefined) {
      throw contradictoryOptions(
        '--views are single pictures, --frames and --motion make clips.',
        'Leave one of them out.',
      );
    }
    const maps = MAPS.filter((name) => asked.includes(name));
    const views = frames ?? given.views ?? DEFAULT_VIEWS;
    const {
      beginDataset,
      loadEmbeddedHead,
      readAssetFolder,
      readModel,
      readTrackFolder,
      subjectName,
      WorkerPool,
    } = await import('../../node/index.ts');
    const model = await loadEmbeddedHead();
    const tracks = motion === undefined ? null : await readTrackFolder(motion, model);
    const range = { views, sizePx: size, yawDegrees: yaw, pitchDegrees: pitch };
    using dataset = await beginDataset({
      path: out,
      name: 'synthetic subjects',
      request: {
        ...{ command: 'synthesize', seed, ...range, assetFolder: folder ?? null },
        ...(maps.length === 0 ? {} : { maps }),
        ...(frames === null ? {} : { frames, motions: tracks?.map(({ name }) => name) ?? null }),
      },
      headName: model.name,
      items: Array.from({ length: subjects }, (_, i) => subjectName(seed + i)),
    });
    const wardrobe = folder ? await readAssetFolder(folder, model) : null;
    for (const message of wardrobe?.notes ?? []) emit({ kind: 'log', level: 'warning', message });
    const head = await readModel('head', 'embedded.head');
    const job = { head, assets: wardrobe?.library ?? null, licence: LICENCE, maps, ...range };
    const queue = [...dataset.missing];
    const workers = Math.max(1, Math.min(availableParallelism(), MAX_WORKERS, queue.length));
    await using pool = new WorkerPool<SubjectJob, EncodedClip>({
      module: new URL('../../node/dataset-subject-job.ts', import.meta.url),
      functionName: 'renderSubjectClip',
      size: workers,
    });
    const start = performance.now();
    let done = subjects - queue.length;
    const runJobs = async (): Promise<void> => {
      for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
        signal.throwIfAborted();
        const replayed = tracks?.[item % tracks.length] ?? null;
        const clip = await pool.run({
          ...{ ...job, seed: seed + item, motionName: replayed?.name ?? null },
          clip: frames === null ? null : { track: replayed?.track ?? null },
        });
        await dataset.put(item, { clips: [clip] });
        emit({ kind: 'progress', stage: 'render', done: ++done, total: subjects, unit: 'subjects' });
      }
    };
    const imagesRendered = queue.length * views;
    await Promise.all(Array.from({ length: workers }, runJobs));
    const { shards } = await dataset.finish();
    const imagesPerSecond = imagesRendered / ((performance.now() - start) / 1000);
    const images = subjects * views;
    return {
      summary: `${out}: ${subjects} subjects, ${images} pictures, ${imagesPerSecond.toFixed(1)} rendered a second`,
      outputs: [out],
      fields: { subjects, images, imagesRendered, imagesPerSecond, shards },
    };
  },
});
