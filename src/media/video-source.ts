// Reading a clip: what it is, its frames one after the other as upright RGB pictures, its sound.
// Containers are mediabunny's, codecs the host's WebCodecs; memory does not grow with the clip.

import { ALL_FORMATS, Input, type InputVideoTrack, type Source, VideoSampleSink } from 'mediabunny';
import { AvatarError, BadInputError } from '../errors/index.ts';
import { createFrameConverter } from './frame-image.ts';
import type { RgbImage } from './image.ts';
import { type SoundTrack, soundTrackOf } from './sound-track.ts';

/** What a clip is, known without decoding it. */
export type VideoInfo = {
  /** The clip's name in messages. */
  readonly name: string;
  /** Size in pixels as displayed: rotation metadata and pixel shape applied. */
  readonly width: number;
  readonly height: number;
  /** Clockwise rotation that the container asks for; `frames` has applied it. */
  readonly rotationDegrees: 0 | 90 | 180 | 270;
  /** Average over the clip; frames may come unevenly, their timestamps say when. */
  readonly framesPerSecond: number;
  readonly durationSeconds: number;
  /** Exact for constant frame rates, else close. */
  readonly frameCountEstimate: number;
  readonly codec: string;
  readonly hasAudio: boolean;
};

/** One frame of a clip. */
export type VideoFrameImage = {
  /** Counts the frames of this iteration from 0. */
  readonly index: number;
  /** When the frame is shown, seconds from the clip's start. */
  readonly timestampSeconds: number;
  readonly durationSeconds: number;
  readonly image: RgbImage;
};

/** Which part of a clip to read, in seconds: from the frame on show at `from` to those before `to`. */
export type TimeRange = { readonly fromSeconds?: number; readonly toSeconds?: number };

/** An open clip; dispose it to release its file. */
export type VideoSource = VideoInfo & {
  /** Null where the clip is silent. */
  readonly sound: SoundTrack | null;
  /** Decodes in presentation order. @throws BadInputError if the clip breaks off or cannot be decoded. */
  frames(range?: TimeRange): AsyncGenerator<VideoFrameImage, void, undefined>;
  /**
   * The frames on show at some moments, in the order asked for; moments without one are left out. Seeks, so that
   * a few frames of a long clip come soon. `index` counts the moments. @throws BadInputError as `frames`.
   */
  framesAt(momentsSeconds: readonly number[]): AsyncGenerator<VideoFrameImage, void, undefined>;
  [Symbol.dispose](): void;
};

/**
 * Opens a clip (mp4, mov, webm, mkv, ...).
 * @throws BadInputError if it is no video, has no pictures, or its codec is unknown to the host.
 */
export async function openVideo(source: Source, { name }: { readonly name: string }): Promise<VideoSource> {
  const input = new Input({ source, formats: ALL_FORMATS });
  try {
    const track = await readableTrack(input, name);
    const audio = await input.getPrimaryAudioTrack();
    const sound = audio === null ? null : await soundTrackOf(audio);
    const info = { ...(await describe(track, name)), hasAudio: sound !== null };
    return {
      ...info,
      sound,
      frames: (range = {}) => decodeFrames(track, info, range),
      framesAt: (moments) => decodeMoments(track, info, moments),
      [Symbol.dispose]: () => input.dispose(),
    };
  } catch (cause) {
    input.dispose();
    throw asClipError(cause, name);
  }
}

async function readableTrack(input: Input, name: string): Promise<InputVideoTrack> {
  if (!(await input.canRead())) {
    throw new BadInputError({
      code: 'not-a-video',
      message: `Expected a video, but ${name} is not one, or it is damaged at its start.`,
      hint: 'Give an mp4, mov, webm or mkv file.',
    });
  }
  const track = await input.getPrimaryVideoTrack();
  if (track === null) {
    const audio = await input.getPrimaryAudioTrack();
    throw new BadInputError({
      code: 'no-picture',
      message: `Expected a video, but ${name} ${audio === null ? 'has no index of its pictures' : 'holds sound only'}.`,
      hint:
        audio === null
          ? 'It holds nothing to show, or is cut short: get it again.'
          : 'Give a clip with a picture track.',
    });
  }
  if (!(await track.canDecode())) {
    const codec = (await track.getCodecParameterString()) ?? 'an unknown codec';
    throw new BadInputError({
      code: 'codec-unknown',
      message: `${name} is coded with ${codec}, which cannot be decoded here.`,
      hint: 'Convert it to H.264, VP9 or AV1 first.',
    });
  }
  return track;
}

// Enough packets for a rate; counting all of a long webm would read the whole file.
const RATE_PACKETS = 600;

async function describe(track: InputVideoTrack, name: string): Promise<Omit<VideoInfo, 'hasAudio'>> {
  const stats = await track.computePacketStats(RATE_PACKETS);
  if (stats.packetCount === 0) throw noFrames(name);
  const durationSeconds = await track.computeDuration();
  const shownSeconds = durationSeconds - Math.max(0, await track.getFirstTimestamp());
  const rate = Number.isFinite(stats.averagePacketRate) ? stats.averagePacketRate : 0;
  const framesPerSecond = rate > 0 ? rate : shownSeconds > 0 ? 1 / shownSeconds : 25;
  const expected = Math.max(1, Math.round(shownSeconds * framesPerSecond));
  return {
    name,
    width: Math.round(await track.getDisplayWidth()),
    height: Math.round(await track.getDisplayHeight()),
    rotationDegrees: await track.getRotation(),
    framesPerSecond,
    durationSeconds,
    frameCountEstimate: stats.packetCount < RATE_PACKETS ? Math.min(stats.packetCount, expected) : expected,
    codec: (await track.getCodecParameterString()) ?? 'unknown',
  };
}

async function* decodeFrames(
  track: InputVideoTrack,
  info: VideoInfo,
  { fromSeconds = 0, toSeconds = Number.POSITIVE_INFINITY }: TimeRange,
): AsyncGenerator<VideoFrameImage, void, undefined> {
  const { name, durationSeconds: clipSeconds, framesPerSecond } = info;
  const convert = createFrameConverter();
  let index = 0;
  let endSeconds = 0;
  try {
    // From 0: frames before it are cut off by the container's edit list and are not to be shown.
    for await (const sample of new VideoSampleSink(track).samples(fromSeconds, toSeconds)) {
      let image: RgbImage;
      const { timestamp: timestampSeconds, duration: durationSeconds } = sample;
      try {
        image = await convert(sample);
      } finally {
        sample.close();
      }
      endSeconds = timestampSeconds + durationSeconds;
      yield { index: index++, timestampSeconds: Math.max(0, timestampSeconds), durationSeconds, image };
    }
  } catch (cause) {
    throw asClipError(cause, name, index);
  }
  if (index === 0) throw noFrames(name);
  // A container whose index survived a cut goes on promising frames; the reader just stops.
  const expectedSeconds = Math.min(toSeconds, clipSeconds) - MISSING_FRAMES_ALLOWED / framesPerSecond;
  if (endSeconds < expectedSeconds) throw cutShort(info, index, endSeconds);
}

/** A moment this little before a frame is taken for its time, which may have been computed. */
const MOMENT_TOLERANCE_SECONDS = 1e-4;

async function* decodeMoments(
  track: InputVideoTrack,
  { name }: VideoInfo,
  moments: readonly number[],
): AsyncGenerator<VideoFrameImage, void, undefined> {
  const convert = createFrameConverter();
  const shifted = moments.map((seconds) => seconds + MOMENT_TOLERANCE_SECONDS);
  let index = 0;
  try {
    for await (const sample of new VideoSampleSink(track).samplesAtTimestamps(shifted)) {
      const at = index++;
      if (sample === null) continue;
      const { timestamp, duration: durationSeconds } = sample;
      const image = await convert(sample).finally(() => sample.close());
      yield { index: at, timestampSeconds: Math.max(0, timestamp), durationSeconds, image };
    }
  } catch (cause) {
    throw asClipError(cause, name, index);
  }
}

/** Some decoders hold back a last frame or two of a clip whose reordering is damaged. */
const MISSING_FRAMES_ALLOWED = 2.5;

function cutShort({ name, durationSeconds }: VideoInfo, frames: number, endSeconds: number): BadInputError {
  const [end, whole] = [endSeconds.toFixed(1), durationSeconds.toFixed(1)];
  return new BadInputError({
    code: 'clip-damaged',
    message: `${name} breaks off after ${frames} frames: ${end} of ${whole} seconds could be read.`,
    hint: 'The file is cut short or damaged: get it again, or save the readable part as a clip of its own.',
  });
}

function noFrames(name: string): BadInputError {
  return new BadInputError({
    code: 'no-frames',
    message: `Expected at least one frame, but ${name} has none in the part asked for.`,
    hint: 'Check that the file is complete, and that the part lies inside the clip.',
  });
}

/** What a container or a codec throws on damaged bytes has no code of its own: name the clip and the place. */
function asClipError(cause: unknown, name: string, decoded = 0): AvatarError {
  if (cause instanceof AvatarError) return cause;
  const place = decoded === 0 ? 'at its start' : `after ${decoded} frames`;
  return new BadInputError({
    code: 'clip-damaged',
    message: `${name} cannot be read ${place}: ${cause instanceof Error ? cause.message : String(cause)}`,
    hint: 'The file may be cut short or damaged: get it again, or convert it with another program.',
    cause,
  });
}
