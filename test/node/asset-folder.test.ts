// A folder of assets: what is missing or damaged is told in one line; a real folder dresses subjects whose
// truth stays the same.

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import sharp from 'sharp';
import { AvatarError } from '../../src/errors/index.ts';
import { PART_NAMES, type PartName } from '../../src/head/index.ts';
import { type AssetFolder, loadEmbeddedHead, readAssetFolder } from '../../src/node/index.ts';
import {
  type AssetLibrary,
  createRenderTools,
  createSubject,
  placeSubject,
  type RenderedSubject,
  renderSubject,
} from '../../src/synthesis/index.ts';
import { temporaryFolder } from './test-clips.ts';

const SHARED = join(import.meta.dirname, '../../../shared/heads/makehuman/assets');
const skip = existsSync(SHARED) ? false : `no MakeHuman assets at ${SHARED}`;
const head = await loadEmbeddedHead();

const CLOTHES = `basemesh hm08
obj_file cap.obj
material cap.mhmat
x_scale 5399 11998 1.4
y_scale 791 881 2.3
z_scale 962 5320 1.9
verts 0
1
2
3
`;
const MESH = 'v 0 0 0\nv 1 0 0\nv 0 1 0\nvt 0 0\nvt 1 0\nvt 0 1\nf 1/1 2/2 3/3\n';

function put(folder: string, files: Readonly<Record<string, string | Uint8Array>>): string {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}

test('a folder that is missing, empty, incomplete or damaged is refused in one line', async () => {
  using temporary = temporaryFolder();
  const picture = await sharp({ create: { width: 8, height: 8, channels: 3, background: '#864' } })
    .webp()
    .toBuffer();
  const whole = {
    'hair/cap/cap.mhclo': CLOTHES,
    'hair/cap/cap.obj': MESH,
    // Named after a format that the picture no longer has.
    'hair/cap/cap.mhmat': 'name cap\ndiffuseTexture cap.png\n',
    'hair/cap/cap.webp': new Uint8Array(picture),
    '3dobjs/base.obj': MESH,
  };
  const { '3dobjs/base.obj': _, ...baseless } = whole;
  const { 'hair/cap/cap.obj': __, ...meshless } = whole;
  const { 'hair/cap/cap.webp': ___, ...pictureless } = whole;
  const cases: readonly (readonly [string, Readonly<Record<string, string | Uint8Array>>, string, RegExp])[] =
    [
      ['nowhere', {}, 'no-assets', /there is no such folder/],
      ['empty', { 'readme.txt': 'none' }, 'no-assets', /holds no hair, skins/],
      ['pictureless', pictureless, 'no-assets', /holds no hair, skins/],
      ['baseless', baseless, 'no-base-mesh', /found no 3dobjs\/base\.obj/],
      ['meshless', meshless, 'file-not-found', /cap\.obj, but it cannot be read/],
      ['other-base', whole, 'damaged-asset', /base\.obj cannot be used: it has 3 vertices/],
      ['torn', { ...whole, 'hair/cap/cap.webp': 'RIFF' }, 'not-an-image', /cap\.webp cannot be read/],
      [
        'unbound',
        { ...whole, 'hair/cap/cap.mhclo': 'obj_file a.obj\n' },
        'damaged-asset',
        /binds no vertices/,
      ],
    ];
  for (const [name, files, code, message] of cases) {
    const folder = put(join(temporary.path, name), files);
    await assert.rejects(
      readAssetFolder(folder, head),
      (error) =>
        error instanceof AvatarError &&
        error.code === code &&
        message.test(error.message) &&
        !error.message.includes('\n'),
      name,
    );
  }
});

let shared: Promise<AssetFolder> | null = null;
const readShared = (): Promise<AssetFolder> => (shared ??= readAssetFolder(SHARED, head));

test('the library of MakeHuman binds whole and names what has no picture', { skip }, async () => {
  const { library, notes } = await readShared();
  assert.deepEqual(
    Object.entries(library).map(([kind, list]) => [kind, list.length]),
    [
      ['skins', 11],
      ['hair', 8],
      ['brows', 12],
      ['lashes', 4],
      ['irises', 9],
    ],
  );
  assert.equal(notes.filter((note) => /(afro01|bob01)\.mhclo is left out/.test(note)).length, 2);
  const darkness = (name: string): number => library.skins.find((skin) => skin.name === name)!.tone[1];
  assert.ok(darkness('young_african_male') < 0.5 * darkness('young_caucasian_male'));
});

test('lashes hang on the lashes of the head, and pictured lips are redder than cheeks', {
  skip,
}, async () => {
  const { library } = await readShared();
  const isLash = new Set<number>();
  head.triangleParts.forEach((part, t) => {
    if (PART_NAMES[part] === 'lashes')
      for (const v of head.triangles.subarray(3 * t, 3 * t + 3)) isLash.add(v);
  });
  const { carriers, starts } = library.lashes[0]!.mesh;
  assert.equal(carriers.length, starts.length - 1);
  assert.ok(carriers.every((v) => isLash.has(v)));

  const redness = ({ sizePx, data }: AssetLibrary['skins'][number], part: PartName): number => {
    const sums = [0, 0];
    head.triangleParts.forEach((own, t) => {
      const { template, triangles, uvs, uvTriangles } = head;
      // Cheeks, not the scalp.
      if (PART_NAMES[own] !== part || template[3 * triangles[3 * t]! + 2]! < 0) return;
      const corner = uvTriangles[3 * t]!;
      const [x, y] = [Math.floor(uvs[2 * corner]! * sizePx), Math.floor(uvs[2 * corner + 1]! * sizePx)];
      for (const k of [0, 1]) sums[k]! += data[3 * (y * sizePx + x) + k]!;
    });
    return sums[0]! / sums[1]!;
  };
  // Dark lips are not redder than the skin about them.
  for (const skin of library.skins.filter(({ name }) => !name.includes('african'))) {
    assert.ok(redness(skin, 'lips') > 1.03 * redness(skin, 'skin'), skin.name);
  }
});

test('assets change how subjects look, never their parameters, camera or clothes', { skip }, async () => {
  const { library: assets } = await readShared();
  const tools = createRenderTools(head);
  const atRest = {
    expression: new Float32Array(head.expressionNames.length),
    jointRotations: new Float32Array(15),
  };
  const portrait = (seed: number, options: Parameters<typeof createSubject>[2]): RenderedSubject => {
    const subject = createSubject(seed, tools, options);
    return renderSubject(tools, subject, placeSubject(subject.traits, atRest, 64));
  };
  let changed = 0;
  const seeds = [0, 1, 2, 3, 4, 5, 6, 7];
  for (const seed of seeds) {
    const [plain, dressed] = [portrait(seed, {}), portrait(seed, { assets })];
    assert.deepEqual(dressed.parameters, plain.parameters);
    assert.deepEqual(dressed.camera, plain.camera);
    assert.ok(dressed.masks.head.every((value, pixel) => value <= dressed.masks.person[pixel]!));
    let difference = 0;
    dressed.image.data.forEach((value, i) => {
      difference += Math.abs(value - plain.image.data[i]!);
    });
    if (difference > 0) changed++;
  }
  assert.ok(changed >= seeds.length / 2, `${changed} of ${seeds.length}`);
  assert.deepEqual(portrait(2, { assets }).image.data, portrait(2, { assets }).image.data);
});
