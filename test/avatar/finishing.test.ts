import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addLiftedDetail, exchangeLiftedDetail } from '../../src/avatar/detailed-picture.ts';
import { createPasteBack } from '../../src/avatar/paste-back.ts';
import { type RgbImage, resizeImage, solidImage } from '../../src/media/index.ts';

const SIZE = 64;
const stripes: RgbImage = {
  width: SIZE,
  height: SIZE,
  data: Uint8Array.from({ length: 3 * SIZE * SIZE }, (_, i) => (Math.floor(i / 3) % 2 === 0 ? 90 : 150)),
};
const headMask = new Uint8Array(SIZE * SIZE).fill(255);
const trusted = (level: number) => ({
  ...{ image: stripes, headMask, visibility: headMask.map(() => level) },
  personMask: null,
});
/** What a network half as large would make of the stripes. */
const small = resizeImage(stripes, SIZE / 2, SIZE / 2);

test('detail that is trusted and agrees comes back whole; the rest of the picture is the network’s', () => {
  assert.deepEqual(addLiftedDetail(small, trusted(255)).data, stripes.data);
  const brighter = { ...small, data: small.data.map((value) => value + 4) };
  const detailed = addLiftedDetail(brighter, trusted(255));
  const mean = detailed.data.reduce((sum, value) => sum + value, 0) / detailed.data.length;
  assert.ok(Math.abs(mean - 124) < 0.6, `mean ${mean}`);
});

test('detail that is not trusted, or not of the same thing, is left out', () => {
  const plain = resizeImage(small, SIZE, SIZE).data;
  assert.deepEqual(addLiftedDetail(small, trusted(60)).data, plain);
  const other = solidImage(SIZE / 2, SIZE / 2, [20, 20, 20]);
  assert.deepEqual(addLiftedDetail(other, trusted(255)).data, resizeImage(other, SIZE, SIZE).data);
});

test('a smaller picture is made of a larger one without detail', () => {
  const [large, none] = [solidImage(128, 128, [9, 9, 9]), trusted(255)];
  assert.deepEqual(addLiftedDetail(large, none).data, solidImage(SIZE, SIZE, [9, 9, 9]).data);
});

test('a soft picture takes the detail of a lift that is trusted and agrees, and keeps its own shade', () => {
  const soft = solidImage(SIZE, SIZE, [122, 122, 122]);
  const sharp = exchangeLiftedDetail(soft, trusted(255));
  const [low, high] = [sharp.data[3 * 20]!, sharp.data[3 * 21]!];
  assert.ok(high - low > 55, `stripes of ${low} and ${high}`);
  const mean = sharp.data.reduce((sum, value) => sum + value, 0) / sharp.data.length;
  assert.ok(Math.abs(mean - 122) < 1, `mean ${mean}`);
  assert.deepEqual(exchangeLiftedDetail(stripes, trusted(255)).data, stripes.data);
});

test('a picture keeps its own detail where the lift is doubted or shows something else', () => {
  assert.deepEqual(exchangeLiftedDetail(stripes, trusted(60)).data, stripes.data);
  const other = solidImage(SIZE, SIZE, [20, 20, 20]);
  assert.deepEqual(exchangeLiftedDetail(other, trusted(255)).data, other.data);
});

/** A disc of a head about a place, in shares of the square. */
function disc(x: number, y: number, radius: number): Uint8Array {
  return Uint8Array.from({ length: SIZE * SIZE }, (_, i) => {
    const [dx, dy] = [((i % SIZE) + 0.5) / SIZE - x, (Math.floor(i / SIZE) + 0.5) / SIZE - y];
    return Math.hypot(dx, dy) < radius ? 255 : 0;
  });
}

test('a square is laid back softly: wholly on the head, now and before, not at all at its border', () => {
  const canvas = solidImage(200, 160, [50, 50, 50]);
  const window = { leftPx: 60, topPx: 40, sizePx: SIZE };
  const back = createPasteBack(canvas, window, disc(0.45, 0.5, 0.08));
  const whole = back.paste(solidImage(SIZE, SIZE, [250, 250, 250]), disc(0.55, 0.5, 0.08));
  const level = (x: number, y: number): number => whole.data[3 * ((40 + y) * 200 + 60 + x)]!;
  assert.deepEqual([whole.width, whole.height, canvas.data[0]], [200, 160, 50]);
  assert.equal(level(29, 32), 250, 'where the head was');
  assert.equal(level(35, 32), 250, 'where the head is');
  assert.equal(level(-1, 32), 50);
  assert.ok(level(0, 32) < 55 && level(63, 32) < 55 && level(32, 0) < 55, 'at the border');
  for (let x = 1; x < SIZE; x++) assert.ok(Math.abs(level(x, 32) - level(x - 1, 32)) < 50, `an edge at ${x}`);
});

test('at the border of the portrait itself the mask does not fade', () => {
  const canvas = solidImage(SIZE, SIZE, [50, 50, 50]);
  const back = createPasteBack(canvas, { leftPx: 0, topPx: 0, sizePx: SIZE }, disc(0.5, 0.1, 0.3));
  const whole = back.paste(solidImage(SIZE, SIZE, [250, 250, 250]), disc(0.5, 0.1, 0.3));
  assert.equal(whole.data[3 * 32], 250);
});
