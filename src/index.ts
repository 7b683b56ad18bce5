// The library in Node: what most programs need, by one name. Every folder has more under its own, such as
// `learn2control/head` or `learn2control/tracking`; those above `node` run in the browser too.
//
//   import { loadHead, renderControl, track } from 'learn2control';

export {
  type Avatar,
  type AvatarRenderer,
  createModelRenderer,
  createMotionTransfer,
  createPreviewRenderer,
  type FittedPortrait,
  finishedRenderer,
  type ModelOptions,
  type ModelRenderer,
  neutralRest,
  orbitTrack,
  parseMotionScript,
  type ReenactedFrame,
  reenact,
  scriptTrack,
} from './avatar/index.ts';
export { AvatarError, BadInputError, FaultError, MissingResourceError } from './errors/index.ts';
export type { AvatarEvent, EventSink } from './events/index.ts';
export { ARKIT_UNITS, encodeLiveLinkCsv, encodeTrackJson, type TrackJson } from './exchange/index.ts';
export {
  createHeadPoser,
  frameCount,
  type HeadModel,
  type HeadParameters,
  type HeadPoser,
  type HeadTrack,
  jointAngles,
  parametersAt,
  type TurnAngles,
  trackCamera,
} from './head/index.ts';
export type { RgbImage, VideoFrameImage, VideoSink, VideoSource } from './media/index.ts';
export {
  type ControlFrame,
  type ControlOptions,
  createDevice,
  type DeviceRequest,
  type FileTrack,
  type LoadedAvatar,
  loadAvatar,
  loadHead,
  loadTracker,
  type OnlineSettings,
  readImage,
  readTrack,
  readVideo,
  renderControl,
  type TrackInput,
  type TrackSettings,
  track,
  trackAll,
  trackOnline,
  writeFileAtomic,
  writeImage,
  writeTrack,
  writeVideo,
} from './node/index.ts';
export { type Doubt, findDoubts } from './report/index.ts';
export type { Device } from './tensor/index.ts';
export type { ClipFrame, ImageTrack, OnlineState, OnlineTracker, Tracker } from './tracking/index.ts';
