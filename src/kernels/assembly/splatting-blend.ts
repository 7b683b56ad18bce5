// Blends the lists of all blocks into the images.

import { BLOCK_SIZE } from '../splatting-constants';
import {
  anyCloses,
  falloff,
  fresh,
  isCovered,
  isOpen,
  pass,
  peak0,
  peak1,
  peak2,
  peak3,
  resetCloses,
  weight,
} from './splatting-coverage';
import { entriesAt } from './splatting-projection';
import {
  RECORD,
  TILE_BLOCKS,
  blocksX,
  blocksY,
  channels,
  featuresAt,
  height,
  imageAt,
  planeBytes,
  recordsAt,
  scratchAt,
  startsAt,
  strideBytes,
  transmittanceAt,
} from './splatting-scene';

/** Blends all blocks. Reads records, lists, features; writes image and transmittance. */
export function blend(): void {
  for (let tileY = 0; tileY < blocksY; tileY += TILE_BLOCKS) {
    for (let tileX = 0; tileX < blocksX; tileX += TILE_BLOCKS) {
      for (let y = tileY; y < min(blocksY, tileY + TILE_BLOCKS); y++) {
        for (let x = tileX; x < min(blocksX, tileX + TILE_BLOCKS); x++) blendBlock(x, y);
      }
    }
  }
}

function blendBlock(blockX: i32, blockY: i32): void {
  const left = blockX * BLOCK_SIZE;
  const top = blockY * BLOCK_SIZE;
  const colours = scratchAt; // channels x 4 rows of vectors
  const colourBytes = (channels << 6) as usize;
  let t0 = fresh(top, left);
  let t1 = fresh(top + 1, left);
  let t2 = fresh(top + 2, left);
  let t3 = fresh(top + 3, left);
  memory.fill(colours, 0, colourBytes);

  const startAt = startsAt + ((blockY * blocksX + blockX) << 2);
  const end = entriesAt + (load<u32>(startAt, 4) << 2);
  for (let entry = entriesAt + (load<u32>(startAt) << 2); entry < end; entry += 4) {
    const gaussian = load<u32>(entry);
    falloff(recordsAt + gaussian * (RECORD as u32), left, top);
    if (!isCovered()) continue;
    resetCloses();
    t0 = pass(t0, peak0);
    const w0 = weight;
    t1 = pass(t1, peak1);
    const w1 = weight;
    t2 = pass(t2, peak2);
    const w2 = weight;
    t3 = pass(t3, peak3);
    const w3 = weight;
    let feature = featuresAt + ((gaussian * channels) << 2);
    for (let colour = colours; colour < colours + colourBytes; colour += 64) {
      const f = v128.load32_splat(feature);
      v128.store(colour, f32x4.add(v128.load(colour), f32x4.mul(w0, f)));
      v128.store(colour, f32x4.add(v128.load(colour, 16), f32x4.mul(w1, f)), 16);
      v128.store(colour, f32x4.add(v128.load(colour, 32), f32x4.mul(w2, f)), 32);
      v128.store(colour, f32x4.add(v128.load(colour, 48), f32x4.mul(w3, f)), 48);
      feature += 4;
    }
    if (v128.any_true(anyCloses) && !isOpen(t0, t1, t2, t3)) break;
  }

  const pixel = (top as usize) * strideBytes + (left << 2);
  writeRows(transmittanceAt + pixel, top, f32x4.abs(t0), f32x4.abs(t1), f32x4.abs(t2), f32x4.abs(t3));
  let plane = imageAt + pixel;
  for (let colour = colours; colour < colours + colourBytes; colour += 64) {
    writeRows(
      plane, top,
      v128.load(colour), v128.load(colour, 16), v128.load(colour, 32), v128.load(colour, 48),
    );
    plane += planeBytes;
  }
}

@inline
function writeRows(at: usize, top: i32, row0: v128, row1: v128, row2: v128, row3: v128): void {
  v128.store(at, row0);
  if (top + 1 < height) v128.store(at + strideBytes, row1);
  if (top + 2 < height) v128.store(at + 2 * strideBytes, row2);
  if (top + 3 < height) v128.store(at + 3 * strideBytes, row3);
}
