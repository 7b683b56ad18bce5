// `--set jawOpen=0.6,headYaw=20deg` and `--yaw -30..30`: values that people write in one word.

import { z } from 'zod';
import { BadInputError, nearestName } from '../errors/index.ts';
import { contradictoryOptions } from './arguments.ts';

/** Names and numbers, `NAME=VALUE,...`; a value may have the unit of its control. */
export function controlValues(
  description: string,
): z.ZodPipe<z.ZodString, z.ZodTransform<Readonly<Record<string, ControlValue>>, string>> {
  return z
    .string()
    .regex(/^[A-Za-z]+=[-+]?(\d+\.?\d*|\.\d+)(deg|cm)?(,[A-Za-z]+=[-+]?(\d+\.?\d*|\.\d+)(deg|cm)?)*$/)
    .transform((text) =>
      Object.fromEntries(
        text.split(',').map((part) => {
          const [, name, value, unit] = /^(\w+)=([-+.\d]+)(\w*)$/.exec(part)!;
          return [name!, { value: Number(value), unit: unit! }];
        }),
      ),
    )
    .meta({
      description,
      expects: 'names and numbers, as jawOpen=0.6,headYaw=20deg',
      hint: 'NAME=VALUE,...',
    });
}

/** A number with the unit that was written after it, or none. */
export type ControlValue = { readonly value: number; readonly unit: string };

/** A range of angles in degrees, `LOW..HIGH`; one number stands for both sides. */
export function angleRange(
  description: string,
): z.ZodPipe<z.ZodString, z.ZodTransform<{ low: number; high: number }, string>> {
  const number = '[-+]?(?:\\d+\\.?\\d*|\\.\\d+)';
  return z
    .string()
    .regex(new RegExp(`^${number}(\\.\\.${number})?$`))
    .transform((text) => {
      const [low, high] = text.split('..').map(Number) as [number, number?];
      return high === undefined ? { low: -Math.abs(low), high: Math.abs(low) } : { low, high };
    })
    .meta({ description, expects: 'degrees, as 30 or -30..30', hint: 'LOW..HIGH' });
}

/**
 * Checks names against the controls that there are, and units against theirs.
 * @throws BadInputError `unknown-control` with the nearest name, `control-unit`.
 */
export function checkedControls(
  values: Readonly<Record<string, ControlValue>>,
  limits: ReadonlyMap<string, { readonly unit: string }>,
): Readonly<Record<string, number>> {
  for (const [name, { unit }] of Object.entries(values)) {
    const limit = limits.get(name);
    if (limit === undefined) throw unknownControl('--set', name, [...limits.keys()]);
    if (unit === '' || unit === limit.unit) continue;
    throw new BadInputError({
      code: 'control-unit',
      message: `--set ${name} expects ${limit.unit === '' ? 'a share without a unit' : `a number in ${limit.unit}`}, got ${unit}.`,
      hint: `Write ${name}=${limit.unit === '' ? '0.5' : `10${limit.unit}`}.`,
    });
  }
  return Object.fromEntries(Object.entries(values).map(([name, { value }]) => [name, value]));
}

/** Names that there are not, with the one that was probably meant. */
export function unknownControl(place: string, name: string, known: readonly string[]): BadInputError {
  const meant = nearestName(name, known);
  return new BadInputError({
    code: 'unknown-control',
    message: `${place}: this head has no control named ${name}.`,
    hint: meant === null ? 'See docs/reenactment.md for the controls.' : `Did you mean ${meant}?`,
  });
}

/** A range that is none, or beyond what heads do. */
export function expectRange(
  name: string,
  { low, high }: { readonly low: number; readonly high: number },
  limit: number,
): void {
  if (low > high) {
    throw contradictoryOptions(
      `${name} expects a range from low to high, got ${low}..${high}.`,
      `Write ${name} ${high}..${low}.`,
    );
  }
  if (low >= -limit && high <= limit) return;
  throw new BadInputError({
    code: 'bad-option',
    message: `${name} expects degrees from ${-limit} to ${limit}, got ${low}..${high}.`,
    hint: 'Choose a range inside.',
  });
}
