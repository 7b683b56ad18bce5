// What brows, cheeks and eyes do of themselves over a clip: raises and frowns of the brows with what is said, smiles,
// narrowed eyes, each rising, staying and falling. Rises and falls as measured on spontaneous brow raises and smiles
// (Schmidt et al., 2006 and 2009, find them slower and smaller than posed ones); how often and how far was set so that units
// move within 1.6 s as much as MediaPipe's scores of them do on clips of talking people (docs/tracking.md).

import type { Random } from '../tensor/index.ts';
import { type Curve, randomTimes, smoothStep } from './curves.ts';

/** One unit over a clip; a name without a side stands for both. */
export type UnitCurve = { readonly name: string; readonly curve: Curve };

type Range = readonly [low: number, high: number];

/** A kind of event, and the units that take part, with the share of the event's height that each takes. */
type EventKind = {
  /** Probability that a person does it at all. */
  readonly share: number;
  /** How a person's events differ from another's: a factor of all heights. */
  readonly liveliness: Range;
  readonly meanSeconds: number;
  readonly riseSeconds: Range;
  readonly holdSeconds: Range;
  readonly fallSeconds: Range;
  readonly height: Range;
  readonly units: Readonly<Record<string, Range>>;
};

const KINDS: readonly EventKind[] = [
  {
    share: 0.85,
    liveliness: [0.3, 1],
    meanSeconds: 1.3,
    riseSeconds: [0.12, 0.25],
    holdSeconds: [0.05, 0.6],
    fallSeconds: [0.15, 0.4],
    height: [0.15, 0.9],
    units: { browInnerUp: [0.7, 1], browOuterUp: [0.5, 1], eyeWide: [0, 0.2] },
  },
  {
    share: 0.3,
    liveliness: [0.3, 1],
    meanSeconds: 2,
    riseSeconds: [0.15, 0.3],
    holdSeconds: [0.2, 1],
    fallSeconds: [0.2, 0.5],
    height: [0.2, 0.9],
    units: { browDown: [0.7, 1], eyeSquint: [0.2, 0.7] },
  },
  {
    share: 0.45,
    liveliness: [0.4, 1],
    meanSeconds: 3,
    riseSeconds: [0.3, 0.7],
    holdSeconds: [0.4, 2.5],
    fallSeconds: [0.4, 0.9],
    height: [0.2, 0.95],
    units: { mouthSmile: [0.9, 1], cheekSquint: [0.1, 0.6], eyeSquint: [0.1, 0.5] },
  },
  {
    share: 0.4,
    liveliness: [0.3, 1],
    meanSeconds: 2,
    riseSeconds: [0.15, 0.3],
    holdSeconds: [0.1, 0.8],
    fallSeconds: [0.2, 0.5],
    height: [0.1, 0.6],
    units: { eyeSquint: [0.8, 1] },
  },
];

/** The events of a clip as curves of units from 0 to 1. */
export function faceEvents(random: Random, durationSeconds: number): UnitCurve[] {
  return KINDS.flatMap((kind) =>
    random.uniform() < kind.share ? eventsOf(kind, random, durationSeconds) : [],
  );
}

function eventsOf(kind: EventKind, random: Random, durationSeconds: number): UnitCurve[] {
  const liveliness = random.uniform(...kind.liveliness);
  const { meanSeconds } = kind;
  const times = randomTimes(random, { durationSeconds, meanSeconds, leastSeconds: meanSeconds / 4 });
  const events = times.map((start) => {
    const top = start + random.uniform(...kind.riseSeconds);
    const leave = top + random.uniform(...kind.holdSeconds);
    const end = leave + random.uniform(...kind.fallSeconds);
    return { start, top, leave, end, height: liveliness * random.uniform(...kind.height) };
  });
  return Object.entries(kind.units).map(([name, range]) => {
    const share = random.uniform(...range);
    const curve = (seconds: number): number =>
      events.reduce((most, { start, top, leave, end, height }) => {
        const value =
          share * height * smoothStep(start, top, seconds) * (1 - smoothStep(leave, end, seconds));
        return Math.max(most, value);
      }, 0);
    return { name, curve };
  });
}
