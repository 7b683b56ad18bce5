// Sizes of a model that contradict each other: each is named by its path, with the nearest number that would do.

import { nearestDivisor } from '../errors/index.ts';
import type { ControlConfig, ModelConfig } from './config.ts';

/** A field that does not fit the others. */
export type Contradiction = { readonly path: readonly (string | number)[]; readonly message: string };

/** What in a model's sizes does not fit together. `factor` is how many pixels a latent's pixel is wide. */
export function modelContradictions(
  { autoencoder, unet, diffusion }: ModelConfig,
  factor: number,
): Contradiction[] {
  const { encoder } = autoencoder;
  const { widths, heads, groups, temporal, controls } = unet;
  const attending = widths.filter((_, level) => (heads[level] ?? 0) > 0);
  return [
    ...divides(['autoencoder', 'encoder', 'groups'], encoder.groups, encoder.widths),
    ...divides(['unet', 'groups'], groups, widths),
    ...heads.flatMap((count, level) =>
      count === 0 || widths[level] === undefined
        ? []
        : divides(['unet', 'heads', level], count, [widths[level]]),
    ),
    ...divides(['unet', 'temporal', 'heads'], temporal.heads, attending),
    ...controls.flatMap((control, i) =>
      controlContradictions(control, ['unet', 'controls', i], { factor, groups }),
    ),
    ...(diffusion.betaStart > 0 && diffusion.betaStart < diffusion.betaEnd && diffusion.betaEnd < 1
      ? []
      : [
          {
            path: ['diffusion'],
            message: `expected 0 < betaStart < betaEnd < 1, got ${diffusion.betaStart} and ${diffusion.betaEnd}`,
          },
        ]),
  ];
}

function controlContradictions(
  { kind, fold, widths, heads }: ControlConfig,
  path: readonly (string | number)[],
  { factor, groups }: { readonly factor: number; readonly groups: number },
): Contradiction[] {
  // The lifted picture comes as a latent, all others as pictures.
  const wanted = kind === 'lifted' ? 1 : factor;
  const own = fold * 2 ** (widths.length - 1);
  const last = [widths.at(-1)!];
  return [
    ...(own === wanted
      ? []
      : [
          {
            path,
            message: `fold x 2^(levels - 1) must be ${wanted} for "${kind}", to come to the latent's size, but is ${own}`,
          },
        ]),
    ...(heads === 0 ? [] : divides([...path, 'heads'], heads, last)),
    ...(heads === 0 || last[0]! % groups === 0
      ? []
      : [
          {
            path: [...path, 'widths'],
            message: `the last must divide by unet.groups, ${groups}, got ${last[0]}`,
          },
        ]),
  ];
}

function divides(
  path: readonly (string | number)[],
  value: number,
  widths: readonly number[],
): Contradiction[] {
  if (widths.every((width) => width % value === 0)) return [];
  const nearest = nearestDivisor(value, widths);
  return [
    {
      path,
      message: `${value} does not divide the widths ${widths.join(', ')}; the nearest that does is ${nearest}`,
    },
  ];
}
