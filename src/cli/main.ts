// The command line's frame: finds the command, checks its options, runs it, and reports one result, as text
// or as JSON. Standard output carries the result alone; everything else goes to standard error.

import { AvatarError, BadInputError, FaultError } from '../errors/index.ts';
import type { Device } from '../tensor/index.ts';
import { parseArguments } from './arguments.ts';
import type { CliCommand, CommandContext, CommandResult } from './command.ts';
import { loadCommand, splitCommand } from './command-list.ts';
import { GLOBAL_OPTIONS } from './global-options.ts';
import { commandHelp, programHelp } from './help.ts';
import { watchInterrupts } from './interrupt.ts';
import { expectOutputsApart } from './output-files.ts';
import { packageVersion } from './package-info.ts';
import { createProgressRenderer } from './progress.ts';

const INTERRUPTED_STATUS = 130;

/** What is known of a run, finished or not. */
type Run = {
  readonly name: string;
  readonly isJson: boolean;
  readonly startMs: number;
  readonly warnings: string[];
  device: string;
};

/**
 * Runs the command that `argv` (without node and script) names, and sets the exit status.
 * @param load Where commands come from; tests bring their own.
 */
export async function main(
  argv: readonly string[],
  load: (name: string) => Promise<CliCommand> = loadCommand,
): Promise<void> {
  const { name, words } = splitCommand(argv);
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    console.log(await programHelp(packageVersion()));
    process.exitCode = name === undefined ? 2 : 0;
    return;
  }
  if (name === '--version' || name === '-v') {
    console.log(packageVersion());
    return;
  }
  const run: Run = {
    name,
    isJson: words.includes('--json'),
    startMs: performance.now(),
    warnings: [],
    device: 'cpu',
  };
  try {
    const command = await load(name);
    if (words.includes('--help') || words.includes('-h')) console.log(commandHelp(name, command));
    else await runCommand(run, command, words);
  } catch (error) {
    await reportFailure(run, asAvatarError(error));
  }
}

async function runCommand(run: Run, command: CliCommand, words: readonly string[]): Promise<void> {
  const positionals = command.positionals ?? [];
  const options = parseArguments(words, {
    options: command.options.extend(GLOBAL_OPTIONS.shape),
    positionals,
  });
  if (options.head !== undefined && !command.takesHead) throw headNotTaken(run.name);
  expectOutputsApart(options, { options: command.options.extend(GLOBAL_OPTIONS.shape), positionals });
  // Codecs and networks are loaded by those who use them: help and mistakes come at once.
  const { createDevice, loadHead, removeTemporaryFiles } = await import('../node/index.ts');
  const { device, seed, head } = GLOBAL_OPTIONS.parse(options);
  const renderer = createProgressRenderer({
    write: (text) => process.stderr.write(text),
    isTerminal: process.stderr.isTTY === true,
    columns: process.stderr.columns ?? 80,
    nowMs: () => performance.now(),
  });
  let ending: Promise<never> | undefined;
  const endInterrupted = (): Promise<never> => {
    renderer.finish();
    removeTemporaryFiles();
    ending ??= reportInterrupt(run).then(() => process.exit(INTERRUPTED_STATUS));
    return ending;
  };
  const interrupts = watchInterrupts(() => void endInterrupted(), command.stopSeconds);
  let opened: Promise<Device> | undefined;
  const context: CommandContext = {
    signal: interrupts.signal,
    seed,
    headPath: head ?? null,
    loadHead: () => loadHead(head),
    emit(event) {
      if (event.kind === 'log' && event.level === 'warning') run.warnings.push(event.message);
      renderer.emit(event);
    },
    async openDevice() {
      opened ??= createDevice(device);
      const { name } = await opened;
      run.device = name;
      return opened;
    },
  };
  try {
    const result = await command.run(options, context);
    renderer.finish();
    await reportSuccess(run, result);
  } catch (error) {
    // Whatever a command throws while it stops, the reason is the interrupt.
    if (interrupts.signal.aborted) await endInterrupted();
    throw error;
  } finally {
    interrupts.stop();
    renderer.finish();
    removeTemporaryFiles();
  }
}

function headNotTaken(name: string): BadInputError {
  return new BadInputError({
    code: 'head-not-taken',
    message: `${name} works without --head: it uses no head, or the package's own.`,
    hint: 'Leave --head out.',
  });
}

async function reportSuccess(run: Run, { summary, outputs, fields = {} }: CommandResult): Promise<void> {
  if (run.isJson) console.log(JSON.stringify({ ...(await commonFields(run, outputs)), ...fields }));
  else console.log(summary);
}

async function reportFailure(run: Run, error: AvatarError): Promise<void> {
  process.exitCode = error.exitStatus;
  const { code } = error;
  const message = sentence(error.message, /^(?:expected|the) /);
  const hint = sentence(error.hint, /^[a-z]+[ ,:]/);
  console.error(`learn2control: ${message} ${hint}`);
  if (error.code === 'fault' && process.env.LEARN2CONTROL_DEBUG) console.error(error.cause);
  if (run.isJson) {
    console.log(JSON.stringify({ ...(await commonFields(run, [])), error: { code, message, hint } }));
  }
}

async function reportInterrupt(run: Run): Promise<void> {
  const message = 'Interrupted; nothing was left half-written.';
  console.error(`learn2control: ${message}`);
  if (!run.isJson) return;
  const error = { code: 'interrupted', message, hint: 'Run the command again.' };
  console.log(JSON.stringify({ ...(await commonFields(run, [])), error }));
}

async function commonFields(
  { name, startMs, device, warnings }: Run,
  outputs: readonly string[],
): Promise<Record<string, unknown>> {
  const { peakMemoryMb } = await import('../node/index.ts');
  return {
    command: name,
    version: packageVersion(),
    seconds: Number(((performance.now() - startMs) / 1000).toFixed(3)),
    peakMemoryMB: peakMemoryMb(),
    device,
    outputs,
    warnings,
  };
}

function asAvatarError(error: unknown): AvatarError {
  if (error instanceof AvatarError) return error;
  return new FaultError({
    code: 'fault',
    message: `Unexpected fault: ${error instanceof Error ? error.message : String(error)}`,
    hint: 'This is a bug: please report it, with the command; LEARN2CONTROL_DEBUG=1 shows where.',
    cause: error,
  });
}

/** One line that begins and ends as a sentence does; a name at its beginning stays as it is, which `opening` is not. */
function sentence(text: string, opening: RegExp): string {
  const line = text.replace(/\s*\n\s*/g, ' ').trim();
  const begun = opening.test(line) ? line.charAt(0).toUpperCase() + line.slice(1) : line;
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}
