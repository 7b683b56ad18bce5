import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  createFrameController,
  createPreviewRenderer,
  type DenoisedFrame,
  type FittedPortrait,
  openFrameDecoder,
  shownPicture,
} from '../../src/avatar/index.ts';
import { DECODER_SCOPE, decodeLatent, latentFactor } from '../../src/denoiser/index.ts';
import { frontCamera } from '../../src/geometry/index.ts';
import { type HeadParameters, neutralParameters } from '../../src/head/index.ts';
import { createLiftTools } from '../../src/lift/index.ts';
import type { RgbImage } from '../../src/media/index.ts';
import { createParameterSet } from '../../src/nn/index.ts';
import {
  createDevice,
  createThreadedPreview,
  loadEmbeddedHead,
  threadedControls,
  threadedDecoding,
} from '../../src/node/index.ts';
import { createRandom, input, tensor } from '../../src/tensor/index.ts';
import { parseConfiguration } from '../../src/training/index.ts';

const head = await loadEmbeddedHead();
const SIDE = 96;
const portrait: FittedPortrait = {
  image: {
    width: SIDE,
    height: SIDE,
    data: Uint8Array.from({ length: SIDE * SIDE * 3 }, (_, i) => 60 + ((i * 37) % 140)),
  },
  parameters: turned(0),
  focalPx: 200,
};

function turned(degrees: number): HeadParameters {
  const parameters = neutralParameters(head);
  parameters.translation.set([0, 0.03, -0.8]);
  parameters.jointRotations[1] = (degrees * Math.PI) / 180;
  return parameters;
}

const placedAt = (t: number): HeadParameters => turned(20 * Math.sin(t / 7));

/** Slow enough for threads to start on the way. */
async function* motion(frames: number): AsyncGenerator<HeadParameters, void, undefined> {
  for (let t = 0; t < frames; t++) {
    if (t > 30) await new Promise((resolve) => setTimeout(resolve, 40));
    yield placedAt(t);
  }
}

test('threads draw the very pictures of the plain preview, in order', async () => {
  const options = { sizePx: 48 };
  const threaded = createThreadedPreview(head, portrait, { ...options, threads: 2 });
  const plain = createPreviewRenderer(head, portrait, options).render(motion(90));
  let count = 0;
  for await (const image of threaded.render(motion(90))) {
    const { value } = await plain.next();
    assert.deepEqual(image.data, value!.data, `frame ${count}`);
    count++;
  }
  assert.equal(count, 90);
});

test('a thread draws the very controls of a model', async () => {
  const framed = { ...portrait, camera: frontCamera(SIDE, SIDE, 200) };
  const steeredBy = { field: null, kinds: new Set(['lifted'] as const) };
  const controlsOf = createFrameController(steeredBy, createLiftTools(head), framed);
  let t = 0;
  for await (const controls of threadedControls(createLiftTools(head), framed, steeredBy)(motion(80))) {
    assert.deepEqual(controls, controlsOf(placedAt(t)), `frame ${t}`);
    t++;
  }
  assert.equal(t, 80);
});

test('whoever stops early leaves no thread behind', async () => {
  const threaded = createThreadedPreview(head, portrait, { sizePx: 32, threads: 1 });
  let count = 0;
  for await (const image of threaded.render(motion(1000))) {
    assert.equal(image.width, 32);
    if (++count === 60) break;
  }
  assert.equal(count, 60);
});

test('a thread decodes the very pictures that the model would', async () => {
  const text = readFileSync(new URL('../../configs/tiny.json', import.meta.url), 'utf8');
  const config = { ...parseConfiguration(text, 'tiny.json').model, size: SIDE };
  const { latentChannels } = config.autoencoder;
  const set = createParameterSet();
  const picture = input('lifted', [1, 3, SIDE, SIDE]);
  const side = SIDE / latentFactor(config.autoencoder);
  const lifted = { picture, visibility: input('visibility', [1, 1, SIDE, SIDE]) };
  const latent = input('latent', [1, latentChannels, side, side]);
  decodeLatent(set.scope.at(DECODER_SCOPE), latent, lifted, config.autoencoder);
  const ones = tensor(new Float32Array(latentChannels).fill(1), [latentChannels]);
  const part = { config, weights: set.initialise(1), statistics: { mean: ones, deviation: ones } };
  await using decoder = await openFrameDecoder(part, { device: await createDevice('cpu') });
  const takesDetail = true;
  const decodeHere = async ({ latent: of, controls }: DenoisedFrame): Promise<RgbImage> =>
    shownPicture(await decoder.decode(of, controls), controls, { takesDetail });

  const framed = { ...portrait, camera: frontCamera(SIDE, SIDE, 200) };
  const steeredBy = { field: null, kinds: new Set(['lifted'] as const) };
  const controlsOf = createFrameController(steeredBy, createLiftTools(head), framed);
  const frameAt = (placed: HeadParameters, t: number): DenoisedFrame => {
    const noise = createRandom(t).fillNormal(new Float32Array(latentChannels * side * side));
    return { latent: noise, controls: controlsOf(placed) };
  };
  async function* frames(): AsyncGenerator<DenoisedFrame, void, undefined> {
    let t = 0;
    for await (const placed of motion(70)) yield frameAt(placed, t++);
  }
  let t = 0;
  for await (const image of threadedDecoding(1)(part, { takesDetail, decodeHere })(frames())) {
    assert.deepEqual(image, await decodeHere(frameAt(placedAt(t), t)), `frame ${t}`);
    t++;
  }
  assert.equal(t, 70);
});
