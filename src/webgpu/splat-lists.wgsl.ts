// From sorted Gaussians to lists by tile. A pair is a Gaussian in a tile; the pairs of a Gaussian stand side by
// side, Gaussians near to far, so that a stable sort by tile leaves every tile's list near to far.

import { CAMERA_WGSL } from './splat-view.wgsl.ts';
import { GROUP_INDEX_WGSL, THREADS, WORK_SIZE_WGSL } from './work-size.ts';

const PER_ELEMENT = /* wgsl */ `
@compute @workgroup_size(${THREADS})
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) { element(groupIndex(group, groups) * ${THREADS}u + thread); }
`;

/** Counts pairs, near to far. Reads camera, order, rects; writes pairCounts. */
export const COUNT_PAIRS_WGSL: string = /* wgsl */ `
${CAMERA_WGSL}
@group(0) @binding(1) var<storage, read> order: array<u32>;
@group(0) @binding(2) var<storage, read> rects: array<vec2u>;
@group(0) @binding(3) var<storage, read_write> pairCounts: array<u32>;
${GROUP_INDEX_WGSL}${PER_ELEMENT}
fn element(i: u32) {
  if (i >= camera.counts.x) { return; }
  let extent = rects[order[i]].y;
  pairCounts[i] = (extent & 0xffffu) * (extent >> 16u);
}
`;

/**
 * Sizes what follows. Reads camera, firstPairs; writes size: as many pairs as there is room for, and in its
 * last place as many as there are.
 */
export const SIZE_PAIRS_WGSL: string = /* wgsl */ `
${CAMERA_WGSL}
@group(0) @binding(1) var<storage, read> firstPairs: array<u32>;
@group(0) @binding(2) var<storage, read_write> size: array<u32, 16>;
${WORK_SIZE_WGSL}
@compute @workgroup_size(1)
fn main() {
  let pairs = firstPairs[camera.counts.x];
  writeWorkSize(min(pairs, camera.counts.y));
  size[15] = pairs;
}
`;

/** Lists the pairs. Reads camera, size, order, firstPairs, rects; writes keys (the tile), values, gaussians. */
export const LIST_PAIRS_WGSL: string = /* wgsl */ `
${CAMERA_WGSL}
@group(0) @binding(1) var<storage, read> size: array<u32>;
@group(0) @binding(2) var<storage, read> order: array<u32>;
@group(0) @binding(3) var<storage, read> firstPairs: array<u32>;
@group(0) @binding(4) var<storage, read> rects: array<vec2u>;
@group(0) @binding(5) var<storage, read_write> keys: array<u32>;
@group(0) @binding(6) var<storage, read_write> values: array<u32>;
@group(0) @binding(7) var<storage, read_write> gaussians: array<u32>;
${GROUP_INDEX_WGSL}${PER_ELEMENT}
fn element(pair: u32) {
  if (pair >= size[0]) { return; }
  // The last Gaussian whose pairs begin at or before this one.
  var low = 0u;
  var high = camera.counts.x;
  while (high - low > 1u) {
    let middle = (low + high) / 2u;
    if (firstPairs[middle] <= pair) { low = middle; } else { high = middle; }
  }
  let gaussian = order[low];
  let rect = rects[gaussian];
  let local = pair - firstPairs[low];
  let across = rect.y & 0xffffu;
  let column = (rect.x & 0xffffu) + local % across;
  let row = (rect.x >> 16u) + local / across;
  keys[pair] = row * camera.size.z + column;
  values[pair] = pair;
  gaussians[pair] = gaussian;
}
`;

/**
 * Finds each tile's part of the sorted pairs. Reads size, keys, values, gaussians; writes ranges (first, end;
 * tiles without pairs are left alone) and pairs (which pair, its Gaussian).
 */
export const FIND_RANGES_WGSL: string = /* wgsl */ `
@group(0) @binding(0) var<storage, read> size: array<u32>;
@group(0) @binding(1) var<storage, read> keys: array<u32>;
@group(0) @binding(2) var<storage, read> values: array<u32>;
@group(0) @binding(3) var<storage, read> gaussians: array<u32>;
@group(0) @binding(4) var<storage, read_write> ranges: array<u32>;
@group(0) @binding(5) var<storage, read_write> pairs: array<vec2u>;
${GROUP_INDEX_WGSL}${PER_ELEMENT}
fn element(i: u32) {
  if (i >= size[0]) { return; }
  let pair = values[i];
  pairs[i] = vec2u(pair, gaussians[pair]);
  let tile = keys[i];
  if (i == 0u || keys[max(i, 1u) - 1u] != tile) { ranges[2u * tile] = i; }
  if (i + 1u == size[0] || keys[min(i + 1u, size[0] - 1u)] != tile) { ranges[2u * tile + 1u] = i + 1u; }
}
`;
