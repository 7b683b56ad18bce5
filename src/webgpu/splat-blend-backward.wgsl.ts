// Back through the blending, without float atomics and with the same bits every time.
//
// A workgroup walks its tile's list near to far again, a few Gaussians at a time. First each thread, a pixel,
// finds two numbers for each of them: the weight of its features, and the gradient of its opacity. Then each
// thread, a Gaussian and four outputs, sums these over the pixels: a small matrix product in shared memory. A
// pair's sums go to a row of its own, and a last kernel adds the rows of each Gaussian in their order.
// What lies behind a Gaussian is one number a pixel, as in the kernel for the CPU.

import { ALPHA_MAX } from '../kernels/index.ts';
import { blendingWgsl, quadsOf, TILE_PIXELS, unrolled } from './splat-blend.wgsl.ts';
import { TILE } from './splat-project.wgsl.ts';
import { CAMERA_WGSL } from './splat-view.wgsl.ts';
import { GROUP_INDEX_WGSL, THREADS } from './work-size.ts';

/** Vectors of four floats in the row of a pair: its features' gradients, and two of moments. */
export function rowOf(channels: number): number {
  return quadsOf(channels) + 2;
}

/**
 * What the far end of each pixel's ray contributes: sum_c(dC_c C_c) - dA T. Reads camera, image, light,
 * gradImage, gradCoverage; writes behind.
 */
export function behindWgsl(channels: number): string {
  return /* wgsl */ `
${CAMERA_WGSL}
@group(0) @binding(1) var<storage, read> image: array<f32>;
@group(0) @binding(2) var<storage, read> light: array<f32>;
@group(0) @binding(3) var<storage, read> gradImage: array<f32>;
@group(0) @binding(4) var<storage, read> gradCoverage: array<f32>;
@group(0) @binding(5) var<storage, read_write> behind: array<f32>;
${GROUP_INDEX_WGSL}
@compute @workgroup_size(${THREADS})
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let place = groupIndex(group, groups) * ${THREADS}u + thread;
  let plane = camera.size.x * camera.size.y;
  if (place >= plane) { return; }
  var sum = -gradCoverage[place] * light[place];
  for (var c = 0u; c < ${channels}u; c++) { sum += gradImage[c * plane + place] * image[c * plane + place]; }
  behind[place] = sum;
}
`;
}

/**
 * Back through the blending. Reads camera, ranges, pairs, views, features, behind, gradImage; writes rows: for
 * each pair the gradients of its features, then with g the gradient of its opacity and e the whitened distance
 * the sums over pixels of (g, g e, 0) and (g e1^2, g e1 e2, g e2^2, 0).
 */
export function blendBackwardWgsl(channels: number): string {
  const quads = quadsOf(channels);
  const row = rowOf(channels);
  const batch = quads <= 4 ? 16 : 8;
  const isStaged = quads <= 8;
  // One place more a row, so that threads side by side read from different banks of memory.
  const stride = TILE_PIXELS + 1;
  const channel = (k: number): string => {
    const value = `gradImage[(quad * 4u + ${k}u) * plane + at.y * camera.size.x + at.x]`;
    return channels % 4 === 0 ? value : `select(0.0, ${value}, quad * 4u + ${k}u < ${channels}u)`;
  };
  return /* wgsl */ `
${CAMERA_WGSL}
@group(0) @binding(1) var<storage, read> ranges: array<vec2u>;
@group(0) @binding(2) var<storage, read> pairs: array<vec2u>;
@group(0) @binding(3) var<storage, read> views: array<vec4f>;
@group(0) @binding(4) var<storage, read> features: array<f32>;
@group(0) @binding(5) var<storage, read> behindAll: array<f32>;
@group(0) @binding(6) var<storage, read> gradImage: array<f32>;
@group(0) @binding(7) var<storage, read_write> rows: array<vec4f>;
${blendingWgsl(channels, batch)}
var<workgroup> parts: array<vec2f, ${batch * stride}>; // weight, gradient of the opacity
${isStaged ? `var<workgroup> gradients: array<vec4f, ${quads * TILE_PIXELS}>;` : ''}
fn gradientAt(at: vec2u, quad: u32) -> vec4f {
  if (at.x >= camera.size.x || at.y >= camera.size.y) { return vec4f(0.0); }
  let plane = camera.size.x * camera.size.y;
  return vec4f(${[0, 1, 2, 3].map(channel).join(', ')});
}
@compute @workgroup_size(${TILE}, ${TILE})
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(global_invocation_id) at: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let span = rangeOf(group.y * camera.size.z + group.x, thread);
  let isInside = at.x < camera.size.x && at.y < camera.size.y;
  let corner = group.xy * ${TILE}u;
  let pixel = vec2f(local.xy) + 0.5;
  var isOpen = isInside;
  var behind = 0.0;
  if (isInside) {
    atomicAdd(&openPixels, 1u);
    behind = behindAll[at.y * camera.size.x + at.x];
  }
  var transmittance = 1.0;
${unrolled(quads, (q) => `  let gradient${q} = gradientAt(at.xy, ${q}u);`)}
${isStaged ? unrolled(quads, (q) => `  gradients[${q * TILE_PIXELS}u + thread] = gradient${q};`) : ''}
  for (var first = span.x; first < span.y; first += ${batch}u) {
    if (!isAnyOpen(thread)) {
      for (var k = thread; k < (span.y - first) * ${row}u; k += ${TILE_PIXELS}u) {
        rows[pairs[first + k / ${row}u].x * ${row}u + k % ${row}u] = vec4f(0.0);
      }
      break;
    }
    let size = min(${batch}u, span.y - first);
    loadBatch(first, size, vec2f(corner), thread);
    for (var k = 0u; k < size; k++) {
      var part = vec2f(0.0);
      let falloff = falloffOf(k, pixel);
      let alpha = alphaOf(k, falloff);
      if (isOpen && alpha >= ALPHA_MIN) {
        let left = transmittance * (1.0 - alpha);
        if (left <= TRANSMITTANCE_MIN) {
          isOpen = false;
          atomicSub(&openPixels, 1u);
        } else {
          let weight = transmittance * alpha;
          let along = ${Array.from({ length: quads }, (_, q) => `dot(gradient${q}, loaded[k * ${quads}u + ${q}u])`).join(' + ')};
          behind -= weight * along;
          let gradAlpha = transmittance * along - behind / (1.0 - alpha);
          // Where alpha is capped it does not depend on the Gaussian.
          part = vec2f(weight, select(falloff * gradAlpha, 0.0, placed[k].z * falloff > ${ALPHA_MAX}));
          transmittance = left;
        }
      }
      parts[k * ${stride}u + thread] = part;
    }
    workgroupBarrier();
    let own = thread % ${batch}u;
    if (own < size) {
      let pair = pairs[first + own].x;
      for (var quad = thread / ${batch}u; quad < ${row}u; quad += ${TILE_PIXELS / batch}u) {
        var total = vec4f(0.0);
        for (var p = 0u; p < ${TILE_PIXELS}u; p++) {
          let place = vec2u(p % ${TILE}u, p / ${TILE}u);
          let part = parts[own * ${stride}u + p];
          if (quad < ${quads}u) {
            total += part.x * ${isStaged ? `gradients[quad * ${TILE_PIXELS}u + p]` : 'gradientAt(corner + place, quad)'};
          } else {
            let e = whitened(own, vec2f(place) + 0.5);
            let moments = select(vec4f(e.x * e.x, e.x * e.y, e.y * e.y, 0.0), vec4f(1.0, e, 0.0), quad == ${quads}u);
            total += part.y * moments;
          }
        }
        rows[pair * ${row}u + quad] = total;
      }
    }
  }
}
`;
}

/**
 * Adds each Gaussian's rows, in order: one thread a Gaussian and vector of four. Reads camera, order,
 * firstPairs, rows; writes gradFeatures, gradOpacities and sums (two vectors of moments a Gaussian).
 */
export function sumRowsWgsl(channels: number): string {
  const quads = quadsOf(channels);
  const row = rowOf(channels);
  return /* wgsl */ `
${CAMERA_WGSL}
@group(0) @binding(1) var<storage, read> order: array<u32>;
@group(0) @binding(2) var<storage, read> firstPairs: array<u32>;
@group(0) @binding(3) var<storage, read> rows: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> gradFeatures: array<f32>;
@group(0) @binding(5) var<storage, read_write> gradOpacities: array<f32>;
@group(0) @binding(6) var<storage, read_write> sums: array<vec4f>;
${GROUP_INDEX_WGSL}
@compute @workgroup_size(${THREADS})
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let index = groupIndex(group, groups) * ${THREADS}u + thread;
  let place = index / ${row}u;
  let quad = index % ${row}u;
  if (place >= camera.counts.x) { return; }
  let gaussian = order[place];
  var total = vec4f(0.0);
  for (var pair = firstPairs[place]; pair < firstPairs[place + 1u]; pair++) { total += rows[pair * ${row}u + quad]; }
  if (quad < ${quads}u) {
    for (var k = 0u; k < min(4u, ${channels}u - quad * 4u); k++) {
      gradFeatures[gaussian * ${channels}u + quad * 4u + k] = total[k];
    }
    return;
  }
  sums[2u * gaussian + quad - ${quads}u] = total;
  if (quad == ${quads}u) { gradOpacities[gaussian] = total.x; }
}
`;
}
