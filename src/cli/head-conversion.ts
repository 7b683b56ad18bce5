// Tracks on other heads, and in FLAME's parameter files.

import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { BadInputError } from '../errors/index.ts';
import {
  convertTrack,
  decodeFlameParameters,
  encodeFlameFolder,
  encodeFlameParameters,
  type SourceFile,
} from '../flame/index.ts';
import { encodeHeadTrack, frameCount, type HeadModel, type HeadTrack } from '../head/index.ts';
import { expectWritable, loadHead, readBytes, readTrack, writeFileAtomic } from '../node/index.ts';
import type { CommandContext, CommandResult } from './command.ts';

/** The options of `head convert`. */
export type HeadConvertOptions = {
  readonly input: string;
  readonly to?: string | undefined;
  readonly out: string;
  readonly fps: number;
};

const FRAME_FOLDER = 'flame_param';

/** Reads a track of the head of --head, carries it to that of --to, and writes it. */
export async function runHeadConvert(
  { input, to, out, fps }: HeadConvertOptions,
  context: CommandContext,
): Promise<CommandResult> {
  const { emit, signal } = context;
  const isFolder = !/\.(track|npz)$/i.test(out);
  await expectWritable(isFolder ? join(out, 'transforms.json') : out);
  const source = await context.loadHead();
  const target = await loadHead(to);
  const track = await readMotion(input, source, fps, context);
  const carried =
    source.name === target.name
      ? null
      : convertTrack(track, source, target, { onEvent: emit, throwIfAborted: () => signal.throwIfAborted() });
  const result = carried?.track ?? track;
  const outputs = await writeMotion(result, target, out, isFolder);
  const millimetres = (metres: number): number => Number((1000 * metres).toFixed(2));
  const residuals = [...(carried?.frameRmsMetres ?? [0])].sort((a, b) => a - b);
  const fields = {
    frames: frameCount(result),
    fromHead: source.name,
    toHead: target.name,
    identityMillimetres: carried ? millimetres(carried.identityRmsMetres) : 0,
    frameMillimetresMedian: millimetres(residuals[residuals.length >> 1]!),
    frameMillimetresWorst: millimetres(residuals.at(-1)!),
    places: carried?.pointCount ?? 0,
  };
  return {
    summary:
      `${out}: ${fields.frames} frames of ${target.name}` +
      (carried
        ? ` from ${source.name}; the meshes differ by ${fields.identityMillimetres} mm at rest, the motion misses ` +
          `${fields.frameMillimetresMedian} mm in the median frame, ${fields.frameMillimetresWorst} mm in the worst`
        : ''),
    outputs,
    fields,
  };
}

async function readMotion(
  input: string,
  head: HeadModel,
  framesPerSecond: number,
  { emit }: CommandContext,
): Promise<HeadTrack> {
  if (/\.track$/i.test(input)) return readTrack(input, head);
  const isFolder = (await stat(input).catch(() => null))?.isDirectory() ?? false;
  const files = isFolder
    ? await readFolder(input)
    : [{ name: input, bytes: await readBytes(input, 'a .track, or FLAME parameters as .npz') }];
  const { track, notes } = decodeFlameParameters(files, head, { framesPerSecond });
  for (const message of notes) emit({ kind: 'log', level: 'warning', message });
  return track;
}

/** The parameter files of a folder and of its `flame_param`, and its `transforms.json`. */
async function readFolder(folder: string): Promise<SourceFile[]> {
  const files: SourceFile[] = [];
  for (const part of ['', FRAME_FOLDER]) {
    const names = await readdir(join(folder, part)).catch(() => []);
    for (const name of names.filter((entry) => /\.npz$/i.test(entry) || entry === 'transforms.json')) {
      const path = join(folder, part, name);
      files.push({ name: path, bytes: await readBytes(path, 'FLAME parameters') });
    }
  }
  return files;
}

async function writeMotion(
  track: HeadTrack,
  head: HeadModel,
  out: string,
  isFolder: boolean,
): Promise<string[]> {
  if (/\.track$/i.test(out)) await writeFileAtomic(out, encodeHeadTrack(track));
  else if (!isFolder) await writeFileAtomic(out, encodeFlameParameters(track, head));
  else {
    const known = await readdir(join(out, FRAME_FOLDER)).catch(() => []);
    if (known.length > 0) {
      throw new BadInputError({
        code: 'folder-in-use',
        message: `Expected a folder without frames, but ${join(out, FRAME_FOLDER)} holds ${known.length} files.`,
        hint: 'Name another folder: frames of two clips would mix.',
      });
    }
    for (const { name, bytes } of encodeFlameFolder(track, head))
      await writeFileAtomic(join(out, name), bytes);
  }
  return [out];
}
