// The commands: every file of `commands` is one, named as its file, the first dash standing for a space: `head-import.ts`
// is `head import`. Loaded only when needed, since a command draws in codecs and networks.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { BadInputError, nearestName } from '../errors/index.ts';
import type { CliCommand } from './command.ts';

const FOLDER = join(import.meta.dirname, 'commands');

/** The names of all commands, sorted. */
export function commandNames(): string[] {
  return readdirSync(FOLDER)
    .filter((file) => /\.[jt]s$/.test(file) && !file.endsWith('.d.ts'))
    .map((file) => file.replace(/\.[jt]s$/, '').replace('-', ' '))
    .sort();
}

/** The command that words begin with, which is one word or two, and the words after it. */
export function splitCommand(argv: readonly string[]): {
  readonly name: string | undefined;
  readonly words: readonly string[];
} {
  const pair = argv.slice(0, 2).join(' ');
  const length = commandNames().includes(pair) ? 2 : 1;
  return { name: length === 2 ? pair : argv[0], words: argv.slice(length) };
}

/** Loads a command. @throws BadInputError with the nearest name if there is none of that name. */
export async function loadCommand(name: string): Promise<CliCommand> {
  const names = commandNames();
  if (!names.includes(name)) {
    const family = names.filter((known) => known.startsWith(`${name} `));
    if (family.length > 0) {
      throw new BadInputError({
        code: 'unknown-command',
        message: `Expected ${family.join(', ')}, got ${name} alone or with another word.`,
        hint: `See learn2control ${family[0]} --help.`,
      });
    }
    const meant = nearestName(name, names);
    throw new BadInputError({
      code: 'unknown-command',
      message: `Unknown command ${name}.`,
      hint: meant === null ? 'See learn2control --help for the commands.' : `Did you mean ${meant}?`,
    });
  }
  const stem = name.replaceAll(' ', '-');
  const file = readdirSync(FOLDER).find((entry) => entry === `${stem}.ts` || entry === `${stem}.js`)!;
  const module = (await import(pathToFileURL(join(FOLDER, file)).href)) as { command: CliCommand };
  return module.command;
}
