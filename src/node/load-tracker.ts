// The tracker with the networks that the package ships.

import type { HeadModel } from '../head/index.ts';
import type { Device } from '../tensor/index.ts';
import {
  createFaceDescriptor,
  createPersonSegmenter,
  createTracker,
  type FaceDescriptor,
  type PersonSegmenter,
  type Tracker,
} from '../tracking/index.ts';
import { readModel } from './model-files.ts';

/** A tracker for a head. Dispose of it. @throws MissingResourceError if the package is incomplete. */
export async function loadTracker(device: Device, head: HeadModel): Promise<Tracker> {
  const [faceDetector, faceLandmarks, expressionPrior, personMask] = await Promise.all([
    readModel('perception', 'face-detector.onnx'),
    readModel('perception', 'face-landmarks.onnx'),
    readModel('tracking', 'expression-prior.safetensors'),
    readModel('perception', 'person-mask.onnx'),
  ]);
  return createTracker({
    head,
    device,
    networks: { faceDetector, faceLandmarks, expressionPrior, personMask },
  });
}

/** The person mask. Dispose of it. @throws MissingResourceError if the package is incomplete. */
export async function loadPersonSegmenter(device: Device): Promise<PersonSegmenter> {
  return createPersonSegmenter(device, await readModel('perception', 'person-mask.onnx'));
}

/** The face description. Dispose of it. @throws MissingResourceError if the package is incomplete. */
export async function loadFaceDescriptor(device: Device): Promise<FaceDescriptor> {
  return createFaceDescriptor(device, await readModel('perception', 'face-descriptor.onnx'));
}
