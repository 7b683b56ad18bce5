// Outputs that would destroy what they are made from.

import { statSync } from 'node:fs';
import type { z } from 'zod';
import { BadInputError } from '../errors/index.ts';
import { type ArgumentSchema, shownOptions } from './arguments.ts';

/**
 * Checks that no file to write is one to read, also under another name of it.
 * @throws BadInputError naming both options.
 */
export function expectOutputsApart(
  values: Readonly<Record<string, unknown>>,
  schema: ArgumentSchema<z.ZodObject>,
): void {
  const files = shownOptions(schema).flatMap(({ name, shown, file }) =>
    [values[name]].flat().flatMap((path) => {
      const id = file === undefined ? null : fileId(path);
      return id === null ? [] : [{ shown, file, id, path: String(path) }];
    }),
  );
  for (const output of files.filter(({ file }) => file === 'output')) {
    const input = files.find(({ file, id }) => file === 'input' && id === output.id);
    if (input === undefined) continue;
    throw new BadInputError({
      code: 'output-is-input',
      message: `${output.shown} would write over ${output.path}, which ${input.shown} reads.`,
      hint: 'Choose another name for the output.',
    });
  }
}

/** Tells files apart whatever their path; null where there is none. */
function fileId(path: unknown): string | null {
  if (typeof path !== 'string') return null;
  try {
    const { dev, ino } = statSync(path, { bigint: true });
    return `${dev}:${ino}`;
  } catch {
    return null; // What cannot be opened is reported by those who open it.
  }
}
