// Skins baked from portraits.

import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { frontCamera } from '../../src/geometry/index.ts';
import { neutralParameters } from '../../src/head/index.ts';
import { createLiftTools } from '../../src/lift/index.ts';
import { solidImage } from '../../src/media/index.ts';
import { bakeSkins, createDevice, loadTracker, readAssetFolder } from '../../src/node/index.ts';
import { bakeSkin } from '../../src/synthesis/index.ts';
import { head } from '../head/embedded-head.ts';
import { temporaryFolder } from '../node/test-clips.ts';

const PORTRAIT = join(import.meta.dirname, '..', '..', 'samples', 'portrait.png');
const folder = temporaryFolder();
after(() => folder[Symbol.dispose]());

test('an evenly lit head of one colour bakes to that colour, hidden sides too', () => {
  const sizePx = 128;
  const parameters = { ...neutralParameters(head), translation: Float32Array.of(0, 0.03, -0.9) };
  const skin = bakeSkin(
    createLiftTools(head),
    {
      image: solidImage(sizePx, sizePx, [170, 120, 95]),
      camera: frontCamera(sizePx, sizePx, 2 * sizePx),
      parameters,
    },
    96,
  );
  assert.ok(skin.seenShare > 0.4 && skin.seenShare <= 1, `${skin.seenShare}`);
  let texels = 0;
  for (let i = 0; i < skin.data.length; i += 3) {
    if (skin.data[i] === 0) continue;
    texels++;
    [170, 120, 95].forEach((value, k) => {
      assert.ok(Math.abs(skin.data[i + k]! - value) <= 3, `texel ${i / 3}: ${skin.data.subarray(i, i + 3)}`);
    });
  }
  assert.ok(texels > 0.25 * 96 * 96, `${texels} texels`);
});

test('a folder of portraits becomes skins that subjects wear without a base mesh, and what is there is kept', async () => {
  const [source, out] = [join(folder.path, 'source'), join(folder.path, 'assets')];
  mkdirSync(source);
  copyFileSync(PORTRAIT, join(source, 'anna of a.png'));
  await using tracker = await loadTracker(await createDevice('cpu'), head);
  const options = {
    source,
    out,
    sizePx: 128,
    licence: 'CC0-1.0',
    tracker,
    head,
    emit: () => {},
    signal: new AbortController().signal,
  };
  assert.deepEqual((await bakeSkins(options)).baked, ['anna-of-a']);
  const { library } = await readAssetFolder(out, head);
  assert.deepEqual(
    library.skins.map(({ name, sizePx }) => [name, sizePx]),
    [['anna-of-a', 128]],
  );
  assert.ok(library.skins[0]!.tone[0] > library.skins[0]!.tone[2]);
  assert.equal((await bakeSkins(options)).kept, 1);
  // A run that was killed before the material was written bakes the skin again.
  rmSync(join(out, 'skins', 'anna-of-a', 'anna-of-a.mhmat'));
  assert.deepEqual((await bakeSkins(options)).baked, ['anna-of-a']);
});
