// Which datasets a run learns from and how often each comes, as a file: `configs/mixture.json` has the paper's table.

import { z } from 'zod';
import { parseConfigured } from './configuration-faults.ts';

/** A dataset in a mixture. */
export type MixtureSource = {
  /** Its folder, within that of the file. */
  readonly folder: string;
  /** How often it comes beside the others in the first stage (single pictures) and in the second (clips). */
  readonly stage1: number;
  readonly stage2: number;
};

const weight = z.number().nonnegative();
const mixtureSchema = z.strictObject({
  sources: z.array(z.strictObject({ folder: z.string().min(1), stage1: weight, stage2: weight })).min(1),
});

/**
 * Reads a mixture.
 * @param name what the file is called in error messages
 * @throws BadInputError `bad-mixture` that names every field at fault.
 */
export function parseMixture(json: string, name: string): readonly MixtureSource[] {
  return parseConfigured(json, mixtureSchema, {
    code: 'bad-mixture',
    expected: `${name} to list datasets with their weights`,
    hint: 'compare it with configs/mixture.json',
  }).sources;
}
