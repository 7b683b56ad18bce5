// Faces that are small in their picture.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { pasteImage, resizeImage, solidImage } from '../../src/media/index.ts';
import { createDevice, readImage, readModel } from '../../src/node/index.ts';
import { createFaceDetector } from '../../src/tracking/index.ts';

test('a face that the whole picture hides is found in its parts, where it is', async () => {
  const device = await createDevice('cpu');
  await using detector = await createFaceDetector(
    device,
    await readModel('perception', 'face-detector.onnx'),
  );
  const { image } = await readImage(join(import.meta.dirname, '../../samples/portrait.png'));
  const picture = solidImage(1600, 900, [90, 100, 110]);
  pasteImage(picture, resizeImage(image, 64, 64), 1222, 340);
  assert.equal((await detector.detect(picture)).length, 0);
  const [face, ...others] = await detector.detect(picture, { closely: true });
  assert.equal(others.length, 0);
  assert.ok(face !== undefined && face.leftPx > 1200 && face.rightPx < 1310);
  assert.ok(face.topPx > 320 && face.bottomPx < 430);
});
