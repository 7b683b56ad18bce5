// `synthesize --subjects N --views V --out DIR`: pictures of synthetic subjects with their exact truth.

import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { BadInputError } from '../../errors/index.ts';
import type { RenderedSubject, ViewsJob } from '../../synthesis/index.ts';
import { type CliCommand, defineCommand } from '../command.ts';
import { integer, real, text } from '../option-types.ts';

/** More threads than this only share the memory's bandwidth. */
const MAX_WORKERS = 8;

export const command: CliCommand = defineCommand({
  summary: 'render synthetic subjects with exact head parameters, cameras and masks',
  options: z.object({
    out: text('the folder to write to; subjects that it has already are kept', {
      expects: 'a folder',
      hint: 'DIR',
    }),
    subjects: integer('how many subjects, from the seed on', { min: 1 }).default(10),
    views: integer('pictures of each subject', { min: 1 }).default(60),
    size: integer('width and height, pixels', { min: 32, max: 2048 }).default(256),
    yaw: real('largest turn to either side, degrees', { min: 0, max: 90 }).default(35),
    pitch: real('largest nod, degrees', { min: 0, max: 60 }).default(15),
    assets: text("skins, hair, brows and lashes in MakeHuman's layout, worn by a share of the subjects", {
      expects: 'a folder',
      hint: 'DIR',
    }).optional(),
  }),
  examples: ['synthesize --subjects 36 --views 4 --out subjects'],
  async run({ out, subjects, views, size, yaw, pitch, assets: folder }, { emit, seed, signal }) {
    const { expectWritable, loadEmbeddedHead, readAssetFolder, readModel, WorkerPool, writeFileAtomic } =
      await import('../../node/index.ts');
    await mkdir(out, { recursive: true }).catch(() => {});
    await expectWritable(join(out, 'subject.json'));
    const head = await readModel('head', 'embedded.head');
    const wardrobe = folder ? await readAssetFolder(folder, await loadEmbeddedHead()) : null;
    for (const message of wardrobe?.notes ?? []) emit({ kind: 'log', level: 'warning', message });
    const assets = wardrobe?.library ?? null;
    const workers = Math.min(availableParallelism(), MAX_WORKERS, subjects);
    await using pool = new WorkerPool<ViewsJob, RenderedSubject[]>({
      module: new URL('../../synthesis/index.ts', import.meta.url),
      functionName: 'renderViews',
      size: workers,
    });
    const request = {
      views,
      sizePx: size,
      yawDegrees: yaw,
      pitchDegrees: pitch,
      assetFolder: folder ?? null,
    };
    const { assetFolder: _, ...range } = request;
    const job = { head, assets, ...range };
    const start = performance.now();
    let [next, done, rendered] = [0, 0, 0];
    const runJobs = async (): Promise<void> => {
      for (let subject = next++; subject < subjects; subject = next++) {
        signal.throwIfAborted();
        const name = `subject-${String(seed + subject).padStart(6, '0')}`;
        const truth = join(out, `${name}.json`);
        // The truth is written last: where it is, the subject is complete.
        if (existsSync(truth)) {
          await expectSameRequest(truth, request);
        } else {
          const pictures = await pool.run({ ...job, seed: seed + subject });
          for (const [view, picture] of pictures.entries())
            await writeView(join(out, `${name}-${view}`), picture);
          const content = { seed: seed + subject, request, views: pictures.map(truthOf) };
          await writeFileAtomic(truth, JSON.stringify(content));
          rendered += pictures.length;
        }
        emit({ kind: 'progress', stage: 'render', done: ++done, total: subjects, unit: 'subjects' });
      }
    };
    await Promise.all(Array.from({ length: workers }, runJobs));
    const imagesPerSecond = rendered / ((performance.now() - start) / 1000);
    const images = subjects * views;
    return {
      summary: `${out}: ${subjects} subjects, ${images} pictures, ${imagesPerSecond.toFixed(1)} rendered a second`,
      outputs: [out],
      fields: { subjects, images, imagesRendered: rendered, imagesPerSecond },
    };
  },
});

type Request = Omit<ViewsJob, 'head' | 'seed' | 'assets'> & { readonly assetFolder: string | null };

/** A folder holds pictures of one request: another one would leave a mixture behind. */
async function expectSameRequest(truth: string, wanted: Request): Promise<void> {
  const known: { readonly request?: Partial<Request> } = await readFile(truth, 'utf8')
    .then((text) => JSON.parse(text) as { request?: Partial<Request> })
    .catch(() => ({}));
  for (const name of ['views', 'sizePx', 'yawDegrees', 'pitchDegrees', 'assetFolder'] as const) {
    if ((known.request?.[name] ?? null) === wanted[name]) continue;
    throw new BadInputError({
      code: 'subjects-of-other-request',
      message: `Expected ${truth} to be of ${name} ${wanted[name] ?? 'none'}, but it is of ${known.request?.[name] ?? 'none'}.`,
      hint: 'Give the options that the folder was begun with, or another folder.',
    });
  }
}

async function writeView(path: string, { image, headMask }: RenderedSubject): Promise<void> {
  const { writeImage } = await import('../../node/index.ts');
  await writeImage(`${path}.png`, image);
  const data = new Uint8Array(headMask.length * 3);
  headMask.forEach((value, pixel) => {
    data.fill(value, 3 * pixel, 3 * pixel + 3);
  });
  await writeImage(`${path}-head.png`, { width: image.width, height: image.height, data });
}

/** Parameters and camera as plain lists. */
function truthOf({ parameters, camera }: RenderedSubject): unknown {
  const { width, height, focalXPx, focalYPx, centreXPx, centreYPx } = camera;
  return {
    parameters: Object.fromEntries(
      Object.entries(parameters).map(([part, data]) => [part, Array.from(data)]),
    ),
    camera: { width, height, focalXPx, focalYPx, centreXPx, centreYPx },
  };
}
