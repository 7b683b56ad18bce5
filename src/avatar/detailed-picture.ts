// A network's picture at a larger size: the network says what is where, and the lifted portrait, which has the
// photograph's own resolution, adds the detail that is finer than the network's pixels, where it can be trusted
// and where the two agree. Nothing is invented: what neither knows stays soft.

import type { LiftedImage } from '../lift/index.ts';
import { type RgbImage, resizeImage } from '../media/index.ts';

/** Trust of a lifted pixel, 0 to 255, below which its detail is left out, and from which it is taken wholly. */
const TRUST_FROM = 100;
const TRUST_TO = 200;
/** Grey levels by which picture and lift may differ and still be of one thing. */
const AGREEMENT_LEVELS = 14;

/**
 * `picture` at the lift's size, with the lift's fine detail.
 * @param picture of the same square as `lifted`, smaller
 */
export function addLiftedDetail(picture: RgbImage, lifted: LiftedImage): RgbImage {
  const { width, height } = lifted.image;
  const grown = resizeImage(picture, width, height);
  if (picture.width >= width) return grown;
  const reduced = resizeImage(lifted.image, picture.width, picture.height);
  const smooth = resizeImage(reduced, width, height).data;
  const agreement = agreementOf(picture, reduced, { width, height });
  const { visibility } = lifted;
  const fine = lifted.image.data;
  const data = new Uint8ClampedArray(grown.data);
  for (let pixel = 0; pixel < width * height; pixel++) {
    const weight = (trustOf(visibility[pixel]!) * agreement[3 * pixel]!) / 255;
    if (weight === 0) continue;
    for (let at = 3 * pixel; at < 3 * pixel + 3; at++)
      data[at] = data[at]! + weight * (fine[at]! - smooth[at]!);
  }
  return { width, height, data: new Uint8Array(data.buffer) };
}

/** How much coarser a picture is whose detail is exchanged. */
const COARSER = 8;

/**
 * `picture` with the lift's detail in place of its own, where the lift is trusted and both agree on what is
 * coarser: a network that answers with the mean of what may be is soft where the portrait itself is not.
 * @param picture of the lift's square and size
 */
export function exchangeLiftedDetail(
  picture: RgbImage,
  lifted: Pick<LiftedImage, 'image' | 'visibility'>,
): RgbImage {
  const { width, height } = picture;
  const coarse = (image: RgbImage): RgbImage =>
    resizeImage(image, Math.ceil(width / COARSER), Math.ceil(height / COARSER));
  const [own, theirs] = [coarse(picture), coarse(lifted.image)];
  const smoothOwn = resizeImage(own, width, height).data;
  const smoothTheirs = resizeImage(theirs, width, height).data;
  const agreement = agreementOf(own, theirs, { width, height });
  const data = new Uint8ClampedArray(picture.data);
  for (let pixel = 0; pixel < width * height; pixel++) {
    const weight = (trustOf(lifted.visibility[pixel]!) * agreement[3 * pixel]!) / 255;
    if (weight === 0) continue;
    for (let at = 3 * pixel; at < 3 * pixel + 3; at++) {
      const detail = lifted.image.data[at]! - smoothTheirs[at]! - (picture.data[at]! - smoothOwn[at]!);
      data[at] = data[at]! + weight * detail;
    }
  }
  return { width, height, data: new Uint8Array(data.buffer) };
}

/** How far the detail of a lifted pixel is taken, 0 to 1. */
function trustOf(visibility: number): number {
  return Math.min(1, Math.max(0, (visibility - TRUST_FROM) / (TRUST_TO - TRUST_FROM)));
}

/** How far two small pictures agree, 0 to 255, at another size; the same in all three channels. */
function agreementOf(
  a: RgbImage,
  b: RgbImage,
  size: { readonly width: number; readonly height: number },
): Uint8Array {
  const { width, height } = a;
  const levels = new Uint8Array(3 * width * height);
  for (let at = 0; at < levels.length; at += 3) {
    let squared = 0;
    for (let k = at; k < at + 3; k++) squared += (a.data[k]! - b.data[k]!) ** 2 / 3;
    levels.fill(255 * Math.exp(-squared / (2 * AGREEMENT_LEVELS ** 2)), at, at + 3);
  }
  return resizeImage({ width, height, data: levels }, size.width, size.height).data;
}
