// Learning: the samples on disk, the losses, and the loop that runs the stages.

export * from './sample-shard.ts';
