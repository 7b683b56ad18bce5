// Motion without a driving clip: keyframes of controls, in a file that people write. The format is documented in
// docs/reenactment.md.

import { z } from 'zod';
import { BadInputError } from '../errors/index.ts';
import { type HeadModel, type HeadParameters, type HeadTrack, neutralParameters } from '../head/index.ts';
import { controlLimits, controlledHead, type HeadControls } from './head-controls.ts';

/** How a value goes from the keyframe before to this one; `hold` stays and then jumps. */
const EASINGS = {
  linear: (t: number): number => t,
  ease: (t: number): number => t * t * (3 - 2 * t),
  'ease-in': (t: number): number => t * t,
  'ease-out': (t: number): number => t * (2 - t),
  hold: (t: number): number => (t < 1 ? 0 : 1),
} as const;
type Easing = keyof typeof EASINGS;

const EASING_NAMES = Object.keys(EASINGS) as [Easing, ...Easing[]];

const keyframeSchema = z.strictObject({
  /** Seconds from the start; never before the keyframe above. */
  at: z.number().min(0).max(3600),
  /** Values by control; a control that is not named goes on to its own next keyframe. */
  set: z.record(z.string(), z.number()).default({}),
  easing: z.enum(EASING_NAMES).default('ease'),
});

const motionScriptSchema = z.strictObject({
  framesPerSecond: z.number().min(1).max(120).default(25),
  /** Length; by default to the last keyframe. */
  seconds: z.number().positive().max(3600).optional(),
  keyframes: z.array(keyframeSchema).min(1),
});

/** A motion by keyframes; every control begins at 0. */
export type MotionScript = {
  readonly framesPerSecond: number;
  /** Length; by default to the last keyframe. */
  readonly seconds?: number | undefined;
  readonly keyframes: readonly Keyframe[];
};

/** Values that controls have at a moment, and how they get there. */
export type Keyframe = {
  readonly at: number;
  readonly set: HeadControls;
  readonly easing: Easing;
};

/**
 * Checks a motion for a head.
 * @param name what to call it in errors
 * @throws BadInputError `bad-keyframes`, `keyframes-backwards`, `unknown-control`, `control-range`.
 */
export function parseMotionScript(head: HeadModel, value: unknown, name: string): MotionScript {
  const result = motionScriptSchema.safeParse(value);
  if (!result.success) {
    const { path, message } = result.error.issues[0]!;
    throw new BadInputError({
      code: 'bad-keyframes',
      message: `${name}: ${path.length === 0 ? 'the motion' : path.join('.')} is not as expected: ${message}`,
      hint: 'See docs/reenactment.md for the format of keyframes.',
    });
  }
  const script = result.data;
  const limits = controlLimits(head);
  for (const [i, { at, set }] of script.keyframes.entries()) {
    const before = script.keyframes[i - 1]?.at ?? 0;
    if (at < before) {
      throw new BadInputError({
        code: 'keyframes-backwards',
        message: `${name}: keyframe ${i + 1} is at ${at} s, before keyframe ${i} at ${before} s.`,
        hint: 'Put the keyframes in the order of their times.',
      });
    }
    expectControls(set, limits, name);
  }
  return script;
}

/** @throws BadInputError `unknown-control`, `control-range`. */
function expectControls(set: HeadControls, limits: ReturnType<typeof controlLimits>, name: string): void {
  for (const [control, value] of Object.entries(set)) {
    const limit = limits.get(control);
    if (limit === undefined) {
      throw new BadInputError({
        code: 'unknown-control',
        message: `${name}: no control of this head is named ${control}.`,
        hint: `Controls are headYaw, headPitch, headRoll, gazeYaw, gazePitch, jawOpen and the head's expressions.`,
      });
    }
    if (value >= limit.low && value <= limit.high) continue;
    throw new BadInputError({
      code: 'control-range',
      message: `${name}: ${control} expects a number from ${limit.low} to ${limit.high}${limit.unit && ` ${limit.unit}`}, got ${value}.`,
      hint: 'Choose a value inside.',
    });
  }
}

/** The controls at a moment. */
export function controlsAt({ keyframes }: MotionScript, seconds: number): HeadControls {
  const controls: Record<string, number> = {};
  for (const name of new Set(keyframes.flatMap(({ set }) => Object.keys(set)))) {
    let [from, value] = [0, 0];
    for (const { at, set, easing } of keyframes) {
      const next = set[name];
      if (next === undefined) continue;
      if (at > seconds) {
        value += (next - value) * EASINGS[easing]((seconds - from) / (at - from));
        break;
      }
      [from, value] = [at, next];
    }
    controls[name] = value;
  }
  return controls;
}

/** Length of a motion, seconds. */
export function scriptSeconds({ seconds, keyframes }: MotionScript): number {
  return seconds ?? keyframes.at(-1)!.at;
}

/** A motion as the track of a mean head; at least one frame. Its rest is the neutral head. */
export function scriptTrack(head: HeadModel, script: MotionScript, source: string): HeadTrack {
  const { framesPerSecond } = script;
  const frames = Math.max(1, Math.round(scriptSeconds(script) * framesPerSecond));
  return trackOfHeads(
    head,
    Array.from({ length: frames }, (_, t) => controlledHead(head, controlsAt(script, t / framesPerSecond))),
    { framesPerSecond, source },
  );
}

/** A track of the mean head in these placements; nobody's landmarks, seen by a camera of no particular kind. */
export function trackOfHeads(
  head: HeadModel,
  heads: readonly HeadParameters[],
  { framesPerSecond, source }: { readonly framesPerSecond: number; readonly source: string },
): HeadTrack {
  const joined = (of: (parameters: HeadParameters) => Float32Array): Float32Array => {
    const width = of(heads[0]!).length;
    const all = new Float32Array(width * heads.length);
    for (const [t, parameters] of heads.entries()) all.set(of(parameters), t * width);
    return all;
  };
  return {
    headName: head.name,
    width: CAMERA.sizePx,
    height: CAMERA.sizePx,
    focalPx: CAMERA.focalPx,
    timestampsSeconds: Float64Array.from(heads, (_, t) => t / framesPerSecond),
    identity: neutralParameters(head).identity,
    expression: joined(({ expression }) => expression),
    jointRotations: joined(({ jointRotations }) => jointRotations),
    // A track's head is before its camera, wherever its motion begins.
    translation: joined(({ translation }) => translation.map((v, k) => (k === 2 ? v - CAMERA.metres : v))),
    confidence: new Float32Array(heads.length).fill(1),
    landmarksPx: new Float32Array(heads.length * LANDMARKS * 2),
    provenance: { source },
  };
}

const LANDMARKS = 478;
const CAMERA = { sizePx: 512, focalPx: 1024, metres: 0.8 } as const;

/** The rest of a track that `trackOfHeads` made: the neutral head, where the camera sees it. */
export function neutralRest(head: HeadModel): HeadParameters {
  const { translation, ...rest } = neutralParameters(head);
  return { ...rest, translation: translation.with(2, -CAMERA.metres) };
}
