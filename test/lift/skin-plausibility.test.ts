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

test('black at the edge of a cheek is not skin; on the cheek itself, and above the eyes, it may be', () => {
  const geometry = liftGeometry(HEAD);
  const normals = vertexNormals(HEAD.template, geometry.triangles);
  const count = normals.length / 3;
  const attributes = new Float32Array(count * ATTRIBUTE_COUNT);
  for (let v = 0; v < count; v++) attributes[v * ATTRIBUTE_COUNT + ATTRIBUTE.facing] = normals[3 * v + 2]!;
  const isVisible = Uint8Array.from({ length: count }, (_, v) => (normals[3 * v + 2]! > 0.02 ? 1 : 0));
  const isSkin = (v: number): boolean => isVisible[v] === 1 && geometry.vertexClasses[v] === 0;
  const all = Array.from({ length: count }, (_, v) => v).filter(isSkin);
  const isGrazing = (v: number): boolean => normals[3 * v + 2]! < SQUARE_FACING;
  const edge = all.filter((v) => isGrazing(v) && geometry.cheekWeights[v] === 1 && v % 5 === 0);
  const temple = all.filter((v) => isGrazing(v) && geometry.cheekWeights[v] === 0 && v % 5 === 0);
  const square = all.filter((v) => !isGrazing(v) && geometry.faceWeights[v] === 1 && v % 50 === 0);
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
