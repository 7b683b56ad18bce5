// The pictures of a report, read again from the clip by seeking, and the page written.

import type { EventSink } from '../events/index.ts';
import type { HeadModel } from '../head/index.ts';
import type { RgbImage, VideoSource } from '../media/index.ts';
import { type FileTrack, jpegBytes, startOfTrack, writeFileAtomic } from '../node/index.ts';
import {
  type Doubt,
  extremeMoments,
  findDoubts,
  type ReportPicture,
  reportHtml,
  stripFrames,
} from '../report/index.ts';
import { packageVersion } from './package-info.ts';
import { facePicture, fittedImage } from './track-pictures.ts';

/** What a report is made from. */
export type ReportJob = {
  readonly path: string;
  /** What was tracked, as people know it. */
  readonly title: string;
  readonly head: HeadModel;
  readonly result: FileTrack;
  /** The frames of some moments on the track's clock, in growing order. */
  readonly framesAt: VideoSource['framesAt'];
  readonly emit: EventSink;
  readonly signal: AbortSignal;
};

/** Doubts with a picture. */
const MAX_SHOWN_DOUBTS = 24;
const FRAME_BOX_PX = 240;
const FACE_PX = 400;

/** Makes and writes the page. Memory does not grow with the clip's pictures. */
export async function writeTrackReport(job: ReportJob): Promise<void> {
  const { head, result, signal } = job;
  const { track, landmarkErrors } = result;
  const doubts = findDoubts(track, result);
  const shownDoubts = doubts.slice(0, MAX_SHOWN_DOUBTS);
  const strip = stripFrames(track);
  const poses = extremeMoments(head, track);
  const overlaid = new Set([...poses.map(({ frame }) => frame), ...shownDoubts.map(worstFrame)]);
  const wanted = [...new Set([...strip, ...overlaid])].sort((a, b) => a - b);
  const frames = new Map<number, ReportPicture>();
  const overlays = new Map<number, ReportPicture>();
  const moments = wanted.map((frame) => track.timestampsSeconds[frame]!);
  for await (const { index, image } of job.framesAt(moments)) {
    signal.throwIfAborted();
    job.emit({
      kind: 'progress',
      stage: 'draw the report',
      done: index + 1,
      total: wanted.length,
      unit: 'frames',
    });
    const frame = wanted[index]!;
    frames.set(frame, await dataPicture(fittedImage(image, FRAME_BOX_PX)));
    if (overlaid.has(frame) && track.confidence[frame]! > 0) {
      overlays.set(frame, await dataPicture(facePicture(head, track, frame, image, FACE_PX)));
    }
  }
  const html = reportHtml(
    {
      ...{ title: job.title, head, track, landmarkErrors, doubts, shownDoubts, stripFrames: strip, poses },
      startSeconds: startOfTrack(track),
      shots: result.shots,
      facts:
        result.framesPerSecond === null
          ? []
          : [['Tracking speed', `${result.framesPerSecond.toFixed(1)} / s`]],
      maker: `Made by learn2control ${packageVersion()} track --report`,
    },
    { frame: (frame) => frames.get(frame) ?? null, overlay: (frame) => overlays.get(frame) ?? null },
  );
  await writeFileAtomic(job.path, html);
}

const worstFrame = (doubt: Doubt): number => doubt.worstFrame;

async function dataPicture(image: RgbImage): Promise<ReportPicture> {
  const base64 = Buffer.from(await jpegBytes(image, 82)).toString('base64');
  return { uri: `data:image/jpeg;base64,${base64}`, width: image.width, height: image.height };
}
