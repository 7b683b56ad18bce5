// Each Gaussian onto the image, and each gradient on the image back to its Gaussian: one thread a Gaussian.

import { ALPHA_MIN, DETERMINANT_MAX, NEAR_DEPTH } from '../kernels/index.ts';
import { CAMERA_WGSL, viewWgsl } from './splat-view.wgsl.ts';
import { GROUP_INDEX_WGSL, THREADS } from './work-size.ts';

/** Side of the square of pixels that one workgroup blends. Two Gaussians wide, as fields here are. */
export const TILE = 8;

const bitsOf = (value: number): number => new Uint32Array(Float32Array.of(value).buffer)[0]!;

/**
 * Projects. Reads camera, means, scales, opacities (and rotations); writes views (mean x y, opacity, which
 * is 0 where not drawn, rest of x; whitening a s b, rest of y), rects (first tile; tiles across and down, 16 bits each), keys (bits of
 * the depth, all ones where not drawn) and order (the index).
 */
export function projectWgsl(isTurned: boolean): string {
  const outputs = isTurned ? 5 : 4;
  return /* wgsl */ `
${CAMERA_WGSL}
@group(0) @binding(1) var<storage, read> means: array<f32>;
@group(0) @binding(2) var<storage, read> scales: array<f32>;
@group(0) @binding(3) var<storage, read> opacities: array<f32>;
${isTurned ? '@group(0) @binding(4) var<storage, read> rotations: array<f32>;' : ''}
@group(0) @binding(${outputs}) var<storage, read_write> views: array<vec4f>;
@group(0) @binding(${outputs + 1}) var<storage, read_write> rects: array<vec2u>;
@group(0) @binding(${outputs + 2}) var<storage, read_write> keys: array<u32>;
@group(0) @binding(${outputs + 3}) var<storage, read_write> order: array<u32>;
${GROUP_INDEX_WGSL}${viewWgsl(isTurned)}
// Positive finite floats order as their bits do, which a compiler that knows no NaN cannot break.
fn isFinite(value: f32) -> bool { return (bitcast<u32>(value) & 0x7f800000u) != 0x7f800000u; }
fn isBetween(value: f32, least: u32) -> bool {
  let bits = bitcast<u32>(value);
  return bits >= least && bits < 0x7f800000u;
}
// The first tile and the one after the last along an axis.
fn tilesOf(centre: f32, radius: f32, tiles: u32) -> vec2u {
  let slack = 0.01 + 1e-4 * radius;
  let ends = vec2f(floor((centre - radius - slack - 0.5) / ${TILE}.0), floor((centre + radius + slack - 0.5) / ${TILE}.0) + 1.0);
  return vec2u(clamp(ends, vec2f(0.0), vec2f(f32(tiles))));
}
@compute @workgroup_size(${THREADS})
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = groupIndex(group, groups) * ${THREADS}u + thread;
  if (i >= camera.counts.x) { return; }
  let mean = meanOf(i);
  let z = inCamera(2u, mean);
  let opacity = opacities[i];
  order[i] = i;
  keys[i] = 0xffffffffu;
  rects[i] = vec2u(0u);
  views[2u * i] = vec4f(0.0);
  if (!isBetween(z.x, ${bitsOf(NEAR_DEPTH)}u) || !isBetween(opacity, ${bitsOf(ALPHA_MIN)}u)) { return; }
  let x = inCamera(0u, mean);
  let y = inCamera(1u, mean);
  let view = viewOf(i, x.x, y.x, z.x);
  let column = onImage(0u, x, z);
  let row = onImage(1u, y, z);
  let at = vec2f(column.x, row.x);
  if (!isBetween(view.determinant, 1u) || view.determinant >= ${DETERMINANT_MAX}) { return; }
  if (!isFinite(at.x) || !isFinite(at.y)) { return; }
  let reach = sqrt(2.0 * max(0.0, log(opacity / ${ALPHA_MIN})));
  let columns = tilesOf(at.x, reach * sqrt(view.variances.x), camera.size.z);
  let rows = tilesOf(at.y, reach * sqrt(view.variances.y), camera.size.w);
  if (columns.x >= columns.y || rows.x >= rows.y) { return; }
  keys[i] = bitcast<u32>(z.x);
  rects[i] = vec2u(columns.x | (rows.x << 16u), (columns.y - columns.x) | ((rows.y - rows.x) << 16u));
  views[2u * i] = vec4f(at, opacity, column.y);
  views[2u * i + 1u] = vec4f(view.whitening, row.y);
}
`;
}

/**
 * Carries gradients back through the projection. Reads camera, means, scales (and rotations), views and
 * sums (of g, g e, -; g e1^2, g e1 e2, g e2^2, -, with g the gradient of the opacity and e the whitened
 * distance); writes gradMeans, gradScales (and gradRotations).
 */
export function projectBackwardWgsl(isTurned: boolean): string {
  const views = isTurned ? 4 : 3;
  return /* wgsl */ `
${CAMERA_WGSL}
@group(0) @binding(1) var<storage, read> means: array<f32>;
@group(0) @binding(2) var<storage, read> scales: array<f32>;
${isTurned ? '@group(0) @binding(3) var<storage, read> rotations: array<f32>;' : ''}
@group(0) @binding(${views}) var<storage, read> views: array<vec4f>;
@group(0) @binding(${views + 1}) var<storage, read> sums: array<vec4f>;
@group(0) @binding(${views + 2}) var<storage, read_write> gradMeans: array<f32>;
@group(0) @binding(${views + 3}) var<storage, read_write> gradScales: array<f32>;
${isTurned ? `@group(0) @binding(${views + 4}) var<storage, read_write> gradRotations: array<f32>;` : ''}
${GROUP_INDEX_WGSL}${viewWgsl(isTurned)}
${isTurned ? TURNED_BACKWARD : BALL_BACKWARD}
@compute @workgroup_size(${THREADS})
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = groupIndex(group, groups) * ${THREADS}u + thread;
  if (i >= camera.counts.x) { return; }
  let opacity = views[2u * i].z;
  if (opacity == 0.0) {
    for (var k = 0u; k < 3u; k++) { gradMeans[3u * i + k] = 0.0; }
    noShapeGradient(i);
    return;
  }
  let mean = meanOf(i);
  let z = inCamera(2u, mean).x;
  let view = viewOf(i, inCamera(0u, mean).x, inCamera(1u, mean).x, z);
  // Whitened, e = L d: dsigma/dmean = L^T e, and dL/dcov = -L^T E L / 2 with E the sum of dL/dsigma e e^T.
  let a = view.whitening.x;
  let slope = view.whitening.y;
  let b = view.whitening.z;
  let first = opacity * sums[2u * i];
  let second = opacity * sums[2u * i + 1u];
  let gradAt = -vec2f(a * first.y, b * first.z - a * slope * first.y);

  // With M = J A the axes on the image: dM = 2 dcov M, dJ = dM A^T, dA = J^T dM.
  let whiteX = a * (view.imageX - slope * view.imageY);
  let whiteY = b * view.imageY;
  let gradWhiteX = second.x * whiteX + second.y * whiteY;
  let gradWhiteY = second.y * whiteX + second.z * whiteY;
  let gradX = a * gradWhiteX;
  let gradY = b * gradWhiteY - slope * gradX;
  let depths = transpose(view.axes)[2];
  let gradTangent = -view.perZ * select(vec2f(0.0), vec2f(dot(gradX, depths), dot(gradY, depths)), view.isInside);
  let gradDepths = -view.perZ.x * view.tangent.x * gradX - view.perZ.y * view.tangent.y * gradY;
  let gradAxes = transpose(mat3x3f(view.perZ.x * gradX, view.perZ.y * gradY, gradDepths));

  let gradUv = camera.intrinsics.xy * gradAt + gradTangent;
  let gradInCamera = vec3f(
    gradUv / z,
    -dot(gradUv, view.mean.xy) / (z * z) - (dot(gradX, view.imageX) + dot(gradY, view.imageY)) / z,
  );
  let gradMean = mat3x3f(camera.rows[0].xyz, camera.rows[1].xyz, camera.rows[2].xyz) * gradInCamera;
  gradMeans[3u * i] = gradMean.x;
  gradMeans[3u * i + 1u] = gradMean.y;
  gradMeans[3u * i + 2u] = gradMean.z;
  shapeGradient(i, gradAxes);
}
`;
}

const BALL_BACKWARD = /* wgsl */ `
fn noShapeGradient(i: u32) { gradScales[i] = 0.0; }
fn shapeGradient(i: u32, gradAxes: mat3x3f) { gradScales[i] = gradAxes[0][0] + gradAxes[1][1] + gradAxes[2][2]; }
`;

// A = W R S: dS is the diagonal of (W R)^T dA, dR = W^T dA S.
const TURNED_BACKWARD = /* wgsl */ `
fn noShapeGradient(i: u32) {
  for (var k = 0u; k < 3u; k++) { gradScales[3u * i + k] = 0.0; }
  for (var k = 0u; k < 4u; k++) { gradRotations[4u * i + k] = 0.0; }
}
fn shapeGradient(i: u32, gradAxes: mat3x3f) {
  let scale = scaleOf(i);
  let given = quaternionOf(i);
  let q = normalize(given);
  let rotation = rotationOf(q);
  let inWorld = worldFromCamera() * gradAxes;
  for (var k = 0u; k < 3u; k++) { gradScales[3u * i + k] = dot(rotation[k], inWorld[k]); }
  // Columns: g[c][r] is the gradient of row r, column c.
  let g = mat3x3f(inWorld[0] * scale.x, inWorld[1] * scale.y, inWorld[2] * scale.z);
  let turn = vec3f(g[1][2] - g[2][1], g[2][0] - g[0][2], g[0][1] - g[1][0]);
  let mirror = vec3f(g[2][1] + g[1][2], g[0][2] + g[2][0], g[0][1] + g[1][0]);
  let v = q.yzw;
  let ofUnit = 2.0 * vec4f(
    dot(v, turn),
    q.x * turn.x + v.y * mirror.z + v.z * mirror.y - 2.0 * v.x * (g[1][1] + g[2][2]),
    q.x * turn.y + v.x * mirror.z + v.z * mirror.x - 2.0 * v.y * (g[0][0] + g[2][2]),
    q.x * turn.z + v.x * mirror.y + v.y * mirror.x - 2.0 * v.z * (g[0][0] + g[1][1]),
  );
  // The length does not matter, so the gradient has no part along the quaternion.
  let grad = (ofUnit - dot(ofUnit, q) * q) / length(given);
  for (var k = 0u; k < 4u; k++) { gradRotations[4u * i + k] = grad[k]; }
}
`;
