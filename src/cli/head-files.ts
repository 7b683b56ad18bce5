// Heads as files: made of FLAME's, and looked at.

import { createHash } from 'node:crypto';
import { basename, extname } from 'node:path';
import { BadInputError } from '../errors/index.ts';
import { describeHead, headSheet, importHead, type SourceFile } from '../flame/index.ts';
import { encodeHead } from '../head/index.ts';
import {
  expectWritable,
  loadEmbeddedHead,
  loadHead,
  readBytes,
  writeFileAtomic,
  writeImage,
} from '../node/index.ts';
import type { CommandContext, CommandResult } from './command.ts';

/** The options of `head import`. */
export type HeadImportOptions = {
  readonly files: readonly string[];
  readonly out: string;
  readonly name?: string | undefined;
  readonly licence?: string | undefined;
  readonly identities?: number | undefined;
  readonly expressions?: number | undefined;
};

/** Reads the files, makes the head and writes it. @throws BadInputError naming the file that cannot be used. */
export async function runHeadImport(
  { files: paths, out, name, licence, identities, expressions }: HeadImportOptions,
  { emit, signal }: CommandContext,
): Promise<CommandResult> {
  await expectWritable(out);
  const files: SourceFile[] = [];
  for (const path of paths) {
    files.push({ name: basename(path), bytes: await readBytes(path, "a file of FLAME's") });
    emit({ kind: 'progress', stage: 'read', done: files.length, total: paths.length, unit: 'files' });
  }
  const reference = await loadEmbeddedHead();
  signal.throwIfAborted();
  const called = name ?? basename(out, extname(out));
  if (called === reference.name) {
    throw new BadInputError({
      code: 'head-name-taken',
      message: `Expected another name for the head than ${called}, which is the package's own.`,
      hint: 'Give another with --name: tracks and weights tell heads apart by it.',
    });
  }
  const imported = importHead(files, {
    name: called,
    reference,
    ...(licence === undefined ? {} : { licence }),
    ...(identities === undefined ? {} : { identities }),
    ...(expressions === undefined ? {} : { expressions }),
  });
  for (const message of imported.notes) emit({ kind: 'log', level: 'warning', message });
  const head = { ...imported.head, provenance: withChecksums(imported.head.provenance ?? {}, files) };
  // Bases as FLAME has them, to single precision: 1e-5 m of its own results.
  await writeFileAtomic(out, encodeHead(head, { basisPrecision: 'float32' }));
  const { vertices, triangles, identities: kept, expressions: made } = describeHead(head);
  const { fromFiles, carried } = imported.landmarks;
  const millimetres = Number((1000 * imported.registration.rmsMetres).toFixed(2));
  return {
    summary:
      `${out}: ${head.name}, ${vertices} vertices, ${kept} identities, ${made} expressions, ` +
      `${fromFiles} landmarks of its own and ${carried} carried over`,
    outputs: [out],
    fields: {
      name: head.name,
      licence: head.licence,
      vertices,
      triangles,
      identities: kept,
      expressions: made,
      landmarksFromFiles: fromFiles,
      landmarksCarried: carried,
      texture: imported.texture,
      registrationMillimetres: millimetres,
    },
  };
}

/** What each file gave, with the file's hash. */
function withChecksums(
  provenance: Readonly<Record<string, string>>,
  files: readonly SourceFile[],
): Record<string, string> {
  const hashOf = (name: string): string => {
    const file = files.find((candidate) => candidate.name === name);
    return file ? ` (sha256 ${createHash('sha256').update(file.bytes).digest('hex')})` : '';
  };
  return Object.fromEntries(
    Object.entries(provenance).map(([name, content]) => [name, content + hashOf(name)]),
  );
}

/** The options of `head inspect`. */
export type HeadInspectOptions = { readonly file?: string | undefined; readonly sheet?: string | undefined };

/** Counts what a head has and paints its sheet. @throws BadInputError if the file is no head. */
export async function runHeadInspect(
  { file, sheet }: HeadInspectOptions,
  context: CommandContext,
): Promise<CommandResult> {
  if (sheet !== undefined) await expectWritable(sheet);
  const head = file === undefined ? await context.loadHead() : await loadHead(file);
  const facts = describeHead(head);
  if (sheet !== undefined) await writeImage(sheet, headSheet(head));
  const lids = facts.hasEyelids ? 'with eyelids' : 'without eyelids';
  return {
    summary: [
      `${facts.name}: ${facts.vertices} vertices, ${facts.triangles} triangles, ${facts.sizeMillimetres.join(' x ')} mm`,
      `  ${facts.identities} identities, ${facts.expressions} expressions (${lids}), ${facts.landmarks} of 478 landmarks`,
      `  licence: ${facts.licence}`,
      ...(sheet === undefined ? [] : [`  ${sheet}: people, expressions, joints, texture, landmarks`]),
    ].join('\n'),
    outputs: sheet === undefined ? [] : [sheet],
    fields: facts,
  };
}
