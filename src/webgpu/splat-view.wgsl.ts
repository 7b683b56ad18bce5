// What the kernels over Gaussians share: the camera, and a Gaussian as the camera sees it.
//
// The mean's place and depth are summed in pairs of floats (Dekker, "A floating-point technique for extending
// the available precision", 1971), so that depths are those of float64 rounded to float32: Gaussians that lie
// close behind one another come in the reference's order. Factors are split into halves of 12 bits whose
// products are exact, so a compiler that fuses a product with a sum changes nothing.

import { FIELD_MARGIN, LOW_PASS_PX2 } from '../kernels/index.ts';

/** Bytes of the uniform `camera`. */
export const CAMERA_BYTES = 176;

/** The uniform `camera`, binding 0 of every kernel of the splatting. */
export const CAMERA_WGSL: string = /* wgsl */ `
struct Camera {
  rows: array<vec4f, 3>,       // rotation and translation to camera axes
  rowsLow: array<vec4f, 3>,    // what float32 left of them
  intrinsics: vec4f,           // focal lengths x y, centre x y, pixels
  intrinsicsLow: vec4f,
  tangents: vec4f,             // least and most x/z, least and most y/z of the Jacobian
  size: vec4u,                 // width, height, tiles across, tiles down
  counts: vec4u,               // Gaussians, most pairs
}
@group(0) @binding(0) var<uniform> camera: Camera;
`;

/** Numbers of a camera (rotation 9, translation 3, focal lengths 2, centre 2) as the uniform's bytes. */
export function packCamera(
  { width, height, camera }: { width: number; height: number; camera: Float64Array },
  { count, tilesX, tilesY, capacity }: { count: number; tilesX: number; tilesY: number; capacity: number },
): ArrayBuffer {
  const bytes = new ArrayBuffer(CAMERA_BYTES);
  const floats = new Float32Array(bytes);
  const put = (at: number, lowAt: number, value: number): void => {
    floats[at] = value;
    floats[lowAt] = value - Math.fround(value);
  };
  for (let row = 0; row < 3; row++) {
    for (let column = 0; column < 3; column++) {
      put(row * 4 + column, 12 + row * 4 + column, camera[row * 3 + column]!);
    }
    put(row * 4 + 3, 12 + row * 4 + 3, camera[9 + row]!);
  }
  for (let i = 0; i < 4; i++) put(24 + i, 28 + i, camera[12 + i]!);
  const [focalX, focalY, centreX, centreY] = camera.subarray(12) as unknown as [
    number,
    number,
    number,
    number,
  ];
  const [marginX, marginY] = [(FIELD_MARGIN * 0.5 * width) / focalX, (FIELD_MARGIN * 0.5 * height) / focalY];
  floats[32] = -centreX / focalX - marginX;
  floats[33] = (width - centreX) / focalX + marginX;
  floats[34] = -centreY / focalY - marginY;
  floats[35] = (height - centreY) / focalY + marginY;
  new Uint32Array(bytes).set([width, height, tilesX, tilesY, count, capacity], 36);
  return bytes;
}

/**
 * A Gaussian's mean and axes in the camera, and its covariance on the image. Reads camera, means, scales and,
 * for ellipsoids, rotations.
 */
export function viewWgsl(isTurned: boolean): string {
  return /* wgsl */ `
fn upperHalf(a: f32) -> f32 { return bitcast<f32>(bitcast<u32>(a) & 0xfffff000u); }
fn plus(sum: vec2f, term: f32) -> vec2f {
  let total = sum.x + term;
  let added = total - sum.x;
  return vec2f(total, sum.y + ((sum.x - (total - added)) + (term - added)));
}
fn plusProduct(sum: vec2f, a: f32, b: f32) -> vec2f {
  let a1 = upperHalf(a);
  let a2 = a - a1;
  let b1 = upperHalf(b);
  let b2 = b - b1;
  return plus(plus(plus(plus(sum, a1 * b1), a1 * b2), a2 * b1), a2 * b2);
}
fn meanOf(i: u32) -> vec3f { return vec3f(means[3u * i], means[3u * i + 1u], means[3u * i + 2u]); }
fn inCamera(row: u32, mean: vec3f) -> vec2f {
  let high = camera.rows[row];
  let low = camera.rowsLow[row];
  var sum = vec2f(high.w, low.w);
  sum = plusProduct(sum, high.x, mean.x);
  sum = plusProduct(sum, high.y, mean.y);
  sum = plusProduct(sum, high.z, mean.z);
  return plus(vec2f(sum.x, 0.0), sum.y + dot(low.xyz, mean));
}
// The mean on the image along one axis: focal * a / z + centre, and what float32 leaves of it.
fn onImage(axis: u32, a: vec2f, z: vec2f) -> vec2f {
  let quotient = a.x / z.x;
  var rest = plusProduct(a, -quotient, z.x);
  let small = (rest.x + (rest.y - quotient * z.y)) / z.x;
  let focal = camera.intrinsics[axis];
  var place = vec2f(camera.intrinsics[2u + axis], camera.intrinsicsLow[2u + axis]);
  place = plusProduct(place, focal, quotient);
  return plus(vec2f(place.x, 0.0), place.y + focal * small + camera.intrinsicsLow[axis] * quotient);
}

// Columns are the Gaussian's axes in the camera, one standard deviation long.
${isTurned ? TURNED_AXES : BALL_AXES}

struct View {
  mean: vec3f,
  axes: mat3x3f,
  tangent: vec2f,
  isInside: vec2<bool>, // whether the tangent is the mean's own
  perZ: vec2f,          // focal length / z
  imageX: vec3f,        // the axes on the image, pixels
  imageY: vec3f,
  variances: vec2f,     // of x and y, with the low-pass
  determinant: f32,     // of the covariance with the low-pass
  whitening: vec3f,     // a, s, b: sigma = (a (dx - s dy))^2 / 2 + (b dy)^2 / 2
}
fn viewOf(i: u32, x: f32, y: f32, z: f32) -> View {
  var view: View;
  view.mean = vec3f(x, y, z);
  view.axes = axesOf(i);
  let own = vec2f(x / z, y / z);
  view.tangent = clamp(own, camera.tangents.xz, camera.tangents.yw);
  view.isInside = own == view.tangent;
  view.perZ = camera.intrinsics.xy / z;
  let rows = transpose(view.axes);
  view.imageX = view.perZ.x * (rows[0] - view.tangent.x * rows[2]);
  view.imageY = view.perZ.y * (rows[1] - view.tangent.y * rows[2]);
  let xx = dot(view.imageX, view.imageX);
  let xy = dot(view.imageX, view.imageY);
  let yy = dot(view.imageY, view.imageY);
  view.variances = vec2f(xx, yy) + ${LOW_PASS_PX2};
  // Three terms above zero: xx * yy - xy * xy would cancel for a needle.
  let area = cross(view.imageX, view.imageY);
  view.determinant = dot(area, area) + ${LOW_PASS_PX2} * (xx + yy) + ${LOW_PASS_PX2 ** 2};
  // The factors of the inverse: its quadratic form, too, would cancel along a needle.
  let variance = view.variances.y;
  view.whitening = vec3f(sqrt(variance / view.determinant), xy / variance, inverseSqrt(variance));
  return view;
}
`;
}

const BALL_AXES = /* wgsl */ `
fn axesOf(i: u32) -> mat3x3f {
  let s = scales[i];
  return mat3x3f(s, 0.0, 0.0, 0.0, s, 0.0, 0.0, 0.0, s);
}`;

const TURNED_AXES = /* wgsl */ `
fn scaleOf(i: u32) -> vec3f { return vec3f(scales[3u * i], scales[3u * i + 1u], scales[3u * i + 2u]); }
fn quaternionOf(i: u32) -> vec4f {
  return vec4f(rotations[4u * i], rotations[4u * i + 1u], rotations[4u * i + 2u], rotations[4u * i + 3u]);
}
fn worldFromCamera() -> mat3x3f { return mat3x3f(camera.rows[0].xyz, camera.rows[1].xyz, camera.rows[2].xyz); }
// Components w x y z, a unit quaternion.
fn rotationOf(q: vec4f) -> mat3x3f {
  let w = q.x;
  let x = q.y;
  let y = q.z;
  let z = q.w;
  return mat3x3f(
    1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y + w * z), 2.0 * (x * z - w * y),
    2.0 * (x * y - w * z), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z + w * x),
    2.0 * (x * z + w * y), 2.0 * (y * z - w * x), 1.0 - 2.0 * (x * x + y * y),
  );
}
fn axesOf(i: u32) -> mat3x3f {
  let s = scaleOf(i);
  let turned = transpose(worldFromCamera()) * rotationOf(normalize(quaternionOf(i)));
  return mat3x3f(turned[0] * s.x, turned[1] * s.y, turned[2] * s.z);
}`;
