// `orbit` and `animate` with their files: a portrait makes a motion that no clip was tracked for.

import {
  controlLimits,
  type MotionOptions,
  neutralRest,
  type OrbitPath,
  orbitTrack,
  type PresetName,
  parseMotionScript,
  portraitMotion,
  presetScript,
  scriptTrack,
} from '../avatar/index.ts';
import { BadInputError } from '../errors/index.ts';
import { encodeHeadTrack, type HeadModel, type HeadTrack } from '../head/index.ts';
import {
  expectWritable,
  loadTracker,
  readBytes,
  readTrack,
  writeFileAtomic,
  writeImage,
} from '../node/index.ts';
import type { CommandContext, CommandResult } from './command.ts';
import { type ControlValue, checkedControls, unknownControl } from './control-values.ts';
import { chosenModel, fitPortrait, openRenderers } from './portrait-renderer.ts';
import { writeReenactment } from './reenactment-video.ts';
import type { RendererChoices } from './renderer-options.ts';
import { startStopwatch } from './stopwatch.ts';

type Common = RendererChoices & {
  readonly portrait: string;
  readonly out: string;
  readonly sheet?: string | undefined;
};

/** The options of `orbit`, checked; angles in degrees. */
export type OrbitCommandOptions = Common & {
  readonly yaw: { readonly low: number; readonly high: number };
  readonly pitch: { readonly low: number; readonly high: number };
  readonly path: OrbitPath;
  readonly expression?: string | undefined;
  readonly seconds?: number | undefined;
  readonly fps: number;
};

const ORBIT_SECONDS = 4;

/** Shows a portrait from all around. @throws BadInputError, MissingResourceError for inputs that cannot be used. */
export async function runOrbit(
  options: OrbitCommandOptions,
  context: CommandContext,
): Promise<CommandResult> {
  const head = await context.loadHead();
  const { path, fps, seconds = ORBIT_SECONDS } = options;
  const expression = options.expression === undefined ? null : await readTrack(options.expression, head);
  const { track, rest } = orbitTrack(head, {
    yaw: inRadians(options.yaw),
    pitch: inRadians(options.pitch),
    ...{ path, seconds, expression, framesPerSecond: fps },
  });
  return writeMotion(head, track, { rest }, options, context);
}

/** The options of `animate`, checked: one of `set`, `keyframes`, `preset`. */
export type AnimateCommandOptions = Common & {
  readonly set?: Readonly<Record<string, ControlValue>> | undefined;
  readonly keyframes?: string | undefined;
  readonly preset?: PresetName | undefined;
  readonly seconds?: number | undefined;
  readonly intensity: number;
  readonly track?: string | undefined;
};

/** Length of a motion to set values, and when they are reached. */
const SET_SECONDS = 2;
const ARRIVAL_SHARE = 0.4;

/** Moves a portrait by values. @throws BadInputError, MissingResourceError for inputs that cannot be used. */
export async function runAnimation(
  options: AnimateCommandOptions,
  context: CommandContext,
): Promise<CommandResult> {
  const { track: trackPath, intensity } = options;
  if (trackPath !== undefined) await expectWritable(trackPath);
  const head = await context.loadHead();
  const { value, name } = await motionOf(head, options, context);
  const track = scriptTrack(head, parseMotionScript(head, value, name), name);
  const result = await writeMotion(head, track, { rest: neutralRest(head), intensity }, options, context);
  if (trackPath === undefined) return result;
  await writeFileAtomic(trackPath, encodeHeadTrack(track));
  return { ...result, outputs: [...result.outputs, trackPath] };
}

/** The motion that the options ask for, not yet checked, and what to call it. */
async function motionOf(
  head: HeadModel,
  { set, keyframes, preset, seconds }: AnimateCommandOptions,
  { seed }: CommandContext,
): Promise<{ readonly value: unknown; readonly name: string }> {
  if (preset !== undefined) {
    const length = seconds === undefined ? {} : { seconds };
    return { value: presetScript(preset, { seed, ...length }), name: `--preset ${preset}` };
  }
  const limits = controlLimits(head);
  if (set !== undefined) {
    const length = seconds ?? SET_SECONDS;
    const arrival = { at: ARRIVAL_SHARE * length, set: checkedControls(set, limits) };
    return { value: { seconds: length, keyframes: [arrival] }, name: '--set' };
  }
  const value = parseJson(await readBytes(keyframes!, 'keyframes'), keyframes!);
  const frames: readonly unknown[] = [value?.keyframes].flat();
  const names = frames.flatMap((frame) => Object.keys((frame as { set?: object } | undefined)?.set ?? {}));
  const unknown = names.find((control) => !limits.has(control));
  if (unknown !== undefined) throw unknownControl(keyframes!, unknown, [...limits.keys()]);
  return { value, name: keyframes! };
}

function parseJson(bytes: Uint8Array, path: string): { readonly keyframes?: unknown } | null {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new BadInputError({
      code: 'bad-keyframes',
      message: `${path} is not JSON: ${cause instanceof Error ? cause.message : String(cause)}.`,
      hint: 'See docs/reenactment.md for the format of keyframes.',
      cause,
    });
  }
}

/** Renders a portrait through a motion, into a video or, by the ending, a picture of the last moment. */
async function writeMotion(
  head: HeadModel,
  track: HeadTrack,
  motion: MotionOptions,
  options: Common,
  context: CommandContext,
): Promise<CommandResult> {
  const { out, sheet } = options;
  const { emit, signal } = context;
  await expectWritable(out);
  if (sheet !== undefined) await expectWritable(sheet);
  const watch = startStopwatch();
  const model = await chosenModel(head, options, emit);
  await using tracker = await loadTracker(await context.openDevice(), head);
  const portrait = await fitPortrait(tracker, options.portrait, options, emit);
  signal.throwIfAborted();
  watch.lap('tracking');
  await using renderers = await openRenderers(head, model, options, context);
  const renderer = await renderers.rendererOf(portrait);
  watch.lap('preparation');
  const { secondsByStage } = watch;
  const common = { secondsByStage, weights: renderer.weights };
  if (out.toLowerCase().endsWith('.png')) {
    const last = [...portraitMotion(head, portrait.parameters, track, motion)].slice(-1);
    for await (const image of renderer.render(last)) await writeImage(out, image);
    watch.lap('rendering');
    const { width, height } = renderer;
    return {
      summary: `${out}: ${width} x ${height}`,
      outputs: [out],
      fields: { frames: 1, width, height, ...common },
    };
  }
  const written = await writeReenactment({
    ...{ renderer, portrait, track, motion, clip: null, out, sheet, emit, signal },
    isCompared: false,
    isSheetAlone: true,
  });
  watch.lap('rendering');
  return {
    summary: `${out}: ${written.frames} frames, ${written.width} x ${written.height}, made at ${written.framesPerSecond.toFixed(1)} a second`,
    outputs: sheet === undefined ? [out] : [out, sheet],
    fields: { ...written, ...common },
  };
}

function inRadians({ low, high }: { readonly low: number; readonly high: number }): {
  low: number;
  high: number;
} {
  return { low: (low * Math.PI) / 180, high: (high * Math.PI) / 180 };
}
