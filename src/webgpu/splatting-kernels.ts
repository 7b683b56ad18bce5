// The kernels of the splatting, compiled for a number of channels.

import type { GpuContext, GpuKernel } from './gpu-context.ts';
import { blendWgsl } from './splat-blend.wgsl.ts';
import { behindWgsl, blendBackwardWgsl, sumRowsWgsl } from './splat-blend-backward.wgsl.ts';
import { COUNT_PAIRS_WGSL, FIND_RANGES_WGSL, LIST_PAIRS_WGSL, SIZE_PAIRS_WGSL } from './splat-lists.wgsl.ts';
import { projectBackwardWgsl, projectWgsl } from './splat-project.wgsl.ts';

type Name =
  | 'project'
  | 'countPairs'
  | 'sizePairs'
  | 'listPairs'
  | 'findRanges'
  | 'blend'
  | 'behind'
  | 'blendBackward'
  | 'sumRows'
  | 'projectBackward';

/** The kernels of the splatting by what they do; each one's WGSL says what it reads and writes. */
export type SplattingKernels = Readonly<Record<Name, GpuKernel>>;

/** Compiles what splatting `channels` takes, for balls or (`isTurned`) ellipsoids. */
export async function compileSplatting(
  context: GpuContext,
  { channels, isTurned }: { channels: number; isTurned: boolean },
): Promise<SplattingKernels> {
  const sources: Record<Name, string> = {
    project: projectWgsl(isTurned),
    countPairs: COUNT_PAIRS_WGSL,
    sizePairs: SIZE_PAIRS_WGSL,
    listPairs: LIST_PAIRS_WGSL,
    findRanges: FIND_RANGES_WGSL,
    blend: blendWgsl(channels),
    behind: behindWgsl(channels),
    blendBackward: blendBackwardWgsl(channels),
    sumRows: sumRowsWgsl(channels),
    projectBackward: projectBackwardWgsl(isTurned),
  };
  const compiled = await Promise.all(
    Object.entries(sources).map(async ([name, code]) => [name, await context.kernel(name, code)] as const),
  );
  return Object.fromEntries(compiled) as SplattingKernels;
}
