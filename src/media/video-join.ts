// Clips one after the other as one: their encoded pictures are copied, not encoded again, so that joining costs
// nothing and loses nothing. All must come from the same encoder at the same settings.

import {
  EncodedPacketSink,
  EncodedVideoPacketSource,
  Input,
  MP4,
  Mp4OutputFormat,
  Output,
  type Source,
  type Target,
} from 'mediabunny';
import { FaultError } from '../errors/index.ts';
import type { SoundTrack } from './sound-track.ts';
import { createSoundCopy } from './video-sink.ts';

/** A clip that becomes a part of another. */
export type VideoPart = {
  /** An mp4 as `createVideoSink` writes it. */
  readonly source: Source;
  /** When its first frame is shown in the whole, seconds. */
  readonly startSeconds: number;
  /** When its last frame ends in the whole, seconds. */
  readonly endSeconds: number;
};

/** How clips are joined. */
export type VideoJoinOptions = {
  /** Sound for the whole, cut to its length; null for none. */
  readonly sound: SoundTrack | null;
  /** A remark in the file, for people and programs. */
  readonly comment?: string;
};

/** Joins clips into one mp4; only one of them is open at a time. @throws FaultError if they do not fit together. */
export async function joinVideos(
  target: Target,
  parts: readonly VideoPart[],
  { sound, comment }: VideoJoinOptions,
): Promise<void> {
  const output = new Output({ format: new Mp4OutputFormat({ fastStart: false }), target });
  let pictures: EncodedVideoPacketSource | undefined;
  let soundCopy: ReturnType<typeof createSoundCopy> | null = null;
  let description: string | undefined;
  try {
    for (const { source, startSeconds, endSeconds } of parts) {
      using input = new Input({ source, formats: [MP4] });
      const track = (await input.getPrimaryVideoTrack())!;
      const decoderConfig = (await track.getDecoderConfig())!;
      const own = JSON.stringify([decoderConfig.codec, bytesOf(decoderConfig.description)]);
      if (description !== undefined && own !== description) throw mismatch();
      description = own;
      if (pictures === undefined) {
        pictures = new EncodedVideoPacketSource((await track.getCodec())!);
        output.addVideoTrack(pictures);
        const isCarried = sound !== null && output.format.getSupportedAudioCodecs().includes(sound.codec);
        soundCopy = isCarried ? createSoundCopy(output, sound) : null;
        if (comment !== undefined) output.setMetadataTags({ comment });
        await output.start();
      }
      for await (const packet of new EncodedPacketSink(track).packets()) {
        const timestamp = startSeconds + packet.timestamp;
        // A part did not know when the next one begins.
        const duration = Math.min(packet.duration, endSeconds - timestamp);
        await soundCopy?.copyUntil(timestamp);
        await pictures.add(packet.clone({ timestamp, duration }), { decoderConfig });
      }
    }
    await soundCopy?.copyUntil(parts.at(-1)!.endSeconds);
    await soundCopy?.close();
    await output.finalize();
  } catch (error) {
    await soundCopy?.close();
    await output.cancel();
    throw error;
  }
}

function bytesOf(description: ArrayBufferLike | ArrayBufferView | undefined): number[] {
  if (description === undefined) return [];
  return ArrayBuffer.isView(description)
    ? [...new Uint8Array(description.buffer, description.byteOffset, description.byteLength)]
    : [...new Uint8Array(description)];
}

function mismatch(): FaultError {
  return new FaultError({
    code: 'parts-differ',
    message: 'The parts of the video were encoded in different ways and cannot be joined.',
    hint: 'Remove the folder of the parts, and run again.',
  });
}
