// Clips on disk: opened through mediabunny's file source, written beside the target and renamed when whole.

import { FilePathSource, FilePathTarget } from 'mediabunny';
import {
  createVideoSink,
  openVideo,
  type VideoFrameImage,
  type VideoSink,
  type VideoSinkOptions,
  type VideoSource,
} from '../media/index.ts';
import { expectInputFile } from './input-file.ts';
import { beginFile, diskError } from './temporary-files.ts';
import { countClosedFrame, keepAlive, keepEachAlive } from './webcodecs-host.ts';

/**
 * Opens a clip. Dispose it (`using clip = await readVideo(path)`).
 * @throws MissingResourceError if there is no such file; BadInputError if it is no clip that can be read.
 */
export async function readVideo(path: string): Promise<VideoSource> {
  await expectInputFile(path, 'a video');
  const source = new FilePathSource(path, { handleUnhandledError: () => {} });
  const video = await keepAlive(openVideo(source, { name: path }));
  return {
    ...video,
    frames: (range) => countedFrames(video.frames(range)),
    framesAt: (moments) => countedFrames(video.framesAt(moments)),
  };
}

async function* countedFrames(
  frames: AsyncGenerator<VideoFrameImage, void, undefined>,
): AsyncGenerator<VideoFrameImage, void, undefined> {
  for await (const frame of keepEachAlive(frames)) {
    await countClosedFrame(frame.image);
    yield frame;
  }
}

/**
 * Starts an mp4 under its final name; the name appears when `finish` returns, and never if it fails.
 * @throws BadInputError if the folder cannot be written to; MissingResourceError if there is no encoder.
 */
export async function writeVideo(path: string, options: VideoSinkOptions): Promise<VideoSink> {
  const file = await beginFile(path);
  let sink: VideoSink | undefined;
  const discard = async (): Promise<void> => {
    await keepAlive(sink?.discard() ?? Promise.resolve()).finally(() => file.discard());
  };
  // A failed step takes the unfinished file with it.
  const guard = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await keepAlive(work);
    } catch (cause) {
      await discard();
      throw diskError(path, cause);
    }
  };
  const started = await guard(createVideoSink(new FilePathTarget(file.path), options));
  sink = started;
  return {
    ...started,
    add: async (image, timestampSeconds) => {
      await guard(started.add(image, timestampSeconds));
      await countClosedFrame(image);
    },
    finish: () => guard(started.finish().then(() => file.commit())),
    discard,
  };
}
