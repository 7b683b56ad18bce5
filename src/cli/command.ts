// What a command of the command line is. A command file declares its options as zod schemas and runs; the
// frame around it does the rest: parsing, help, progress, --json, interrupts, exit status.

import type { z } from 'zod';
import type { EventSink } from '../events/index.ts';
import type { HeadModel } from '../head/index.ts';
import type { Device } from '../tensor/index.ts';

/** What the frame gives a running command. */
export type CommandContext = {
  /** Aborted by an interrupt: pass it on, or call `throwIfAborted` between steps. */
  readonly signal: AbortSignal;
  /** Takes progress and log events; warnings also land in the result. */
  readonly emit: EventSink;
  /** Opens the device that --device asks for; the result names it. */
  openDevice(): Promise<Device>;
  /** The value of --seed. */
  readonly seed: number;
  /** The value of --head; null where the package's own head is meant. */
  readonly headPath: string | null;
  /** The head that --head names, else the package's own. @throws BadInputError if the file is no head. */
  loadHead(): Promise<HeadModel>;
};

/** What a command gives back. */
export type CommandResult = {
  /** One or a few lines for people. */
  readonly summary: string;
  /** Paths of the files written. */
  readonly outputs: readonly string[];
  /** The command's own fields of --json; documented in docs/cli.md. */
  readonly fields?: Readonly<Record<string, unknown>>;
};

/** A command as its file declares it: `src/cli/commands/NAME.ts` exports one as `command`. */
export type CommandDefinition<Options extends z.ZodObject> = {
  /** One line for the list of commands. */
  readonly summary: string;
  /** Options by camelCase name (`--kebab-case` on the command line), built with `option-types.ts`. */
  readonly options: Options;
  /** Options that are given by position, in order. */
  readonly positionals?: readonly (keyof Options['shape'] & string)[];
  /** Whole command lines, without the program's name. */
  readonly examples?: readonly string[];
  /** Whether it works with the head of --head; all others use none, or the package's own. Default false. */
  readonly takesHead?: boolean;
  /** How long the command may take to stop after an interrupt; the default is a few seconds. */
  readonly stopSeconds?: number;
  run(options: z.output<Options>, context: CommandContext): Promise<CommandResult>;
};

/** A command with its option types folded away, as the frame sees it. */
export type CliCommand = CommandDefinition<z.ZodObject>;

/** Declares a command; the options that `run` takes are typed by their schemas. */
export function defineCommand<Options extends z.ZodObject>(command: CommandDefinition<Options>): CliCommand {
  // Safe: the frame calls `run` with what this command's own schema put out.
  return command as unknown as CliCommand;
}
