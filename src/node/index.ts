// What Node adds to the portable folders: files, codecs, workers, devices.

export * from './asset-folder.ts';
export * from './avatar-weights.ts';
export * from './control-frames.ts';
export * from './dataset-builder.ts';
export * from './dataset-folder.ts';
export * from './dataset-lock.ts';
export * from './dataset-pictures.ts';
export * from './dataset-subject-job.ts';
export * from './image-file.ts';
export * from './input-file.ts';
export * from './load-tracker.ts';
export * from './memory.ts';
export * from './model-files.ts';
export * from './onnx-device.ts';
export * from './open-gpu.ts';
export * from './pack-avatar.ts';
export * from './run-folder.ts';
export * from './temporary-files.ts';
export * from './track.ts';
export * from './track-input.ts';
export * from './train-stage.ts';
export * from './video-file.ts';
export * from './webcodecs-host.ts';
export * from './worker-pool.ts';
