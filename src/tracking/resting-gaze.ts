// Where a person looks most of the time. A face tells how far the eyes move better than where they rest: how lids and
// irises lie in an eye is each person's own. So the middle of a clip's gaze is drawn to where people usually look, by
// as much as clips with known truth ask for.

/** How far to believe the middle of a clip's gaze; yaw and pitch each. */
export type RestingGaze = {
  /** Where people look most of the time, beside where the face looks; radians. */
  readonly usual: readonly [yaw: number, pitch: number];
  /** Share of the departure from it that is believed, 0 to 1. */
  readonly share: readonly [yaw: number, pitch: number];
};

/** Believes all of it. */
export const PLAIN_GAZE: RestingGaze = { usual: [0, 0], share: [1, 1] };

/** Eyes that are turned so far most of the time are no mistake: from the first on more is believed, at the second all; radians. */
const SURELY_TURNED = { from: 0.2, to: 0.4 };
/** Of both eyes, in a frame's hinges: yaw, then pitch. */
const EYES = [2, 4] as const;

/** The mean of both eyes' yaw and pitch. @param hinges as of a frame */
export function gazeOf(hinges: ArrayLike<number>): [yaw: number, pitch: number] {
  return [(hinges[2]! + hinges[4]!) / 2, (hinges[3]! + hinges[5]!) / 2];
}

/**
 * Hinges with both eyes turned by what is not believed of the gaze's middle.
 * @param middle of the gaze over the clip, yaw and pitch, as found
 */
export function settleGaze(
  hinges: Float64Array,
  middle: ArrayLike<number>,
  { usual, share }: RestingGaze,
): Float64Array {
  const settled = hinges.slice();
  for (const axis of [0, 1] as const) {
    const departure = middle[axis]! - usual[axis];
    const { from, to } = SURELY_TURNED;
    const sure = Math.min(1, Math.max(0, (Math.abs(departure) - from) / (to - from)));
    const believed = share[axis] + (1 - share[axis]) * sure;
    for (const eye of EYES) settled[eye + axis]! += (believed - 1) * departure;
  }
  return settled;
}
