// What the loop asks of a stage of training, and where a run keeps its files.

import type { ByteSource, StoredTensor } from '../checkpoints/index.ts';
import type { RgbImage } from '../media/index.ts';
import type { Weights } from '../nn/index.ts';
import type { AnyTensor, Tensor } from '../tensor/index.ts';
import type { LearningProblem, WeightStream } from './trainer.ts';
import type { OptimiserConfig } from './training-config.ts';

/** The stages, in the order in which they are trained. */
export const STAGE_NAMES = ['vae', '1', '2', 'distill'] as const;
export type StageName = (typeof STAGE_NAMES)[number];

/** Figures by name (dB, losses), the one of them that should rise, and a picture to look at. */
export type Validation = {
  readonly figures: Readonly<Record<string, number>>;
  readonly score: number;
  readonly sheet: RgbImage;
};

/** One stage: its problem, its batches, its validation. */
export type Stage = {
  readonly name: StageName;
  readonly settings: OptimiserConfig;
  readonly problem: LearningProblem;
  /** Fresh weights of the trained parameters, each by its name; one after the other, where all are too many. */
  initialWeights(): WeightStream;
  /** What step `step` (from 0) learns from: a function of the step alone, so it may be made ahead. */
  batchAt(step: number): Promise<Record<string, AnyTensor>>;
  /** Adds to a batch what depends on what was learned outside the graph (the Gaussian map). */
  complete?(batch: Record<string, AnyTensor>, step: number): Record<string, AnyTensor>;
  /** Learns outside the graph from a step's outputs. */
  learn?(outputs: Readonly<Record<string, Tensor>>, step: number): void;
  /** State outside the graph: checkpoints hold it, `restore` takes it back. */
  outsideState?(): Record<string, Tensor>;
  restore?(state: Readonly<Record<string, Tensor>>): void;
  /** Further tensors to ship with the averaged weights; they may be in a file still. */
  shipped?(): readonly StoredTensor[];
  /** Whether a trained parameter is part of what is shipped; all are where it is not said. */
  isShipped?(name: string): boolean;
  /** Measures averaged weights on fixed held-out samples. */
  validate(weights: Weights): Promise<Validation>;
};

/** The configuration of a stage in its folder: written before the first step, so it says that the stage was begun. */
export const CONFIGURATION_FILE = 'config.json';

/** The files of a run; paths are relative, writes are atomic. */
export type RunFolder = {
  /** Null where there is no such file. */
  read(path: string): Promise<Uint8Array | null>;
  /** A file to be read in pieces, whatever its size; null where there is none. */
  open(path: string): Promise<(ByteSource & AsyncDisposable) | null>;
  /** @param content all of it, or piece by piece */
  write(path: string, content: Uint8Array | string | AsyncIterable<Uint8Array>): Promise<void>;
  append(path: string, text: string): Promise<void>;
  writePicture(path: string, picture: RgbImage): Promise<void>;
  /** Removes a file; does nothing where there is none. */
  remove(path: string): Promise<void>;
  /** What a damaged copy of a file does not share, SHA-256 where files are kept; null where there is none. */
  digest(path: string): Promise<string | null>;
};
