// What subjects take from a library of assets.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadEmbeddedHead } from '../../src/node/index.ts';
import { type AssetPiece, chooseOutfit } from '../../src/synthesis/asset-library.ts';
import { sampleTraits } from '../../src/synthesis/traits.ts';

test('no wig is worn with a headscarf, and wigs are worn without', async () => {
  const head = await loadEmbeddedHead();
  const wig = (name: string, tags: string[]): AssetPiece => ({
    ...({} as AssetPiece),
    name,
    tags,
  });
  const hair = [wig('long', []), wig('short', ['short', 'female']), wig('crop', ['short', 'male'])];
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
