// Images, colour, and video and audio streams; the codecs themselves come from the host.

export * from './image.ts';
