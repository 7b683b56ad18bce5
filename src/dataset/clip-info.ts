// What a clip of a dataset is: its pictures with maps, its head track, and where all of that came from.

import type { Camera } from '../geometry/index.ts';
import type { HeadTrack } from '../head/index.ts';

/** Which of the two label vectors of the denoiser a clip takes. */
export const CLIP_LABELS = ['real', 'synthetic'] as const;
export type ClipLabel = (typeof CLIP_LABELS)[number];

/** `sequence`: frames follow each other in time. `views`: pictures of one person in no order, or a single one. */
export const CLIP_KINDS = ['sequence', 'views'] as const;
export type ClipKind = (typeof CLIP_KINDS)[number];

/** `heldOut` clips are for evaluation: no training sees them. */
export const CLIP_SPLITS = ['train', 'heldOut'] as const;
export type ClipSplit = (typeof CLIP_SPLITS)[number];

/**
 * What a grey map says of each pixel: how much of it the head with its hair covers, the whole person, the face, the hair,
 * the eyeballs, the mouth; how far a lifted still is seen; the face's landmarks as round spots.
 */
export const GREY_MAP_NAMES = [
  'head',
  'person',
  'visibility',
  'face',
  'hair',
  'eyes',
  'mouth',
  'landmarks',
] as const;
export type GreyMapName = (typeof GREY_MAP_NAMES)[number];
/** All that can be stored of a frame beside its picture: `normals` and `depth` as `frame-maps.ts` has them. */
export type MapName = GreyMapName | 'normals' | 'depth';
export const MAP_NAMES: readonly MapName[] = [...GREY_MAP_NAMES, 'normals', 'depth'];

/** What is known of a clip, stored as its `.json`. */
export type ClipInfo = {
  /** Equal for clips of one person; unique within a dataset only. */
  readonly identity: string;
  readonly label: ClipLabel;
  readonly kind: ClipKind;
  readonly split: ClipSplit;
  /** An SPDX name, or what the source says. */
  readonly licence: string;
  /** Which file or seed it came from. */
  readonly origin: string;
  /** What was recorded, where the source names it; clips of one sequence show one moment from several views. */
  readonly sequence: string | null;
  /** Which camera, where the source names it. */
  readonly view: string | null;
  /** Of all frames, pixels. */
  readonly width: number;
  readonly height: number;
  /** Null for `views`. */
  readonly framesPerSecond: number | null;
  /** The camera before which the track's head stands; null where it is `trackCamera` of the track. */
  readonly camera: Camera | null;
  /** The camera as the source's makers calibrated it, in the world of their rig; null where they did not. */
  readonly calibration: Camera | null;
};

/** A picture as a file holds it. */
export type EncodedPicture = { readonly bytes: Uint8Array; readonly ending: PictureEnding };
export const PICTURE_ENDINGS = ['jpg', 'png', 'webp'] as const;
export type PictureEnding = (typeof PICTURE_ENDINGS)[number];

/** A clip as a whole, ready to be written. */
export type DatasetClip = {
  /** Unique in the dataset: letters, digits, `-`, `_` and `+`; see `clipKey`. */
  readonly key: string;
  readonly info: ClipInfo;
  /** Has a frame for each picture; null where nobody tracked the clip. */
  readonly track: HeadTrack | null;
  readonly frames: readonly EncodedPicture[];
  /** PNGs of the frames' size, one for each frame. */
  readonly maps: Partial<Readonly<Record<MapName, readonly Uint8Array[]>>>;
};
