// The options that every command takes.

import { z } from 'zod';
import { choice, flag, inputFile, integer } from './option-types.ts';

const DEVICES = ['auto', 'cpu', 'webgpu', 'cuda'] as const;

/** Given after the command's name, like its own options. */
export const GLOBAL_OPTIONS: z.ZodObject<{
  json: z.ZodDefault<z.ZodBoolean>;
  device: z.ZodDefault<z.ZodEnum<{ [D in (typeof DEVICES)[number]]: D }>>;
  seed: z.ZodDefault<z.ZodCoercedNumber<string>>;
  head: z.ZodOptional<z.ZodString>;
}> = z.object({
  json: flag('print one JSON result on standard output'),
  device: choice('where networks run', DEVICES).default('auto'),
  seed: integer('seed of all random numbers').default(0),
  head: inputFile("the head model to work with, a .head file; else the package's own").optional(),
});
