// What all parts of the splatting kernel share: the records, the scene and the buffers of a call.

import { BLOCK_SIZE } from '../splatting-constants';

/** Blocks are visited by tiles of 4 x 4, for the caches' sake. */
export const TILE_BLOCKS: i32 = 4;

// A projected Gaussian, 64 bytes. The exponent is q = a dx^2 + b dx dy + c dy^2 in powers of two, with
// (dx, dy) from the pixel's centre to the mean; on a row, the pixels mean + slope dy +- sqrt(e0 - e1 dy^2)
// can be covered.
export const RECORD: usize = 64;
export const MEAN_X: usize = 0; // f64, px
export const MEAN_Y: usize = 8; // f64, px
export const QA: usize = 16;
export const QB: usize = 20;
export const QC: usize = 24;
export const OPACITY: usize = 28;
export const SLOPE: usize = 32;
export const E0: usize = 36;
export const E1: usize = 40;
export const RADIUS_Y: usize = 44; // px
export const EXTREME: usize = 48; // the dy at which the ellipse reaches furthest right; its negative: left

// What the blending sums up for a Gaussian, 32 bytes, with h = alpha dL/dalpha over its pixels.
export const SUMS: usize = 32;
export const SUM_H: usize = 0;
export const SUM_X: usize = 4;
export const SUM_Y: usize = 8;
export const SUM_XX: usize = 12;
export const SUM_XY: usize = 16;
export const SUM_YY: usize = 20;

// The scene and the buffers of the current call.
export let width: i32 = 0;
export let height: i32 = 0;
export let strideBytes: usize = 0; // of a row of an image plane
export let planeBytes: usize = 0;
export let blocksX: i32 = 0;
export let blocksY: i32 = 0;
export let count: i32 = 0;
export let channels: i32 = 0; // a multiple of 4
export let cameraAt: usize = 0; // f64: rotation 9, translation 3, focal x y, centre x y
export let meansAt: usize = 0; // f32 N 3
export let scalesAt: usize = 0; // f32 N, or N 3 with rotations
export let rotationsAt: usize = 0; // f32 N 4, quaternions w x y z; 0 where all Gaussians are balls
export let opacitiesAt: usize = 0; // f32 N
export let featuresAt: usize = 0; // f32 N channels
export let recordsAt: usize = 0; // N records
export let sortAt: usize = 0; // u32: keys N, order N, keys N, order N, histograms 3 x RADIX
export let startsAt: usize = 0; // u32 blocks + 1: where each block's list begins
export let imageAt: usize = 0; // f32 channels planes
export let transmittanceAt: usize = 0; // f32 one plane; negative where the pixel was finished early
export let scratchAt: usize = 0; // channels x 4 vectors

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
  strideBytes = (blocksX * BLOCK_SIZE * 4) as usize;
  planeBytes = strideBytes * height;
  cameraAt = camera;
  meansAt = means;
  scalesAt = scales;
  rotationsAt = rotations;
  opacitiesAt = opacities;
  featuresAt = features;
}

/** Names the working memory (sizes beside the variables above). Reads nothing. */
export function setBuffers(
  records: usize, sort: usize, starts: usize, image: usize, transmittance: usize, scratch: usize,
): void {
  recordsAt = records;
  sortAt = sort;
  startsAt = starts;
  imageAt = image;
  transmittanceAt = transmittance;
  scratchAt = scratch;
}
