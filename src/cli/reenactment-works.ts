// What a reenactment is made from, as one checksum: it tells whether what an earlier run left belongs to this one.

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { HeadModel } from '../head/index.ts';
import { expectInputFile, type ModelSource, type VideoWork } from '../node/index.ts';
import type { CommandContext } from './command.ts';
import { motionOptions } from './motion-options.ts';
import { packageVersion } from './package-info.ts';
import type { ReenactmentJob, ReenactOptions } from './reenactment.ts';

/** The work behind each video, by its path. */
export async function reenactmentWorks(
  jobs: readonly ReenactmentJob[],
  head: HeadModel,
  model: ModelSource | null,
  options: ReenactOptions,
  { seed }: CommandContext,
): Promise<ReadonlyMap<string, VideoWork>> {
  const { portrait, driving, size, pasteBack, steps, guidance, precision, from, to, face, compare } = options;
  const sampling = { steps, guidance, precision };
  const choices = { ...motionOptions(options), size, pasteBack, ...sampling, from, to, face, compare };
  const common = {
    ...{ version: packageVersion(), head: head.name, seed, choices },
    weights: model?.fingerprint ?? null,
  };
  const checksums = new Map<string, string>();
  for (const [path, what] of [
    ...portrait.map((file) => [file, 'a picture'] as const),
    ...driving.map((file) => [file, 'a clip'] as const),
  ]) {
    await expectInputFile(path, what);
    checksums.set(path, await checksumOf(path));
  }
  return new Map(
    jobs.map((job) => {
      const files = [checksums.get(job.portrait), checksums.get(job.driving)];
      const hash = createHash('sha256').update(JSON.stringify({ ...common, files }));
      return [job.out, { path: job.out, fingerprint: hash.digest('hex') }];
    }),
  );
}

async function checksumOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest('hex');
}
