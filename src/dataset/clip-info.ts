// What a clip of a dataset is: its pictures with masks, its head track, and where all of that came from.

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

/** What a mask says: the head with its hair, the whole person, or how far each pixel of a lifted still is seen. */
export const MASK_NAMES = ['head', 'person', 'visibility'] as const;
export type MaskName = (typeof MASK_NAMES)[number];

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
  /** Grey PNGs of the frames' size, one for each frame. */
  readonly masks: Partial<Readonly<Record<MaskName, readonly Uint8Array[]>>>;
};
