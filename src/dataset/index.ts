// Clips on disk, for training and evaluation: the format, its reader, sampling with augmentation, and the layouts of
// other people's datasets. What touches disks and codecs is in `node`.

export * from './augmentation.ts';
export * from './calibration.ts';
export { type CameraFileView, encodeCameraFile, stemOf } from './camera-file.ts';
export * from './clip-file.ts';
export * from './clip-info.ts';
export { crc32 } from './crc32.ts';
export * from './dataset.ts';
export * from './dataset-index.ts';
export * from './frame-maps.ts';
export * from './frame-times.ts';
export * from './head-mirror.ts';
export * from './layouts.ts';
export * from './sample-order.ts';
export * from './sample-stream.ts';
export * from './statistics.ts';
export { TAR_END } from './tar.ts';
export * from './verify.ts';
