// How good pictures of people are: figures in the head region, protocols, and what they come to over subjects.

export * from './cases.ts';
export * from './evaluate.ts';
export * from './face-recogniser.ts';
export * from './face-trunk.ts';
export * from './feature-distance.ts';
export * from './flicker.ts';
export * from './image-metrics.ts';
export * from './judge.ts';
export * from './methods.ts';
export * from './metric-list.ts';
export * from './motion-metrics.ts';
export * from './multi-view.ts';
export * from './optical-flow.ts';
export * from './statistics.ts';
export * from './strips.ts';
export * from './summary.ts';
export * from './synthetic-cases.ts';
export * from './tracked-clips.ts';
export * from './vgg-trunk.ts';
