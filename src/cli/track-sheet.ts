// Some frames of a track as one picture: the mesh over each, with its time.

import type { HeadModel } from '../head/index.ts';
import { contactSheet, type RgbImage, type VideoSource } from '../media/index.ts';
import { type FileTrack, startOfTrack, writeImage } from '../node/index.ts';
import { stripFrames } from '../report/index.ts';
import { overlayPicture } from './track-pictures.ts';

/** What a sheet is made from. */
export type SheetJob = {
  readonly path: string;
  readonly head: HeadModel;
  readonly result: FileTrack;
  readonly framesAt: VideoSource['framesAt'];
  readonly signal: AbortSignal;
};

const COLUMNS = 4;
const CELL_PX = 360;

/** Writes twelve frames, spread evenly, as a contact sheet. */
export async function writeTrackSheet({ path, head, result, framesAt, signal }: SheetJob): Promise<void> {
  const { track } = result;
  const wanted = stripFrames(track);
  const images: RgbImage[] = [];
  const labels: string[] = [];
  for await (const { index, image } of framesAt(wanted.map((frame) => track.timestampsSeconds[frame]!))) {
    signal.throwIfAborted();
    const frame = wanted[index]!;
    const seconds = startOfTrack(track) + track.timestampsSeconds[frame]!;
    images.push(overlayPicture(head, track, frame, image, CELL_PX));
    labels.push(`${seconds.toFixed(2)} s${track.confidence[frame] === 0 ? ', no face' : ''}`);
  }
  const shape = images[0]!;
  await writeImage(
    path,
    contactSheet(images, { columns: COLUMNS, labels, cellWidth: shape.width, cellHeight: shape.height }),
  );
}
