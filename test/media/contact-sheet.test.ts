// Contact sheets and their labels.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contactSheet, drawText, solidImage, textWidth } from '../../src/media/index.ts';

test('a sheet has as many rows as the pictures need, and each lies in its cell', () => {
  const images = [1, 2, 3].map((value) => solidImage(10, 8, [value, value, value]));
  const sheet = contactSheet(images, { columns: 2, gap: 2 });
  assert.deepEqual([sheet.width, sheet.height], [2 * 12 + 2, 2 * 10 + 2]);
  const at = (x: number, y: number): number => sheet.data[(y * sheet.width + x) * 3]!;
  assert.deepEqual([at(2, 2), at(14, 2), at(2, 12)], [1, 2, 3]);
});

test('a picture of another shape is fitted into the cell, centred', () => {
  const sheet = contactSheet([solidImage(10, 10, [5, 5, 5]), solidImage(20, 10, [9, 9, 9])], {
    columns: 2,
    gap: 0,
  });
  const row = (y: number): number => sheet.data[(y * sheet.width + 10) * 3]!;
  assert.deepEqual([row(0), row(5), row(9)], [24, 9, 24]);
});

test('labels are drawn under the pictures and cut to the cell', () => {
  const images = [solidImage(20, 10, [0, 0, 0])];
  const plain = contactSheet(images, { columns: 1 });
  const labelled = contactSheet(images, { columns: 1, labels: ['a very long label'] });
  assert.ok(labelled.height > plain.height);
  const ink = labelled.data.filter((value) => value === 255).length / 3;
  assert.ok(ink > 0 && ink < 20 * 10);
});

test('the letter T is a bar with a stem', () => {
  const image = solidImage(3, 5, [0, 0, 0]);
  drawText(image, 't', { left: 0, top: 0, scale: 1, colour: [1, 1, 1] });
  const rows = [0, 1, 2, 3, 4].map((y) => [0, 1, 2].map((x) => image.data[(y * 3 + x) * 3]).join(''));
  assert.deepEqual(rows, ['111', '010', '010', '010', '010']);
  assert.equal(textWidth('tt', 1), 7);
});
