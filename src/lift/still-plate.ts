// The background of a still as a lift leaves it, where the camera stays: whole, with what is filled behind the person.

import type { Camera } from '../geometry/index.ts';
import type { RgbImage } from '../media/index.ts';
import type { PersonLayers } from './person-layers.ts';

/** What is filled in smoothly is trusted so much, 0 to 1. */
export const FILLED_TRUST = 0.06;

/** A background and how far to trust its pixels (`H W`, 0 to 255). */
export type Plate = { readonly image: RgbImage; readonly visibility: Uint8Array };

const KEYS = ['width', 'height', 'focalXPx', 'focalYPx', 'centreXPx', 'centreYPx'] as const;

/** The background under a lift; null without layers, or where the camera goes elsewhere. `visibility` as of `plateVisibility`. */
export function stillPlate(
  from: Camera,
  to: Camera,
  layers: PersonLayers | null,
  visibility: Uint8Array | null,
): Plate | null {
  if (layers === null || visibility === null || !KEYS.every((key) => from[key] === to[key])) return null;
  return { image: layers.plate, visibility };
}

/** The visibility of a background (`H W`, 0 to 255); `trust` as the still's own. */
export function plateVisibility({ plateTrust }: PersonLayers, trust: Uint8Array | null): Uint8Array {
  return plateTrust.map(
    (shown, pixel) => Math.max(shown * (trust === null ? 1 : trust[pixel]! / 255), 255 * FILLED_TRUST) + 0.5,
  );
}
