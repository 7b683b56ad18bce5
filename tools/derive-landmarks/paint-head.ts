// Just enough of a face for the landmark network: the embedded head with a plain skin, brows, lips, irises
// and hair, coloured by where a point lies on the mean head, lit by one soft light.

import { type Camera, vertexNormals } from '../../src/geometry/index.ts';
import { type HeadModel, JOINT_NAMES, PART_NAMES, vertexCount } from '../../src/head/index.ts';
import type { Rasteriser, VisibilityBuffer } from '../../src/kernels/index.ts';
import type { RgbImage } from '../../src/media/index.ts';

type Colour = readonly [number, number, number];

/** The colours of one subject, linear 0 to 1, and where the light comes from (world). */
export type Paint = {
  readonly skin: Colour;
  readonly hair: Colour;
  readonly iris: Colour;
  readonly light: Colour;
};

const LIPS: Colour = [0.62, 0.32, 0.3];
const CAVITY: Colour = [0.12, 0.03, 0.03];
const TEETH: Colour = [0.8, 0.78, 0.72];
const SCLERA: Colour = [0.82, 0.8, 0.78];
const BLACK: Colour = [0.02, 0.02, 0.02];
const BACKGROUND: Colour = [0.35, 0.38, 0.42];

/** Half angles of pupil and iris on the eyeball, radians. */
const PUPIL = 0.16;
const IRIS = 0.4;
const AMBIENT = 0.45;

const PART = Object.fromEntries(PART_NAMES.map((name, i) => [name, i])) as Record<
  (typeof PART_NAMES)[number],
  number
>;

/** A picture of a posed head, and what every pixel of it shows. */
export function paintHead(
  rasteriser: Rasteriser,
  head: HeadModel,
  vertices: Float32Array,
  camera: Camera,
  paint: Paint,
): { readonly image: RgbImage; readonly buffer: VisibilityBuffer } {
  const buffer = rasteriser.rasterise({ camera, vertices, triangles: head.triangles });
  const normals = vertexNormals(vertices, head.triangles);
  const values = new Float32Array(vertexCount(head) * 6);
  for (let v = 0; v < vertexCount(head); v++) {
    values.set(head.template.subarray(3 * v, 3 * v + 3), 6 * v);
    values.set(normals.subarray(3 * v, 3 * v + 3), 6 * v + 3);
  }
  const seen = rasteriser.interpolate(buffer, { triangles: head.triangles, values, channels: 6 });
  const eyes = eyeCentres(head);
  const data = new Uint8Array(3 * camera.width * camera.height);
  const length = Math.hypot(...paint.light);
  for (let pixel = 0; pixel < buffer.triangleIds.length; pixel++) {
    const triangle = buffer.triangleIds[pixel]!;
    const part = head.triangleParts[triangle];
    const at = seen.subarray(6 * pixel, 6 * pixel + 6);
    const colour = part === undefined ? BACKGROUND : colourAt(part, at, eyes, paint);
    const norm = Math.hypot(at[3]!, at[4]!, at[5]!) || 1;
    const facing =
      (at[3]! * paint.light[0] + at[4]! * paint.light[1] + at[5]! * paint.light[2]) / (norm * length);
    const shade = part === undefined ? 1 : AMBIENT + (1 - AMBIENT) * Math.max(0, 0.3 + 0.7 * facing);
    for (let k = 0; k < 3; k++) data[3 * pixel + k] = 255 * Math.min(1, colour[k]! * shade) ** (1 / 2.2);
  }
  return { image: { width: camera.width, height: camera.height, data }, buffer };
}

/** Rest positions of the left and the right eyeball's centre on the mean head. */
function eyeCentres(head: HeadModel): { readonly left: Float64Array; readonly right: Float64Array } {
  const count = vertexCount(head);
  const at = (joint: number): Float64Array => {
    const centre = new Float64Array(3);
    for (let v = 0; v < count; v++) {
      const weight = head.jointRegressor[joint * count + v]!;
      for (let axis = 0; axis < 3; axis++) centre[axis]! += weight * head.template[3 * v + axis]!;
    }
    return centre;
  };
  return { left: at(JOINT_NAMES.indexOf('leftEye')), right: at(JOINT_NAMES.indexOf('rightEye')) };
}

function colourAt(
  part: number,
  at: Float32Array,
  eyes: { readonly left: Float64Array; readonly right: Float64Array },
  paint: Paint,
): Colour {
  const [x, y, z] = [at[0]!, at[1]!, at[2]!];
  if (part === PART.leftEyeball || part === PART.rightEyeball) {
    const centre = part === PART.leftEyeball ? eyes.left : eyes.right;
    const angle = Math.acos((z - centre[2]!) / Math.hypot(x - centre[0]!, y - centre[1]!, z - centre[2]!));
    return angle < PUPIL ? BLACK : angle < IRIS ? paint.iris : SCLERA;
  }
  if (part === PART.lips) return mix(paint.skin, LIPS, 0.7);
  if (part === PART.mouthCavity) return CAVITY;
  if (part === PART.upperTeeth || part === PART.lowerTeeth) return TEETH;
  if (part === PART.tongue) return LIPS;
  if (part === PART.lashes) return paint.hair;
  const eye = x > 0 ? eyes.left : eyes.right;
  return isHair(x, y - eye[1]!, z, eye) ? paint.hair : mix(paint.skin, paint.hair, browAt(x, y, eye));
}

/** A cap above the forehead's hairline and behind the ears. */
function isHair(x: number, aboveEye: number, z: number, eye: Float64Array): boolean {
  const hairline = 0.072 - 1.5 * Math.abs(x) ** 1.6;
  return aboveEye > hairline && (aboveEye > 0.055 || z < eye[2]! - 0.045);
}

/** How much brow there is, 0 to 0.9: an arc above each eye, thinner outwards. */
function browAt(x: number, y: number, eye: Float64Array): number {
  const outwards = (Math.abs(x) - Math.abs(eye[0]!)) / 0.02;
  const centre = eye[1]! + 0.0178 - 0.0022 * outwards ** 2 + 0.0022 * outwards;
  const thickness = 0.0042 - 0.001 * outwards;
  if (outwards < -1.05 || outwards > 1.3) return 0;
  const distance = Math.abs(y - centre) / thickness;
  return distance < 1 ? 0.9 * (1 - distance * distance) : 0;
}

const mix = (a: Colour, b: Colour, share: number): Colour => [
  a[0] + share * (b[0] - a[0]),
  a[1] + share * (b[1] - a[1]),
  a[2] + share * (b[2] - a[2]),
];
