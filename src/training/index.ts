// Learning: the samples on disk, the losses, and the loop that runs the stages.

export * from './augmentation.ts';
export * from './autoencoder-stage.ts';
export * from './checkpoints.ts';
export * from './configuration-faults.ts';
export * from './control-sources.ts';
export * from './curves.ts';
export * from './denoiser-batch.ts';
export * from './denoiser-problem.ts';
export * from './denoiser-stage.ts';
export * from './denoiser-validation.ts';
export * from './distill-batch.ts';
export * from './distill-stage.ts';
export * from './gaussian-learner.ts';
export * from './learning-rate.ts';
export * from './loop.ts';
export * from './losses.ts';
export * from './paper-config.ts';
export * from './paper-problem.ts';
export * from './paper-stage.ts';
export * from './rehearsal.ts';
export * from './sample-reader.ts';
export * from './sample-shard.ts';
export * from './stage.ts';
export * from './trainer.ts';
export * from './training-config.ts';
export * from './validation-sheet.ts';
