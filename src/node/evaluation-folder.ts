// The folder of an evaluation: a file of figures and a strip of pictures for every finished subject, from which an
// interrupted evaluation goes on, and from which the same report is made whenever it is asked for.

import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BadInputError } from '../errors/index.ts';
import type { CaseResult, CaseStore } from '../evaluation/index.ts';
import { jpegBytes } from './image-file.ts';
import { diskError, writeFileAtomic } from './temporary-files.ts';

/** What an evaluation was asked, for people and to tell it from others. */
export type EvaluationRequest = Readonly<Record<string, string | number | boolean | null>>;

/** A folder that keeps finished subjects. */
export type EvaluationFolder = CaseStore & {
  readonly path: string;
  /** The strip of a finished subject as JPEG; null where it has none. */
  strip(name: string): Promise<Uint8Array | null>;
  /** Writes a file of the report. @returns its path */
  writeFile(file: string, content: string): Promise<string>;
};

const REQUEST_FILE = 'evaluation.json';
const SUBJECTS = 'subjects';

/**
 * Opens the folder of an evaluation, a new one or one that was begun by the same request.
 * @throws BadInputError `other-evaluation` if it holds another.
 */
export async function openEvaluationFolder(
  path: string,
  request: EvaluationRequest,
): Promise<EvaluationFolder> {
  const file = join(path, REQUEST_FILE);
  const wanted = `${JSON.stringify(request, null, 2)}\n`;
  const found = await textOf(file);
  if (found !== null && found !== wanted) throw otherEvaluation(path, found, request);
  try {
    await mkdir(join(path, SUBJECTS), { recursive: true });
  } catch (cause) {
    throw diskError(file, cause);
  }
  if (found === null) await writeFileAtomic(file, wanted);
  const fileOf = (name: string, ending: string): string =>
    join(path, SUBJECTS, `${fileName(name)}.${ending}`);
  return {
    path,
    async read(name) {
      const text = await textOf(fileOf(name, 'json'));
      return text === null ? null : (JSON.parse(text) as CaseResult);
    },
    async write(result, strip) {
      // The figures last: with them the subject is finished.
      if (strip !== null) await writeFileAtomic(fileOf(result.name, 'jpg'), await jpegBytes(strip));
      await writeFileAtomic(fileOf(result.name, 'json'), `${JSON.stringify(result)}\n`);
    },
    async writeFile(target, content) {
      await writeFileAtomic(join(path, target), content);
      return join(path, target);
    },
    strip: (name) =>
      readFile(fileOf(name, 'jpg')).then(
        (bytes) => new Uint8Array(bytes),
        () => null,
      ),
  };
}

/** A store that forgets: for evaluations without a folder. */
export const NO_STORE: CaseStore = { read: async () => null, write: async () => {} };

/** A name that every file system takes. */
function fileName(name: string): string {
  const plain = name.replace(/[^\w.+-]/g, '_');
  if (plain === name && plain.length <= 120) return plain;
  return `${plain.slice(0, 100)}-${createHash('sha256').update(name).digest('hex').slice(0, 12)}`;
}

function otherEvaluation(path: string, found: string, request: EvaluationRequest): BadInputError {
  let differing = 'it is damaged';
  try {
    const known = JSON.parse(found) as EvaluationRequest;
    const names = [...new Set([...Object.keys(known), ...Object.keys(request)])];
    const name = names.find((key) => known[key] !== request[key]);
    if (name !== undefined)
      differing = `its ${name} is ${known[name] ?? 'none'}, not ${request[name] ?? 'none'}`;
  } catch {
    // The sentence stands as it is.
  }
  return new BadInputError({
    code: 'other-evaluation',
    message: `Expected ${path} to be empty or to hold this evaluation, but it holds another: ${differing}.`,
    hint: 'Name another folder with --out, or give the same options to go on with that one.',
  });
}

async function textOf(path: string): Promise<string | null> {
  return readFile(path, 'utf8').catch(() => null);
}
