// The three kernels of one pass of the radix sort: eight bits of the key, from the lowest pass to the highest.
// Least significant digit first, each pass stable, so the whole is stable. No float, no atomic whose order
// could show, no subgroup: the same result on every device.

import { BLOCK, GROUP_INDEX_WGSL } from './work-size.ts';

/** Values of a digit. */
export const DIGITS = 256;
const ROUNDS = BLOCK / DIGITS;
const AT_ONCE = 8;

const DIGIT_OF = /* wgsl */ `
fn digitOf(key: u32) -> u32 { return (key >> shift) & ${DIGITS - 1}u; }
`;

/** Counts each block's digits. Reads size, keys, shift; writes counts, block by block. */
export const COUNT_DIGITS_WGSL: string = /* wgsl */ `
@group(0) @binding(0) var<storage, read> size: array<u32>;
@group(0) @binding(1) var<storage, read> keys: array<u32>;
@group(0) @binding(2) var<uniform> shift: u32;
@group(0) @binding(3) var<storage, read_write> counts: array<u32>;
var<workgroup> own: array<atomic<u32>, ${DIGITS}>;
${GROUP_INDEX_WGSL}${DIGIT_OF}
@compute @workgroup_size(${DIGITS})
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let block = groupIndex(group, groups);
  atomicStore(&own[thread], 0u);
  workgroupBarrier();
  for (var round = 0u; round < ${ROUNDS}u; round++) {
    let i = block * ${BLOCK}u + round * ${DIGITS}u + thread;
    if (i < size[0]) { atomicAdd(&own[digitOf(keys[i])], 1u); }
  }
  workgroupBarrier();
  if (block < size[1]) { counts[block * ${DIGITS}u + thread] = atomicLoad(&own[thread]); }
}
`;

/**
 * Turns the counts into the places where each block's digits begin. One workgroup, one thread a digit: there
 * are few blocks, and eight loads at a time hide the memory. Reads size; changes counts; writes starts.
 */
export const PLACE_DIGITS_WGSL: string = /* wgsl */ `
@group(0) @binding(0) var<storage, read> size: array<u32>;
@group(0) @binding(1) var<storage, read_write> counts: array<u32>;
@group(0) @binding(2) var<storage, read_write> starts: array<u32>;
var<workgroup> sums: array<u32, ${DIGITS}>;
@compute @workgroup_size(${DIGITS})
fn main(@builtin(local_invocation_index) digit: u32) {
  let blocks = size[1];
  var before = 0u;
  for (var first = 0u; first < blocks; first += ${AT_ONCE}u) {
    var loaded: array<u32, ${AT_ONCE}>;
    for (var k = 0u; k < ${AT_ONCE}u; k++) {
      loaded[k] = counts[min(first + k, blocks - 1u) * ${DIGITS}u + digit];
    }
    for (var k = 0u; k < min(${AT_ONCE}u, blocks - first); k++) {
      counts[(first + k) * ${DIGITS}u + digit] = before;
      before += loaded[k];
    }
  }
  sums[digit] = before;
  for (var step = 1u; step < ${DIGITS}u; step *= 2u) {
    workgroupBarrier();
    var left = 0u;
    if (digit >= step) { left = sums[digit - step]; }
    workgroupBarrier();
    sums[digit] += left;
  }
  starts[digit] = sums[digit] - before;
}
`;

/**
 * Moves each pair to its place. Reads size, keys, values, shift, counts, starts; writes keysOut, valuesOut.
 * A pair's rank among those of its digit in its round of 256 comes from one bit a thread in eight words a
 * digit: the ones below its own. That keeps the order without a sum over the workgroup for every bit.
 */
export const SCATTER_WGSL: string = /* wgsl */ `
@group(0) @binding(0) var<storage, read> size: array<u32>;
@group(0) @binding(1) var<storage, read> keys: array<u32>;
@group(0) @binding(2) var<storage, read> values: array<u32>;
@group(0) @binding(3) var<uniform> shift: u32;
@group(0) @binding(4) var<storage, read> counts: array<u32>;
@group(0) @binding(5) var<storage, read> starts: array<u32>;
@group(0) @binding(6) var<storage, read_write> keysOut: array<u32>;
@group(0) @binding(7) var<storage, read_write> valuesOut: array<u32>;
const WORDS = ${DIGITS / 32}u;
var<workgroup> places: array<u32, ${DIGITS}>;
var<workgroup> bits: array<atomic<u32>, ${DIGITS * (DIGITS / 32)}>;
${GROUP_INDEX_WGSL}${DIGIT_OF}
@compute @workgroup_size(${DIGITS})
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let block = groupIndex(group, groups);
  places[thread] = starts[thread];
  if (block < size[1]) { places[thread] += counts[block * ${DIGITS}u + thread]; }
  for (var word = 0u; word < WORDS; word++) { atomicStore(&bits[thread * WORDS + word], 0u); }

  let ownWord = thread / 32u;
  let ownBit = 1u << (thread % 32u);
  for (var round = 0u; round < ${ROUNDS}u; round++) {
    workgroupBarrier();
    let i = block * ${BLOCK}u + round * ${DIGITS}u + thread;
    let isThere = i < size[0];
    var key = 0u;
    if (isThere) {
      key = keys[i];
      atomicOr(&bits[digitOf(key) * WORDS + ownWord], ownBit);
    }
    workgroupBarrier();
    if (isThere) {
      let digit = digitOf(key);
      var place = places[digit];
      for (var word = 0u; word < ownWord; word++) {
        place += countOneBits(atomicLoad(&bits[digit * WORDS + word]));
      }
      place += countOneBits(atomicLoad(&bits[digit * WORDS + ownWord]) & (ownBit - 1u));
      keysOut[place] = key;
      valuesOut[place] = values[i];
    }
    workgroupBarrier();
    for (var word = 0u; word < WORDS; word++) {
      places[thread] += countOneBits(atomicExchange(&bits[thread * WORDS + word], 0u));
    }
  }
}
`;
