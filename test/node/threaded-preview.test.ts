import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPreviewRenderer, type FittedPortrait } from '../../src/avatar/index.ts';
import { type HeadParameters, neutralParameters } from '../../src/head/index.ts';
import { createThreadedPreview, loadEmbeddedHead } from '../../src/node/index.ts';

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

/** Slow enough for threads to start on the way. */
async function* motion(frames: number): AsyncGenerator<HeadParameters, void, undefined> {
  for (let t = 0; t < frames; t++) {
    if (t > 30) await new Promise((resolve) => setTimeout(resolve, 40));
    yield turned(20 * Math.sin(t / 7));
  }
}

test('threads draw the very pictures of the plain preview, in order', async () => {
  const options = { sizePx: 48 };
  const threaded = createThreadedPreview(head, portrait, { ...options, threads: 2 });
  const plain = createPreviewRenderer(head, portrait, options).render(motion(110));
  let count = 0;
  for await (const image of threaded.render(motion(110))) {
    const { value } = await plain.next();
    assert.deepEqual(image.data, value!.data, `frame ${count}`);
    count++;
  }
  assert.equal(count, 110);
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
