// Makes the embedded sample of `npm run demo`: a portrait of one synthetic subject and a clip of another
// who turns, blinks, speaks and smiles. Everything in it comes from the project's own head.
//
//   npx tsx tools/make-samples.ts [--out samples]

import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { HeadModel } from '../src/head/index.ts';
import { neutralParameters } from '../src/head/index.ts';
import { loadEmbeddedHead, writeImage, writeVideo } from '../src/node/index.ts';
import type { Motion } from '../src/synthesis/index.ts';
import {
  createRenderTools,
  createSubject,
  placeSubject,
  renderSubject,
  rotationVector,
} from '../src/synthesis/index.ts';

const PORTRAIT_SEED = 500_114;
const DRIVER_SEED = 500_112;
const PORTRAIT_PX = 512;
const CLIP_PX = 320;
const FRAMES_PER_SECOND = 25;
const SECONDS = 3;

const { values } = parseArgs({ options: { out: { type: 'string', default: 'samples' } } });
const head = await loadEmbeddedHead();
const tools = createRenderTools(head);

const sitter = createSubject(PORTRAIT_SEED, tools);
const portrait = renderSubject(tools, sitter, placeSubject(sitter.traits, atRest(head), PORTRAIT_PX));
await writeImage(join(values.out, 'portrait.png'), portrait.image);

const driver = createSubject(DRIVER_SEED, tools);
const sink = await writeVideo(join(values.out, 'driving.mp4'), {
  width: CLIP_PX,
  height: CLIP_PX,
  framesPerSecond: FRAMES_PER_SECOND,
  sound: null,
});
for (let frame = 0; frame < SECONDS * FRAMES_PER_SECOND; frame++) {
  const seconds = frame / FRAMES_PER_SECOND;
  const placement = placeSubject(driver.traits, motionAt(head, seconds), CLIP_PX);
  await sink.add(renderSubject(tools, driver, { ...placement, noiseSeed: frame }).image, seconds);
}
await sink.finish();

function atRest(model: HeadModel): Motion {
  const { expression, jointRotations } = neutralParameters(model);
  return { expression, jointRotations };
}

/** A head that looks to both sides, blinks twice, speaks and ends with a smile. */
function motionAt(model: HeadModel, seconds: number): Motion {
  const { expression, jointRotations } = atRest(model);
  const set = (unit: string, value: number): void => {
    expression[model.expressionNames.indexOf(unit)] = Math.min(1, Math.max(0, value));
  };
  const bump = (centre: number, width: number): number => Math.exp(-(((seconds - centre) / width) ** 2));
  const wave = (hertz: number, phase = 0): number => Math.sin(2 * Math.PI * (hertz * seconds + phase));
  const [yaw, pitch, roll] = [0.32 * wave(1 / SECONDS), 0.08 * wave(0.5, 0.1), 0.05 * wave(0.4)];
  jointRotations.set(rotationVector(yaw, pitch, roll));
  const speaks = bump(1.3, 0.75);
  set('jawOpen', 0.55 * speaks * Math.abs(wave(1.9)));
  set('mouthFunnel', 0.3 * speaks * Math.max(0, wave(1.1, 0.3)));
  for (const side of ['Left', 'Right']) {
    set(`eyeBlink${side}`, bump(0.7, 0.08) + bump(2.1, 0.08));
    set(`mouthSmile${side}`, 0.75 * bump(2.7, 0.45));
    set(`browOuterUp${side}`, 0.5 * bump(1.5, 0.35));
  }
  return { expression, jointRotations };
}
