// Motions that need no writing: what a head commonly does, as keyframes.

import { createRandom } from '../tensor/index.ts';
import type { HeadControls } from './head-controls.ts';

/** The names of the presets. */
export const PRESET_NAMES = ['nod', 'smile', 'look-around', 'speak'] as const;
export type PresetName = (typeof PRESET_NAMES)[number];

/** What `parseMotionScript` takes; not yet checked, since heads differ. */
export type PresetScript = {
  readonly seconds: number;
  readonly keyframes: readonly { readonly at: number; readonly set: HeadControls }[];
};

type Keys = PresetScript['keyframes'];

const BLINK = (at: number): Keys => [
  { at, set: { eyeBlink: 0 } },
  { at: at + 0.1, set: { eyeBlink: 1 } },
  { at: at + 0.28, set: { eyeBlink: 0 } },
];

const NOD: Keys = [
  { at: 0.1, set: { headPitch: 0 } },
  { at: 0.4, set: { headPitch: 12 } },
  { at: 0.7, set: { headPitch: -3 } },
  { at: 1.0, set: { headPitch: 9 } },
  { at: 1.35, set: { headPitch: 0 } },
];

const SMILE: Keys = [
  { at: 0.2, set: { mouthSmile: 0, cheekSquint: 0, eyeSquint: 0, mouthUpperUp: 0 } },
  { at: 0.9, set: { mouthSmile: 0.8, cheekSquint: 0.5, eyeSquint: 0.3, mouthUpperUp: 0.15 } },
  { at: 2.0, set: { mouthSmile: 0.8, cheekSquint: 0.5, eyeSquint: 0.3, mouthUpperUp: 0.15 } },
  { at: 2.8, set: { mouthSmile: 0, cheekSquint: 0, eyeSquint: 0, mouthUpperUp: 0 } },
];

// The eyes lead and the head follows.
const LOOK_AROUND: Keys = [
  { at: 0.15, set: { gazeYaw: 0, gazePitch: 0 } },
  { at: 0.2, set: { headYaw: 0, headPitch: 0 } },
  { at: 0.3, set: { gazeYaw: 18 } },
  { at: 1.1, set: { headYaw: 18, gazeYaw: 6 } },
  { at: 1.6, set: { headYaw: 18, gazeYaw: 6 } },
  { at: 1.75, set: { gazeYaw: -20 } },
  { at: 2.8, set: { headYaw: -18, gazeYaw: -6 } },
  { at: 3.2, set: { headYaw: -18, headPitch: 0, gazeYaw: -6, gazePitch: 0 } },
  { at: 3.35, set: { gazeYaw: 0, gazePitch: -12 } },
  { at: 4.0, set: { headYaw: 0, headPitch: -8, gazeYaw: 0, gazePitch: -4 } },
  { at: 4.4, set: { headPitch: -8, gazePitch: -4 } },
  { at: 5.0, set: { headPitch: 0, gazePitch: 0 } },
];

/** A preset; `seconds` and `seed` change speech alone, the others have their length. */
export function presetScript(
  name: PresetName,
  { seconds = 4, seed = 0 }: { readonly seconds?: number; readonly seed?: number } = {},
): PresetScript {
  if (name === 'nod') return { seconds: 1.6, keyframes: NOD };
  if (name === 'smile') return { seconds: 3, keyframes: inOrder([...SMILE, ...BLINK(1.3)]) };
  if (name === 'look-around') {
    return { seconds: 5.2, keyframes: inOrder([...LOOK_AROUND, ...BLINK(1.62), ...BLINK(3.25)]) };
  }
  return { seconds, keyframes: speech(seconds, seed) };
}

/** Shapes of the lips that syllables begin or end with: rounded, wide, lips pressed together, teeth on the lip. */
const LIP_SHAPES: readonly HeadControls[] = [
  { mouthFunnel: 0.5, mouthPucker: 0.3 },
  { mouthStretch: 0.3, mouthSmile: 0.2 },
  { mouthPress: 0.4, mouthRollLower: 0.25, mouthRollUpper: 0.2 },
  { mouthRollLower: 0.35, mouthUpperUp: 0.15 },
  {},
];
const LIP_NAMES = [...new Set(LIP_SHAPES.flatMap((shape) => Object.keys(shape)))];
const SYLLABLE_SECONDS = 0.22;
const BLINK_SECONDS = 2.6;

/** Words of some syllables with pauses between them, blinks, and a head that goes along. */
function speech(seconds: number, seed: number): Keys {
  const random = createRandom(seed);
  const keys: { at: number; set: HeadControls }[] = [];
  const rest = Object.fromEntries(LIP_NAMES.map((name) => [name, 0]));
  let at = 0.2;
  while (at < seconds - 0.7) {
    const syllables = 2 + random.integer(5);
    keys.push({ at, set: { jawOpen: 0, ...rest } });
    for (let i = 0; i < syllables && at < seconds - 0.6; i++) {
      const length = SYLLABLE_SECONDS * random.uniform(0.8, 1.3);
      const shape = LIP_SHAPES[random.integer(LIP_SHAPES.length)]!;
      keys.push({ at: at + 0.45 * length, set: { jawOpen: random.uniform(0.25, 0.65), ...rest, ...shape } });
      keys.push({ at: at + length, set: { jawOpen: random.uniform(0, 0.12) } });
      at += length;
    }
    const turn = {
      headYaw: random.uniform(-5, 5),
      headPitch: random.uniform(-2, 4),
      headRoll: random.uniform(-2, 2),
    };
    keys.push({ at, set: { jawOpen: 0.02, ...rest, ...turn } });
    at += random.uniform(0.15, 0.5);
  }
  for (let blink = 0.8; blink < seconds - 0.6; blink += BLINK_SECONDS * random.uniform(0.7, 1.3))
    keys.push(...BLINK(blink));
  keys.push({ at: seconds, set: { jawOpen: 0, ...rest, headYaw: 0, headPitch: 0, headRoll: 0 } });
  return inOrder(keys);
}

function inOrder(keys: Keys): Keys {
  return keys.toSorted((a, b) => a.at - b.at);
}
