// From command-line words to checked options: citty splits the words, zod checks the values, and every
// mistake is one line that names the option, what it expects and what came.

import { type ArgsDef, parseArgs } from 'citty';
import type { z } from 'zod';
import { BadInputError } from '../errors/index.ts';
import { nearestName } from './nearest.ts';
import { describeOption, type OptionDescription } from './option-types.ts';

/** The options of a command line: a zod object and the names that go by position. */
export type ArgumentSchema<Options extends z.ZodObject> = {
  readonly options: Options;
  readonly positionals: readonly string[];
};

/**
 * Parses and checks the words after a command's name.
 * @throws BadInputError naming the first option that is unknown, missing or wrong.
 */
export function parseArguments<Options extends z.ZodObject>(
  words: readonly string[],
  schema: ArgumentSchema<Options>,
): z.output<Options> {
  const parsed = parseArgs<ArgsDef>(joinValues(words, schema), optionalArgs(schema)) as Record<
    string,
    unknown
  >;
  const extra = (parsed._ as readonly string[]).slice(schema.positionals.length);
  if (extra.length > 0) {
    throw badOption(
      'unexpected-argument',
      `Unexpected argument "${extra[0]}".`,
      `Options begin with two dashes.`,
    );
  }
  const given = Object.fromEntries(
    Object.keys(schema.options.shape)
      .map((name) => [name, parsed[name]] as const)
      .filter(([, value]) => value !== undefined),
  );
  const result = schema.options.safeParse(given);
  if (result.success) return result.data;
  const name = String(result.error.issues[0]?.path[0] ?? '');
  throw valueError(name, schema, given[name]);
}

/** The definitions that citty parses and prints help from. */
export function argsDefinition({ options, positionals }: ArgumentSchema<z.ZodObject>): ArgsDef {
  const definition: ArgsDef = {};
  const names = Object.keys(options.shape).sort((a, b) => rank(positionals, a) - rank(positionals, b));
  for (const name of names) {
    const { description, hint, isFlag, isRequired, defaultValue } = describeOption(optionOf(options, name));
    const shown =
      defaultValue === undefined || isFlag ? description : `${description} (default ${defaultValue})`;
    if (positionals.includes(name)) {
      definition[name] = { type: 'positional', description: shown, required: isRequired };
    } else if (isFlag) {
      definition[kebabCase(name)] = { type: 'boolean', description: shown };
    } else {
      const required = isRequired ? ' (required)' : '';
      definition[kebabCase(name)] = { type: 'string', description: shown + required, valueHint: hint };
    }
  }
  return definition;
}

// citty would stop at the first missing word, in its own words; zod reports what is missing.
function optionalArgs(schema: ArgumentSchema<z.ZodObject>): ArgsDef {
  const entries = Object.entries(argsDefinition(schema));
  return Object.fromEntries(entries.map(([name, definition]) => [name, { ...definition, required: false }]));
}

/** `outFile` as `out-file`. */
export function kebabCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

// citty takes the word after an option as its value only when it does not begin with a dash, and passes
// unknown options through; so values are joined to their options here, and strangers refused.
function joinValues(
  words: readonly string[],
  { options, positionals }: ArgumentSchema<z.ZodObject>,
): string[] {
  const known = new Map(
    Object.keys(options.shape)
      .filter((name) => !positionals.includes(name))
      .map((name) => [`--${kebabCase(name)}`, describeOption(optionOf(options, name))]),
  );
  const joined: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    if (word === '--') return [...joined, ...words.slice(i)];
    if (!word.startsWith('-') || word === '-') {
      joined.push(word);
      continue;
    }
    const [name, value] = splitAtEquals(word);
    const option = known.get(name);
    if (option === undefined) throw unknownOption(name, [...known.keys()]);
    if (option.isFlag) {
      if (value !== undefined)
        throw badOption('bad-option', `${name} takes no value, got "${value}".`, `Write ${name} alone.`);
      joined.push(name);
      continue;
    }
    const next = value ?? words[++i];
    const isMissing =
      next === undefined || next === '' || (value === undefined && known.has(splitAtEquals(next)[0]));
    if (isMissing)
      throw badOption(
        'missing-value',
        `${name} expects ${option.expects}, got nothing.`,
        `Write ${name} ${option.hint}.`,
      );
    joined.push(`${name}=${next}`);
  }
  return joined;
}

function splitAtEquals(word: string): [name: string, value: string | undefined] {
  const at = word.indexOf('=');
  return at < 0 ? [word, undefined] : [word.slice(0, at), word.slice(at + 1)];
}

function unknownOption(name: string, known: readonly string[]): BadInputError {
  const meant = nearestName(name, known);
  return badOption(
    'unknown-option',
    `Unknown option ${name}.`,
    meant === null ? 'See --help for the options.' : `Did you mean ${meant}?`,
  );
}

function valueError(
  name: string,
  { options, positionals }: ArgumentSchema<z.ZodObject>,
  given: unknown,
): BadInputError {
  const option: OptionDescription = describeOption(optionOf(options, name));
  const isPositional = positionals.includes(name);
  const shown = isPositional ? name.toUpperCase() : `--${kebabCase(name)}`;
  if (given === undefined) {
    const usage = isPositional ? `Name ${option.expects} after the command` : `Add ${shown} ${option.hint}`;
    return badOption(
      'missing-option',
      `${shown} is missing: ${option.description}.`,
      `${usage}; see --help.`,
    );
  }
  return badOption(
    'bad-option',
    `${shown} expects ${option.expects}, got "${String(given)}".`,
    'See --help for the options.',
  );
}

function badOption(code: string, message: string, hint: string): BadInputError {
  return new BadInputError({ code, message, hint });
}

const optionOf = (options: z.ZodObject, name: string): z.ZodType => options.shape[name] as z.ZodType;

const rank = (positionals: readonly string[], name: string): number => {
  const index = positionals.indexOf(name);
  return index < 0 ? positionals.length : index;
};
