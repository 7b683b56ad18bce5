// A folder of head tracks, as motion for others.

import { join } from 'node:path';
import { MissingResourceError } from '../errors/index.ts';
import type { HeadModel, HeadTrack } from '../head/index.ts';
import { listFiles } from './dataset-sources.ts';
import { readTrack } from './track-input.ts';

/** The tracks of a folder and of folders within, by name. @throws MissingResourceError `no-tracks`, and as `readTrack`. */
export async function readTrackFolder(
  folder: string,
  head: HeadModel,
): Promise<{ readonly name: string; readonly track: HeadTrack }[]> {
  const files = (await listFiles(folder)).filter((file) => file.endsWith('.track'));
  if (files.length === 0) {
    throw new MissingResourceError({
      code: 'no-tracks',
      message: `Expected .track files in ${folder}, but there are none.`,
      hint: 'Make some with learn2control track CLIP --out NAME.track.',
    });
  }
  return Promise.all(files.map(async (name) => ({ name, track: await readTrack(join(folder, name), head) })));
}
