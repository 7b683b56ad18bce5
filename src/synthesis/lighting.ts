// Light on a scene: a sky and a ground, a key light that casts a shadow, a fill from the other side, a rim
// from behind.

import type { RasterCamera, Rasteriser } from '../kernels/index.ts';
import type { Scene } from './scene.ts';
import type { SubjectTraits } from './traits.ts';

const SHADOW_SIZE = 288;
const LIGHT_DISTANCE_METRES = 4;
const SHADOW_RADIUS_METRES = 0.32;
const SHADOW_BIAS_METRES = 0.006;

/** How much of the key light reaches a world point, 0 to 1, soft by the light's size. */
export type Shadow = (x: number, y: number, z: number) => number;

/** Sees the scene from the key light; `centre` is the world point that the light aims at. */
export function castShadow(
  rasteriser: Rasteriser,
  scene: Scene,
  light: SubjectTraits['light'],
  centre: readonly [number, number, number],
  alpha: { readonly width: number; readonly height: number; readonly data: Uint8Array },
): Shadow {
  const camera = lightCamera(light.keyDirection, centre);
  const depths = rasteriser.depths({
    camera,
    vertices: scene.vertices,
    triangles: scene.triangles,
    cutout: { ...scene.cutout, alpha, threshold: 128 },
  });
  const r = Float64Array.from(camera.cameraFromWorld.rotation);
  const t = Float64Array.from(camera.cameraFromWorld.translation);
  const { focalXPx, centreXPx, focalYPx, centreYPx } = camera;
  const softnessMetres = Math.max(light.softnessMetres, 0.0035);
  const radiusPx = (softnessMetres * SHADOW_SIZE) / 2 / SHADOW_RADIUS_METRES;
  const margin = radiusPx + 1;
  return (x, y, z) => {
    const depth = r[6]! * x + r[7]! * y + r[8]! * z + t[2]!;
    const px = (focalXPx * (r[0]! * x + r[1]! * y + r[2]! * z + t[0]!)) / depth + centreXPx;
    const py = (focalYPx * (r[3]! * x + r[4]! * y + r[5]! * z + t[1]!)) / depth + centreYPx;
    if (px < margin || py < margin || px > SHADOW_SIZE - margin || py > SHADOW_SIZE - margin) return 1;
    // A turn of the taps that differs from place to place trades bands for grain, which a camera has anyway.
    const turn = 2 * ((Math.imul(px * 64, 0x27d4eb2d) ^ Math.imul(py * 64, 0x2c1b3c6d)) >>> 26);
    const c = TURNS[turn]!;
    const s = TURNS[turn + 1]!;
    let lit = 0;
    for (let tap = 0; tap < TAPS.length; tap += 3) {
      const tx = TAPS[tap]! * radiusPx;
      const ty = TAPS[tap + 1]! * radiusPx;
      const at = Math.floor(py + s * tx + c * ty) * SHADOW_SIZE + Math.floor(px + c * tx - s * ty);
      // The further from the middle, the more a slope may rise before it counts as in the way.
      const reached = depth - SHADOW_BIAS_METRES - 0.25 * TAPS[tap + 2]! * softnessMetres;
      if (reached <= depths[at]!) lit++;
    }
    return lit / TAP_COUNT;
  };
}

const TAP_COUNT = 9;
/** Places within a unit disc, evenly spread, with their distance from its middle. */
const TAPS = Float64Array.from({ length: 3 * TAP_COUNT }, (_, i) => {
  const [tap, k] = [Math.floor(i / 3), i % 3];
  const radius = Math.sqrt((tap + 0.5) / TAP_COUNT);
  const turn = 2.39996 * tap;
  return k === 0 ? radius * Math.cos(turn) : k === 1 ? radius * Math.sin(turn) : radius;
});

/** Cosines and sines of 64 turns. */
const TURNS = Float64Array.from({ length: 128 }, (_, i) =>
  i % 2 === 0 ? Math.cos((Math.PI * i) / 64) : Math.sin((Math.PI * (i - 1)) / 64),
);

function lightCamera(
  towards: readonly [number, number, number],
  centre: readonly [number, number, number],
): RasterCamera {
  const forward = towards.map((value) => -value);
  const length = Math.hypot(forward[0]!, forward[2]!);
  const right = [-forward[2]! / length, 0, forward[0]! / length];
  const down = [
    forward[1]! * right[2]! - forward[2]! * right[1]!,
    forward[2]! * right[0]! - forward[0]! * right[2]!,
    forward[0]! * right[1]! - forward[1]! * right[0]!,
  ];
  const rotation = [...right, ...down, ...forward];
  const eye = centre.map((value, k) => value + towards[k]! * LIGHT_DISTANCE_METRES);
  const translation = [0, 1, 2].map(
    (i) => -eye.reduce((sum, value, k) => sum + rotation[3 * i + k]! * value, 0),
  );
  const focal = (SHADOW_SIZE / 2 / SHADOW_RADIUS_METRES) * LIGHT_DISTANCE_METRES;
  return {
    width: SHADOW_SIZE,
    height: SHADOW_SIZE,
    focalXPx: focal,
    focalYPx: focal,
    centreXPx: SHADOW_SIZE / 2,
    centreYPx: SHADOW_SIZE / 2,
    cameraFromWorld: { rotation, translation },
  };
}
