// The kinds of option that commands are made of. Each is a zod schema that also knows, for help and for
// error messages, what it expects. Chain `.optional()` or `.default(value)` as usual.

import { z } from 'zod';

/** What an option says about itself. */
type OptionMeta = {
  readonly description: string;
  /** What it expects, to complete "--size expects ...". */
  readonly expects: string;
  /** Stands for the value in help. */
  readonly hint: string;
  /** Whether a file of this name is read or written. */
  readonly file?: 'input' | 'output';
};

/** A file or folder name, or any other text. */
export function text(
  description: string,
  { expects = 'a value', hint = 'TEXT', ...rest }: Partial<OptionMeta> = {},
): z.ZodString {
  return z
    .string()
    .min(1)
    .meta({ description, expects, hint, ...rest } satisfies OptionMeta);
}

/** The path of a file that is read. */
export function inputFile(description: string): z.ZodString {
  return text(description, { expects: 'the path of a file', hint: 'FILE', file: 'input' });
}

/** The paths of one or more files that are read; by position, the last of a command's. */
export function inputFiles(description: string): z.ZodArray<z.ZodString> {
  return z
    .array(z.string().min(1))
    .min(1)
    .meta({
      description,
      expects: 'the paths of one or more files',
      hint: 'FILE',
      file: 'input',
    } satisfies OptionMeta);
}

/** The path of a file that is written; its ending says what is. */
export function outputFile(description: string, ...endings: readonly [string, ...string[]]): z.ZodString {
  const expects = `a file name that ends in ${endings.join(' or ')}`;
  const hint = `FILE${endings.join('|')}`;
  return z
    .string()
    .refine((path) => endings.some((ending) => path.toLowerCase().endsWith(ending)))
    .meta({ description, expects, hint, file: 'output' } satisfies OptionMeta);
}

/** A time in a clip: seconds, or hours and minutes before them. Its value is in seconds. */
export function time(description: string): z.ZodPipe<z.ZodString, z.ZodTransform<number, string>> {
  return z
    .string()
    .regex(/^(?:(?:\d+:)?\d+:)?\d+(?:\.\d+)?$/)
    .transform((text) => text.split(':').reduce((seconds, part) => 60 * seconds + Number(part), 0))
    .meta({
      description,
      expects: 'seconds, as 83.5, or a time, as 1:23.5 or 1:02:03',
      hint: 'TIME',
    } satisfies OptionMeta);
}

/** A whole number. */
export function integer(
  description: string,
  {
    min = 0,
    max = Number.MAX_SAFE_INTEGER,
    multipleOf = 1,
  }: { min?: number; max?: number; multipleOf?: number } = {},
): z.ZodCoercedNumber<string> {
  const range = max === Number.MAX_SAFE_INTEGER ? `from ${min}` : `from ${min} to ${max}`;
  const expects = multipleOf === 1 ? `a whole number ${range}` : `a multiple of ${multipleOf} ${range}`;
  return z.coerce
    .number<string>()
    .int()
    .min(min)
    .max(max)
    .multipleOf(multipleOf)
    .meta({ description, expects, hint: 'N' } satisfies OptionMeta);
}

/** A number. */
export function real(
  description: string,
  { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY }: { min?: number; max?: number } = {},
): z.ZodCoercedNumber<string> {
  const expects =
    Number.isFinite(min) && Number.isFinite(max) ? `a number from ${min} to ${max}` : 'a number';
  return z.coerce
    .number<string>()
    .min(min)
    .max(max)
    .meta({ description, expects, hint: 'X' } satisfies OptionMeta);
}

/** One of a few words. */
export function choice<const Words extends readonly [string, ...string[]]>(
  description: string,
  words: Words,
): z.ZodEnum<{ [W in Words[number]]: W }> {
  return z.enum(words).meta({
    description,
    expects: `one of ${words.join(', ')}`,
    hint: words.join('|'),
  } satisfies OptionMeta);
}

/** Some of a few words. */
export function choices<const Words extends readonly [string, ...string[]]>(
  description: string,
  words: Words,
): z.ZodArray<z.ZodEnum<{ [W in Words[number]]: W }>> {
  return z.array(z.enum(words)).meta({
    description,
    expects: `one or more of ${words.join(', ')}`,
    hint: 'NAME...',
  } satisfies OptionMeta);
}

/** On or off; off unless given. */
export function flag(description: string): z.ZodDefault<z.ZodBoolean> {
  return z
    .boolean()
    .default(false)
    .meta({ description, expects: 'no value', hint: '' } satisfies OptionMeta);
}

/** What an option schema is, seen through `.optional()` and `.default()`. */
export type OptionDescription = OptionMeta & {
  readonly isFlag: boolean;
  /** Whether it takes several words: by position all that are left, by name those up to the next option. */
  readonly isList: boolean;
  readonly isRequired: boolean;
  readonly defaultValue: unknown;
};

/** Describes an option for parsing, help and messages. */
export function describeOption(schema: z.ZodType): OptionDescription {
  let inner = schema;
  let isRequired = true;
  let defaultValue: unknown;
  while (inner instanceof z.ZodOptional || inner instanceof z.ZodDefault) {
    isRequired = false;
    if (inner instanceof z.ZodDefault) defaultValue = inner.def.defaultValue;
    inner = inner.def.innerType as z.ZodType;
  }
  const meta = { ...inner.meta(), ...schema.meta() } as Partial<OptionMeta>;
  return {
    description: meta.description ?? '',
    expects: meta.expects ?? 'a value',
    hint: meta.hint ?? 'VALUE',
    ...(meta.file === undefined ? {} : { file: meta.file }),
    isFlag: inner instanceof z.ZodBoolean,
    isList: inner instanceof z.ZodArray,
    isRequired,
    defaultValue,
  };
}
