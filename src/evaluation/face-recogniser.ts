// Networks that recognise faces in ArcFace's form, from a user's file: a face of 112 x 112 pixels whose eyes, nose and
// mouth lie where all such networks are trained to have them, to a vector.
// Source of the five places: the alignment of InsightFace (facts of those networks).

import { BadInputError } from '../errors/index.ts';
import { type AffineMap, type RgbImage, warpAffine } from '../media/index.ts';
import type { Device } from '../tensor/index.ts';
import type { FaceDescriptor } from '../tracking/index.ts';

const INPUT_SIZE = 112;
/** Right eye, left eye (the subject's), tip of the nose, right and left corner of the mouth, in the square. */
const PLACES = [
  [38.2946, 51.6963],
  [73.5318, 51.5014],
  [56.0252, 71.7366],
  [41.5493, 92.3655],
  [70.7299, 92.2041],
] as const;
/** The same of the 478 landmarks. */
const LANDMARKS = [468, 473, 1, 61, 291] as const;

/**
 * Opens a recogniser: `1 3 112 112`, RGB in [-1, 1], to one vector.
 * @param name what to call the file in errors
 * @throws BadInputError `face-network` if the model takes or answers anything else.
 */
export async function openFaceRecogniser(
  device: Device,
  model: Uint8Array,
  name: string,
): Promise<FaceDescriptor> {
  const session = await device.createSession(model);
  const reject = (problem: string, cause?: unknown): BadInputError =>
    new BadInputError({
      code: 'face-network',
      message: `Expected an ArcFace model, a face of 3 x ${INPUT_SIZE} x ${INPUT_SIZE} to one vector, but ${name} ${problem}.`,
      hint: 'Export it with the channels first and a batch of one.',
      cause,
    });
  const describe = async (image: RgbImage, sourceFromTarget: AffineMap): Promise<Float32Array> => {
    const size = { width: INPUT_SIZE, height: INPUT_SIZE };
    const planar = warpAffine(image, { sourceFromTarget, ...size });
    const answer = await session.run({
      [session.inputNames[0]!]: { ...planar, shape: [1, ...planar.shape] },
    });
    const values = Float32Array.from(answer[session.outputNames[0]!]!.data as Float32Array);
    const length = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
    return values.map((value) => value / length);
  };
  try {
    if (session.inputNames.length !== 1) throw reject(`has ${session.inputNames.length} inputs`);
    const grey = new Uint8Array(3 * INPUT_SIZE ** 2).fill(128);
    const probe = { width: INPUT_SIZE, height: INPUT_SIZE, data: grey };
    const { length } = await describe(probe, [1, 0, 0, 0, 1, 0]).catch((cause) => {
      throw reject('refuses such a face', cause);
    });
    if (length < 2) throw reject(`answers ${length} values`);
  } catch (error) {
    await session[Symbol.asyncDispose]();
    throw error;
  }
  return {
    describe: (image, landmarksPx) => describe(image, faceMap(landmarksPx)),
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  };
}

/** The similarity that brings the five places onto the face's, by least squares over complex numbers. */
export function faceMap(landmarksPx: ArrayLike<number>): AffineMap {
  const points = LANDMARKS.map((index) => [landmarksPx[2 * index]!, landmarksPx[2 * index + 1]!] as const);
  const mean = (list: readonly (readonly [number, number])[], axis: 0 | 1): number =>
    list.reduce((sum, point) => sum + point[axis], 0) / list.length;
  const [px, py, tx, ty] = [mean(points, 0), mean(points, 1), mean(PLACES, 0), mean(PLACES, 1)];
  let [real, imaginary, squares] = [0, 0, 0];
  for (const [i, [x, y]] of points.entries()) {
    const [u, v] = [PLACES[i]![0] - tx, PLACES[i]![1] - ty];
    real += u * (x - px) + v * (y - py);
    imaginary += u * (y - py) - v * (x - px);
    squares += u * u + v * v;
  }
  const [a, b] = [real / squares, imaginary / squares];
  return [a, -b, px - a * tx + b * ty, b, a, py - b * tx - a * ty];
}
