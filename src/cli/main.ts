// The command line: one file per command.

/** Runs the command that `argv` (without node and script) names. */
export async function main(argv: readonly string[]): Promise<void> {
  console.error(`learn2control: unknown command ${argv[0] ?? ''}`);
  process.exitCode = 2;
}
