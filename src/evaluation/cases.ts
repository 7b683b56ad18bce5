// What an evaluation asks: a person known from one picture, and the pictures that are wanted of them. Where they come
// from (renders, a dataset, a folder) no longer matters here.

import type { FramedPortrait } from '../avatar/index.ts';
import type { HeadParameters } from '../head/index.ts';
import type { RgbImage } from '../media/index.ts';
import type { Region } from './image-metrics.ts';

/**
 * `self`: the first frame of a clip makes the motion of the rest, which is the truth. `cross`: it makes the motion of
 * the next subject. `novel-view`: other pictures of the person, each by itself.
 */
export type Protocol = 'self' | 'cross' | 'novel-view';

/** One picture that is wanted. */
export type Target = {
  /** The number of its picture in folders. */
  readonly index: number;
  readonly timestampSeconds: number;
  /** The head to show: the reference's identity, the target's expression and pose, before the reference's camera. */
  readonly head: HeadParameters;
  /** The true picture, of the reference's size; in cross the driver's frame, which is another person. */
  readonly picture: RgbImage;
  /** Where pictures are compared. */
  readonly region: Region;
};

/** A person and what is wanted of them. */
export type EvaluationCase = {
  /** Unique; also the name of its folder. */
  readonly name: string;
  readonly reference: FramedPortrait;
  readonly targets: readonly Target[];
  /** Whether the targets follow each other in time. */
  readonly isSequence: boolean;
  /** Whether the targets' pictures show the reference's person. */
  readonly hasTruth: boolean;
  /** The person's true pictures with the head placed so, before the reference's camera; where there is a renderer. */
  readonly render?: (heads: readonly HeadParameters[]) => readonly RgbImage[];
};

/** A list of cases that are made when their turn comes. */
export type CaseSource = {
  /** In their order; all differ. */
  readonly names: readonly string[];
  /** @throws what is wrong with the data. */
  load(name: string): Promise<EvaluationCase>;
};
