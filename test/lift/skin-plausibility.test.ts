// What a still shows at grazing points of the face: skin, or something that lies over it.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { vertexNormals } from '../../src/geometry/index.ts';
import { decodeHead } from '../../src/head/index.ts';
import { liftGeometry } from '../../src/lift/lift-geometry.ts';
import { SQUARE_FACING, skinPlausibility } from '../../src/lift/skin-plausibility.ts';
import { ATTRIBUTE, ATTRIBUTE_COUNT } from '../../src/lift/source-view.ts';

const HEAD = decodeHead(
  new Uint8Array(readFileSync(new URL('../../models/head/embedded.head', import.meta.url))),
);

/** The head at rest as it is seen from the front. */
function fromTheFront() {
  const geometry = liftGeometry(HEAD);
  const normals = vertexNormals(HEAD.template, geometry.triangles);
  const count = normals.length / 3;
  const attributes = new Float32Array(count * ATTRIBUTE_COUNT);
  for (let v = 0; v < count; v++) attributes[v * ATTRIBUTE_COUNT + ATTRIBUTE.facing] = normals[3 * v + 2]!;
  const isVisible = Uint8Array.from({ length: count }, (_, v) => (normals[3 * v + 2]! > 0.02 ? 1 : 0));
  const isSkin = (v: number): boolean => isVisible[v] === 1 && geometry.vertexClasses[v] === 0;
  const all = Array.from({ length: count }, (_, v) => v).filter(isSkin);
  return { geometry, normals, count, attributes, isVisible, all };
}

test('black at the edge of a cheek is not skin; on the cheek itself, and above the eyes, it may be', () => {
  const { geometry, normals, count, attributes, isVisible, all } = fromTheFront();
  const isGrazing = (v: number): boolean => normals[3 * v + 2]! < SQUARE_FACING;
  const edge = all.filter((v) => isGrazing(v) && geometry.cheekWeights[v] === 1 && v % 5 === 0);
  const temple = all.filter((v) => isGrazing(v) && geometry.cheekWeights[v] === 0 && v % 5 === 0);
  const square = all.filter(
    (v) => !isGrazing(v) && geometry.faceWeights[v] === 1 && geometry.skullWeights[v] === 1 && v % 50 === 0,
  );
  const black = [...edge, ...temple, ...square];
  const colours = new Float32Array(count * 3).fill(170);
  for (const v of black) colours.fill(15, 3 * v, 3 * v + 3);

  const plausibility = skinPlausibility(geometry, attributes, colours, isVisible);
  assert.ok(edge.length > 20 && temple.length > 20 && square.length > 5);
  const lost = edge.filter((v) => plausibility[v]! < 0.1).length;
  assert.ok(lost > 0.9 * edge.length, `${lost} of ${edge.length}`);
  for (const v of [...temple, ...square]) assert.equal(plausibility[v], 1);
  const plain = all.filter((v) => !black.includes(v));
  const kept = plain.filter((v) => plausibility[v]! > 0.9).length;
  assert.ok(kept > 0.9 * plain.length, `${kept} of ${plain.length}`);
});

test('a blue collar over the throat is not skin, however squarely it is seen; the shade of the chin is', () => {
  const { geometry, count, attributes, isVisible, all } = fromTheFront();
  const throat = all.filter((v) => geometry.skullWeights[v]! < 0.2 && geometry.carryWeights[v] === 1);
  const skin = [150, 110, 90];
  const seen = (colour: (v: number) => readonly number[]): Float32Array => {
    const colours = new Float32Array(count * 3);
    for (const v of all) colours.set(colour(v), 3 * v);
    return skinPlausibility(geometry, attributes, colours, isVisible);
  };
  const collar = seen((v) => (throat.includes(v) ? [130, 160, 230] : skin));
  const shade = seen((v) => (throat.includes(v) ? skin.map((value) => 0.6 * value) : skin));
  assert.ok(throat.length > 20, `${throat.length}`);
  const share = (of: Float32Array, holds: (value: number) => boolean): number =>
    throat.filter((v) => holds(of[v]!)).length / throat.length;
  assert.ok(share(collar, (value) => value < 0.5) > 0.9, `${share(collar, (value) => value < 0.5)}`);
  assert.ok(share(shade, (value) => value > 0.9) > 0.9, `${share(shade, (value) => value > 0.9)}`);
});
