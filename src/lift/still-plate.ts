// The background of a still as a lift leaves it, where the camera stays: whole, with what is filled behind the person.

import type { Camera } from '../geometry/index.ts';
import type { RgbImage } from '../media/index.ts';
import type { PersonLayers } from './person-layers.ts';

/** What is filled in smoothly is trusted so much, 0 to 1. */
export const FILLED_TRUST = 0.06;

/** A background and how far to trust its pixels (`H W`, 0 to 255). */
export type StillPlate = { readonly image: RgbImage; readonly visibility: Uint8Array };

/** The background of a still; `trust` as the still's own. */
export function stillPlate({ plate, plateTrust }: PersonLayers, trust: Uint8Array | null): StillPlate {
  const visibility = plateTrust.map(
    (shown, pixel) => Math.max(shown * (trust === null ? 1 : trust[pixel]! / 255), 255 * FILLED_TRUST) + 0.5,
  );
  return { image: plate, visibility };
}

const KEYS = ['width', 'height', 'focalXPx', 'focalYPx', 'centreXPx', 'centreYPx'] as const;

/** Whether what does not move looks the same to both: a plate may be left as it is. */
export function isSameView(a: Camera, b: Camera): boolean {
  return KEYS.every((key) => a[key] === b[key]);
}
