// Running sums on the device: element i becomes the sum of those before it, and the last place the whole sum.
// Blocks of 2048 are summed, one workgroup sums the blocks' sums, and the blocks are summed again from there.
// A whole sum beyond 32 bits is given as 2^32 - 1; the sums on the way are then meaningless.

import type { GpuContext } from './gpu-context.ts';
import type { GpuBuffer, GpuComputePass } from './gpu-device.ts';
import { BLOCK, BLOCKS_DISPATCH, GROUP_INDEX_WGSL, THREADS } from './work-size.ts';

/** A running sum that is ready to be recorded; it owns its block sums. */
export type PrefixSum = {
  /**
   * Records the running sums of `values` (u32).
   * @param work the count N and its dispatches (`work-size.ts`)
   * @param sums gets `N + 1` values
   */
  record(
    pass: GpuComputePass,
    buffers: { readonly work: GpuBuffer; readonly values: GpuBuffer; readonly sums: GpuBuffer },
  ): void;
  [Symbol.dispose](): void;
};

const PER_THREAD = BLOCK / THREADS;

/** `sumBefore`: the sum of `own` over the threads before this one; `partial` then holds those up to each. */
const SUM_BEFORE = /* wgsl */ `
fn plus(a: u32, b: u32) -> u32 { return select(a + b, 0xffffffffu, a + b < a); }
var<workgroup> partial: array<u32, ${THREADS}>;
fn sumBefore(own: u32, thread: u32) -> u32 {
  partial[thread] = own;
  for (var step = 1u; step < ${THREADS}u; step *= 2u) {
    workgroupBarrier();
    var left = 0u;
    if (thread >= step) { left = partial[thread - step]; }
    workgroupBarrier();
    partial[thread] = plus(partial[thread], left);
  }
  workgroupBarrier();
  return partial[thread] - own;
}
`;

const SUM_BLOCKS_WGSL = /* wgsl */ `
@group(0) @binding(0) var<storage, read> size: array<u32>;
@group(0) @binding(1) var<storage, read> values: array<u32>;
@group(0) @binding(2) var<storage, read_write> blockSums: array<u32>;
${GROUP_INDEX_WGSL}${SUM_BEFORE}
@compute @workgroup_size(${THREADS})
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let block = groupIndex(group, groups);
  var own = 0u;
  for (var k = 0u; k < ${PER_THREAD}u; k++) {
    let i = block * ${BLOCK}u + k * ${THREADS}u + thread;
    if (i < size[0]) { own = plus(own, values[i]); }
  }
  sumBefore(own, thread);
  if (thread == ${THREADS - 1}u && block < size[1]) { blockSums[block] = partial[thread]; }
}
`;

const SUM_SUMS_WGSL = /* wgsl */ `
@group(0) @binding(0) var<storage, read> size: array<u32>;
@group(0) @binding(1) var<storage, read_write> blockSums: array<u32>;
@group(0) @binding(2) var<storage, read_write> sums: array<u32>;
var<workgroup> blocks: u32;
${SUM_BEFORE}
@compute @workgroup_size(${THREADS})
fn main(@builtin(local_invocation_index) thread: u32) {
  if (thread == 0u) { blocks = size[1]; }
  let count = workgroupUniformLoad(&blocks);
  var total = 0u;
  for (var first = 0u; first < count; first += ${THREADS}u) {
    var own = 0u;
    if (first + thread < count) { own = blockSums[first + thread]; }
    let before = sumBefore(own, thread);
    if (first + thread < count) { blockSums[first + thread] = total + before; }
    total = plus(total, partial[${THREADS - 1}]);
    workgroupBarrier();
  }
  if (thread == 0u) { sums[size[0]] = total; }
}
`;

const ADD_SUMS_WGSL = /* wgsl */ `
@group(0) @binding(0) var<storage, read> size: array<u32>;
@group(0) @binding(1) var<storage, read> values: array<u32>;
@group(0) @binding(2) var<storage, read> blockSums: array<u32>;
@group(0) @binding(3) var<storage, read_write> sums: array<u32>;
${GROUP_INDEX_WGSL}${SUM_BEFORE}
@compute @workgroup_size(${THREADS})
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let block = groupIndex(group, groups);
  let first = block * ${BLOCK}u + thread * ${PER_THREAD}u;
  var own = 0u;
  for (var i = first; i < min(first + ${PER_THREAD}u, size[0]); i++) { own = plus(own, values[i]); }
  var sum = sumBefore(own, thread);
  if (block < size[1]) { sum += blockSums[block]; }
  for (var i = first; i < min(first + ${PER_THREAD}u, size[0]); i++) {
    sums[i] = sum;
    sum += values[i];
  }
}
`;

/** Prepares running sums of at most `capacity` elements. */
export async function createPrefixSum(context: GpuContext, capacity: number): Promise<PrefixSum> {
  const [sumBlocks, sumSums, addSums] = await Promise.all([
    context.kernel('sum blocks', SUM_BLOCKS_WGSL),
    context.kernel('sum of sums', SUM_SUMS_WGSL),
    context.kernel('add sums', ADD_SUMS_WGSL),
  ]);
  const blockSums = context.createBuffer('block sums', Math.ceil(capacity / BLOCK) * 4);
  return {
    record(pass, { work, values, sums }) {
      const dispatch = { indirect: work, offset: BLOCKS_DISPATCH };
      sumBlocks.record(pass, [work, values, blockSums], dispatch);
      sumSums.record(pass, [work, blockSums, sums], [1, 1]);
      addSums.record(pass, [work, values, blockSums, sums], dispatch);
    },
    [Symbol.dispose]() {
      blockSums.destroy();
    },
  };
}
