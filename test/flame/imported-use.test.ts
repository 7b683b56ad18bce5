// What the other parts of the project find in an imported FLAME head: Gaussians, lifting, the tracker's landmarks.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importHead } from '../../src/flame/index.ts';
import { bindGaussians } from '../../src/gaussians/index.ts';
import { type HeadModel, PART_NAMES } from '../../src/head/index.ts';
import { liftGeometry } from '../../src/lift/lift-geometry.ts';
import { partialFiles, partialSkip, reference } from './flame-files.ts';

const options = { skip: partialSkip };
const head = (): HeadModel => {
  imported ??= importHead(partialFiles(), { name: 'flame-open-partial', reference }).head;
  return imported;
};
let imported: HeadModel | null = null;

test('Gaussians cover the face, the eyes and the neck of an imported head', options, () => {
  const [own, embedded] = [bindGaussians(head()), bindGaussians(reference)];
  const shared = own.texels.filter((texel) => embedded.texels.includes(texel)).length;
  assert.ok(own.texels.length > 8000, `${own.texels.length} Gaussians`);
  assert.ok(shared / own.texels.length > 0.9, 'most texels are those of the embedded head');
  for (const name of ['leftEyeball', 'rightEyeball', 'lips'] as const) {
    const part = PART_NAMES.indexOf(name);
    const count = own.triangles.filter((t) => head().triangleParts[t] === part).length;
    assert.ok(count > 60, `${name}: ${count} Gaussians`);
  }
});

test('Gaussians of one texel lie at one place of the face on both heads', options, () => {
  const [own, embedded] = [bindGaussians(head()), bindGaussians(reference)];
  const place = (model: HeadModel, binding: typeof own, row: number): number[] =>
    [0, 1, 2].map((k) =>
      [0, 1, 2].reduce(
        (sum, c) =>
          sum + binding.barycentrics[3 * row + c]! * model.template[3 * binding.corners[3 * row + c]! + k]!,
        0,
      ),
    );
  const rowOf = new Map(Array.from(embedded.texels, (texel, row) => [texel, row]));
  const eyes = PART_NAMES.indexOf('leftEyeball');
  const wrongSides = Array.from(own.texels).filter((texel, row) => {
    const other = rowOf.get(texel);
    if (other === undefined || head().triangleParts[own.triangles[row]!] === eyes) return false;
    const [x, otherX] = [place(head(), own, row)[0]!, place(reference, embedded, other)[0]!];
    return Math.abs(x) > 0.02 && Math.abs(otherX) > 0.02 && Math.sign(x) !== Math.sign(otherX);
  });
  assert.ok(wrongSides.length < 0.01 * own.texels.length, `${wrongSides.length} on the wrong side`);
});

test('lifting finds face, skull and mirrored halves on an imported head', options, () => {
  const geometry = liftGeometry(head());
  const share = (weights: Float32Array): number =>
    weights.reduce((sum, weight) => sum + (weight > 0.5 ? 1 : 0), 0) / weights.length;
  assert.ok(share(geometry.faceWeights) > 0.3 && share(geometry.skullWeights) > 0.3);
  assert.ok(geometry.centreVertices.length > 500);
  const { template } = head();
  const gaps = Array.from(geometry.mirrored, (other, v) => Math.abs(template[3 * v]! + template[3 * other]!));
  assert.ok(gaps.filter((gap) => gap < 0.003).length > 0.9 * gaps.length);
});
