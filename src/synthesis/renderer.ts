// One picture of a subject: rasterised at twice the size, shaded, averaged, tone-mapped. Everything exact
// comes with it: parameters, camera, masks, and the surface's maps where they are asked for.

import { type Camera, rotationFromAxisAngle } from '../geometry/index.ts';
import type { HeadModel, HeadParameters, HeadPoser } from '../head/index.ts';
import { createHeadPoser } from '../head/index.ts';
import { createRasteriser, NO_TRIANGLE, type Rasteriser, type VisibilityBuffer } from '../kernels/index.ts';
import type { RgbImage } from '../media/index.ts';
import { deriveSeed } from '../tensor/index.ts';
import { paintBackground } from './background.ts';
import { develop } from './lens.ts';
import type { PointLight } from './light-model.ts';
import { castShadow } from './lighting.ts';
import { ambientOpenness } from './openness.ts';
import { buildScene, MATERIALS, type Scene, VERTEX, VERTEX_CHANNELS } from './scene.ts';
import { createShader, type PointShader } from './shading.ts';
import { creasesOf } from './skin-relief.ts';
import { STRAND_TEXTURE } from './strand-texture.ts';
import type { Subject } from './subject.ts';
import { partCount, partMasks, partsOf, type SubjectMask } from './subject-parts.ts';
import { type SurfaceMaps, surfaceMaps } from './surface-maps.ts';
import { createSurfacePainter } from './textures.ts';

/** A rendered subject with its exact truth. */
export type RenderedSubject = {
  readonly image: RgbImage;
  /** Each `H W`, 0 to 255: how much of a pixel shows the part. */
  readonly masks: Readonly<Record<SubjectMask, Uint8Array>>;
  /** Null unless asked for. */
  readonly maps: SurfaceMaps | null;
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

/** Samples along each side of a pixel. */
const SAMPLES = 2;
const SHARE = 1 / SAMPLES ** 2;

/** Renders a subject with its head placed so; `noiseSeed` varies the camera's noise, `hasMaps` adds the maps. */
export function renderSubject(
  tools: RenderTools,
  subject: Subject,
  {
    parameters,
    camera,
    noiseSeed = 0,
    hasMaps = false,
  }: {
    readonly parameters: HeadParameters;
    readonly camera: Camera;
    readonly noiseSeed?: number;
    readonly hasMaps?: boolean;
  },
): RenderedSubject {
  const { head, poser, rasteriser } = tools;
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
  const cutout = { ...scene.cutout, alpha, threshold: 128 };
  const buffer = rasteriser.rasterise({
    camera: fine,
    vertices: scene.vertices,
    triangles: scene.triangles,
    cutout,
  });
  const { translation } = parameters;
  const aim = [translation[0]!, translation[1]! - 0.03, translation[2]! - 0.06] as const;
  const shadow = castShadow(rasteriser, scene, traits.light, aim, alpha);
  const openness = ambientOpenness(buffer, fine.focalXPx);

  const shade = shaderOf(subject);
  const paint = textures && createSurfacePainter(head, scene, textures);
  const { width, height } = camera;
  const linear = new Float32Array(width * height * 3);
  const counts = new Uint32Array(width * height);
  const colour = new Float32Array(3);
  const values = new Float32Array(VERTEX_CHANNELS);
  const painted = new Float32Array(3);
  const point: PointLight = {
    ...{ lit: 0, open: 0, viewX: 0, viewY: 0, viewZ: 1, isPainted: false, painted, isCloth: false },
    turn: rotationFromAxisAngle(parameters.jointRotations.subarray(0, 3)),
    creases: creasesOf(head.expressionNames, parameters.expression, traits),
    footprintMetres: -translation[2]! / camera.focalXPx,
  };
  const [eyeX, eyeY, eyeZ] = cameraPlace(camera);
  let litPixel = -1;
  /** The shadow that was looked up last, and how far away. */
  const last = Float64Array.of(1, 0);
  /** Shades the point that `values` holds and adds it to a pixel, for so many samples of it. */
  const addPoint = (pixel: number, samples: number, triangle: number, sample: number): void => {
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
    // Samples of one pixel at one depth lie in the same shadow.
    if (pixel !== litPixel || Math.abs(distance - last[1]!) > ONE_SURFACE_METRES) {
      last[0] = shadow(wx, wy, wz);
      last[1] = distance;
      litPixel = pixel;
    }
    point.lit = last[0]!;
    point.open = openness[sample]!;
    const material = scene.materials[triangle]!;
    if (paint) point.isPainted = paint(triangle, material, buffer.barycentrics, 3 * sample, painted);
    shade(material, values, 0, point, colour);
    counts[pixel]! += samples * partsOf(material, values, point.isCloth);
    for (let k = 0; k < 3; k++) linear[3 * pixel + k]! += samples * SHARE * colour[k]!;
  };
  for (let pixel = 0; pixel < width * height; pixel++) {
    const column = pixel % width;
    const first = SAMPLES * (((pixel - column) / width) * fine.width + column);
    if (isOneSurface(buffer, scene.materials, first, fine.width)) {
      interpolateBetween(scene, buffer, first, first + fine.width + 1, values);
      addPoint(pixel, SAMPLES ** 2, buffer.triangleIds[first]!, first);
      continue;
    }
    for (let row = 0; row < SAMPLES; row++) {
      for (let sample = first + row * fine.width; sample < first + row * fine.width + SAMPLES; sample++) {
        const triangle = buffer.triangleIds[sample]!;
        if (triangle === NO_TRIANGLE) continue;
        interpolate(scene, triangle, buffer.barycentrics, 3 * sample, values);
        addPoint(pixel, 1, triangle, sample);
      }
    }
  }
  addBackground(linear, counts, backgroundOf(subject, width, height));
  return {
    image: develop(linear, camera, traits.lens, deriveSeed(traits.seed, noiseSeed)),
    masks: partMasks(counts, SAMPLES ** 2),
    maps: hasMaps ? surfaceMaps(tools, scene, { parameters, camera, cutout }) : null,
    parameters,
    camera,
  };
}

/** Samples this close in depth belong to one surface, as a pixel sees it. */
const ONE_SURFACE_METRES = 0.004;
/** What varies so finely that each sample is shaded by itself. */
const FINE = ['eye', 'hair', 'lash', 'brow', 'jewel', 'frame'] as const;
const IS_FINE = Uint8Array.from(MATERIALS, (name) => Number((FINE as readonly string[]).includes(name)));

/** Whether all samples of a pixel see one smooth surface, so that it may be shaded once. */
function isOneSurface(
  { triangleIds, depths }: VisibilityBuffer,
  materials: Uint8Array,
  first: number,
  stride: number,
): boolean {
  const triangle = triangleIds[first]!;
  if (triangle === NO_TRIANGLE) return false;
  const material = materials[triangle]!;
  if (IS_FINE[material]) return false;
  for (let row = 0; row < SAMPLES; row++) {
    for (let sample = first + row * stride; sample < first + row * stride + SAMPLES; sample++) {
      const seen = triangleIds[sample]!;
      if (seen === NO_TRIANGLE || materials[seen] !== material) return false;
      if (Math.abs(depths[sample]! - depths[first]!) > ONE_SURFACE_METRES) return false;
    }
  }
  return true;
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

const other = new Float32Array(VERTEX_CHANNELS);
const between = new Float32Array(3);

/** The mean of the vertex values of two samples. */
function interpolateBetween(
  scene: Scene,
  { triangleIds, barycentrics }: VisibilityBuffer,
  first: number,
  last: number,
  out: Float32Array,
): void {
  const triangle = triangleIds[first]!;
  if (triangleIds[last] === triangle) {
    for (let k = 0; k < 3; k++) between[k] = (barycentrics[3 * first + k]! + barycentrics[3 * last + k]!) / 2;
    interpolate(scene, triangle, between, 0, out);
    return;
  }
  interpolate(scene, triangle, barycentrics, 3 * first, out);
  interpolate(scene, triangleIds[last]!, barycentrics, 3 * last, other);
  for (let k = 0; k < VERTEX_CHANNELS; k++) out[k] = (out[k]! + other[k]!) / 2;
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
  const data = paintBackground(subject.traits, width, height);
  backgrounds.set(subject, { width, height, data });
  return data;
}

/** Fills what the person leaves of each pixel. The background is soft: one look a pixel is enough. */
function addBackground(linear: Float32Array, counts: Uint32Array, background: Float32Array): void {
  for (let pixel = 0; pixel < counts.length; pixel++) {
    const free = 1 - SHARE * partCount(counts[pixel]!, 'person');
    if (free === 0) continue;
    for (let i = 3 * pixel; i < 3 * pixel + 3; i++) linear[i]! += free * background[i]!;
  }
}

/** Where a camera stands in the world. */
function cameraPlace({ cameraFromWorld: { rotation: r, translation: t } }: Camera): [number, number, number] {
  const along = (k: number): number => -(r[k]! * t[0]! + r[3 + k]! * t[1]! + r[6 + k]! * t[2]!);
  return [along(0), along(1), along(2)];
}
