// The whole road on pictures whose truth is known: the head is rendered, found by the networks, fitted, and
// compared with what was rendered.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { BadInputError } from '../../src/errors/index.ts';
import type { AvatarEvent } from '../../src/events/index.ts';
import type { HeadModel, HeadParameters } from '../../src/head/index.ts';
import { pasteImage, type RgbImage, solidImage } from '../../src/media/index.ts';
import {
  createDevice,
  loadEmbeddedHead,
  loadFaceDescriptor,
  loadPersonSegmenter,
  loadTracker,
} from '../../src/node/index.ts';
import { descriptorSimilarity, type Tracker } from '../../src/tracking/index.ts';
import { PAINTED_FOCAL, paintedHead } from './painted-head.ts';

const SIZE = 384;
const FOCAL_PX = PAINTED_FOCAL * SIZE;
const DEGREES = 180 / Math.PI;
let head: HeadModel;
let tracker: Tracker;

before(async () => {
  head = await loadEmbeddedHead();
  tracker = await loadTracker(await createDevice('cpu'), head);
});
after(() => tracker[Symbol.asyncDispose]());

const render = (change: (parameters: HeadParameters) => void, size = SIZE): RgbImage =>
  paintedHead(head, size, change);

test('a rendered turn and an open jaw come back through networks and fit', async () => {
  for (const [yaw, jaw] of [
    [-0.45, 0],
    [0, 0.25],
    [0.4, 0.1],
  ] as const) {
    const image = render(({ jointRotations }) => {
      jointRotations[1] = yaw;
      jointRotations[6] = jaw;
    });
    const { parameters, confidence } = await tracker.trackImage(image, { focalPx: FOCAL_PX });
    const yawError = Math.abs(parameters.jointRotations[1]! - yaw) * DEGREES;
    const jawError = Math.abs(parameters.jointRotations[6]! - jaw) * DEGREES;
    assert.ok(yawError < 6, `yaw ${yaw}: off by ${yawError} degrees`);
    assert.ok(jawError < 5, `jaw ${jaw}: off by ${jawError} degrees`);
    assert.ok(confidence > 0.7, `confidence ${confidence}`);
  }
});

test('a gaze to the left is found to the left', async () => {
  const gazes: number[] = [];
  for (const yaw of [-0.35, 0.35]) {
    const image = render(({ jointRotations }) => {
      for (const eye of [9, 12]) jointRotations[eye + 1] = yaw;
    });
    const { parameters } = await tracker.trackImage(image, { focalPx: FOCAL_PX });
    gazes.push(parameters.jointRotations[10]!);
  }
  assert.ok(gazes[1]! - gazes[0]! > 0.25, `gazes ${gazes}`);
});

test('a picture without a face is refused with a hint', async () => {
  const grey = solidImage(SIZE, SIZE, [128, 128, 128]);
  await assert.rejects(tracker.trackImage(grey), (error: unknown) => {
    return error instanceof BadInputError && error.code === 'no-face' && error.hint.length > 20;
  });
});

test('of two faces the larger is tracked, and one line says so', async () => {
  const canvas = solidImage(2 * SIZE, SIZE, [90, 97, 107]);
  pasteImage(
    canvas,
    render(() => {}, 200),
    40,
    90,
  );
  pasteImage(
    canvas,
    render(() => {}),
    SIZE,
    0,
  );
  const events: AvatarEvent[] = [];
  const { landmarksPx, facesDetected } = await tracker.trackImage(canvas, {
    onEvent: (event) => events.push(event),
  });
  assert.equal(facesDetected, 2);
  assert.ok(landmarksPx[2]! > SIZE, 'the nose lies in the right half');
  const lines = events.flatMap((event) => (event.kind === 'log' ? [event.message] : []));
  assert.deepEqual(lines, ['2 faces: the largest is tracked.']);
});

test('a face that is away in the middle of a clip is found again', async () => {
  const [face, grey] = [render(() => {}), solidImage(SIZE, SIZE, [128, 128, 128])];
  async function* frames() {
    for (const [i, image] of [face, face, grey, grey, face].entries()) {
      yield { timestampSeconds: i / 25, image };
    }
  }
  const events: AvatarEvent[] = [];
  const { track, framesTracked } = await tracker.trackClip(frames(), {
    onEvent: (event) => events.push(event),
  });
  assert.equal(framesTracked, 3);
  assert.equal(track.confidence[2], 0);
  assert.ok(
    events.some((event) => event.kind === 'log' && event.message.startsWith('No face in 2 of 5 frames')),
  );
});

test('the person mask covers the head and not the corners', async () => {
  await using segmenter = await loadPersonSegmenter(await createDevice('cpu'));
  const { data } = await segmenter.segment(render(() => {}));
  assert.ok(data[Math.floor(SIZE / 2) * SIZE + SIZE / 2]! > 0.8);
  assert.ok(data[5 * SIZE + 5]! < 0.2);
});

test('a description is nearer to the same head turned than to another head', async () => {
  await using descriptor = await loadFaceDescriptor(await createDevice('cpu'));
  const describe = async (image: RgbImage): Promise<Float32Array> => {
    const { landmarksPx } = await tracker.trackImage(image);
    return descriptor.describe(image, landmarksPx);
  };
  const other = (parameters: HeadParameters): void => {
    for (let i = 0; i < 12; i++) parameters.identity[i] = i % 2 === 0 ? 2 : -2;
  };
  const own = await describe(render(() => {}));
  const turned = await describe(
    render(({ jointRotations }) => {
      jointRotations[1] = 0.2;
    }),
  );
  const stranger = await describe(render(other));
  assert.ok(descriptorSimilarity(own, turned) > descriptorSimilarity(own, stranger));
});
