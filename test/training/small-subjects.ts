// Small datasets of synthetic subjects, for the tests of what training makes of datasets.

import { join } from 'node:path';
import {
  beginDataset,
  loadEmbeddedHead,
  readModel,
  renderSubjectClip,
  subjectName,
} from '../../src/node/index.ts';

/** What is rendered of each subject. */
export type SmallSubjects = {
  /** The first one's seed; there are three. */
  readonly seed: number;
  /** Views, or frames of a clip. */
  readonly views: number;
  readonly isClip?: boolean;
  readonly sizePx: number;
  /** The command that it claims to be of. */
  readonly command?: string;
};

/** Writes three subjects as a dataset `name` within a folder; returns where it lies. */
export async function writeSmallSubjects(
  folder: string,
  name: string,
  { seed, views, isClip = false, sizePx, command = 'a test' }: SmallSubjects,
): Promise<string> {
  const { name: headName } = await loadEmbeddedHead();
  const items = [0, 1, 2].map((i) => subjectName(seed + i));
  const path = join(folder, name);
  using dataset = await beginDataset({ path, name, request: { command }, headName, items });
  const job = { head: await readModel('head', 'embedded.head'), views, sizePx, maps: [] };
  for (const item of dataset.missing) {
    const clip = await renderSubjectClip({
      ...{ ...job, seed: seed + item, yawDegrees: 25, pitchDegrees: 8, licence: 'CC0-1.0' },
      clip: isClip ? { track: null } : null,
    });
    await dataset.put(item, { clips: [clip] });
  }
  await dataset.finish();
  return path;
}
