// The commands: every file of `commands` is one, named as its file. Loaded only when needed, since a
// command draws in codecs and networks.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { BadInputError } from '../errors/index.ts';
import type { CliCommand } from './command.ts';
import { nearestName } from './nearest.ts';

const FOLDER = join(import.meta.dirname, 'commands');

/** The names of all commands, sorted. */
export function commandNames(): string[] {
  return readdirSync(FOLDER)
    .filter((file) => /\.[jt]s$/.test(file) && !file.endsWith('.d.ts'))
    .map((file) => file.replace(/\.[jt]s$/, ''))
    .sort();
}

/** Loads a command. @throws BadInputError with the nearest name if there is none of that name. */
export async function loadCommand(name: string): Promise<CliCommand> {
  const names = commandNames();
  if (!names.includes(name)) {
    const meant = nearestName(name, names);
    throw new BadInputError({
      code: 'unknown-command',
      message: `Unknown command ${name}.`,
      hint: meant === null ? 'See learn2control --help for the commands.' : `Did you mean ${meant}?`,
    });
  }
  const file = readdirSync(FOLDER).find((entry) => entry === `${name}.ts` || entry === `${name}.js`)!;
  const module = (await import(pathToFileURL(join(FOLDER, file)).href)) as { command: CliCommand };
  return module.command;
}
