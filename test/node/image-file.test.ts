// Still pictures on disk: every kind comes in as upright 8-bit sRGB.

import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import sharp, { type Sharp } from 'sharp';
import type { RgbImage } from '../../src/media/index.ts';
import { readImage, writeFileAtomic, writeImage } from '../../src/node/index.ts';
import { orientedFrame, temporaryFolder } from './test-clips.ts';

const colourAt = (image: RgbImage, x: number, y: number): number[] => [
  ...image.data.subarray((y * image.width + x) * 3, (y * image.width + x) * 3 + 3),
];

const raw = (image: RgbImage): Sharp =>
  sharp(image.data, { raw: { width: image.width, height: image.height, channels: 3 } });

function assertNear(got: readonly number[], expected: readonly number[], tolerance: number): void {
  assert.ok(
    got.every((value, i) => Math.abs(value - expected[i]!) <= tolerance),
    `expected ${expected}, got ${got}`,
  );
}

test('PNG and WebP come back exactly or nearly so, JPEG nearly', async () => {
  using folder = temporaryFolder();
  const image = orientedFrame(40, 32);
  for (const [ending, tolerance] of [
    ['png', 0],
    ['webp', 14],
    ['jpg', 6],
  ] as const) {
    const path = join(folder.path, `picture.${ending}`);
    await writeImage(path, image);
    const { image: back, notes } = await readImage(path);
    assert.deepEqual([back.width, back.height, notes.length], [40, 32, 0]);
    assertNear(colourAt(back, 4, 24), colourAt(image, 4, 24), tolerance);
    assertNear(colourAt(back, 36, 24), colourAt(image, 36, 24), tolerance);
  }
});

test('a picture that a camera marked as lying on its side comes in upright', async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'side.jpg');
  // EXIF orientation 6: show it turned a quarter clockwise.
  await raw(orientedFrame(40, 32)).jpeg({ quality: 95 }).withMetadata({ orientation: 6 }).toFile(path);
  const { image } = await readImage(path);
  assert.deepEqual([image.width, image.height], [32, 40]);
  assertNear(colourAt(image, 28, 4), [235, 235, 235], 12);
  assertNear(colourAt(image, 16, 36), [40, 60, 200], 12);
});

test('a CMYK picture comes in as sRGB, with a note', async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'print.jpg');
  await raw(orientedFrame(40, 32)).toColourspace('cmyk').jpeg({ quality: 95 }).toFile(path);
  const { image, notes } = await readImage(path);
  assert.match(notes.join(), /CMYK/);
  const [red, green, blue] = colourAt(image, 4, 24) as [number, number, number];
  assert.ok(red > 150 && green < 100 && blue < 100, `${[red, green, blue]}`);
});

test('transparency is laid on neutral grey, with a note', async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'cut-out.png');
  await sharp({ create: { width: 8, height: 8, channels: 4, background: { r: 255, g: 0, b: 0, alpha: 0 } } })
    .png()
    .toFile(path);
  const { image, notes } = await readImage(path);
  assert.deepEqual(colourAt(image, 3, 3), [128, 128, 128]);
  assert.match(notes.join(), /transparency/);
});

test('16-bit and grey pictures come in as 8-bit RGB', async () => {
  using folder = temporaryFolder();
  const deep = join(folder.path, 'deep.png');
  await raw(orientedFrame(8, 8)).toColourspace('rgb16').png().toFile(deep);
  assert.equal((await sharp(deep).metadata()).depth, 'ushort');
  assertNear(colourAt((await readImage(deep)).image, 1, 7), [200, 40, 40], 1);
  const grey = join(folder.path, 'grey.png');
  await raw(orientedFrame(8, 8)).toColourspace('b-w').png().toFile(grey);
  const { image } = await readImage(grey);
  assert.equal(image.data.length, 8 * 8 * 3);
  const [red, green, blue] = colourAt(image, 1, 7);
  assert.ok(red === green && green === blue);
});

test('what is no picture is refused with what to do', async () => {
  using folder = temporaryFolder();
  const file = (name: string, bytes: Uint8Array | string): string => {
    writeFileSync(join(folder.path, name), bytes);
    return join(folder.path, name);
  };
  const png = await raw(orientedFrame(64, 64)).png({ compressionLevel: 0 }).toBuffer();
  await assert.rejects(readImage(file('text.jpg', 'hello')), { code: 'not-an-image', exitStatus: 2 });
  await assert.rejects(readImage(file('cut.png', png.subarray(0, 3000))), { code: 'not-an-image' });
  await assert.rejects(readImage(file('empty.png', '')), { code: 'empty-file' });
  await assert.rejects(readImage(join(folder.path, 'gone.png')), { code: 'file-not-found', exitStatus: 3 });
  await assert.rejects(writeImage(join(folder.path, 'x.bmp'), orientedFrame(4, 4)), { code: 'image-ending' });
});

test('a file written as a whole replaces the old one and leaves nothing beside it', async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'sub', 'data.bin');
  await writeFileAtomic(path, 'one');
  await writeFileAtomic(path, 'two');
  assert.deepEqual(readdirSync(join(folder.path, 'sub')), ['data.bin']);
});
