import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFrameController, createPreviewRenderer, type FittedPortrait } from '../../src/avatar/index.ts';
import { frontCamera } from '../../src/geometry/index.ts';
import { type HeadParameters, neutralParameters } from '../../src/head/index.ts';
import { createLiftTools } from '../../src/lift/index.ts';
import { createThreadedPreview, loadEmbeddedHead, threadedControls } from '../../src/node/index.ts';

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
