// Images, colour, and video and audio streams; the codecs themselves come from the host.

export * from './clip-piece.ts';
export * from './compose.ts';
export * from './contact-sheet.ts';
export * from './hdr.ts';
export * from './image.ts';
export * from './pixel-font.ts';
export * from './planar.ts';
export * from './resize.ts';
export * from './sound-track.ts';
export * from './video-join.ts';
export { createVideoSink, type VideoSink, type VideoSinkOptions } from './video-sink.ts';
export * from './video-source.ts';
export { type AffineMap, type WarpOptions, warpAffine, warpGrey } from './warp.ts';
export * from './yuv.ts';
