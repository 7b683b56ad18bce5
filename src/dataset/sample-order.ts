// Which clip comes when: a function of the seed and the position alone, so that a run that resumes at a position sees
// what an uninterrupted one would have seen, and nothing has to be kept but the number.

import { createRandom, deriveSeed } from '../tensor/index.ts';
import type { ClipPlace } from './dataset.ts';

/** Mixes sources by weight. */
export type Mixture = {
  /** The source of a position (from 0), and how many earlier positions that source had. */
  at(position: number): { readonly source: number; readonly draw: number };
};

/** After every so many positions each source has had its share, to within two. */
const BLOCK = 100;

/** Mixes sources in proportion to their weights, which need not sum to 1; sources of weight 0 never come. */
export function createMixture(weights: readonly number[], seed: number): Mixture {
  let block: { readonly index: number; readonly sources: Uint8Array; readonly before: number[] } | null =
    null;
  const blockOf = (index: number): NonNullable<typeof block> => {
    if (block?.index === index) return block;
    const before = drawsBefore(weights, index * BLOCK);
    const after = drawsBefore(weights, (index + 1) * BLOCK);
    const sources = Uint8Array.from(after.flatMap((end, i) => new Array<number>(end - before[i]!).fill(i)));
    shuffle(sources, deriveSeed(seed, 61, index));
    block = { index, sources, before };
    return block;
  };
  return {
    at(position) {
      const { sources, before } = blockOf(Math.floor(position / BLOCK));
      const place = position % BLOCK;
      const source = sources[place]!;
      let draw = before[source]!;
      for (let i = 0; i < place; i++) if (sources[i] === source) draw++;
      return { source, draw };
    },
  };
}

/** How many of the first `count` positions each source has; each of these numbers only grows with `count`. */
function drawsBefore(weights: readonly number[], count: number): number[] {
  let [rest, restWeight] = [count, weights.reduce((sum, weight) => sum + weight, 0)];
  return weights.map((weight, i) => {
    const isLast = weights.slice(i + 1).every((later) => later === 0);
    const own = isLast ? (weight > 0 ? rest : 0) : Math.floor((rest * weight) / restWeight + 1e-9);
    rest -= own;
    restWeight -= weight;
    return own;
  });
}

/** The order of a source's clips, epoch after epoch. */
export type ClipOrder = {
  /** The clip of a draw (from 0): each once an epoch. */
  at(draw: number): ClipPlace;
};

/** Clips are shuffled within this many shards at a time, so that few files are read at once. */
const SHARDS_AT_ONCE = 8;

/** Shuffles clips anew each epoch: the shards, and then the clips of a few neighbouring ones together. */
export function createClipOrder(clips: readonly ClipPlace[], seed: number): ClipOrder {
  const byShard = new Map<number, number[]>();
  for (const [i, { shard }] of clips.entries()) {
    const known = byShard.get(shard);
    if (known === undefined) byShard.set(shard, [i]);
    else known.push(i);
  }
  const shards = [...byShard.values()];
  let known: { readonly epoch: number; readonly order: Uint32Array } | null = null;
  const orderOf = (epoch: number): Uint32Array => {
    if (known?.epoch === epoch) return known.order;
    const shardOrder = shuffle(Uint32Array.from(shards.keys()), deriveSeed(seed, 62, epoch));
    const order = new Uint32Array(clips.length);
    let at = 0;
    for (let first = 0; first < shards.length; first += SHARDS_AT_ONCE) {
      const group = [...shardOrder.subarray(first, first + SHARDS_AT_ONCE)].flatMap(
        (shard) => shards[shard]!,
      );
      order.set(shuffle(Uint32Array.from(group), deriveSeed(seed, 63, epoch, first)), at);
      at += group.length;
    }
    known = { epoch, order };
    return order;
  };
  return {
    at(draw) {
      const order = orderOf(Math.floor(draw / clips.length));
      return clips[order[draw % clips.length]!]!;
    },
  };
}

/** Fisher and Yates, in place. */
function shuffle<T extends Uint8Array | Uint32Array>(items: T, seed: number): T {
  const random = createRandom(seed);
  for (let i = items.length - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    [items[i], items[j]] = [items[j]!, items[i]!];
  }
  return items;
}
