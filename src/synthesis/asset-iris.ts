// Irises from MakeHuman's eye pictures: the light and dark of their fibres, without their colours, which are
// made for another way of shading; subjects keep their own.

import { linearFromByte, sampleBilinear, type TexturePicture } from './asset-skin.ts';

// Where the left iris lies in MakeHuman's eye pictures (v down), measured on the nine that it ships.
const CENTRE = { u: 0.7067, v: 0.2953 };
const RADIUS = 0.113;
const PUPIL_SHARE = 0.29;
const [RINGS, SPOKES] = [24, 96];

/** An iris around its pupil, plain data: lightness over the mean of its ring. */
export type AssetIris = {
  readonly name: string;
  /** `RINGS SPOKES`: rings from the pupil's edge outwards, spokes counter-clockwise. */
  readonly lightness: Float32Array;
};

/** Cuts the iris out of an eye picture. */
export function cutIris(picture: TexturePicture, name: string): AssetIris {
  const lightness = new Float32Array(RINGS * SPOKES);
  const texel = new Float32Array(3);
  let sum = 0;
  for (let ring = 0; ring < RINGS; ring++) {
    const radius = RADIUS * (PUPIL_SHARE + ((ring + 0.5) / RINGS) * (1 - PUPIL_SHARE));
    for (let spoke = 0; spoke < SPOKES; spoke++) {
      const angle = (2 * Math.PI * spoke) / SPOKES;
      sampleBilinear(
        picture,
        CENTRE.u + radius * Math.cos(angle),
        CENTRE.v - radius * Math.sin(angle),
        texel,
      );
      const value = linearFromByte(0.3 * texel[0]! + 0.5 * texel[1]! + 0.2 * texel[2]!);
      lightness[ring * SPOKES + spoke] = value;
      sum += value;
    }
  }
  const mean = Math.max(1e-4, sum / lightness.length);
  return { name, lightness: lightness.map((value) => value / mean) };
}

/** Lightness of an iris at an angle (radians), `share` of the way from the pupil's edge to the rim. */
export function irisLightness({ lightness }: AssetIris, angle: number, share: number): number {
  const turn = angle / (2 * Math.PI);
  const spoke = (turn - Math.floor(turn)) * SPOKES;
  const ring = Math.min(RINGS - 1.001, Math.max(0, share * RINGS - 0.5));
  const [s0, r0] = [Math.floor(spoke) % SPOKES, Math.floor(ring)];
  const s1 = (s0 + 1) % SPOKES;
  const [fs, fr] = [spoke - Math.floor(spoke), ring - r0];
  const at = (r: number): number => {
    const left = lightness[r * SPOKES + s0]!;
    return left + fs * (lightness[r * SPOKES + s1]! - left);
  };
  return at(r0) + fr * (at(r0 + 1) - at(r0));
}
