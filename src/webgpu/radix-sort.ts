// A stable sort of key-value pairs on the device, by the lowest bits of 32-bit keys.

import type { GpuContext } from './gpu-context.ts';
import type { GpuBuffer, GpuComputePass } from './gpu-device.ts';
import { COUNT_DIGITS_WGSL, DIGITS, PLACE_DIGITS_WGSL, SCATTER_WGSL } from './radix-sort.wgsl.ts';
import { BLOCK, BLOCKS_DISPATCH, createWorkSize, writeWorkSize } from './work-size.ts';

/** Keys and the values that go with them, u32 each. */
export type SortPairs = { readonly keys: GpuBuffer; readonly values: GpuBuffer };

/** A sort that is ready to be recorded; it owns its counts, not the pairs. */
export type RadixSort = {
  /**
   * Records a sort of `pairs`; both may be written to.
   * @param work the count and its dispatches (`work-size.ts`)
   * @param bits sorts by this many of the lowest bits of the keys
   * @returns whichever of `pairs` and `spare` will hold the result
   */
  record(
    pass: GpuComputePass,
    sort: {
      readonly pairs: SortPairs;
      readonly spare: SortPairs;
      readonly work: GpuBuffer;
      readonly bits: number;
    },
  ): SortPairs;
  [Symbol.dispose](): void;
};

const BITS_PER_PASS = 8;

/** Prepares a sort of at most `capacity` pairs. */
export async function createRadixSort(context: GpuContext, capacity: number): Promise<RadixSort> {
  const [count, place, scatter] = await Promise.all([
    context.kernel('count digits', COUNT_DIGITS_WGSL),
    context.kernel('place digits', PLACE_DIGITS_WGSL),
    context.kernel('scatter', SCATTER_WGSL),
  ]);
  const counts = context.createBuffer('digit counts', Math.ceil(capacity / BLOCK) * DIGITS * 4);
  const starts = context.createBuffer('digit starts', DIGITS * 4);
  const shifts = [0, 8, 16, 24].map((shift) => {
    const buffer = context.createUniform('digit shift', 4);
    context.device.queue.writeBuffer(buffer, 0, Uint32Array.of(shift));
    return buffer;
  });
  return {
    record(pass, { pairs, spare, work, bits }) {
      const dispatch = { indirect: work, offset: BLOCKS_DISPATCH };
      let [from, to] = [pairs, spare];
      for (let digit = 0; digit * BITS_PER_PASS < bits; digit++) {
        const shift = shifts[digit]!;
        count.record(pass, [work, from.keys, shift, counts], dispatch);
        place.record(pass, [work, counts, starts], [1, 1]);
        const { keys, values } = from;
        scatter.record(pass, [work, keys, values, shift, counts, starts, to.keys, to.values], dispatch);
        [from, to] = [to, from];
      }
      return from;
    },
    [Symbol.dispose]() {
      for (const buffer of [counts, starts, ...shifts]) buffer.destroy();
    },
  };
}

/**
 * Sorts pairs that the host has; equal keys keep their order.
 * @param bits sorts by this many of the lowest bits of the keys
 */
export async function sortOnGpu(
  context: GpuContext,
  {
    keys,
    values,
    bits = 32,
  }: { keys: Uint32Array<ArrayBuffer>; values: Uint32Array<ArrayBuffer>; bits?: number },
): Promise<{ readonly keys: Uint32Array; readonly values: Uint32Array }> {
  const bytes = keys.byteLength;
  const buffers = ['keys', 'values', 'spare keys', 'spare values'].map((label) =>
    context.createBuffer(label, bytes),
  ) as [GpuBuffer, GpuBuffer, GpuBuffer, GpuBuffer];
  const work = createWorkSize(context, 'pairs to sort');
  using sort = await createRadixSort(context, keys.length);
  try {
    writeWorkSize(context, work, keys.length);
    context.device.queue.writeBuffer(buffers[0], 0, keys);
    context.device.queue.writeBuffer(buffers[1], 0, values);
    const answer = await context.run((encoder) => {
      const pass = encoder.beginComputePass({ label: 'sort' });
      const pairs = { keys: buffers[0], values: buffers[1] };
      const spare = { keys: buffers[2], values: buffers[3] };
      const sorted = sort.record(pass, { pairs, spare, work, bits });
      pass.end();
      return [
        { buffer: sorted.keys, bytes },
        { buffer: sorted.values, bytes },
      ];
    });
    return {
      keys: new Uint32Array(answer, 0, keys.length),
      values: new Uint32Array(answer, bytes, keys.length),
    };
  } finally {
    for (const buffer of [...buffers, work]) buffer.destroy();
  }
}
