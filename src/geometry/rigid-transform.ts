// Rotations and rigid transforms in float64, row-major. Names read target-from-source:
// pointInCamera = cameraFromWorld.rotation * pointInWorld + cameraFromWorld.translation.

/** A 3 x 3 row-major rotation matrix, nine values. */
export type Rotation = Readonly<ArrayLike<number>>;

/** Three values: metres for points and translations, radians for axis-angle vectors. */
export type Vector3 = Readonly<ArrayLike<number>>;

/** Maps source coordinates to target coordinates: rotate, then translate (metres). */
export type RigidTransform = {
  readonly rotation: Rotation;
  readonly translation: Vector3;
};

/** The transform that changes nothing. */
export const IDENTITY_TRANSFORM: RigidTransform = {
  rotation: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  translation: [0, 0, 0],
};

/** The rotation of an axis-angle vector (radians), by Rodrigues' formula. */
export function rotationFromAxisAngle(axisAngle: Vector3): Float64Array {
  const [x, y, z] = [axisAngle[0]!, axisAngle[1]!, axisAngle[2]!];
  const angleSquared = x * x + y * y + z * z;
  const angle = Math.sqrt(angleSquared);
  // sin(a)/a and (1-cos(a))/a^2, by their series where the quotients lose digits.
  const a = angle < 1e-4 ? 1 - angleSquared / 6 : Math.sin(angle) / angle;
  const b = angle < 1e-4 ? 0.5 - angleSquared / 24 : (1 - Math.cos(angle)) / angleSquared;
  return Float64Array.of(
    1 - b * (y * y + z * z),
    b * x * y - a * z,
    b * x * z + a * y,
    b * x * y + a * z,
    1 - b * (x * x + z * z),
    b * y * z - a * x,
    b * x * z - a * y,
    b * y * z + a * x,
    1 - b * (x * x + y * y),
  );
}

/** The axis-angle vector (radians, angle in [0, pi]) of a rotation. */
export function axisAngleFromRotation(rotation: Rotation): Float64Array {
  const r = rotation;
  const cosine = Math.min(1, Math.max(-1, (r[0]! + r[4]! + r[8]! - 1) / 2));
  const angle = Math.acos(cosine);
  const vector = Float64Array.of(r[7]! - r[5]!, r[2]! - r[6]!, r[3]! - r[1]!);
  if (angle < 1e-6) return vector.map((v) => v / 2);
  if (angle < Math.PI - 1e-4) return vector.map((v) => (v * angle) / (2 * Math.sin(angle)));
  // Near half a turn the axis comes from the symmetric part: R + I = 2 a a^T.
  const largest = r[0]! >= r[4]! && r[0]! >= r[8]! ? 0 : r[4]! >= r[8]! ? 1 : 2;
  const column = [0, 1, 2].map((i) => r[3 * i + largest]! + (i === largest ? 1 : 0));
  const sign = (vector[largest] ?? 0) < 0 ? -1 : 1;
  const norm = Math.hypot(...column) * sign;
  return Float64Array.from(column, (v) => (v / norm) * angle);
}

/** The product `a b` of two rotations. */
export function multiplyRotations(a: Rotation, b: Rotation): Float64Array {
  const product = new Float64Array(9);
  for (let i = 0; i < 3; i++) {
    for (let j = 0; j < 3; j++) {
      product[3 * i + j] = a[3 * i]! * b[j]! + a[3 * i + 1]! * b[3 + j]! + a[3 * i + 2]! * b[6 + j]!;
    }
  }
  return product;
}

/** The transposed, hence inverse, rotation. */
export function invertRotation(r: Rotation): Float64Array {
  return Float64Array.of(r[0]!, r[3]!, r[6]!, r[1]!, r[4]!, r[7]!, r[2]!, r[5]!, r[8]!);
}

/** The angle of the rotation from `a` to `b`, radians, 0 to pi. */
export function rotationAngle(a: Rotation, b: Rotation): number {
  // The trace of b a^-1.
  let trace = 0;
  for (let k = 0; k < 9; k++) trace += a[k]! * b[k]!;
  return Math.acos(Math.min(1, Math.max(-1, (trace - 1) / 2)));
}

/** `rotation * vector`. */
export function rotate(rotation: Rotation, vector: Vector3): Float64Array {
  const [x, y, z] = [vector[0]!, vector[1]!, vector[2]!];
  const r = rotation;
  return Float64Array.of(
    r[0]! * x + r[1]! * y + r[2]! * z,
    r[3]! * x + r[4]! * y + r[5]! * z,
    r[6]! * x + r[7]! * y + r[8]! * z,
  );
}

/** The transform `a after b`: targetFromMiddle, middleFromSource -> targetFromSource. */
export function composeTransforms(a: RigidTransform, b: RigidTransform): RigidTransform {
  const moved = rotate(a.rotation, b.translation);
  return {
    rotation: multiplyRotations(a.rotation, b.rotation),
    translation: moved.map((value, i) => value + a.translation[i]!),
  };
}

/** The transform back: sourceFromTarget. */
export function invertTransform({ rotation, translation }: RigidTransform): RigidTransform {
  const inverse = invertRotation(rotation);
  return { rotation: inverse, translation: rotate(inverse, translation).map((value) => -value) };
}

/** `transform` applied to a point. */
export function transformPoint({ rotation, translation }: RigidTransform, point: Vector3): Float64Array {
  return rotate(rotation, point).map((value, i) => value + translation[i]!);
}
