// Clips of any rate as clips of one rate: at each moment the frame that is on show.

/** The rate of all sequences of a dataset. */
export const DATASET_FRAMES_PER_SECOND = 25;

/** A frame with its time. */
type TimedFrame = { readonly timestampSeconds: number; readonly durationSeconds: number };

/** Computed times fall this little short of the moments that they mean. */
const TOLERANCE_SECONDS = 1e-4;

/**
 * The frames on show at 0, 1/25, 2/25 s and so on after the first, with these times; slower clips repeat frames,
 * faster ones lose some. The last frame is on show for its duration.
 */
export async function* resampleFrames<Frame extends TimedFrame>(
  frames: AsyncIterable<Frame>,
): AsyncGenerator<Frame, void, undefined> {
  const step = 1 / DATASET_FRAMES_PER_SECOND;
  let [count, start] = [0, 0];
  let shown: Frame | null = null;
  const due = (until: number): boolean => start + count * step < until - TOLERANCE_SECONDS;
  for await (const frame of frames) {
    if (shown === null) start = frame.timestampSeconds;
    while (shown !== null && due(frame.timestampSeconds)) {
      yield { ...shown, timestampSeconds: count++ * step, durationSeconds: step };
    }
    shown = frame;
  }
  if (shown === null) return;
  const end = shown.timestampSeconds + Math.max(shown.durationSeconds, TOLERANCE_SECONDS * 2);
  while (due(end)) yield { ...shown, timestampSeconds: count++ * step, durationSeconds: step };
}

/** Which of `frames` pictures at `framesPerSecond` are on show at 0, 1/25, 2/25 s and so on. */
export function resampledIndices(frames: number, framesPerSecond: number): number[] {
  const indices: number[] = [];
  for (let k = 0; ; k++) {
    const index = Math.floor((k * framesPerSecond) / DATASET_FRAMES_PER_SECOND + TOLERANCE_SECONDS);
    if (index >= frames) return indices;
    indices.push(index);
  }
}
