// What all parts of the splatting kernel share: the records, the scene and the buffers of a call.

import { BLOCK_SIZE } from '../splatting-constants';

/** Gaussians are first listed by tiles of 16 x 16 blocks, for the caches' sake. */
export const TILE_BLOCKS: i32 = 16;

// A projected Gaussian, 64 bytes. Its coverage of a pixel is 2^-q with
// q = (SA dx + SB dy)^2 + E dy^2 + LO, where (dx, dy) goes from the pixel's centre to the mean and LO is
// minus the opacity's logarithm: a complete square, which keeps its digits for long thin Gaussians too.
// On a row, the pixels mean + SLOPE dy +- sqrt(E0 - E1 dy^2) can be covered.
export const RECORD: usize = 64;
export const MEAN: usize = 0; // f64 x y, px
export const SA: usize = 16;
export const SB: usize = 20;
export const E: usize = 24;
export const LO: usize = 28;
export const SLOPE: usize = 32;
export const E0: usize = 36;
export const E1: usize = 40;
export const RADIUS_Y: usize = 44; // px; UNSEEN where the Gaussian is not drawn, and the rest means nothing
export const UNSEEN: f32 = -1;
export const EXTREME: usize = 48; // the dy at which the ellipse reaches furthest right; its negative: left
export const TILES: usize = 52; // u16: first and last column, first and last row of its tiles
export const CURVE: usize = 60; // 2 to the minus second difference of q from row to row

// What the blending sums up for a Gaussian, 32 bytes, with h = alpha dL/dalpha over its pixels, y = dy and
// r = SA dx + SB dy: in these, and not in dx and dy, the sums of a long thin Gaussian keep their digits.
export const SUMS: usize = 32;
export const SUM_H: usize = 0;
export const SUM_R: usize = 4;
export const SUM_Y: usize = 8;
export const SUM_RR: usize = 12;
export const SUM_RY: usize = 16;
export const SUM_YY: usize = 20;

// The scene and the buffers of the current call. Image planes are padded to whole blocks.
export let width: i32 = 0;
export let height: i32 = 0;
export let strideBytes: usize = 0; // of a row of an image plane
export let planeBytes: usize = 0; // from one image plane to the next
export let blocksX: i32 = 0;
export let blocksY: i32 = 0;
export let tilesX: i32 = 0;
export let tilesY: i32 = 0;
export let count: i32 = 0;
export let channels: i32 = 0; // a multiple of 4
export let cameraAt: usize = 0; // f64: rotation 9, translation 3, focal x y, centre x y
export let meansAt: usize = 0; // f32 N 3
export let scalesAt: usize = 0; // f32 N, or N 3 with rotations
export let rotationsAt: usize = 0; // f32 N 4, quaternions w x y z; 0 where all Gaussians are balls
export let opacitiesAt: usize = 0; // f32 N
export let featuresAt: usize = 0; // f32 N channels
export let recordsAt: usize = 0; // N records
export let sortAt: usize = 0; // u32: keys N, order N, keys N, order N, histograms 3 x 2048
export let startsAt: usize = 0; // u32 blocks: where each block's list begins
export let endsAt: usize = 0; // u32 blocks: where it ends; and four rows and blocks more, for counting without branches
export let tileStartsAt: usize = 0; // u32 tiles + 1: where each tile's list begins
export let imageAt: usize = 0; // f32 channels planes
export let transmittanceAt: usize = 0; // f32 one plane
export let alphaAt: usize = 0; // f32 one plane

/** Names the scene. Reads nothing. */
export function setScene(
  sceneWidth: i32, sceneHeight: i32, sceneCount: i32, sceneChannels: i32,
  camera: usize, means: usize, scales: usize, rotations: usize, opacities: usize, features: usize,
): void {
  width = sceneWidth;
  height = sceneHeight;
  count = sceneCount;
  channels = sceneChannels;
  blocksX = (width + BLOCK_SIZE - 1) / BLOCK_SIZE;
  blocksY = (height + BLOCK_SIZE - 1) / BLOCK_SIZE;
  tilesX = (blocksX + TILE_BLOCKS - 1) / TILE_BLOCKS;
  tilesY = (blocksY + TILE_BLOCKS - 1) / TILE_BLOCKS;
  strideBytes = (blocksX * BLOCK_SIZE * 4) as usize;
  cameraAt = camera;
  meansAt = means;
  scalesAt = scales;
  rotationsAt = rotations;
  opacitiesAt = opacities;
  featuresAt = features;
}

/** Names the working memory (sizes beside the variables above; `starts` is followed by ends). Reads nothing. */
export function setBuffers(
  records: usize, sort: usize, starts: usize, tileStarts: usize,
  image: usize, bytesOfPlane: usize, transmittance: usize, alpha: usize,
): void {
  recordsAt = records;
  sortAt = sort;
  startsAt = starts;
  endsAt = starts + ((blocksX * blocksY) << 2);
  tileStartsAt = tileStarts;
  imageAt = image;
  planeBytes = bytesOfPlane;
  transmittanceAt = transmittance;
  alphaAt = alpha;
}
