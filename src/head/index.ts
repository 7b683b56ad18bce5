// The parametric head: identity, expression and pose to vertices; and the tracks that move it.

export * from './control-channels.ts';
export * from './eye-charts.ts';
export * from './head-angles.ts';
export * from './head-file.ts';
export * from './head-maps.ts';
export * from './head-model.ts';
export * from './head-parts.ts';
export * from './head-poser.ts';
export { poseHeadReference } from './head-posing-reference.ts';
export * from './head-track.ts';
export * from './lid-closure.ts';
export * from './track-file.ts';
