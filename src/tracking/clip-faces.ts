// The faces of a clip as frames to fit, numbered as a viewer counts them: from left to right.

import type { EventSink } from '../events/index.ts';
import type { RgbImage } from '../media/index.ts';
import type { FollowedFace } from './face-follower.ts';
import type { FaceGroup } from './face-group.ts';
import { regionFromLandmarks } from './face-region.ts';
import type { SeenFrame } from './fit-clip.ts';
import { lipContrast } from './lip-contrast.ts';
import { cropFace } from './photometric-image.ts';

/** All frames of a clip, with each face that it shows. */
export type ClipFaces = {
  /** Zero for a clip without frames. */
  readonly width: number;
  readonly height: number;
  /** For each face, from left to right by its mean place, every frame of the clip. */
  readonly faces: readonly (readonly SeenFrame[])[];
};

/** A face must be seen in this many frames, or in this share of a shorter clip: less is a passer-by or a mistake. */
const MIN_FRAMES = 25;
const MIN_SHARE = 0.1;

/** Reads a clip once and follows all its faces. Memory grows with faces and frames, not with their pictures (but for crops). */
export async function findClipFaces(
  frames: AsyncIterable<{ readonly timestampSeconds: number; readonly image: RgbImage }>,
  group: FaceGroup,
  options: {
    readonly onEvent: EventSink;
    readonly frameCountEstimate?: number;
    /** Asked of every picture in order: whether a new shot begins with it. */
    readonly isCut?: (image: RgbImage) => boolean;
    readonly keepsCrops?: boolean;
  },
): Promise<ClipFaces> {
  const { onEvent, frameCountEstimate, isCut = () => false, keepsCrops: keepsCrop = false } = options;
  const earlier: Omit<SeenFrame, 'face'>[] = [];
  const faces: SeenFrame[][] = [];
  let [width, height] = [0, 0];
  for await (const { image, timestampSeconds } of frames) {
    [width, height] = [image.width, image.height];
    const isNewShot = isCut(image);
    for (const [i, face] of (await group.next(image, { isNewShot })).entries()) {
      faces[i] ??= earlier.map((frame) => ({ ...frame, face: null }));
      faces[i].push({ ...seenFrame(timestampSeconds, face, image, { keepsCrop }), startsShot: isNewShot });
    }
    earlier.push({ timestampSeconds, startsShot: isNewShot });
    const done = earlier.length;
    const total = frameCountEstimate === undefined ? {} : { total: Math.max(frameCountEstimate, done) };
    onEvent({ kind: 'progress', stage: 'find landmarks', done, ...total, unit: 'frames' });
  }
  const least = Math.min(MIN_FRAMES, MIN_SHARE * earlier.length);
  const lasting = faces.filter((seen) => seen.filter(({ face }) => face !== null).length >= least);
  if (lasting.length < faces.length) {
    const message = `${faces.length - lasting.length} faces are left out: they are seen in fewer than ${Math.ceil(least)} frames.`;
    onEvent({ kind: 'log', level: 'info', message });
  }
  return { width, height, faces: lasting.sort((a, b) => meanPlace(a) - meanPlace(b)) };
}

/** What is kept of a frame: of its picture nothing, or a crop of the face. */
export function seenFrame(
  timestampSeconds: number,
  face: FollowedFace | null,
  image: RgbImage,
  { keepsCrop = false }: { readonly keepsCrop?: boolean } = {},
): SeenFrame {
  if (face === null) return { timestampSeconds, face, lipContrast: Number.NaN };
  const { landmarksPx } = face;
  const crop = keepsCrop ? { crop: cropFace(image, landmarksPx) } : {};
  return { timestampSeconds, face, lipContrast: lipContrast(image, landmarksPx), ...crop };
}

/** Where a face is on average, pixels from the left. */
function meanPlace(seen: readonly SeenFrame[]): number {
  const places = seen.flatMap(({ face }) =>
    face === null ? [] : [regionFromLandmarks(face.landmarksPx).centreXPx],
  );
  return places.reduce((sum, x) => sum + x, 0) / places.length;
}
