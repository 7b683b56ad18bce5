// The help texts: all commands, or one with its options.

import { defineCommand as defineCittyCommand, renderUsage } from 'citty';
import { argsDefinition } from './arguments.ts';
import type { CliCommand } from './command.ts';
import { commandNames, loadCommand } from './command-list.ts';
import { GLOBAL_OPTIONS } from './global-options.ts';

const PROGRAM = 'learn2control';
const ABOUT = 'One portrait and a driving clip in, a video of that person out.';

/** The list of commands. */
export async function programHelp(version: string): Promise<string> {
  const names = commandNames();
  const width = Math.max(...names.map((name) => name.length));
  const lines = await Promise.all(
    names.map(async (name) => `  ${name.padEnd(width)}  ${(await loadCommand(name)).summary}`),
  );
  return [
    `${PROGRAM} ${version}: ${ABOUT}`,
    '',
    `Usage: ${PROGRAM} COMMAND [OPTIONS]`,
    '',
    ...lines,
    '',
    `${PROGRAM} COMMAND --help shows the options of a command; --version prints the version.`,
  ].join('\n');
}

/** The options of one command. */
export async function commandHelp(name: string, command: CliCommand): Promise<string> {
  const options = command.options.extend(GLOBAL_OPTIONS.shape);
  const usage = await renderUsage(
    defineCittyCommand({
      meta: { name, description: command.summary },
      args: argsDefinition({ options, positionals: command.positionals ?? [] }),
    }),
    { meta: { name: PROGRAM } },
  );
  const examples = (command.examples ?? []).map((example) => `  ${PROGRAM} ${example}`);
  return examples.length === 0 ? usage : [usage, 'EXAMPLES', '', ...examples].join('\n');
}
