// Pictures whose head is known: what the tracker's prior learns from and what its bench measures with.
// A take is one synthetic subject in several motions; seeds from 500000 on are kept for measuring.

import { frontCamera } from '../../src/geometry/index.ts';
import type { HeadParameters } from '../../src/head/index.ts';
import type { RgbImage } from '../../src/media/index.ts';
import {
  type AssetLibrary,
  createSubject,
  type Motion,
  placeSubject,
  type RenderTools,
  renderSubject,
  rotationVector,
  sampleMotion,
  sampleMotionClip,
} from '../../src/synthesis/index.ts';
import { createRandom, deriveSeed, type Random } from '../../src/tensor/index.ts';

/** Subjects from this seed on are never learned from. */
export const FIRST_HELD_OUT_SEED = 500_000;

/** One picture with its truth. */
export type TakeFrame = { readonly image: RgbImage; readonly parameters: HeadParameters };

/** One subject, picture after picture; `focalPx` belongs to all. */
export type Take = { readonly focalPx: number; readonly frames: Iterable<TakeFrame> };

type TakeOptions = {
  readonly seed: number;
  readonly sizePx: number;
  readonly frames: number;
  readonly assets: AssetLibrary | null;
  /**
   * How much closer than the avatar's usual frame: at 1.6 the eyes' outer corners are about a quarter of the
   * picture apart, as in clips of talking heads.
   */
  readonly zoom?: number;
};

/** Brings the face to the middle of a close picture, metres. */
const CLOSE_SHIFT_METRES = -0.02;
const RADIANS = Math.PI / 180;

/** A subject in motions that have nothing to do with each other, wider than people usually move. */
export function renderViewsTake(
  tools: RenderTools,
  options: TakeOptions & { readonly yawDegrees: number },
): Take {
  const random = createRandom(deriveSeed(options.seed, 71));
  const motions = Array.from({ length: options.frames }, () => wideMotion(random, tools, options.yawDegrees));
  return renderTake(tools, options, motions, () => 0);
}

/** A subject in natural motion at 25 frames a second. */
export function renderMotionTake(
  tools: RenderTools,
  options: TakeOptions & { readonly yawDegrees?: number; readonly speech?: number },
): Take {
  const random = createRandom(deriveSeed(options.seed, 72));
  const { frames, yawDegrees = 30, speech = 0.65 } = options;
  const motions = sampleMotionClip(random, tools.head, { frames, yawDegrees, speech });
  // Half of the subjects come a little nearer or go back, sideways too.
  const drift = [0.01, 0.006, 0.02].map((metres) => metres * random.normal());
  return renderTake(tools, options, motions, (share, axis) => share * drift[axis]!);
}

function renderTake(
  tools: RenderTools,
  { seed, sizePx, assets, zoom = 1 }: TakeOptions,
  motions: readonly Motion[],
  driftMetres: (share: number, axis: number) => number,
): Take {
  const subject = createSubject(seed, tools, { assets });
  const placements = motions.map((motion, frame) => {
    const share = frame / motions.length;
    const shift = [0, 1, 2].map((axis) => driftMetres(share, axis)) as [number, number, number];
    if (zoom > 1) shift[1] += CLOSE_SHIFT_METRES;
    const { parameters, camera } = placeSubject(subject.traits, motion, sizePx, shift);
    return { parameters, camera: frontCamera(sizePx, sizePx, zoom * camera.focalXPx) };
  });
  function* frames(): Generator<TakeFrame> {
    for (const [noiseSeed, placement] of placements.entries()) {
      const { image, parameters } = renderSubject(tools, subject, { ...placement, noiseSeed });
      yield { image, parameters };
    }
  }
  return { focalPx: placements[0]!.camera.focalXPx, frames: frames() };
}

/** What brows and lips do of themselves, each with how often: of every strength, and whatever else the face does. */
const EXTRAS: readonly { readonly share: number; readonly units: RegExp }[] = [
  { share: 0.15, units: /^brow(InnerUp|OuterUp)/ },
  { share: 0.07, units: /^browInnerUp/ },
  { share: 0.05, units: /^browOuterUp(Left|Right)/ },
  { share: 0.15, units: /^browDown/ },
  { share: 0.15, units: /^mouthSmile/ },
  { share: 0.15, units: /^mouthPucker/ },
  { share: 0.07, units: /^mouthFunnel/ },
];

/**
 * Far turns, weak expressions and far gazes more often than in portraits, so that none is a surprise; brows, smiles and
 * puckers of every strength.
 */
function wideMotion(random: Random, { head }: RenderTools, yawDegrees: number): Motion {
  const motion = sampleMotion(random, head, { yawDegrees, pitchDegrees: 24, calm: 0.2 });
  const { expression, jointRotations } = motion;
  if (random.uniform() < 0.3) {
    const weakness = random.uniform(0.2, 0.9);
    for (const [unit, name] of head.expressionNames.entries())
      if (!/Blink|Look/.test(name)) expression[unit]! *= weakness;
  }
  for (const { share, units } of EXTRAS) {
    if (random.uniform() >= share) continue;
    const strength = random.uniform(0.05, 1);
    for (const [unit, name] of head.expressionNames.entries()) {
      if (!units.test(name)) continue;
      const value = expression[unit]! + strength * random.uniform(0.8, 1.1);
      expression[unit] = Math.min(1, value);
    }
  }
  if (random.uniform() < 0.45) {
    const [yaw, pitch] = [random.uniform(-28, 28), random.uniform(-18, 20)];
    const crossing = random.uniform() < 0.2 ? random.uniform(0, 3) : 0;
    jointRotations.set(rotationVector(RADIANS * (yaw - crossing), RADIANS * pitch, 0), 9);
    jointRotations.set(rotationVector(RADIANS * (yaw + crossing), RADIANS * pitch, 0), 12);
    const lids = random.uniform(0.5, 1.1);
    for (const [unit, name] of head.expressionNames.entries()) {
      if (/^eyeLookDown/.test(name)) expression[unit] = Math.min(1, Math.max(0, (lids * pitch) / 20));
      if (/^eyeLookUp/.test(name)) expression[unit] = Math.min(1, Math.max(0, (-lids * pitch) / 20));
    }
  }
  return motion;
}
