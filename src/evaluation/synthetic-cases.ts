// Cases from subjects that no training has seen, rendered on the spot: exact truth for novel views, and clips that go
// the way of any other clip, through the tracker, for self- and cross-reenactment.

import type { HeadParameters } from '../head/index.ts';
import type { RgbImage } from '../media/index.ts';
import {
  createSubject,
  makeSyntheticClip,
  makeSyntheticPair,
  type RenderTools,
  renderSubject,
} from '../synthesis/index.ts';
import type { Tracker } from '../tracking/index.ts';
import type { CaseSource, EvaluationCase, Protocol } from './cases.ts';
import { otherMotionCase, ownMotionCase, type TrackedClip } from './tracked-clips.ts';

/** Which subjects, and how they are shown. */
export type SyntheticCaseOptions = {
  readonly protocol: Protocol;
  readonly tools: RenderTools;
  readonly tracker: Tracker;
  readonly subjects: number;
  /** Seed of the first subject; 500000 and above are held out of all training. */
  readonly seed: number;
  readonly sizePx: number;
  /** Of a clip, its first included. */
  readonly clipFrames: number;
};

/** Clips turn heads and speak for a few seconds without the cost of every frame. */
const CLIP_FRAMES_PER_SECOND = 12.5;

/** The cases of held-out subjects, by their seeds. */
export function syntheticCases(options: SyntheticCaseOptions): CaseSource {
  const { protocol, subjects, seed, tools, sizePx } = options;
  const seeds = Array.from({ length: subjects }, (_, i) => seed + i);
  if (protocol === 'novel-view') {
    const bySubject = new Map(seeds.map((subject) => [nameOf(subject), subject]));
    return {
      names: [...bySubject.keys()],
      load: async (name) => novelView(tools, bySubject.get(name)!, sizePx),
    };
  }
  let kept: TrackedClip[] = [];
  const clipOf = async (subject: number): Promise<TrackedClip> => {
    const known = kept.find(({ name }) => name === nameOf(subject));
    const clip = known ?? (await trackedClip(options, subject));
    // Who drives one subject is the next one's person.
    kept = [...kept.filter((other) => other !== clip), clip].slice(-2);
    return clip;
  };
  const tasks = new Map<string, readonly [person: number, driver: number | null]>(
    seeds.map((subject, i) => {
      if (protocol === 'self') return [nameOf(subject), [subject, null]];
      const driver = seeds[(i + 1) % seeds.length]!;
      return [`${nameOf(subject)}+${nameOf(driver)}`, [subject, driver]];
    }),
  );
  return {
    names: [...tasks.keys()],
    async load(name) {
      const [subject, driver] = tasks.get(name)!;
      const clip = await clipOf(subject);
      if (driver === null) return ownMotionCase(tools, clip, { sizePx, isSequence: true });
      return otherMotionCase(tools, clip, await clipOf(driver), { sizePx });
    },
  };
}

const nameOf = (seed: number): string => `synthetic-${seed}`;

function novelView(tools: RenderTools, seed: number, sizePx: number): EvaluationCase {
  const subject = createSubject(seed, tools);
  const pair = makeSyntheticPair(tools, subject, { sizePx, index: 0 });
  const { identity } = pair.portrait.parameters;
  const render = (heads: readonly HeadParameters[]): RgbImage[] =>
    heads.map((parameters, i) => {
      const placed = { ...parameters, identity: subject.traits.identity };
      // Grain of its own, apart from that of the pair.
      return renderSubject(tools, subject, {
        parameters: placed,
        camera: pair.portrait.camera,
        noiseSeed: 1000 + i,
      }).image;
    });
  return {
    name: nameOf(seed),
    reference: pair.portrait,
    targets: [
      {
        index: 1,
        timestampSeconds: 0,
        head: { ...pair.head, identity },
        picture: { width: sizePx, height: sizePx, data: pair.target },
        region: pair.headMask,
      },
    ],
    isSequence: false,
    hasTruth: true,
    render,
  };
}

async function trackedClip(
  { tools, tracker, sizePx, clipFrames }: SyntheticCaseOptions,
  seed: number,
): Promise<TrackedClip> {
  const subject = createSubject(seed, tools);
  const frames = makeSyntheticClip(tools, subject, {
    ...{ sizePx, index: 0, frames: clipFrames },
    framesPerSecond: CLIP_FRAMES_PER_SECOND,
  });
  const pictures = frames.map(({ target }) => ({ width: sizePx, height: sizePx, data: target }));
  const stream = async function* () {
    for (const [t, image] of pictures.entries())
      yield { image, timestampSeconds: t / CLIP_FRAMES_PER_SECOND };
  };
  const { track } = await tracker.trackClip(stream());
  return {
    name: nameOf(seed),
    pictures,
    track,
    camera: null,
    regions: frames.map(({ headMask }) => headMask),
    personMask: await tracker.personMask(pictures[0]!),
  };
}
