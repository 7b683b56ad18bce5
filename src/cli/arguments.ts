// From command-line words to checked options: zod checks the values, and every mistake is one line that
// names the option, what it expects and what came.

import type { z } from 'zod';
import { BadInputError, nearestName } from '../errors/index.ts';
import { describeOption, type OptionDescription } from './option-types.ts';

/** The options of a command line: a zod object and the names that go by position. */
export type ArgumentSchema<Options extends z.ZodObject> = {
  readonly options: Options;
  readonly positionals: readonly string[];
};

/** An option as a user meets it. */
export type ShownOption = OptionDescription & {
  /** The key of the schema. */
  readonly name: string;
  /** `--focal-px`, or `INPUT` where it is given by position. */
  readonly shown: string;
  readonly isPositional: boolean;
};

/** The options of a schema: those by position first, in their order. */
export function shownOptions({ options, positionals }: ArgumentSchema<z.ZodObject>): ShownOption[] {
  const named = Object.keys(options.shape).filter((name) => !positionals.includes(name));
  return [...positionals, ...named].map((name) => {
    const isPositional = positionals.includes(name);
    const described = describeOption(options.shape[name] as z.ZodType);
    const place = described.isList ? `${described.hint}...` : name.toUpperCase();
    const shown = isPositional ? place : `--${kebabCase(name)}`;
    return { ...described, name, shown, isPositional };
  });
}

/**
 * Parses and checks the words after a command's name.
 * @throws BadInputError naming the first option that is unknown, missing or wrong.
 */
export function parseArguments<Options extends z.ZodObject>(
  words: readonly string[],
  schema: ArgumentSchema<Options>,
): z.output<Options> {
  const shown = shownOptions(schema);
  const given = readWords(words, shown);
  const result = schema.options.safeParse(given);
  if (result.success) return result.data;
  const wrong = result.error.issues[0]?.path[0];
  throw valueError(shown.find(({ name }) => name === wrong)!, given);
}

type Given = Record<string, string | true | string[]>;

/** Values by option name, not yet checked. A value may begin with a dash; all after `--` go by position. */
function readWords(words: readonly string[], shown: readonly ShownOption[]): Given {
  const named = new Map(
    shown.filter((option) => !option.isPositional).map((option) => [option.shown, option]),
  );
  const free = shown.filter((option) => option.isPositional);
  const given: Given = {};
  let isOptionsEnd = false;
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    if (word === '--' && !isOptionsEnd) {
      isOptionsEnd = true;
    } else if (isOptionsEnd || !word.startsWith('-') || word === '-') {
      const option = free[0];
      if (option === undefined) {
        const hint = 'Options begin with two dashes; see --help.';
        throw badOption('unexpected-argument', `Unexpected argument "${word}".`, hint);
      }
      // A list takes all that is left.
      if (option.isList) given[option.name] = [...((given[option.name] as string[]) ?? []), word];
      else given[free.shift()!.name] = word;
    } else {
      const [dashed, value] = splitAtEquals(word);
      const option = named.get(dashed);
      if (option === undefined) throw unknownOption(dashed, [...named.keys()]);
      if (option.isFlag && value !== undefined) {
        throw badOption('bad-option', `${dashed} takes no value, got "${value}".`, `Write ${dashed} alone.`);
      }
      if (option.isList) {
        // One or more words, as a shell writes them for `*.jpg`; the option may also come again.
        const values = [expectValue(option, value ?? nextValue(words[++i], named))];
        while (value === undefined && isFreeWord(words[i + 1])) values.push(words[++i]!);
        given[option.name] = [...((given[option.name] as string[]) ?? []), ...values];
      } else {
        given[option.name] = option.isFlag || expectValue(option, value ?? nextValue(words[++i], named));
      }
    }
  }
  return given;
}

function isFreeWord(word: string | undefined): boolean {
  return word !== undefined && !word.startsWith('-');
}

function expectValue({ shown, expects, hint }: ShownOption, value: string | undefined): string {
  if (value) return value;
  throw badOption('missing-value', `${shown} expects ${expects}, got nothing.`, `Write ${shown} ${hint}.`);
}

/** The word after an option, unless it is an option itself. */
function nextValue(word: string | undefined, named: ReadonlyMap<string, ShownOption>): string | undefined {
  return word === undefined || named.has(splitAtEquals(word)[0]) ? undefined : word;
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

function valueError(option: ShownOption, given: Given): BadInputError {
  const { name, shown, isPositional, description, expects, hint } = option;
  const value = given[name];
  if (value === undefined) {
    const usage = isPositional ? `Name ${expects} after the command` : `Add ${shown} ${hint}`;
    return missingOption(shown, description, usage);
  }
  const message = `${shown} expects ${expects}, got "${value}".`;
  return badOption('bad-option', message, 'See --help for the options.');
}

/** An option that is needed and was not given. */
export function missingOption(shown: string, description: string, usage: string): BadInputError {
  return badOption('missing-option', `${shown} is missing: ${description}.`, `${usage}; see --help.`);
}

/** Two options that cannot both be meant. */
export function contradictoryOptions(message: string, hint: string): BadInputError {
  return badOption('contradictory-options', message, hint);
}

function badOption(code: string, message: string, hint: string): BadInputError {
  return new BadInputError({ code, message, hint });
}

/** `outFile` as `out-file`. */
function kebabCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
