// Skins for synthetic subjects from a folder of portraits: `skins/NAME/NAME.mhmat` with its picture, as
// `--assets` reads them.

import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { BadInputError } from '../errors/index.ts';
import type { EventSink } from '../events/index.ts';
import { createHeadPoser, type HeadModel } from '../head/index.ts';
import { createLiftTools } from '../lift/index.ts';
import { bakeSkin } from '../synthesis/index.ts';
import type { Tracker } from '../tracking/index.ts';
import { fitPortraitFile, listPortraits } from './fitted-portraits.ts';
import { writeFileAtomic } from './temporary-files.ts';

/** What is baked, and where to. */
export type BakeSkinsOptions = {
  readonly source: string;
  /** A folder of assets; skins that it has already are kept. */
  readonly out: string;
  readonly sizePx: number;
  readonly licence: string;
  readonly tracker: Tracker;
  readonly head: HeadModel;
  readonly emit: EventSink;
  readonly signal: AbortSignal;
};

/** What baking came to. */
export type BakeSkinsResult = {
  readonly baked: readonly string[];
  readonly kept: number;
  readonly skipped: readonly { readonly item: string; readonly reason: string }[];
};

/** The portrait is sampled at the size at which its head fills the skin's texels. */
const PORTRAIT_PX = 768;
/** Less of a face than this says little of its skin. */
const LEAST_SEEN = 0.3;

/** Bakes the skins of a folder; a run that was stopped is continued. */
export async function bakeSkins(options: BakeSkinsOptions): Promise<BakeSkinsResult> {
  const { source, out, sizePx, licence, tracker, head, emit, signal } = options;
  const portraits = await listPortraits(source);
  const tools = createLiftTools(head);
  const poser = createHeadPoser(head);
  const known = new Set(await readdir(join(out, 'skins')).catch((): string[] => []));
  const baked: string[] = [];
  const skipped: { item: string; reason: string }[] = [];
  let done = 0;
  for (const portrait of portraits) {
    signal.throwIfAborted();
    const name = portrait.name.replaceAll(/[^\w-]+/g, '-');
    const material = join(out, 'skins', name, `${name}.mhmat`);
    if (!(known.has(name) && (await readdir(join(out, 'skins', name))).includes(`${name}.mhmat`))) {
      try {
        const fitted = await fitPortraitFile(portrait, { tracker, poser, sizePx: PORTRAIT_PX });
        const skin = bakeSkin(tools, fitted, sizePx);
        if (skin.seenShare < LEAST_SEEN) throw poorlySeen(portrait.path, skin.seenShare);
        await mkdir(join(out, 'skins', name), { recursive: true });
        const picture = await sharp(skin.data, { raw: { width: sizePx, height: sizePx, channels: 3 } })
          .webp({ quality: 92 })
          .toBuffer();
        await writeFileAtomic(join(out, 'skins', name, `${name}.webp`), picture);
        // The material comes last: what has one is whole.
        await writeFileAtomic(material, new TextEncoder().encode(materialOf(name, licence)));
        baked.push(name);
      } catch (error) {
        if (!(error instanceof BadInputError)) throw error;
        skipped.push({ item: portrait.name, reason: error.message });
      }
    }
    emit({ kind: 'progress', stage: 'bake', done: ++done, total: portraits.length, unit: 'portraits' });
  }
  return { baked, kept: portraits.length - baked.length - skipped.length, skipped };
}

function materialOf(name: string, licence: string): string {
  return `# baked from a portrait by learn2control; licence of the portrait: ${licence}\nname ${name}\nuvLayout head\ndiffuseTexture ${name}.webp\n`;
}

function poorlySeen(path: string, share: number): BadInputError {
  return new BadInputError({
    code: 'poor-fit',
    message: `${path} shows ${Math.round(100 * share)} % of its face's skin, too little to bake.`,
    hint: 'Take a portrait whose face is seen from the front and not covered.',
  });
}
