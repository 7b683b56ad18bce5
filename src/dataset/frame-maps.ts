// Maps of a frame as numbers, and as the values of the pictures that store them. Normals: 128 + 127 n in red, green and
// blue. Depth: 16 bits of a tenth of a millimetre each. 128 and 0 stand for nothing.

import type { GreyMapName } from './clip-info.ts';

/** The maps of a frame that were asked for and that its clip has. */
export type FrameMaps = Partial<
  Readonly<Record<GreyMapName, Uint8Array>> & {
    /** `H W 3`, unit vectors in the camera's axes (x right, y down, z forward); 0 where nothing is. */
    readonly normals: Float32Array;
    /** `H W`, metres along the camera's axis; 0 where nothing is. */
    readonly depth: Float32Array;
  }
>;

const [NORMAL_ZERO, NORMAL_SCALE] = [128, 127];
/** The farthest depth that fits is 6.55 m. */
const DEPTH_UNIT_METRES = 1e-4;
const MAX_DEPTH = 65535;

/** `H W 3` bytes of normals. */
export function normalPicture(normals: Float32Array): Uint8Array {
  return Uint8Array.from(normals, (value) => Math.round(NORMAL_ZERO + NORMAL_SCALE * value));
}

/** Unit normals of a picture's bytes, and zeros. */
export function normalsOf(picture: Uint8Array): Float32Array {
  const normals = Float32Array.from(picture, (value) => (value - NORMAL_ZERO) / NORMAL_SCALE);
  for (let at = 0; at < normals.length; at += 3) {
    const length = Math.hypot(normals[at]!, normals[at + 1]!, normals[at + 2]!);
    for (let k = at; length > 0 && k < at + 3; k++) normals[k]! /= length;
  }
  return normals;
}

/** `H W` numbers of 16 bits of depths. */
export function depthPicture(depths: Float32Array): Uint16Array {
  return Uint16Array.from(depths, (metres) => Math.min(MAX_DEPTH, Math.round(metres / DEPTH_UNIT_METRES)));
}

/** Depths of a picture's numbers, metres. */
export function depthsOf(picture: Uint16Array): Float32Array {
  return Float32Array.from(picture, (value) => value * DEPTH_UNIT_METRES);
}
