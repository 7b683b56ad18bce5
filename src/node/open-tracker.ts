// The tracker that library calls run on: the caller's own, or one for the length of the call.

import type { HeadModel } from '../head/index.ts';
import type { Tracker } from '../tracking/index.ts';
import { loadTracker } from './load-tracker.ts';
import { loadHead } from './model-files.ts';
import { createDevice } from './onnx-device.ts';
import type { TrackSettings } from './track.ts';

/** The tracker of the settings, which stays open, or one of its own, which is closed with this. */
export async function openTracker({
  head: given,
  tracker,
  device = 'auto',
}: Pick<TrackSettings, 'head' | 'tracker' | 'device'>): Promise<
  AsyncDisposable & { readonly head: HeadModel; readonly tracker: Tracker }
> {
  const head = given ?? (await loadHead());
  if (tracker !== undefined) return { head, tracker, [Symbol.asyncDispose]: async () => {} };
  const own = await loadTracker(typeof device === 'string' ? await createDevice(device) : device, head);
  return { head, tracker: own, [Symbol.asyncDispose]: () => own[Symbol.asyncDispose]() };
}
