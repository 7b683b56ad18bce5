// From stored samples to what networks see: planar floats, cropped, recoloured, and with a lifted picture
// that is sometimes missing or spoiled, so that no network learns merely to copy it.

import { hideInvisible } from '../denoiser/index.ts';
import type { Random } from '../tensor/index.ts';
import type { TrainingSample } from './sample-shard.ts';

/** Planar pictures of one sample (`3 S S` in [-1, 1]; visibility `1 S S` in [0, 1]), S the crop's side. */
export type AugmentedSample = {
  readonly reference: Float32Array;
  readonly target: Float32Array;
  readonly lifted: Float32Array;
  readonly visibility: Float32Array;
  /** The lifted picture as it is stored: with what is declared invisible. */
  readonly storedLift: Float32Array;
};

/** What is done to a sample. */
export type Augmentation = {
  /** Side of the stored pictures. */
  readonly sizePx: number;
  /** Side of the window that is taken. */
  readonly cropPx: number;
  readonly isMirrored: boolean;
  /** Whether colours are changed, alike on all pictures. */
  readonly isRecoloured: boolean;
  readonly liftDropout: number;
  readonly liftCorruption: number;
};

/** Applies an augmentation; every random choice comes from `random`. */
export function augment(sample: TrainingSample, how: Augmentation, random: Random): AugmentedSample {
  const { sizePx, cropPx } = how;
  const left = random.integer(sizePx - cropPx + 1);
  const top = random.integer(sizePx - cropPx + 1);
  const colour = how.isRecoloured ? colourChange(random) : NO_CHANGE;
  const window = { sizePx, cropPx, left, top, isMirrored: how.isMirrored };
  const lifted = planar(sample.lifted, window, colour);
  const visibility = cropMask(sample.visibility, window);
  if (random.uniform() < how.liftDropout) visibility.fill(0);
  else if (random.uniform() < how.liftCorruption) spoil(lifted, visibility, cropPx, random);
  const storedLift = lifted.slice();
  hideInvisible(lifted, visibility);
  return {
    reference: planar(sample.reference, window, colour),
    target: planar(sample.target, window, colour),
    lifted,
    visibility,
    storedLift,
  };
}

/** A sample as it is, for validation. */
export function unchanged(sample: TrainingSample, sizePx: number): AugmentedSample {
  const window = { sizePx, cropPx: sizePx, left: 0, top: 0, isMirrored: false };
  const storedLift = planar(sample.lifted, window, NO_CHANGE);
  const lifted = storedLift.slice();
  const visibility = cropMask(sample.visibility, window);
  hideInvisible(lifted, visibility);
  return {
    reference: planar(sample.reference, window, NO_CHANGE),
    target: planar(sample.target, window, NO_CHANGE),
    lifted,
    visibility,
    storedLift,
  };
}

type Window = {
  readonly sizePx: number;
  readonly cropPx: number;
  readonly left: number;
  readonly top: number;
  readonly isMirrored: boolean;
};
/** What each of the 256 values of a channel becomes, one channel after the other: there are millions of pixels. */
type ColourChange = Float32Array;
const NO_CHANGE: ColourChange = changeOf([1, 1, 1], [0, 0, 0]);

function colourChange(random: Random): ColourChange {
  const contrast = random.uniform(0.85, 1.15);
  const brightness = random.uniform(-0.12, 0.12);
  const channels = [0, 1, 2];
  const gains = channels.map(() => contrast * random.uniform(0.95, 1.05));
  return changeOf(
    gains,
    channels.map(() => brightness + random.uniform(-0.04, 0.04)),
  );
}

/** value -> gain * value + offset, for each channel, of values in [-1, 1]. */
function changeOf(gains: readonly number[], offsets: readonly number[]): ColourChange {
  const values = new Float32Array(3 * 256);
  for (let c = 0; c < 3; c++) {
    for (let v = 0; v < 256; v++) {
      values[256 * c + v] = Math.min(1, Math.max(-1, gains[c]! * (v / 127.5 - 1) + offsets[c]!));
    }
  }
  return values;
}

function planar(picture: Uint8Array, window: Window, change: ColourChange): Float32Array {
  const { sizePx, cropPx, left, top, isMirrored } = window;
  const area = cropPx * cropPx;
  const out = new Float32Array(3 * area);
  const stride = isMirrored ? -3 : 3;
  for (let c = 0; c < 3; c++) {
    for (let y = 0, to = c * area; y < cropPx; y++) {
      let from = 3 * ((top + y) * sizePx + left + (isMirrored ? cropPx - 1 : 0)) + c;
      for (let x = 0; x < cropPx; x++, from += stride) out[to++] = change[256 * c + picture[from]!]!;
    }
  }
  return out;
}

function cropMask(mask: Uint8Array, { sizePx, cropPx, left, top, isMirrored }: Window): Float32Array {
  const out = new Float32Array(cropPx * cropPx);
  for (let y = 0, to = 0; y < cropPx; y++) {
    let from = (top + y) * sizePx + left + (isMirrored ? cropPx - 1 : 0);
    for (let x = 0; x < cropPx; x++, from += isMirrored ? -1 : 1) out[to++] = mask[from]! / 255;
  }
  return out;
}

const MAX_SPOTS = 4;

/**
 * Spoils one to a few round spots: shows a smear of a neighbouring place (its visibility kept, lowered or
 * removed), as lifts do where skin was hidden.
 */
function spoil(lifted: Float32Array, visibility: Float32Array, side: number, random: Random): void {
  const area = side * side;
  const source = lifted.slice();
  const spots = 1 + random.integer(MAX_SPOTS);
  for (let spot = 0; spot < spots; spot++) {
    const [cx, cy] = [random.uniform(0, side), random.uniform(0, side)];
    const radius = random.uniform(0.04, 0.2) * side;
    const squash = random.uniform(0.4, 1);
    const angle = random.uniform(0, Math.PI);
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    const [shiftX, shiftY] = [random.normal() * 0.5 * radius, random.normal() * 0.5 * radius];
    const smear = random.uniform(0, 0.9);
    const keptVisibility = random.choose([1, 0.6, 0.3, 0.06, 0]);
    for (let y = Math.max(0, Math.floor(cy - radius)); y < Math.min(side, cy + radius); y++) {
      for (let x = Math.max(0, Math.floor(cx - radius)); x < Math.min(side, cx + radius); x++) {
        const [dx, dy] = [x - cx, y - cy];
        const along = (cos * dx + sin * dy) / radius;
        const across = (cos * dy - sin * dx) / (radius * squash);
        if (along * along + across * across > 1) continue;
        const fromX = clampIndex(x - smear * dx * cos + shiftX, side);
        const fromY = clampIndex(y - smear * dy * cos + shiftY, side);
        const [to, from] = [y * side + x, fromY * side + fromX];
        for (let c = 0; c < 3; c++) lifted[c * area + to] = source[c * area + from]!;
        visibility[to]! *= keptVisibility;
      }
    }
  }
}

function clampIndex(value: number, side: number): number {
  return Math.min(side - 1, Math.max(0, Math.round(value)));
}
