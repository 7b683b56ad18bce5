// One picture of a subject: rasterised at twice the size, shaded, averaged, tone-mapped. Everything exact
// comes with it: parameters, camera, masks.

import type { Camera } from '../geometry/index.ts';
import type { HeadModel, HeadParameters, HeadPoser } from '../head/index.ts';
import { createHeadPoser } from '../head/index.ts';
import { createRasteriser, NO_TRIANGLE, type Rasteriser } from '../kernels/index.ts';
import type { RgbImage } from '../media/index.ts';
import { createRandom, deriveSeed } from '../tensor/index.ts';
import { createBackground } from './background.ts';
import { ambientOpenness, castShadow } from './lighting.ts';
import { buildScene, MATERIALS, type Scene, VERTEX, VERTEX_CHANNELS } from './scene.ts';
import { createShader, type PointLight, type PointShader } from './shading.ts';
import { STRAND_TEXTURE } from './strand-texture.ts';
import type { Subject } from './subject.ts';
import { createSurfacePainter } from './textures.ts';

/** A rendered subject with its exact truth. */
export type RenderedSubject = {
  readonly image: RgbImage;
  /** `H W`, 0 to 255: head with its hair, without shoulders and clothes. */
  readonly headMask: Uint8Array;
  /** `H W`, 0 to 255: the whole person. */
  readonly personMask: Uint8Array;
  readonly parameters: HeadParameters;
  readonly camera: Camera;
};

/** What rendering needs besides the subject; share one between all subjects of a thread. */
export type RenderTools = {
  readonly head: HeadModel;
  readonly poser: HeadPoser;
  readonly rasteriser: Rasteriser;
};

/** The tools for rendering subjects with a head. */
export function createRenderTools(head: HeadModel): RenderTools {
  return { head, poser: createHeadPoser(head), rasteriser: createRasteriser() };
}

const SAMPLE_SHIFT = 1;
/** Samples along each side of a pixel. */
const SAMPLES = 1 << SAMPLE_SHIFT;
const SHARE = 1 / SAMPLES ** 2;

/** Renders a subject with its head placed so; `noiseSeed` varies the camera's noise. */
export function renderSubject(
  { head, poser, rasteriser }: RenderTools,
  subject: Subject,
  {
    parameters,
    camera,
    noiseSeed = 0,
  }: { readonly parameters: HeadParameters; readonly camera: Camera; readonly noiseSeed?: number },
): RenderedSubject {
  const { traits, pieces, textures } = subject;
  const alpha = textures?.atlas?.alpha ?? STRAND_TEXTURE;
  const strands = textures?.atlas?.strands;
  const scene = buildScene({ head, poser, parameters, pieces, strands });
  const fine: Camera = {
    ...camera,
    width: camera.width * SAMPLES,
    height: camera.height * SAMPLES,
    focalXPx: camera.focalXPx * SAMPLES,
    focalYPx: camera.focalYPx * SAMPLES,
    centreXPx: camera.centreXPx * SAMPLES,
    centreYPx: camera.centreYPx * SAMPLES,
  };
  const buffer = rasteriser.rasterise({
    camera: fine,
    vertices: scene.vertices,
    triangles: scene.triangles,
    cutout: { ...scene.cutout, alpha, threshold: 128 },
  });
  const { translation } = parameters;
  const aim = [translation[0]!, translation[1]! - 0.03, translation[2]! - 0.06] as const;
  const shadow = castShadow(rasteriser, scene, traits.light, aim, alpha);
  const openness = ambientOpenness(buffer, fine.focalXPx);

  const shade = shaderOf(subject);
  const paint = textures && createSurfacePainter(head, scene, textures);
  const { width, height } = camera;
  const linear = new Float32Array(width * height * 3);
  const headCounts = new Uint8Array(width * height);
  const personCounts = new Uint8Array(width * height);
  const colour = new Float32Array(3);
  const values = new Float32Array(VERTEX_CHANNELS);
  const painted = new Float32Array(3);
  const point: PointLight = { lit: 0, open: 0, viewX: 0, viewY: 0, viewZ: 1, isPainted: false, painted };
  const [eyeX, eyeY, eyeZ] = cameraPlace(camera);
  const clothes = MATERIALS.indexOf('clothes');
  for (let y = 0; y < fine.height; y++) {
    const row = (y >> SAMPLE_SHIFT) * width;
    for (let x = 0; x < fine.width; x++) {
      const sample = y * fine.width + x;
      const triangle = buffer.triangleIds[sample]!;
      if (triangle === NO_TRIANGLE) continue;
      interpolate(scene, triangle, buffer.barycentrics, 3 * sample, values);
      const wx = values[VERTEX.world]!;
      const wy = values[VERTEX.world + 1]!;
      const wz = values[VERTEX.world + 2]!;
      const vx = eyeX - wx;
      const vy = eyeY - wy;
      const vz = eyeZ - wz;
      const distance = Math.sqrt(vx * vx + vy * vy + vz * vz);
      point.viewX = vx / distance;
      point.viewY = vy / distance;
      point.viewZ = vz / distance;
      point.lit = shadow(wx, wy, wz);
      point.open = openness[sample]!;
      const material = scene.materials[triangle]!;
      if (paint) point.isPainted = paint(triangle, material, buffer.barycentrics, 3 * sample, painted);
      shade(material, values, 0, point, colour);
      const pixel = row + (x >> SAMPLE_SHIFT);
      personCounts[pixel]!++;
      if (material !== clothes && values[VERTEX.headness]! > 0.5) headCounts[pixel]!++;
      for (let k = 0; k < 3; k++) linear[3 * pixel + k]! += SHARE * colour[k]!;
    }
  }
  addBackground(linear, personCounts, backgroundOf(subject, width, height));
  return {
    image: develop(linear, width, height, traits.seed, noiseSeed),
    headMask: headCounts.map(toMask),
    personMask: personCounts.map(toMask),
    parameters,
    camera,
  };
}

/** The vertex values of one sample: only those that are seen are worth their memory. */
function interpolate(
  { triangles, values }: Scene,
  triangle: number,
  weights: Float32Array,
  at: number,
  out: Float32Array,
): void {
  const a = triangles[3 * triangle]! * VERTEX_CHANNELS;
  const b = triangles[3 * triangle + 1]! * VERTEX_CHANNELS;
  const c = triangles[3 * triangle + 2]! * VERTEX_CHANNELS;
  const wa = weights[at]!;
  const wb = weights[at + 1]!;
  const wc = weights[at + 2]!;
  for (let k = 0; k < VERTEX_CHANNELS; k++) {
    out[k] = wa * values[a + k]! + wb * values[b + k]! + wc * values[c + k]!;
  }
}

const shaders = new WeakMap<Subject, PointShader>();

/** A subject's shader with its fields of noise, remembered while the subject lives. */
function shaderOf(subject: Subject): PointShader {
  let shader = shaders.get(subject);
  if (!shader) {
    shader = createShader(subject.traits, {
      hidesBrows: subject.textures?.hidesBrows ?? false,
      iris: subject.textures?.iris ?? null,
    });
    shaders.set(subject, shader);
  }
  return shader;
}

type PaintedBackground = { readonly width: number; readonly height: number; readonly data: Float32Array };
const backgrounds = new WeakMap<Subject, PaintedBackground>();

/** A subject's background (`H W 3`, linear), remembered for the last size asked for. */
function backgroundOf(subject: Subject, width: number, height: number): Float32Array {
  const known = backgrounds.get(subject);
  if (known?.width === width && known.height === height) return known.data;
  const paint = createBackground(subject.traits);
  const data = new Float32Array(width * height * 3);
  const colour = new Float32Array(3);
  for (let pixel = 0; pixel < width * height; pixel++) {
    const x = pixel % width;
    paint((x + 0.5) / width, ((pixel - x) / width + 0.5) / height, colour);
    data.set(colour, 3 * pixel);
  }
  backgrounds.set(subject, { width, height, data });
  return data;
}

const toMask = (count: number): number => Math.round(count * SHARE * 255);

/** Fills what the person leaves of each pixel. The background is soft: one look a pixel is enough. */
function addBackground(linear: Float32Array, personCounts: Uint8Array, background: Float32Array): void {
  for (let pixel = 0; pixel < personCounts.length; pixel++) {
    const free = 1 - SHARE * personCounts[pixel]!;
    if (free === 0) continue;
    for (let i = 3 * pixel; i < 3 * pixel + 3; i++) linear[i]! += free * background[i]!;
  }
}

/** Where a camera stands in the world. */
function cameraPlace({ cameraFromWorld: { rotation: r, translation: t } }: Camera): [number, number, number] {
  const along = (k: number): number => -(r[k]! * t[0]! + r[3 + k]! * t[1]! + r[6 + k]! * t[2]!);
  return [along(0), along(1), along(2)];
}

const NOISE_AMPLITUDE = 1.6;

/** Linear light to 8-bit sRGB: a soft shoulder above one half, the sensor's noise. */
function develop(
  linear: Float32Array,
  width: number,
  height: number,
  seed: number,
  noiseSeed: number,
): RgbImage {
  const random = createRandom(deriveSeed(seed, 77, noiseSeed));
  const data = new Uint8Array(linear.length);
  for (let i = 0; i < linear.length; i++) {
    const place = Math.min(TONE_STEPS - 1, Math.sqrt(Math.max(0, linear[i]!)) * TONE_SCALE);
    const step = Math.floor(place);
    const encoded = TONES[step]! + (place - step) * (TONES[step + 1]! - TONES[step]!);
    const noise = NOISE_AMPLITUDE * (random.uniform() + random.uniform() - 1) * 1.5;
    data[i] = Math.min(255, Math.max(0, Math.round(encoded + noise)));
  }
  return { width, height, data };
}

const TONE_STEPS = 4096;
/** Steps per square root of light; the last step stands for 9 times white and more. */
const TONE_SCALE = TONE_STEPS / 3;
/** Encoded values (0 to 255) by the square root of linear light, to within a thousandth. */
const TONES = Float64Array.from({ length: TONE_STEPS + 1 }, (_, step) => {
  const light = (step / TONE_SCALE) ** 2;
  const mapped = light < 0.5 ? light : 0.5 + 0.5 * (1 - Math.exp(-(light - 0.5) / 0.5));
  return 255 * (mapped <= 0.0031308 ? 12.92 * mapped : 1.055 * mapped ** (1 / 2.4) - 0.055);
});
