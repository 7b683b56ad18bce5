// The encoded sound of a clip, as it is stored: it travels to the output packet by packet, without loss.

import { type AudioCodec, type EncodedPacket, EncodedPacketSink, type InputAudioTrack } from 'mediabunny';

/** A clip's sound, ready to be copied into a `VideoSink`. */
export type SoundTrack = {
  readonly codec: AudioCodec;
  readonly channels: number;
  readonly sampleRateHz: number;
  /** What a decoder of the packets needs to know. */
  decoderConfig(): ReturnType<InputAudioTrack['getDecoderConfig']>;
  /**
   * The packets in order, on a clock that starts at `fromSeconds` of the clip (default 0); those that end
   * before are left out.
   */
  packets(fromSeconds?: number): AsyncGenerator<EncodedPacket, void, undefined>;
};

/** Wraps a container's audio track; null if its codec is unknown. */
export async function soundTrackOf(track: InputAudioTrack): Promise<SoundTrack | null> {
  const codec = await track.getCodec();
  if (codec === null) return null;
  return {
    codec,
    channels: await track.getNumberOfChannels(),
    sampleRateHz: await track.getSampleRate(),
    decoderConfig: () => track.getDecoderConfig(),
    async *packets(fromSeconds = 0) {
      const sink = new EncodedPacketSink(track);
      const first = fromSeconds > 0 ? await sink.getPacket(fromSeconds) : null;
      for await (const packet of sink.packets(first ?? undefined)) {
        const timestamp = packet.timestamp - fromSeconds;
        if (timestamp + packet.duration <= 0) continue;
        yield fromSeconds > 0 ? packet.clone({ timestamp }) : packet;
      }
    },
  };
}
