// The assembled avatar: a portrait and the motion of a head in, pictures of the person out.

export * from './avatar-file.ts';
export * from './avatar-renderer.ts';
export * from './finished-renderer.ts';
export {
  createFrameController,
  type FrameControlStream,
  type FrameControls,
  type SteeredBy,
} from './frame-controls.ts';
export {
  type DecoderPart,
  type DecodingControls,
  type DenoisedFrame,
  type FramePictures,
  openFrameDecoder,
  shownPicture,
} from './frame-decoder.ts';
export * from './framing.ts';
export { type ControlLimits, controlLimits, type HeadControls } from './head-controls.ts';
export * from './model-renderer.ts';
export * from './motion.ts';
export * from './motion-presets.ts';
export * from './motion-script.ts';
export * from './orbit.ts';
export * from './paper-memory.ts';
export * from './paper-model.ts';
export type { WeightsInFile } from './paper-networks.ts';
export * from './preview-renderer.ts';
export * from './reenact.ts';
