// What subjects take from a library of assets.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadEmbeddedHead } from '../../src/node/index.ts';
import { type AssetLibrary, type AssetPiece, chooseOutfit } from '../../src/synthesis/asset-library.ts';
import { sampleTraits } from '../../src/synthesis/traits.ts';

const piece = (name: string, tags: string[]): AssetPiece => ({ ...({} as AssetPiece), name, tags });

test('no wig is worn with a headscarf, and wigs are worn without', async () => {
  const head = await loadEmbeddedHead();
  const hair = [piece('long', []), piece('short', ['short', 'female']), piece('crop', ['short', 'male'])];
  const library = { skins: [], hair, brows: [], lashes: [], irises: [] };
  let [scarves, wigs] = [0, 0];
  for (let seed = 0; seed < 400; seed++) {
    const traits = sampleTraits(seed, head);
    const outfit = chooseOutfit(traits, library);
    if (outfit.hair) wigs++;
    if (traits.worn.headwear !== 'headscarf') continue;
    scarves++;
    assert.equal(outfit.hair, null, `subject ${seed}`);
  }
  assert.ok(scarves > 5 && wigs > 100, `${scarves} scarves, ${wigs} wigs`);
});

test('a skin with brows of its own is worn without others, one without them with some', async () => {
  const head = await loadEmbeddedHead();
  const library = (isPhotograph: boolean): AssetLibrary => ({
    skins: [{ name: 'skin', sizePx: 1, data: new Uint8Array(3), tone: [0.4, 0.3, 0.25], isPhotograph }],
    brows: [piece('brows', [])],
    ...{ hair: [], lashes: [], irises: [] },
  });
  const seeds = Array.from({ length: 60 }, (_, seed) => sampleTraits(seed, head));
  for (const isPhotograph of [true, false]) {
    const outfits = seeds.map((traits) => chooseOutfit(traits, library(isPhotograph)));
    const dressed = outfits.filter(({ skin }) => skin !== null);
    const [worn, bare] = [dressed.filter(({ brows }) => brows !== null), outfits.length - dressed.length];
    assert.ok(dressed.length > 20 && bare > 3, `${dressed.length} of ${outfits.length} wear the skin`);
    assert.equal(worn.length > 10, !isPhotograph, `${worn.length} of ${dressed.length} wear brows`);
    if (isPhotograph) assert.equal(worn.length, 0);
  }
});
