// Clips with their tracks as cases: the first frame is what a person is known from, the rest is wanted of them, or of
// the person of another clip.

import { type FramedPortrait, portraitMotion, portraitWindow } from '../avatar/index.ts';
import { type Camera, cropCamera, frontCamera } from '../geometry/index.ts';
import {
  frameCount,
  type HeadModel,
  type HeadParameters,
  type HeadTrack,
  parametersAt,
} from '../head/index.ts';
import { createLifter, type LiftTools } from '../lift/index.ts';
import { type RgbImage, resampleMask, resampleWindow } from '../media/index.ts';
import type { Tracker } from '../tracking/index.ts';
import type { EvaluationCase, Target } from './cases.ts';
import type { Region } from './image-metrics.ts';

/** A clip in memory. */
export type TrackedClip = {
  readonly name: string;
  /** All of one size. */
  readonly pictures: readonly RgbImage[];
  /** One frame a picture. */
  readonly track: HeadTrack;
  /** Before which the track's head stands; null where it is the track's own. */
  readonly camera: Camera | null;
  /** The numbers of the pictures in folders; by default their places. */
  readonly numbers?: readonly number[];
  /** The heads' pixels; null where nobody knows them: then the fitted heads' outlines serve. */
  readonly regions: readonly Region[] | null;
  /** The person's pixels in the first picture, `H W`, 0 to 255; null where nobody knows them. */
  readonly personMask: Uint8Array | null;
};

/**
 * Self-reenactment, or other views: the first picture makes all others.
 * @param sizePx side of the square that is compared; square clips are taken whole, of others the square around the head
 */
export function ownMotionCase(
  tools: LiftTools,
  clip: TrackedClip,
  { sizePx, isSequence }: { readonly sizePx: number; readonly isSequence: boolean },
): EvaluationCase {
  const square = squareOf(tools, clip, sizePx);
  const reference = referenceOf(clip, square);
  const heads = headsOf(clip).slice(1);
  return {
    name: clip.name,
    reference,
    targets: targetsOf(clip, square, heads, outlines(tools, reference, heads), 1),
    isSequence,
    hasTruth: true,
  };
}

/** Cross-reenactment: the first picture of one clip makes the motion of another, expression and pose as they are. */
export function otherMotionCase(
  tools: LiftTools,
  person: TrackedClip,
  driver: TrackedClip,
  { sizePx }: { readonly sizePx: number },
): EvaluationCase {
  const reference = referenceOf(person, squareOf(tools, person, sizePx));
  const motion = portraitMotion(tools.head, reference.parameters, driver.track, { motion: 'absolute' });
  const heads = [...motion];
  const square = squareOf(tools, driver, sizePx);
  return {
    name: `${person.name}+${driver.name}`,
    reference,
    targets: targetsOf({ ...driver, regions: null }, square, heads, outlines(tools, reference, heads), 0),
    isSequence: true,
    hasTruth: false,
  };
}

/** How pictures are tracked. */
export type TrackingWay = {
  readonly head: HeadModel;
  readonly tracker: Tracker;
  /** Whether they follow each other; else each is fitted by itself, with the first one's identity and focal length. */
  readonly isSequence: boolean;
};

/** The track of pictures in memory. @throws BadInputError `no-face` where a still, or a whole clip, shows none. */
export async function trackPictures(
  pictures: readonly RgbImage[],
  { head, tracker, isSequence }: TrackingWay,
): Promise<HeadTrack> {
  if (isSequence && pictures.length > 1) {
    const frames = async function* () {
      for (const [t, image] of pictures.entries()) yield { image, timestampSeconds: t / 25 };
    };
    return (await tracker.trackClip(frames())).track;
  }
  const first = await tracker.trackImage(pictures[0]!);
  const all = [first];
  for (const image of pictures.slice(1)) {
    all.push(await tracker.trackImage(image, { focalPx: first.focalPx }));
  }
  const joined = (rows: readonly Float32Array[]): Float32Array => {
    const width = rows[0]!.length;
    const data = new Float32Array(rows.length * width);
    for (const [i, row] of rows.entries()) data.set(row, i * width);
    return data;
  };
  return {
    headName: head.name,
    width: pictures[0]!.width,
    height: pictures[0]!.height,
    focalPx: first.focalPx,
    timestampsSeconds: Float64Array.from(all, (_, t) => t / 25),
    identity: first.parameters.identity,
    expression: joined(all.map(({ parameters }) => parameters.expression)),
    jointRotations: joined(all.map(({ parameters }) => parameters.jointRotations)),
    translation: joined(all.map(({ parameters }) => parameters.translation)),
    confidence: Float32Array.from(all, ({ confidence }) => confidence),
    landmarksPx: joined(all.map(({ landmarksPx }) => landmarksPx)),
    provenance: {},
  };
}

/** The same square of all pictures, with its camera. */
type Square = {
  readonly camera: Camera;
  cut(image: RgbImage): RgbImage;
  /** A soft mask, cut as the picture. */
  cutMask(mask: Uint8Array, width: number, height: number): Uint8Array;
  /** A region, cut as the picture. */
  cutRegion(region: Region, width: number, height: number): Region;
};

function squareOf(tools: LiftTools, { pictures, track, camera }: TrackedClip, sizePx: number): Square {
  const { width, height } = pictures[0]!;
  const own = camera ?? frontCamera(width, height, (track.focalPx * width) / track.width);
  const window =
    width === height
      ? { leftPx: 0, topPx: 0, sizePx: width }
      : portraitWindow(tools.poser, {
          image: pictures[0]!,
          parameters: parametersAt(track, 0),
          focalPx: own.focalXPx,
        });
  const { leftPx, topPx, sizePx: sidePx } = window;
  const square = { leftPx, topPx, widthPx: sidePx, heightPx: sidePx };
  const cut = (image: RgbImage): RgbImage => resampleWindow(image, square, sizePx, sizePx);
  const cutMask: Square['cutMask'] = (data, maskWidth, maskHeight) =>
    resampleMask({ width: maskWidth, height: maskHeight, data }, square, sizePx, sizePx);
  return {
    camera: cropCamera(own, window, sizePx),
    cut,
    cutMask,
    cutRegion: (region, regionWidth, regionHeight) =>
      cutMask(region, regionWidth, regionHeight).map((cover) => (cover >= 128 ? 255 : 0)),
  };
}

function referenceOf(
  { pictures, track, personMask }: TrackedClip,
  { cut, cutMask, camera }: Square,
): FramedPortrait {
  const first = pictures[0]!;
  return {
    ...{ image: cut(first), parameters: parametersAt(track, 0), camera },
    personMask: personMask === null ? undefined : cutMask(personMask, first.width, first.height),
  };
}

/** Every frame's head with the identity that all share. */
function headsOf({ track }: TrackedClip): HeadParameters[] {
  return Array.from({ length: frameCount(track) }, (_, t) => parametersAt(track, t));
}

/** Where the reference's head is in each pose. */
function outlines(tools: LiftTools, reference: FramedPortrait, heads: readonly HeadParameters[]): Region[] {
  const lifter = createLifter(tools, reference);
  return heads.map((parameters) => lifter.lift({ parameters, camera: reference.camera }).headMask);
}

function targetsOf(
  { pictures, track, regions, numbers }: TrackedClip,
  square: Square,
  heads: readonly HeadParameters[],
  outline: readonly Region[],
  first: number,
): Target[] {
  return heads.map((head, i) => {
    const place = first + i;
    const picture = pictures[place]!;
    const known = regions?.[place];
    return {
      index: numbers?.[place] ?? place,
      timestampSeconds: track.timestampsSeconds[place]!,
      head,
      picture: square.cut(picture),
      region: known ? square.cutRegion(known, picture.width, picture.height) : outline[i]!,
    };
  });
}
