// What reading MakeHuman's text files has in common: lines of words, numbers that must be numbers, one clear
// line for a file that cannot be used.

import { BadInputError } from '../errors/index.ts';

/** The error of a file of assets that cannot be used. */
export function damagedAsset(name: string, problem: string): BadInputError {
  return new BadInputError({
    code: 'damaged-asset',
    message: `${name} cannot be used: ${problem}.`,
    hint: 'Fetch the file again, or take its folder out of the assets.',
  });
}

/** A line's words, with the line's number from 1. */
export type AssetLine = { readonly words: readonly string[]; readonly number: number };

/** The lines of a text that hold something besides comments (`#`, `//`). */
export function* assetLines(text: string): Generator<AssetLine> {
  let number = 0;
  for (const line of text.split('\n')) {
    number++;
    const words = line.trim().split(/\s+/);
    if (words[0] === '' || words[0]!.startsWith('#') || words[0]!.startsWith('//')) continue;
    yield { words, number };
  }
}

/** Words as numbers. @throws BadInputError where one is none. */
export function assetNumbers(words: readonly string[], name: string, line: number): number[] {
  const values = words.map(Number);
  if (values.some((value) => !Number.isFinite(value))) {
    throw damagedAsset(name, `line ${line} should hold numbers, holds "${words.join(' ').slice(0, 60)}"`);
  }
  return values;
}
