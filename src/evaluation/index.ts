// How good the output is: distances in the head region, statistics over subjects, protocols and reports.

export * from './image-metrics.ts';
export * from './statistics.ts';
export * from './synthetic-protocol.ts';
