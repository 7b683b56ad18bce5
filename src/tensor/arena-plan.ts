// How much of the memory that ONNX Runtime's arena takes from the system is ever written to, for a row of requests: regions that
// double, free pieces taken by best fit and split where much would be left, neighbours joined when they are free. What was
// written to once stays resident until the session ends, so that this, not what lives at one time, is what a run holds.
// Source: `BFCArena`, onnxruntime/core/framework/bfc_arena.cc, with the defaults of its `ArenaExtendStrategy`.

const ALIGNMENT = 256;
const FIRST_REGION_BYTES = 2 ** 20;
/** The most that a region is made larger than what is asked for. */
const LARGEST_GROWTH_BYTES = 2 ** 30;
/** Pieces are split where at least this, or as much again, would be left over. */
const WORTH_SPLITTING_BYTES = 2 ** 27;

type Interval = readonly [start: number, end: number];

/** What was written to of a region: intervals that neither overlap nor touch. */
type Region = { written: readonly Interval[] };

/** A piece of a region; neighbours lie beside it in the same region. */
type Chunk = {
  readonly region: Region;
  /** Regions come one after the other, as their addresses are taken to. */
  readonly order: number;
  readonly start: number;
  bytes: number;
  isFree: boolean;
  previous: Chunk | undefined;
  next: Chunk | undefined;
};

/** What was taken of an arena, to be given back. */
export type ArenaPiece = Chunk;

/** An arena that takes no memory and tells how much a real one would have written to. */
export class ArenaPlan {
  readonly #free: Chunk[] = [];
  #regions = 0;
  #nextRegionBytes = FIRST_REGION_BYTES;
  #writtenBytes = 0;

  /** Bytes that were written to so far. */
  get writtenBytes(): number {
    return this.#writtenBytes;
  }

  /** Takes a piece; all of it is written to. */
  take(bytes: number): ArenaPiece {
    const rounded = Math.max(1, Math.ceil(bytes / ALIGNMENT)) * ALIGNMENT;
    const chunk = this.#find(rounded) ?? this.#extended(rounded);
    this.#split(chunk, rounded);
    chunk.isFree = false;
    this.#write(chunk, rounded);
    return chunk;
  }

  /** Gives a piece back. */
  give(piece: ArenaPiece): void {
    piece.isFree = true;
    const { previous, next } = piece;
    if (next?.isFree) this.#join(piece, next);
    if (previous?.isFree) this.#join(previous, piece);
    else this.#free.push(piece);
  }

  #find(bytes: number): Chunk | undefined {
    // Best fit: the smallest that is large enough, of equals the one that lies first.
    let best = -1;
    for (let i = 0; i < this.#free.length; i++) {
      const chunk = this.#free[i]!;
      if (chunk.bytes >= bytes && (best < 0 || isBefore(chunk, this.#free[best]!))) best = i;
    }
    return best < 0 ? undefined : this.#free.splice(best, 1)[0];
  }

  #extended(bytes: number): Chunk {
    let hasGrown = false;
    while (bytes > this.#nextRegionBytes) {
      this.#nextRegionBytes *= 2;
      hasGrown = true;
    }
    const size = this.#nextRegionBytes;
    if (!hasGrown) this.#nextRegionBytes = Math.min(2 * this.#nextRegionBytes, LARGEST_GROWTH_BYTES);
    const region: Region = { written: [] };
    return {
      ...{ region, order: this.#regions++, start: 0, bytes: size },
      ...{ isFree: true, previous: undefined, next: undefined },
    };
  }

  #split(chunk: Chunk, bytes: number): void {
    const left = chunk.bytes - bytes;
    if (left < bytes && left < WORTH_SPLITTING_BYTES) return;
    const { region, order, start, next } = chunk;
    const rest: Chunk = {
      ...{ region, order, start: start + bytes, bytes: left },
      ...{ isFree: true, previous: chunk, next },
    };
    if (next !== undefined) next.previous = rest;
    chunk.next = rest;
    chunk.bytes = bytes;
    this.#free.push(rest);
  }

  /** Makes two neighbours one; the second is free, and so is no longer there. */
  #join(first: Chunk, second: Chunk): void {
    const at = this.#free.indexOf(second);
    if (at >= 0) this.#free.splice(at, 1);
    first.bytes += second.bytes;
    first.next = second.next;
    if (second.next !== undefined) second.next.previous = first;
  }

  #write({ region, start }: Chunk, bytes: number): void {
    let [from, to] = [start, start + bytes];
    const apart: Interval[] = [];
    for (const interval of region.written) {
      if (interval[1] < from || interval[0] > to) apart.push(interval);
      else [from, to] = [Math.min(from, interval[0]), Math.max(to, interval[1])];
    }
    const written: readonly Interval[] = [...apart, [from, to]];
    this.#writtenBytes += lengthOf(written) - lengthOf(region.written);
    region.written = written;
  }
}

function lengthOf(intervals: readonly Interval[]): number {
  return intervals.reduce((sum, [from, to]) => sum + to - from, 0);
}

function isBefore(a: Chunk, b: Chunk): boolean {
  return a.bytes !== b.bytes
    ? a.bytes < b.bytes
    : a.order !== b.order
      ? a.order < b.order
      : a.start < b.start;
}
