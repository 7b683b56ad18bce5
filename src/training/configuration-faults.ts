// Configurations are read as JSON by a schema; what is wrong with one is said for people: every field at fault by its
// path, and for one that no configuration has, the name that was probably meant.

import type { z } from 'zod';
import { BadInputError, nearestName } from '../errors/index.ts';

/** How a file is refused. */
export type ConfigurationRefusal = {
  readonly code: string;
  /** What the file was expected to be or do, e.g. `configs/a.json to be a configuration`. */
  readonly expected: string;
  readonly hint: string;
};

/** Reads JSON by a schema. @throws BadInputError that names every field at fault. */
export function parseConfigured<T>(
  json: string,
  schema: z.ZodType<T>,
  { code, expected, hint }: ConfigurationRefusal,
): T {
  const fail = (problem: string, cause: unknown): BadInputError =>
    new BadInputError({ code, message: `expected ${expected}, but ${problem}`, hint, cause });
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw fail('it is not JSON', cause);
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw fail(configurationFaults(schema, result.error).join('; '), result.error);
}

/** One sentence part for each fault. */
function configurationFaults(schema: z.ZodType, error: z.ZodError): string[] {
  return error.issues.flatMap((issue) => {
    const path = issue.path.map(String);
    if (issue.code !== 'unrecognized_keys') return [`${path.join('.') || 'the file'}: ${issue.message}`];
    const known = fieldNames(schema, path);
    return issue.keys.map((key) => {
      const nearest = nearestName(key, known);
      const advice = nearest === null ? `known are ${known.join(', ')}` : `the nearest is "${nearest}"`;
      return `${[...path, key].join('.')}: there is no such field, ${advice}`;
    });
  });
}

/** What of zod's description of a schema leads to the fields inside it. */
type Definition = {
  readonly shape?: Readonly<Record<string, z.ZodType>>;
  readonly element?: z.ZodType;
  readonly innerType?: z.ZodType;
};

function fieldNames(schema: z.ZodType, path: readonly string[]): string[] {
  const { shape, element, innerType } = schema.def as unknown as Definition;
  if (innerType !== undefined) return fieldNames(innerType, path);
  const [first, ...rest] = path;
  if (first === undefined) return Object.keys(shape ?? {});
  const inner = shape?.[first] ?? element;
  return inner === undefined ? [] : fieldNames(inner, rest);
}
