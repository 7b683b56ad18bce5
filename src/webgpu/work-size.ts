// How much there is to do, where the device finds it: an element count and the workgroups for it.
//
// A count that only the device knows (the pairs of Gaussian and tile) is written by a kernel and read by the
// next ones, dispatched indirectly, without a round trip to the host. A count that the host knows takes the
// same form, so that sort and sum need no second version.

import type { GpuContext } from './gpu-context.ts';
import type { GpuBuffer } from './gpu-device.ts';
import { GpuUsage } from './gpu-device.ts';

/** Threads of a workgroup in kernels over elements. */
export const THREADS = 256;
/** Elements that one workgroup of the sort or the sum takes. */
export const BLOCK = 2048;
/** Bytes of a work size. */
export const WORK_SIZE_BYTES = 64;
/** Offset of the dispatch of one thread an element. */
export const THREADS_DISPATCH = 16;
/** Offset of the dispatch of one workgroup a block. */
export const BLOCKS_DISPATCH = 32;

// A dispatch has at most 65,535 groups in a row, so more of them take a second dimension.
const MOST_GROUPS = 65535;

/** Writes `size` (array<u32, 16>) from a count: 0 the count, 1 the blocks, 4 and 8 the dispatches. */
export const WORK_SIZE_WGSL: string = /* wgsl */ `
fn groupsAcross(groups: u32) -> u32 { return min(groups, ${MOST_GROUPS}u); }
fn groupsDown(groups: u32) -> u32 { return (groups + ${MOST_GROUPS - 1}u) / ${MOST_GROUPS}u; }
fn writeWorkSize(count: u32) {
  let groups = (count + ${THREADS - 1}u) / ${THREADS}u;
  let blocks = (count + ${BLOCK - 1}u) / ${BLOCK}u;
  size[0] = count;
  size[1] = blocks;
  size[4] = groupsAcross(groups);
  size[5] = groupsDown(groups);
  size[6] = 1u;
  size[8] = groupsAcross(blocks);
  size[9] = groupsDown(blocks);
  size[10] = 1u;
}
`;

/** The index of a workgroup in a dispatch of one or two dimensions. */
export const GROUP_INDEX_WGSL: string = /* wgsl */ `
fn groupIndex(group: vec3u, groups: vec3u) -> u32 { return group.x + group.y * groups.x; }
`;

/** Makes a work size; `count` may be written later by a kernel. */
export function createWorkSize(context: GpuContext, label: string): GpuBuffer {
  return context.createBuffer(label, WORK_SIZE_BYTES, GpuUsage.indirect);
}

/** Writes a count that the host knows. */
export function writeWorkSize(context: GpuContext, size: GpuBuffer, count: number): void {
  const blocks = Math.ceil(count / BLOCK);
  const [threadsX, threadsY] = groupsFor(count);
  const [blocksX, blocksY] = groupsFor(count, BLOCK);
  const numbers = [count, blocks, 0, 0, threadsX, threadsY, 1, 0, blocksX, blocksY, 1, 0, 0, 0, 0, 0];
  context.device.queue.writeBuffer(size, 0, Uint32Array.from(numbers));
}

/** The dispatch for `count` elements, `perGroup` a workgroup. */
export function groupsFor(count: number, perGroup: number = THREADS): [number, number] {
  const groups = Math.ceil(count / perGroup);
  return [Math.min(groups, MOST_GROUPS), Math.ceil(groups / MOST_GROUPS)];
}
