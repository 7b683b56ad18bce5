// The 478 landmarks of one face: MediaPipe's mesh with attention (468 points of the face, with lips and eyes
// refined, and 5 of each iris), run on a region of the picture.
// Source: Grishchenko et al., "Attention Mesh: High-fidelity Face Mesh Prediction in Real-time", 2020.

import type { RgbImage } from '../media/index.ts';
import { warpAffine } from '../media/index.ts';
import type { Device } from '../tensor/index.ts';
import type { ExpressionReader } from './expression-network.ts';
import { eyePatches } from './eye-patch.ts';
import { type FaceRegion, regionMap } from './face-region.ts';

/** The number of landmarks: 468 of the mesh, 5 of the subject's right iris, 5 of the left. */
export const LANDMARK_COUNT = 478;

/** What the network says of one region. */
export type FaceLandmarks = {
  /** `478 2`, pixels of the picture. */
  readonly landmarksPx: Float32Array;
  /** 0 to 1: whether there is a face at all. */
  readonly presence: number;
  /** Both eyes as small pictures, as `eyePatches` gives them. */
  readonly eyes: Uint8Array;
  /** What an `ExpressionReader` reads from the face's picture, where there is one. */
  readonly reading?: Float32Array;
};

/** Finds landmarks. Owns a session: dispose of it, or hold it with `await using`. */
export type LandmarkNetwork = {
  locate(image: RgbImage, region: FaceRegion): Promise<FaceLandmarks>;
  [Symbol.asyncDispose](): Promise<void>;
};

const INPUT_SIZE = 192;

/** Loads the network; `model` is `models/perception/face-landmarks.onnx`. */
export async function createLandmarkNetwork(device: Device, model: Uint8Array): Promise<LandmarkNetwork> {
  const session = await device.createSession(model);
  return {
    async locate(image, region) {
      const sourceFromTarget = regionMap(region, INPUT_SIZE);
      const size = { width: INPUT_SIZE, height: INPUT_SIZE };
      const planar = warpAffine(image, { sourceFromTarget, ...size, range: [0, 1] });
      const { landmarks, presence } = await session.run({
        image: { ...planar, shape: [1, ...planar.shape] },
      });
      const points = landmarks!.data as Float32Array;
      const [a, b, c, d, e, f] = sourceFromTarget;
      const landmarksPx = new Float32Array(2 * LANDMARK_COUNT);
      for (let i = 0; i < LANDMARK_COUNT; i++) {
        const [x, y] = [points[2 * i]!, points[2 * i + 1]!];
        landmarksPx[2 * i] = a * x + b * y + c;
        landmarksPx[2 * i + 1] = d * x + e * y + f;
      }
      const eyes = eyePatches(image, landmarksPx);
      return { landmarksPx, presence: (presence!.data as Float32Array)[0]!, eyes };
    },
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  };
}

/** The same network; what it finds is also read. Disposes of both. */
export function withReadings(network: LandmarkNetwork, reader: ExpressionReader): LandmarkNetwork {
  return {
    async locate(image, region) {
      const found = await network.locate(image, region);
      return { ...found, reading: await reader.read(image, found.landmarksPx) };
    },
    async [Symbol.asyncDispose]() {
      await network[Symbol.asyncDispose]();
      await reader[Symbol.asyncDispose]();
    },
  };
}
