// The tracker with the models that the package ships.

import type { HeadModel } from '../head/index.ts';
import type { Device } from '../tensor/index.ts';
import { createTracker, type Tracker } from '../tracking/index.ts';
import { readModel } from './model-files.ts';

/** Opens a tracker for a head on a device. @throws MissingResourceError if the package is incomplete. */
export async function openTracker(head: HeadModel, device: Device): Promise<Tracker> {
  const [faceDetector, faceLandmarks] = await Promise.all([
    readModel('perception', 'face-detector.onnx'),
    readModel('perception', 'face-landmarks.onnx'),
  ]);
  return createTracker({ head, device, networks: { faceDetector, faceLandmarks } });
}
