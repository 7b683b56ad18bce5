// MakeHuman's text files: what is read of them, and one clear line for those that cannot be used.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BadInputError } from '../../src/errors/index.ts';
import { parseMhclo, parseMhmat, parseObj } from '../../src/synthesis/index.ts';

const HEADER = `# a comment
basemesh hm08
tag Female
tag Long hair
obj_file cap.obj
x_scale 10 11 1.5
y_scale 12 13 2.5
z_scale 14 15 3.5
`;

test('a clothes file binds vertices by one base vertex or by three, with header lines anywhere', () => {
  const text = `${HEADER}verts 0\nmaterial cap.mhmat\n 7\n 1 2 3 0.5 0.25 0.25\n1 2 3 0.5 0.25 0.25 0.1 -0.2 0.3\ndelete_verts\n4 - 9\n`;
  const clothes = parseMhclo(text, 'cap.mhclo');
  assert.equal(clothes.objFile, 'cap.obj');
  assert.equal(clothes.material, 'cap.mhmat');
  assert.deepEqual(clothes.tags, ['female', 'long hair']);
  assert.deepEqual(clothes.scales[2], { from: 14, to: 15, reference: 3.5 });
  assert.deepEqual([...clothes.vertices], [7, 7, 7, 1, 2, 3, 1, 2, 3]);
  assert.deepEqual([...clothes.weights], [1, 0, 0, 0.5, 0.25, 0.25, 0.5, 0.25, 0.25]);
  assert.deepEqual([...clothes.offsets.slice(0, 6)], [0, 0, 0, 0, 0, 0]);
  assert.deepEqual([...clothes.offsets.slice(6)], [...Float32Array.of(0.1, -0.2, 0.3)]);
});

test('a damaged clothes file is refused in one line that names it', () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['', /binds no vertices/],
    [`${HEADER}verts 0\n`, /binds no vertices/],
    [`${HEADER}verts 0\n1 2 3 0.5\n`, /line 10 binds a vertex with 4 numbers/],
    [`${HEADER}verts 0\n1 2 3 0.5 oh 0.2\n`, /line 10 should hold numbers/],
    [`${HEADER}verts 0\n1.5\n`, /line 10 names no vertex/],
    [HEADER.replace('hm08', 'alpha7').concat('verts 0\n1\n'), /made for the mesh "alpha7"/],
    [HEADER.replace('obj_file cap.obj\n', '').concat('verts 0\n1\n'), /names no obj_file/],
    [HEADER.replace('10 11 1.5', '10 11').concat('verts 0\n1\n'), /x_scale should be/],
  ];
  for (const [text, message] of cases) {
    assert.throws(
      () => parseMhclo(text, 'cap.mhclo'),
      (error) =>
        error instanceof BadInputError &&
        error.message.startsWith('cap.mhclo cannot be used: ') &&
        !error.message.includes('\n') &&
        message.test(error.message),
      message.source,
    );
  }
});

test('a mesh keeps its polygons, with texture coordinates of their own', () => {
  const mesh = parseObj(
    'v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nvt 0 0\nvt 1 0.5\nf 1/1 2/2 3/1 4/2\nf 1//5 2 3\n',
    'cap.obj',
  );
  assert.deepEqual([...mesh.starts], [0, 4, 7]);
  assert.deepEqual([...mesh.corners.slice(0, 8)], [0, 0, 1, 1, 2, 0, 3, 1]);
  assert.deepEqual([...mesh.uvs], [0, 0, 1, 0.5]);
  assert.throws(() => parseObj('v 0 0 0\nf 1 2 3\n', 'cap.obj'), /names vertex 2 of 1/);
  assert.throws(
    () => parseObj('v 0 x 0\n', 'cap.obj'),
    /cap\.obj cannot be used: line 1 should hold numbers/,
  );
  assert.throws(() => parseObj('nothing', 'cap.obj'), /holds no mesh/);
});

test('a material names its picture, or none', () => {
  const text = 'name hair\n// a comment\ntag MakeHuman\ndiffuseColor 1 1 1\n';
  assert.deepEqual(parseMhmat(`${text}diffuseTexture my hair.png\n`, 'a.mhmat'), {
    name: 'hair',
    diffuseTexture: 'my hair.png',
    isInHeadLayout: false,
  });
  assert.equal(parseMhmat(text, 'a.mhmat').diffuseTexture, null);
  assert.throws(() => parseMhmat('\u0000\u0001', 'a.mhmat'), /a\.mhmat cannot be used: it is no material/);
});
