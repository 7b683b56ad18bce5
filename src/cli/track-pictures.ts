// Single frames of a track drawn at any size: 8k shows no more in a small picture, and costs much more.

import { frameCount, type HeadModel, type HeadTrack, resizeTrack } from '../head/index.ts';
import {
  cropImage,
  type PixelWindow,
  type RgbImage,
  resizeImage,
  sizeToFit,
  type VideoSource,
} from '../media/index.ts';
import { createMeshOverlay, drawLandmarks } from '../tracking/index.ts';

/** Faces are cut out of frames brought down to this. */
const MAX_DRAWN_PX = 1280;
/** Side of the square around a face over the size of its landmarks. */
const FACE_MARGIN = 1.45;
const DOT_PX = 2;

/** A frame shrunk to a square box, with the mesh over it. */
export function overlayPicture(
  head: HeadModel,
  track: HeadTrack,
  frame: number,
  image: RgbImage,
  boxPx: number,
): RgbImage {
  const small = fittedImage(image, boxPx);
  if (track.confidence[frame] === 0) return small;
  return createMeshOverlay(head, frameOfTrack(track, frame, small)).render(0, small);
}

/** The mesh over a tracked face, cut out around it; `sizePx` square. */
export function facePicture(
  head: HeadModel,
  track: HeadTrack,
  frame: number,
  image: RgbImage,
  sizePx: number,
): RgbImage {
  const small = fittedImage(image, MAX_DRAWN_PX);
  const single = frameOfTrack(track, frame, small);
  const drawn = createMeshOverlay(head, single).render(0, small, { hasLandmarks: false });
  const window = faceWindow(single);
  const face = resizeImage(cropImage(drawn, window, [128, 128, 128]), sizePx, sizePx);
  const scale = sizePx / window.width;
  const points = single.landmarksPx.map((at, i) => scale * (at - (i % 2 === 0 ? window.left : window.top)));
  drawLandmarks(face, points, DOT_PX);
  return face;
}

/** A square around a face, inside the picture as far as it fits. */
function faceWindow({ landmarksPx, width, height }: HeadTrack): PixelWindow {
  let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let i = 0; i < landmarksPx.length; i += 2) {
    [left, right] = [Math.min(left, landmarksPx[i]!), Math.max(right, landmarksPx[i]!)];
    [top, bottom] = [Math.min(top, landmarksPx[i + 1]!), Math.max(bottom, landmarksPx[i + 1]!)];
  }
  const side = Math.max(8, Math.round(FACE_MARGIN * Math.max(right - left, bottom - top)));
  const place = (middle: number, size: number): number => {
    const start = Math.round(middle - side / 2);
    return side > size ? start : Math.min(size - side, Math.max(0, start));
  };
  return {
    left: place((left + right) / 2, width),
    top: place((top + bottom) / 2, height),
    ...{ width: side, height: side },
  };
}

/** Shrunk to a square box; never enlarged. */
export function fittedImage(image: RgbImage, boxPx: number): RgbImage {
  if (image.width <= boxPx && image.height <= boxPx) return image;
  const { width, height } = sizeToFit(image, { width: boxPx, height: boxPx });
  return resizeImage(image, width, height);
}

/** One frame as a track of its own, in pictures of another size. */
function frameOfTrack(
  track: HeadTrack,
  frame: number,
  size: { readonly width: number; readonly height: number },
): HeadTrack {
  const row = (values: Float32Array): Float32Array => {
    const length = values.length / frameCount(track);
    return values.slice(frame * length, (frame + 1) * length);
  };
  const single = {
    ...track,
    timestampsSeconds: track.timestampsSeconds.slice(frame, frame + 1),
    expression: row(track.expression),
    jointRotations: row(track.jointRotations),
    translation: row(track.translation),
    confidence: row(track.confidence),
    landmarksPx: row(track.landmarksPx),
  };
  return resizeTrack(single, size);
}

/** A picture as the frames of a clip at any moments. */
export function framesOfImage(image: RgbImage): VideoSource['framesAt'] {
  return async function* (moments) {
    for (const [index, timestampSeconds] of moments.entries()) {
      yield { index, timestampSeconds, durationSeconds: 0, image };
    }
  };
}
