// Video to HeadTrack: faces found, their landmarks, and the head fitted to them; also the person mask and
// the face description that other parts use.

export { warnOfLosses } from './complaints.ts';
export * from './control-preview.ts';
export * from './face-descriptor.ts';
export * from './face-detector.ts';
export * from './face-landmarks.ts';
export * from './face-region.ts';
export * from './face-trunk.ts';
export { HIDDEN_MOUTH } from './lip-contrast.ts';
export * from './mesh-overlay.ts';
export * from './observe.ts';
export * from './online-tracker.ts';
export * from './person-segmenter.ts';
export type { TrackedView, View, ViewsTrack } from './track-views.ts';
export * from './tracker.ts';
