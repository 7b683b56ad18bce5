// From sorted Gaussians to lists, near to far: first of tiles of 64 x 64 pixels, then, one tile after the
// other, of their blocks of 4 x 4. Directly to blocks, every entry would miss the caches, since Gaussians
// that follow each other in depth lie anywhere on the image.

import { BLOCK_SIZE } from '../splatting-constants';
import { orderAt, visible } from './splatting-projection';
import {
  E0,
  E1,
  EXTREME,
  MEAN,
  RADIUS_Y,
  RECORD,
  SLOPE,
  TILES,
  TILE_BLOCKS,
  blocksX,
  blocksY,
  endsAt,
  height,
  recordsAt,
  startsAt,
  tileStartsAt,
  tilesX,
  tilesY,
  width,
} from './splatting-scene';

const TILE_SIZE: i32 = TILE_BLOCKS * BLOCK_SIZE;
const SPANS: usize = memory.data(32, 16); // i32: first and last block of four rows

export let entriesAt: usize = 0; // u32, the blocks' lists: Gaussians, near to far

/** No list has an entry. */
export function clearCounts(): void {
  memory.fill(endsAt, 0, (blocksX * (blocksY + 4) + 4) << 2);
  memory.fill(tileStartsAt, 0, (tilesX * tilesY + 1) << 2);
}

/** Counts a Gaussian's blocks (in ends) and tiles; notes its tiles in its record. */
@inline
export function countLists(record: usize, radiusX: f32): void {
  const x = f32(load<f64>(record, MEAN));
  const y = f32(load<f64>(record, MEAN + 8));
  const radiusY = load<f32>(record, RADIUS_Y);
  const firstX = tileAt(x - radiusX - 1, width);
  const lastX = tileAt(x + radiusX, width);
  const firstY = tileAt(y - radiusY - 1, height);
  const lastY = tileAt(y + radiusY, height);
  store<u16>(record, firstX, TILES);
  store<u16>(record, lastX, TILES + 2);
  store<u16>(record, firstY, TILES + 4);
  store<u16>(record, lastY, TILES + 6);
  for (let tileY = firstY; tileY <= lastY; tileY++) {
    for (let tileX = firstX; tileX <= lastX; tileX++) {
      const at = tileStartsAt + ((tileY * tilesX + tileX) << 2);
      store<u32>(at, load<u32>(at) + 1);
    }
  }
  const lastRow = lastRowOf(record);
  for (let row = firstRowOf(record); row <= lastRow; row += 4) {
    writeSpans(record, row, lastRow, 0, blocksX - 1);
    const line = endsAt + ((row * blocksX) << 2);
    countSpan(line, 0);
    countSpan(line + (blocksX << 2), 4);
    countSpan(line + (blocksX << 3), 8);
    countSpan(line + blocksX * 12, 12);
  }
}

/** One more from a span's first block on, one less after its last: sums along a row give the counts. */
@inline
function countSpan(line: usize, span: usize): void {
  const first = line + (load<u32>(SPANS + span) << 2);
  store<i32>(first, load<i32>(first) + 1);
  const after = line + ((load<i32>(SPANS + span, 16) + 1) << 2);
  store<i32>(after, load<i32>(after) - 1);
}

/** The tile of a pixel coordinate, brought into the image. */
@inline
function tileAt(position: f32, size: i32): i32 {
  if (!(position > 0)) return 0;
  return i32(position < f32(size - 1) ? position : f32(size - 1)) / TILE_SIZE;
}

/** Turns the tiles' counts into the places where their lists begin; returns the number of their entries. */
export function startTiles(): u32 {
  let start: u32 = 0;
  for (let tile = 0; tile <= tilesX * tilesY; tile++) {
    const at = tileStartsAt + (tile << 2);
    const size = load<u32>(at);
    store<u32>(at, start);
    start += size;
  }
  return start;
}

/** Sums the counts of `countSpan`: the end of a row of blocks is the next one's begin. */
function sumCounts(): void {
  let sum: i32 = 0;
  const end = endsAt + ((blocksX * blocksY) << 2);
  for (let at = endsAt; at < end; at += 4) {
    sum += load<i32>(at);
    store<i32>(at, sum);
  }
}

/** Turns the blocks' counts into starts, a tile's blocks together; returns the number of their entries. */
export function startBlocks(): u32 {
  sumCounts();
  let start: u32 = 0;
  for (let tile = 0; tile < tilesX * tilesY; tile++) {
    const left = (tile % tilesX) * TILE_BLOCKS;
    const top = (tile / tilesX) * TILE_BLOCKS;
    for (let y = top; y < min(blocksY, top + TILE_BLOCKS); y++) {
      for (let x = left; x < min(blocksX, left + TILE_BLOCKS); x++) {
        const at = (y * blocksX + x) << 2;
        const size = load<u32>(endsAt + at);
        store<u32>(startsAt + at, start);
        store<u32>(endsAt + at, start);
        start += size;
      }
    }
  }
  return start;
}

/**
 * Fills all lists. Reads order and records; writes tileEntries, entries, ends; spoils tileStarts.
 * @param tileEntries u32, as many as `startTiles` returned @param entries u32, as many as `startBlocks` did
 */
export function fillLists(tileEntries: usize, entries: usize): void {
  entriesAt = entries;
  for (let k = 0; k < visible; k++) {
    const gaussian = load<u32>(orderAt + (k << 2));
    const record = recordsAt + gaussian * (RECORD as u32);
    const lastX = load<u16>(record, TILES + 2);
    const lastY = load<u16>(record, TILES + 6);
    for (let tileY = load<u16>(record, TILES + 4); tileY <= lastY; tileY++) {
      for (let tileX = load<u16>(record, TILES); tileX <= lastX; tileX++) {
        const at = tileStartsAt + ((tileY * tilesX + tileX) << 2);
        const slot = load<u32>(at);
        store<u32>(at, slot + 1);
        store<u32>(tileEntries + (slot << 2), gaussian);
      }
    }
  }
  // Every start has moved to its list's end, which is the next list's start.
  let entry: u32 = 0;
  for (let tile = 0; tile < tilesX * tilesY; tile++) {
    const left = (tile % tilesX) * TILE_BLOCKS;
    const top = (tile / tilesX) * TILE_BLOCKS;
    const right = min(blocksX, left + TILE_BLOCKS) - 1;
    const bottom = min(blocksY, top + TILE_BLOCKS) - 1;
    const end = load<u32>(tileStartsAt + (tile << 2));
    for (; entry < end; entry++) {
      const gaussian = load<u32>(tileEntries + (entry << 2));
      const record = recordsAt + gaussian * (RECORD as u32);
      const lastRow = min(bottom, lastRowOf(record));
      for (let row = max(top, firstRowOf(record)); row <= lastRow; row += 4) {
        writeSpans(record, row, lastRow, left, right);
        const line = row * blocksX;
        appendSpan(line, 0, gaussian);
        appendSpan(line + blocksX, 4, gaussian);
        appendSpan(line + 2 * blocksX, 8, gaussian);
        appendSpan(line + 3 * blocksX, 12, gaussian);
      }
    }
  }
}

/** Appends a Gaussian to the lists of a span. */
@inline
function appendSpan(line: i32, span: usize, gaussian: u32): void {
  const last = load<i32>(SPANS + span, 16);
  for (let block = load<i32>(SPANS + span); block <= last; block++) {
    const at = endsAt + ((line + block) << 2);
    const slot = load<u32>(at);
    store<u32>(at, slot + 1);
    store<u32>(entriesAt + (slot << 2), gaussian);
  }
}

/**
 * The first and the last block that a Gaussian's ellipse may touch, of four rows of blocks from `row` on.
 * On the pixel rows [lo, hi] of one the ellipse reaches furthest at its extreme, or nearest to it.
 * Writes SPANS; a row without any, or below `lastRow`, has its last before its first.
 */
@inline
function writeSpans(record: usize, row: i32, lastRow: i32, leftBlock: i32, rightBlock: i32): void {
  const x = f32x4.splat(f32(load<f64>(record, MEAN) - 0.5));
  const y = f32(load<f64>(record, MEAN + 8) - 0.5);
  const radius = v128.load32_splat(record, RADIUS_Y);
  const slope = v128.load32_splat(record, SLOPE);
  const e0 = v128.load32_splat(record, E0);
  const e1 = v128.load32_splat(record, E1);
  const extreme = v128.load32_splat(record, EXTREME);
  const below = f32x4.sub(f32x4.splat(y - f32(row * BLOCK_SIZE)), f32x4(0, 4, 8, 12));
  const lo = f32x4.pmax(f32x4.sub(below, f32x4.splat(3)), f32x4.neg(radius));
  const hi = f32x4.pmin(below, radius);
  const atLeft = f32x4.pmax(lo, f32x4.pmin(hi, f32x4.neg(extreme)));
  const atRight = f32x4.pmax(lo, f32x4.pmin(hi, extreme));
  const left = f32x4.sub(f32x4.add(x, f32x4.mul(slope, atLeft)), halfWidth(e0, e1, atLeft));
  const right = f32x4.add(f32x4.add(x, f32x4.mul(slope, atRight)), halfWidth(e0, e1, atRight));
  const first = f32x4.ceil(f32x4.pmax(f32x4.splat(f32(leftBlock * BLOCK_SIZE)), left));
  const lastColumn = min(width, (rightBlock + 1) * BLOCK_SIZE) - 1;
  const last = f32x4.floor(f32x4.pmin(f32x4.splat(f32(lastColumn)), right));
  const isRow = i32x4.le_s(i32x4(0, 1, 2, 3), i32x4.splat(lastRow - row));
  const isTouched = v128.and(isRow, v128.and(f32x4.le(lo, hi), f32x4.le(first, last)));
  const firstBlock = i32x4.shr_s(i32x4.trunc_sat_f32x4_s(first), 2);
  const lastBlock = i32x4.shr_s(i32x4.trunc_sat_f32x4_s(last), 2);
  v128.store(SPANS, v128.and(firstBlock, isTouched));
  v128.store(SPANS, v128.bitselect(lastBlock, i32x4.splat(-1), isTouched), 16);
}

@inline
function halfWidth(e0: v128, e1: v128, dy: v128): v128 {
  return f32x4.sqrt(f32x4.pmax(f32x4.splat(0), f32x4.sub(e0, f32x4.mul(f32x4.mul(e1, dy), dy))));
}

/** The first row of blocks that a Gaussian touches. */
@inline
function firstRowOf(record: usize): i32 {
  const y = f32(load<f64>(record, MEAN + 8) - 0.5);
  const radius = load<f32>(record, RADIUS_Y);
  return i32(y > radius ? y - radius : f32(0)) / BLOCK_SIZE;
}

/** The last one. */
@inline
function lastRowOf(record: usize): i32 {
  const y = f32(load<f64>(record, MEAN + 8) - 0.5);
  const radius = load<f32>(record, RADIUS_Y);
  const bottom = f32(height - 1);
  return i32(y + radius < bottom ? y + radius : bottom) / BLOCK_SIZE;
}
