// The help texts: all commands, or one with its options.

import { type ShownOption, shownOptions } from './arguments.ts';
import type { CliCommand } from './command.ts';
import { commandNames, loadCommand } from './command-list.ts';
import { GLOBAL_OPTIONS } from './global-options.ts';

const PROGRAM = 'learn2control';
const ABOUT = 'One portrait and a driving clip in, a video of that person out.';

/** The list of commands. */
export async function programHelp(version: string): Promise<string> {
  const rows = await Promise.all(
    commandNames().map(async (name) => [name, (await loadCommand(name)).summary] as const),
  );
  return [
    `${PROGRAM} ${version}: ${ABOUT}`,
    `Usage: ${PROGRAM} COMMAND [OPTIONS]`,
    columns(rows),
    `${PROGRAM} COMMAND --help shows the options of a command; --version prints the version.`,
  ].join('\n\n');
}

/** The options of one command. */
export function commandHelp(
  name: string,
  { summary, options, positionals = [], examples = [] }: CliCommand,
): string {
  const own = shownOptions({ options, positionals });
  const needed = own.filter(({ isRequired }) => isRequired).map(usage);
  return [
    `${PROGRAM} ${name}: ${summary}`,
    `Usage: ${[PROGRAM, name, ...needed, '[OPTIONS]'].join(' ')}`,
    columns(own.map(row)),
    `Options of every command:\n\n${columns(shownOptions({ options: GLOBAL_OPTIONS, positionals: [] }).map(row))}`,
    ...(examples.length === 0
      ? []
      : [`Examples:\n\n${examples.map((example) => `  ${PROGRAM} ${example}`).join('\n')}`]),
  ].join('\n\n');
}

function usage({ isPositional, isFlag, shown, hint }: ShownOption): string {
  return isPositional || isFlag ? shown : `${shown} ${hint}`;
}

function row(option: ShownOption): readonly [string, string] {
  const { description, isRequired, isFlag, defaultValue } = option;
  const note = isRequired
    ? ' (required)'
    : isFlag || defaultValue === undefined
      ? ''
      : ` (default ${defaultValue})`;
  return [usage(option), description + note];
}

function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join('\n');
}
