// MakeHuman's material files, as far as a picture of a head needs them.

import { assetLines, damagedAsset } from './asset-text.ts';

/** A material. */
export type Mhmat = {
  readonly name: string;
  /** The file name of its colours, as written: pictures may since have been stored in another format. */
  readonly diffuseTexture: string | null;
  /** Departs: MakeHuman knows one layout of skins; `uvLayout head` says that a skin is in this project's. */
  readonly isInHeadLayout: boolean;
};

/** Reads a material. @param file what to call it in errors @throws BadInputError if it says nothing. */
export function parseMhmat(text: string, file: string): Mhmat {
  const entries = new Map<string, string>();
  for (const { words } of assetLines(text)) entries.set(words[0]!, words.slice(1).join(' '));
  if (!entries.has('name') && !entries.has('diffuseTexture') && !entries.has('diffuseColor')) {
    throw damagedAsset(file, 'it is no material');
  }
  return {
    name: entries.get('name') ?? file,
    diffuseTexture: entries.get('diffuseTexture') || null,
    isInHeadLayout: entries.get('uvLayout') === 'head',
  };
}
