// Blends each tile's Gaussians near to far: one workgroup a tile, one thread a pixel.

import { ALPHA_MAX, ALPHA_MIN, TRANSMITTANCE_MIN } from '../kernels/index.ts';
import { TILE } from './splat-project.wgsl.ts';
import { CAMERA_WGSL } from './splat-view.wgsl.ts';

/** Pixels of a tile, and threads of its workgroup. */
export const TILE_PIXELS: number = TILE * TILE;

/** `text(0) ... text(count - 1)`, so that what a thread keeps stays in registers. */
export function unrolled(count: number, text: (i: number) => string): string {
  return Array.from({ length: count }, (_, i) => text(i)).join('\n');
}

/** Vectors of four channels that hold them all. */
export function quadsOf(channels: number): number {
  return Math.ceil(channels / 4);
}

/** What both ways through the blending share: the tile's list, its open pixels, alpha at a pixel. */
export function blendingWgsl(channels: number, batch: number): string {
  const quads = quadsOf(channels);
  const channel = (k: number): string => {
    const value = `features[gaussian * ${channels}u + quad * 4u + ${k}u]`;
    return channels % 4 === 0 ? value : `select(0.0, ${value}, quad * 4u + ${k}u < ${channels}u)`;
  };
  return /* wgsl */ `
var<workgroup> range: vec2u;
var<workgroup> openPixels: atomic<u32>;
var<workgroup> openNow: u32;
var<workgroup> placed: array<vec4f, ${batch}>;   // mean x y from the tile's corner, opacity
var<workgroup> whitenings: array<vec4f, ${batch}>;
var<workgroup> loaded: array<vec4f, ${batch * quads}>;
fn featuresOf(gaussian: u32, quad: u32) -> vec4f {
  return vec4f(${[0, 1, 2, 3].map(channel).join(', ')});
}
fn rangeOf(tile: u32, thread: u32) -> vec2u {
  if (thread == 0u) { range = ranges[tile]; }
  return workgroupUniformLoad(&range);
}
// Whether any pixel still takes Gaussians; waits for all threads.
fn isAnyOpen(thread: u32) -> bool {
  workgroupBarrier();
  if (thread == 0u) { openNow = atomicLoad(&openPixels); }
  return workgroupUniformLoad(&openNow) != 0u;
}
fn loadBatch(first: u32, size: u32, corner: vec2f, thread: u32) {
  for (var k = thread; k < size; k += ${TILE_PIXELS}u) {
    let gaussian = pairs[first + k].y;
    let view = views[2u * gaussian];
    whitenings[k] = views[2u * gaussian + 1u];
    // The difference is exact, and what float32 left of the mean counts again beside it.
    placed[k] = vec4f((view.xy - corner) + vec2f(view.w, whitenings[k].w), view.z, 0.0);
  }
  for (var k = thread; k < size * ${quads}u; k += ${TILE_PIXELS}u) {
    loaded[k] = featuresOf(pairs[first + k / ${quads}u].y, k % ${quads}u);
  }
  workgroupBarrier();
}
// From the pixel to the mean in the Gaussian's standard deviations.
fn whitened(k: u32, pixel: vec2f) -> vec2f {
  let d = placed[k].xy - pixel;
  let w = whitenings[k];
  return vec2f(w.x * (d.x - w.y * d.y), w.z * d.y);
}
fn falloffOf(k: u32, pixel: vec2f) -> f32 {
  let e = whitened(k, pixel);
  return exp(-0.5 * dot(e, e));
}
fn alphaOf(k: u32, falloff: f32) -> f32 { return min(${ALPHA_MAX}, placed[k].z * falloff); }
const ALPHA_MIN = ${ALPHA_MIN};
const TRANSMITTANCE_MIN = ${TRANSMITTANCE_MIN};
`;
}

/** How many Gaussians a workgroup loads at once: what fits beside the rest in 16 KiB. */
function batchOf(channels: number): number {
  const bytesEach = 32 + quadsOf(channels) * 16;
  return Math.min(TILE_PIXELS, Math.floor(12_288 / bytesEach));
}

/** Blends. Reads camera, ranges, pairs, views, features; writes image (`C H W`), coverage and light (`H W`). */
export function blendWgsl(channels: number): string {
  const quads = quadsOf(channels);
  const batch = batchOf(channels);
  return /* wgsl */ `
${CAMERA_WGSL}
@group(0) @binding(1) var<storage, read> ranges: array<vec2u>;
@group(0) @binding(2) var<storage, read> pairs: array<vec2u>;
@group(0) @binding(3) var<storage, read> views: array<vec4f>;
@group(0) @binding(4) var<storage, read> features: array<f32>;
@group(0) @binding(5) var<storage, read_write> image: array<f32>;
@group(0) @binding(6) var<storage, read_write> coverage: array<f32>;
@group(0) @binding(7) var<storage, read_write> light: array<f32>;
${blendingWgsl(channels, batch)}
@compute @workgroup_size(${TILE}, ${TILE})
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(global_invocation_id) at: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let span = rangeOf(group.y * camera.size.z + group.x, thread);
  let isInside = at.x < camera.size.x && at.y < camera.size.y;
  let corner = vec2f(group.xy * ${TILE}u);
  let pixel = vec2f(local.xy) + 0.5;
  var isOpen = isInside;
  if (isInside) { atomicAdd(&openPixels, 1u); }
  var transmittance = 1.0;
${unrolled(quads, (q) => `  var sum${q} = vec4f(0.0);`)}
  for (var first = span.x; first < span.y; first += ${batch}u) {
    if (!isAnyOpen(thread)) { break; }
    let size = min(${batch}u, span.y - first);
    loadBatch(first, size, corner, thread);
    for (var k = 0u; k < size && isOpen; k++) {
      let alpha = alphaOf(k, falloffOf(k, pixel));
      if (alpha < ALPHA_MIN) { continue; }
      let left = transmittance * (1.0 - alpha);
      if (left <= TRANSMITTANCE_MIN) {
        isOpen = false;
        atomicSub(&openPixels, 1u);
        continue;
      }
      let weight = transmittance * alpha;
${unrolled(quads, (q) => `      sum${q} += weight * loaded[k * ${quads}u + ${q}u];`)}
      transmittance = left;
    }
  }
  if (!isInside) { return; }
  let place = at.y * camera.size.x + at.x;
  let plane = camera.size.x * camera.size.y;
${unrolled(channels, (c) => `  image[${c}u * plane + place] = sum${c >> 2}[${c & 3}];`)}
  coverage[place] = 1.0 - transmittance;
  light[place] = transmittance;
}
`;
}
