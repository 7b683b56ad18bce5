// Deep and HDR frames: the standards' own code words, and a real 10-bit clip beside the SDR one it came from.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { type HdrTransfer, imageFromHdrYuv, type RgbImage } from '../../src/media/index.ts';
import { readVideo } from '../../src/node/index.ts';

// The first three frames of samples/driving.mp4 as VP9, 10 bits, PQ in BT.2020, white at 203 cd/m2; made with
// ffmpeg 5.1: -vf "zscale=tin=bt709:min=bt709:pin=bt709:t=linear:npl=203,format=gbrpf32le,
// zscale=t=smpte2084:m=bt2020nc:p=bt2020:r=tv:npl=203,format=yuv420p10le" -c:v libvpx-vp9 -crf 30 -b:v 0
const TEN_BIT = join(import.meta.dirname, 'ten-bit-hdr.webm');
const DRIVING = join(import.meta.dirname, '..', '..', 'samples', 'driving.mp4');

/** The grey of a flat 10-bit frame in limited range whose signal is `signal`. */
function greyOf(signal: number, transfer: HdrTransfer): number {
  const luma = Math.round(64 + 876 * signal);
  const words = Uint16Array.of(luma, luma, luma, luma, 512, 512);
  const { data } = imageFromHdrYuv(new Uint8Array(words.buffer), {
    width: 2,
    height: 2,
    layout: {
      y: { offset: 0, stride: 4, step: 2 },
      u: { offset: 8, stride: 2, step: 2 },
      v: { offset: 10, stride: 2, step: 2 },
      chromaShiftX: 1,
      chromaShiftY: 1,
    },
    colour: { matrix: 'bt2020', isFullRange: false },
    bitDepth: 10,
    transfer,
    isWideGamut: true,
  });
  assert.ok(Math.abs(data[0]! - data[2]!) <= 1, `grey stays grey: ${data.subarray(0, 3)}`);
  return data[1]!;
}

test('reference white is 58 % of a PQ signal and 75 % of an HLG one: both come out equally bright', () => {
  // BT.2408-7, table 1.
  const [pq, hlg] = [greyOf(0.58, 'pq'), greyOf(0.75, 'hlg')];
  assert.ok(Math.abs(pq - hlg) <= 2, `${pq} and ${hlg}`);
  assert.ok(pq > 230 && pq < 245, `${pq}`);
});

test('below the knee light is kept, above it highlights stay apart, and black is black', () => {
  // PQ: 38 % grey is 26 cd/m2 (BT.2408-7), 0.129 of white, which sRGB codes as 101.
  assert.ok(Math.abs(greyOf(0.38, 'pq') - 101) <= 3, `${greyOf(0.38, 'pq')}`);
  assert.equal(greyOf(0, 'pq'), 0);
  assert.equal(greyOf(0, 'hlg'), 0);
  const highlights = [0.58, 0.65, 0.75].map((signal) => greyOf(signal, 'pq'));
  assert.ok(highlights[0]! < highlights[1]! && highlights[1]! < highlights[2]!, `${highlights}`);
});

async function firstFrame(path: string): Promise<RgbImage> {
  using clip = await readVideo(path);
  for await (const { image } of clip.frames()) return image;
  throw new Error('no frame');
}

test('a 10-bit HDR clip looks like the SDR clip that it was made from', async () => {
  const [hdr, sdr] = [await firstFrame(TEN_BIT), await firstFrame(DRIVING)];
  assert.deepEqual([hdr.width, hdr.height], [sdr.width, sdr.height]);
  const apart = hdr.data.reduce((sum, value, i) => sum + Math.abs(value - sdr.data[i]!), 0) / hdr.data.length;
  // Rolled-off highlights and the broadcast curve's darker shadows; read as SDR it would be 60 levels off.
  assert.ok(apart < 12, `${apart} grey levels apart`);
});
