// Input files: that they exist, are files and hold something, said in one line before anything reads them.

import { stat } from 'node:fs/promises';
import { BadInputError, MissingResourceError } from '../errors/index.ts';

/**
 * Checks an input file.
 * @param what What the file should be, with its article: `a portrait`.
 * @param options `hint` says what to do where it is not there
 * @throws MissingResourceError if it is not there; BadInputError if it is a folder, empty or locked.
 */
export async function expectInputFile(
  path: string,
  what: string,
  { hint = 'Check the path.' }: { readonly hint?: string } = {},
): Promise<void> {
  const found = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'EACCES') throw locked(path, what, cause);
    throw new MissingResourceError({
      code: 'file-not-found',
      message: `Expected ${what} at ${path}, but there is no such file.`,
      hint,
      cause,
    });
  });
  if (found.isDirectory()) {
    throw new BadInputError({
      code: 'input-is-folder',
      message: `Expected ${what}, but ${path} is a folder.`,
      hint: 'Name a file inside it.',
    });
  }
  if (found.isFile() && found.size === 0) {
    throw new BadInputError({
      code: 'empty-file',
      message: `Expected ${what}, but ${path} is empty (0 bytes).`,
      hint: 'Get the file again: the copy or download did not finish.',
    });
  }
}

function locked(path: string, what: string, cause: unknown): BadInputError {
  return new BadInputError({
    code: 'input-not-readable',
    message: `Expected ${what}, but ${path} may not be read (permission denied).`,
    hint: 'Change its permissions, or copy it elsewhere.',
    cause,
  });
}
