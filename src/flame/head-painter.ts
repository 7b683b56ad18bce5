// Small plain pictures of a head, lit from the upper left: enough to see whether identities, expressions and joints
// do what they should.

import { frontCamera, projectPoint, vertexNormals } from '../geometry/index.ts';
import {
  createHeadPoser,
  type HeadModel,
  type HeadParameters,
  JOINT_NAMES,
  neutralParameters,
  PART_NAMES,
  type PartName,
  vertexCount,
} from '../head/index.ts';
import { createRasteriser, NO_TRIANGLE } from '../kernels/index.ts';
import { type RgbColour, type RgbImage, resizeImage, solidImage } from '../media/index.ts';

/** Paints one head again and again. */
export type HeadPainter = {
  readonly sizePx: number;
  /** The head with some of its neutral parameters replaced, eyes in the picture's middle. */
  paint(changes: Partial<HeadParameters>): RgbImage;
  /** The neutral head with its landmarks; `colourOf` gives null for those to leave out. */
  paintLandmarks(colourOf: (landmark: number) => RgbColour | null): RgbImage;
};

export const PART_COLOURS: Readonly<Record<PartName, RgbColour>> = {
  skin: [214, 172, 150],
  lips: [196, 120, 112],
  mouthCavity: [110, 40, 44],
  leftEyeball: [238, 236, 232],
  rightEyeball: [238, 236, 232],
  lashes: [40, 30, 30],
  upperTeeth: [240, 234, 220],
  lowerTeeth: [232, 226, 210],
  tongue: [196, 96, 98],
};
const [IRIS, PUPIL, BACKGROUND] = [
  [86, 110, 126],
  [12, 12, 14],
  [92, 92, 92],
] as const;
const [IRIS_METRES, PUPIL_METRES] = [0.0059, 0.0022];
const OVERSAMPLING = 2;
const DISTANCE_METRES = 0.75;
const FOCAL_PER_SIZE = 2.7;
const EYES = [
  ['leftEyeball', 3],
  ['rightEyeball', 4],
] as const;

/** Prepares pictures of `sizePx` x `sizePx` pixels. */
export function createHeadPainter(head: HeadModel, sizePx: number): HeadPainter {
  const poser = createHeadPoser(head);
  const rasteriser = createRasteriser();
  const neutral = neutralParameters(head);
  const joints = poser.joints(neutral);
  const large = sizePx * OVERSAMPLING;
  const camera = frontCamera(large, large, FOCAL_PER_SIZE * large);
  const middle = [0, 1, 2].map((k) => (joints[9 + k]! + joints[12 + k]!) / 2);
  // Lashes need their alpha texture; as solid cards they would only hide the lids.
  const drawn = [...head.triangleParts.keys()].filter((t) => partOf(head, t) !== 'lashes');
  const triangles = Uint32Array.from(drawn.flatMap((t) => [...head.triangles.subarray(3 * t, 3 * t + 3)]));
  const placed = (changes: Partial<HeadParameters>): Float32Array =>
    poser.pose({
      ...neutral,
      ...changes,
      translation: Float32Array.of(-middle[0]!, 0.005 - middle[1]!, -DISTANCE_METRES - middle[2]!),
    });

  const render = (vertices: Float32Array): RgbImage => {
    const buffer = rasteriser.rasterise({ camera, vertices, triangles });
    const normals = vertexNormals(vertices, triangles);
    const values = new Float32Array(6 * vertexCount(head));
    for (let v = 0; v < vertexCount(head); v++) {
      values.set(normals.subarray(3 * v, 3 * v + 3), 6 * v);
      values.set(head.template.subarray(3 * v, 3 * v + 3), 6 * v + 3);
    }
    const seen = rasteriser.interpolate(buffer, { triangles, values, channels: 6 });
    const image = solidImage(large, large, BACKGROUND);
    for (let pixel = 0; pixel < large * large; pixel++) {
      const row = buffer.triangleIds[pixel]!;
      if (row === NO_TRIANGLE) continue;
      const at = 6 * pixel;
      const length = Math.hypot(seen[at]!, seen[at + 1]!, seen[at + 2]!) || 1;
      const [x, y, z] = [seen[at]! / length, seen[at + 1]! / length, seen[at + 2]! / length];
      const light = 0.32 + 0.6 * Math.max(0, -0.35 * x + 0.4 * y + 0.85 * z) + 0.12 * Math.max(0, z);
      const colour = colourAt(partOf(head, drawn[row]!), seen.subarray(at + 3, at + 6), joints);
      for (let c = 0; c < 3; c++) image.data[3 * pixel + c] = Math.min(255, colour[c]! * light);
    }
    return resizeImage(image, sizePx, sizePx);
  };

  return {
    sizePx,
    paint: (changes) => render(placed(changes)),
    paintLandmarks(colourOf) {
      const vertices = placed({});
      const image = render(vertices);
      const { landmarks } = head;
      for (let l = 0; l < (landmarks?.triangles.length ?? 0); l++) {
        const colour = colourOf(l);
        if (colour === null) continue;
        const corners = [0, 1, 2].map((c) => head.triangles[3 * landmarks!.triangles[l]! + c]!);
        const point = [0, 1, 2].map((k) =>
          corners.reduce((sum, v, c) => sum + landmarks!.barycentrics[3 * l + c]! * vertices[3 * v + k]!, 0),
        );
        const [x, y] = projectPoint(camera, point);
        drawDot(image, x / OVERSAMPLING, y / OVERSAMPLING, colour);
      }
      return image;
    },
  };
}

/** Rotations with some joints turned, axis-angle in radians. */
export function turnedJoints(
  turns: Partial<Record<(typeof JOINT_NAMES)[number], readonly [number, number, number]>>,
): Pick<HeadParameters, 'jointRotations'> {
  const jointRotations = new Float32Array(3 * JOINT_NAMES.length);
  for (const [joint, turn] of JOINT_NAMES.map((name) => turns[name]).entries()) {
    if (turn) jointRotations.set(turn, 3 * joint);
  }
  return { jointRotations };
}

function partOf(head: HeadModel, triangle: number): PartName {
  return PART_NAMES[head.triangleParts[triangle]!]!;
}

/** Irises lie where the eyeball at rest faces forward, whatever its texture. */
function colourAt(part: PartName, rest: Float32Array, joints: Float32Array): readonly number[] {
  const eye = EYES.find(([name]) => name === part);
  if (eye === undefined) return PART_COLOURS[part];
  const at = 3 * eye[1];
  const aside = Math.hypot(rest[0]! - joints[at]!, rest[1]! - joints[at + 1]!);
  if (rest[2]! < joints[at + 2]! || aside > IRIS_METRES) return PART_COLOURS[part];
  return aside < PUPIL_METRES ? PUPIL : IRIS;
}

function drawDot(image: RgbImage, x: number, y: number, colour: RgbColour): void {
  for (const [dx, dy] of [
    [0, 0],
    [1, 0],
    [0, 1],
    [1, 1],
  ] as const) {
    const [px, py] = [Math.floor(x) + dx, Math.floor(y) + dy];
    if (px < 0 || py < 0 || px >= image.width || py >= image.height) continue;
    image.data.set(colour, 3 * (py * image.width + px));
  }
}
