// docs/cli.md keeps up with the commands.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { shownOptions } from '../../src/cli/arguments.ts';
import { commandNames, loadCommand } from '../../src/cli/command-list.ts';
import { commandHelp } from '../../src/cli/help.ts';

const DOCUMENT = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'cli.md'), 'utf8');

/** What docs/cli.md says of a command, from its heading to the next. */
function sectionOf(name: string): string {
  const from = DOCUMENT.search(new RegExp(`^### \`${name}[ \`]`, 'm'));
  assert.ok(from >= 0, `docs/cli.md has no section on ${name}`);
  return DOCUMENT.slice(from).split(/\n##/)[0]!;
}

test('every command has a section in docs/cli.md that names all its options', async () => {
  for (const name of commandNames()) {
    const { options, positionals = [] } = await loadCommand(name);
    const named = shownOptions({ options, positionals }).filter(({ isPositional }) => !isPositional);
    const section = sectionOf(name);
    for (const { shown } of named) {
      assert.match(section, new RegExp(`\`[^\`]*${shown}\\b`), `${name}: ${shown} is not documented`);
    }
  }
});

test('the help of every command has its options, with what they expect, and an example', async () => {
  for (const name of commandNames()) {
    const command = await loadCommand(name);
    const help = commandHelp(name, command);
    const { options, positionals = [] } = command;
    for (const { shown, description } of shownOptions({ options, positionals })) {
      assert.ok(help.includes(shown) && help.includes(description), `${name}: ${shown}`);
      assert.ok(description.length > 0, `${name}: ${shown} has no description`);
    }
    assert.match(help, new RegExp(`Examples:\\n\\n {2}learn2control ${name}`));
  }
});

test('help comes at once: no command file draws in codecs or networks before it runs', () => {
  const folder = join(import.meta.dirname, '..', '..', 'src', 'cli', 'commands');
  for (const name of commandNames()) {
    const source = readFileSync(join(folder, `${name.replaceAll(' ', '-')}.ts`), 'utf8');
    const imports = [...source.matchAll(/^import (?!type )[^;]*? from '(\.[^']+)';/gm)].map(
      (match) => match[1]!,
    );
    const heavy = imports.filter((path) => path.startsWith('../../') && !/\/(errors|events)\//.test(path));
    assert.deepEqual(heavy, [], `${name} imports them where only \`run\` needs them`);
  }
});
