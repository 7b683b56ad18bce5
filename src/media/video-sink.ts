// Writing a clip: frames come one by one with their timestamps and are encoded at once; the sound of
// another clip runs along unchanged. Memory does not grow with the clip.

import {
  canEncodeVideo,
  EncodedAudioPacketSource,
  type EncodedPacket,
  Mp4OutputFormat,
  Output,
  Quality,
  type Target,
  type VideoCodec,
  VideoSample,
  VideoSampleSource,
} from 'mediabunny';
import { BadInputError, FaultError, MissingResourceError } from '../errors/index.ts';
import type { RgbImage } from './image.ts';
import type { SoundTrack } from './sound-track.ts';
import { evenSize, i420FromImage } from './yuv.ts';

/** How a clip is written. */
export type VideoSinkOptions = {
  /** Size of all frames; the file's size is the next even one (the last column or row is repeated). */
  readonly width: number;
  readonly height: number;
  /** The usual rate: the last frame's duration and the bit rate follow from it. Timestamps decide the rest. */
  readonly framesPerSecond: number;
  /** Sound to copy, cut to the length of the pictures; null or absent for a silent clip. */
  readonly sound?: SoundTrack | null;
  /** Bits per pixel and frame. The default 0.35 gave 49 dB on a talking head at 512 x 512. */
  readonly bitsPerPixel?: number;
};

/** An mp4 being written. End it with `finish` or `discard`. */
export type VideoSink = {
  /** Size in the file. */
  readonly width: number;
  readonly height: number;
  readonly codec: VideoCodec;
  /** Why the sound of the options is not in the file; null if it is, or there is none. */
  readonly soundNote: string | null;
  /** Encodes one frame; timestamps must grow. @throws FaultError if size or time do not fit. */
  add(image: RgbImage, timestampSeconds: number): Promise<void>;
  /** Writes what is left. The file is complete after this. @throws BadInputError if there was no frame. */
  finish(): Promise<void>;
  /** Gives up; the target's bytes are of no use after this. */
  discard(): Promise<void>;
};

/** Best for players first: H.264 plays everywhere. */
const CODEC_PREFERENCE: readonly VideoCodec[] = ['avc', 'vp9', 'av1'];

/** Starts an mp4 on a target. @throws MissingResourceError if the host encodes none of H.264, VP9, AV1. */
export async function createVideoSink(target: Target, options: VideoSinkOptions): Promise<VideoSink> {
  const { framesPerSecond, sound = null, bitsPerPixel = 0.35 } = options;
  const width = evenSize(options.width);
  const height = evenSize(options.height);
  const codec = await encodableCodec(width, height);
  const output = new Output({ format: new Mp4OutputFormat({ fastStart: false }), target });
  const pictures = new VideoSampleSource({
    codec,
    quality: new Quality({
      bitrate: Math.max(200_000, Math.round(width * height * framesPerSecond * bitsPerPixel)),
    }),
    keyFrameInterval: 2,
  });
  output.addVideoTrack(pictures);
  const carriesSound = sound !== null && output.format.getSupportedAudioCodecs().includes(sound.codec);
  const soundCopy = carriesSound ? createSoundCopy(output, sound) : null;
  await output.start();

  let held: { readonly image: RgbImage; readonly timestampSeconds: number } | null = null;
  const encode = async (image: RgbImage, timestamp: number, duration: number): Promise<void> => {
    const { data } = i420FromImage(image);
    using sample = new VideoSample(data, {
      format: 'I420',
      codedWidth: width,
      codedHeight: height,
      timestamp,
      duration,
      colorSpace: { primaries: 'bt709', transfer: 'bt709', matrix: 'bt709', fullRange: false },
    });
    await soundCopy?.copyUntil(timestamp);
    await pictures.add(sample);
  };

  return {
    width,
    height,
    codec,
    soundNote: sound !== null && !carriesSound ? `mp4 cannot hold ${sound.codec} sound: left out` : null,
    async add(image, timestampSeconds) {
      expectFrame(image, options);
      // A frame lasts until the next one comes, so each waits for its successor.
      if (held !== null) {
        expectLater(timestampSeconds, held.timestampSeconds);
        await encode(held.image, held.timestampSeconds, timestampSeconds - held.timestampSeconds);
      }
      held = { image, timestampSeconds };
    },
    async finish() {
      if (held === null) {
        throw new BadInputError({
          code: 'no-frames',
          message: 'A video needs at least one frame, got none.',
          hint: 'Check that the input clip has frames.',
        });
      }
      const duration = 1 / framesPerSecond;
      await encode(held.image, held.timestampSeconds, duration);
      await soundCopy?.copyUntil(held.timestampSeconds + duration);
      await soundCopy?.close();
      await output.finalize();
    },
    async discard() {
      await soundCopy?.close();
      await output.cancel();
    },
  };
}

async function encodableCodec(width: number, height: number): Promise<VideoCodec> {
  for (const codec of CODEC_PREFERENCE) {
    if (await canEncodeVideo(codec, { width, height })) return codec;
  }
  throw new MissingResourceError({
    code: 'no-encoder',
    message: `No encoder for ${width} x ${height} video was found (H.264, VP9, AV1).`,
    hint: 'Choose a smaller size, or run on a host whose WebCodecs encode one of them.',
  });
}

/**
 * Copies sound packets in step with the pictures, so that the file is interleaved and nothing piles up: call
 * `copyUntil` before each picture, and `close` at the end.
 */
export function createSoundCopy(
  output: Output,
  sound: SoundTrack,
): { copyUntil(seconds: number): Promise<void>; close(): Promise<void> } {
  const track = new EncodedAudioPacketSource(sound.codec);
  output.addAudioTrack(track);
  const packets = sound.packets();
  let next: EncodedPacket | undefined;
  let isFirst = true;
  return {
    async copyUntil(seconds) {
      next ??= (await packets.next()).value ?? undefined;
      while (next !== undefined && next.timestamp < seconds) {
        const decoderConfig = isFirst ? await sound.decoderConfig() : null;
        await track.add(next, decoderConfig === null ? undefined : { decoderConfig });
        isFirst = false;
        next = (await packets.next()).value ?? undefined;
      }
    },
    close: async () => {
      await packets.return();
    },
  };
}

function expectFrame(image: RgbImage, { width, height }: VideoSinkOptions): void {
  if (image.width === width && image.height === height) return;
  throw new FaultError({
    code: 'frame-size',
    message: `All frames of a video have one size: expected ${width} x ${height}, got ${image.width} x ${image.height}.`,
    hint: 'Resize the frame before adding it.',
  });
}

function expectLater(timestampSeconds: number, before: number): void {
  if (timestampSeconds > before) return;
  throw new FaultError({
    code: 'frame-time',
    message: `Timestamps must grow: got ${timestampSeconds} s after ${before} s.`,
    hint: 'Add frames in presentation order.',
  });
}
