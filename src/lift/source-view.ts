// One fitted still, prepared for carrying: where each vertex lies in the picture, whether it is seen there,
// and what colour it takes where it is not. Recipe: hidden skin takes the mirrored side's colour, corrected
// by what the two sides differ in nearby; what neither side shows is diffused over the mesh; the mouth's
// inside is shaded plainly, as bright as the whites of the eyes say.

import type { Camera } from '../geometry/index.ts';
import { vertexSurface } from '../geometry/index.ts';
import { type HeadModel, vertexCount } from '../head/index.ts';
import { NO_TRIANGLE, type Rasteriser, type VisibilityBuffer } from '../kernels/index.ts';
import type { RgbImage } from '../media/index.ts';
import { luma, paintEyes, paintMouth, whiteOfEyes, whiteOfTeeth } from './drawn-parts.ts';
import { fillLids, lidPlausibility } from './lid-colour.ts';
import { type LiftGeometry, SURFACE_CLASSES } from './lift-geometry.ts';
import { fitLight, type Light } from './light.ts';
import { diffuseOverMesh } from './mesh-diffusion.ts';
import { skinPlausibility } from './skin-plausibility.ts';

/** Channels of `SourceView.attributes`; vectors are named by their first channel. What a guess needs comes last. */
export const ATTRIBUTE = {
  /** Position in the source camera, metres (3). */
  position: 0,
  /** Cosine between the normal and the direction to the source camera. */
  facing: 3,
  /** How far the surface itself carries the picture; of bare ears written anew for each lift. */
  faceWeight: 4,
  /** How far the sheet may follow the surface. */
  carryWeight: 5,
  /** Cosine between the normal and the direction to the target camera; written anew for each lift. */
  targetFacing: 6,
  /** By how much the light on the skin changes as it turns, a factor; written anew for each lift. */
  lightChange: 7,
  /** How plausible the picture's colour is as skin, 0 to 1. */
  plausibility: 8,
  /** By how much skin is stretched: its area in the still over its area in the target; written anew for each lift. */
  surfaceStretch: 9,
  /** Colour where the picture does not show the point, 0 to 255 (3). */
  fill: 10,
  /** The mirrored point: position (3), facing, and what to add to its colour (3). */
  mirroredPosition: 13,
  mirroredFacing: 16,
  mirroredOffset: 17,
} as const;
export const ATTRIBUTE_COUNT = 20;

/** A still with its fitted head. */
export type SourceView = {
  readonly image: RgbImage;
  readonly camera: Camera;
  /** `H W`, metres; infinite where the head is not. */
  readonly depths: Float32Array;
  /** `H W`: 1 + index into `SURFACE_CLASSES` of what is seen, 0 where the head is not. */
  readonly surfaces: Uint8Array;
  /** `V ATTRIBUTE_COUNT`. */
  readonly attributes: Float32Array;
  /** `V 3`, world. */
  readonly normals: Float32Array;
  /** `V`, square metres: of the triangles about each vertex. */
  readonly areas: Float32Array;
  readonly light: Light;
  /** As of `bareEars`; null where that is not known. */
  readonly bareEars: Uint8Array | null;
};

type SeenHead = Omit<SourceView, 'light' | 'normals' | 'areas' | 'bareEars'>;

/** Sees the posed `vertices` (`V 3`, world) of a head in `image`, and colours them. */
export function viewSource({
  head,
  geometry,
  rasteriser,
  image,
  camera,
  vertices,
  bareEars,
}: {
  readonly head: HeadModel;
  readonly geometry: LiftGeometry;
  readonly rasteriser: Rasteriser;
  readonly image: RgbImage;
  readonly camera: Camera;
  readonly vertices: Float32Array;
  /** As of `bareEars`; null where that is not known. */
  readonly bareEars: Uint8Array | null;
}): SourceView {
  const { triangles, vertexClasses, mirrored } = geometry;
  const count = vertexCount(head);
  const buffer = rasteriser.rasterise({ camera, vertices, triangles });
  const surfaces = surfacesOf(buffer.triangleIds, geometry);
  const attributes = new Float32Array(count * ATTRIBUTE_COUNT);
  const { normals, areas } = vertexSurface(vertices, triangles);
  const seen = { image, camera, depths: deepestAround(buffer, surfaces), surfaces, attributes };

  placeVertices(seen, vertices, normals);
  const colours = new Float32Array(count * 3);
  const isSeen = new Uint8Array(count);
  for (let v = 0; v < count; v++) {
    const at = v * ATTRIBUTE_COUNT;
    const ear = bareEars === null ? 0 : bareEars[v]!;
    attributes[at + ATTRIBUTE.faceWeight] = geometry.faceWeights[v]!;
    attributes[at + ATTRIBUTE.carryWeight] = geometry.carryWeights[v]!;
    const [x, y, z] = [attributes[at]!, attributes[at + 1]!, attributes[at + 2]!];
    if (vertexClasses[v] === 0 && ear < 2 && !givesColour(seen, attributes, at)) continue;
    if (attributes[at + ATTRIBUTE.facing]! < 0.3 || !seesPoint(seen, x, y, z, vertexClasses[v]!)) continue;
    isSeen[v] = 1;
    samplePicture(image, ...projectInCamera(camera, x, y, z), colours, 3 * v);
  }
  const lids = doubtSkin(seen, geometry, colours, isSeen);
  const light = lightOnSkin(geometry, { attributes, normals, colours, isSeen });
  fillHidden(head, geometry, colours, isSeen);
  fillLids(geometry, colours, isSeen, lids);
  for (let v = 0; v < count; v++) {
    const [at, other] = [v * ATTRIBUTE_COUNT, mirrored[v]!];
    const from = other * ATTRIBUTE_COUNT;
    for (let k = 0; k < 3; k++) {
      attributes[at + ATTRIBUTE.fill + k] = colours[3 * v + k]!;
      attributes[at + ATTRIBUTE.mirroredPosition + k] = attributes[from + k]!;
      attributes[at + ATTRIBUTE.mirroredOffset + k] = colours[3 * v + k]! - colours[3 * other + k]!;
    }
    attributes[at + ATTRIBUTE.mirroredFacing] = isSeen[other] ? attributes[from + ATTRIBUTE.facing]! : 0;
  }
  return { ...seen, normals, areas, light, bareEars };
}

/**
 * Writes how plausible each vertex's colour is as skin; where it grazes and is implausible, it gives no colour to others.
 * @returns the share of the lids and brows in that
 */
function doubtSkin(
  seen: SeenHead,
  geometry: LiftGeometry,
  colours: Float32Array,
  isSeen: Uint8Array,
): Float32Array {
  const { image, camera, attributes } = seen;
  const sampled = Float32Array.from(colours);
  const isVisible = isSeen.map((known, v) => {
    const at = v * ATTRIBUTE_COUNT;
    if (known || geometry.vertexClasses[v] !== 0 || attributes[at + ATTRIBUTE.facing]! < 0.02) return known;
    const [x, y, z] = [attributes[at]!, attributes[at + 1]!, attributes[at + 2]!];
    if (!seesPoint(seen, x, y, z, 0)) return 0;
    samplePicture(image, ...projectInCamera(camera, x, y, z), sampled, 3 * v);
    return 1;
  });
  const plausibility = skinPlausibility(geometry, attributes, sampled, isVisible);
  const lids = lidPlausibility(geometry, colours, isSeen);
  plausibility.forEach((plausible, v) => {
    attributes[v * ATTRIBUTE_COUNT + ATTRIBUTE.plausibility] = plausible * lids[v]!;
    if (plausible < 0.5) isSeen[v] = 0;
  });
  return lids;
}

/** The light as the face's seen skin shows it; called before hidden skin is given a colour. */
function lightOnSkin(
  { vertexClasses, faceWeights }: LiftGeometry,
  {
    attributes,
    normals,
    colours,
    isSeen,
  }: {
    readonly attributes: Float32Array;
    readonly normals: Float32Array;
    readonly colours: Float32Array;
    readonly isSeen: Uint8Array;
  },
): Light {
  const brightness = new Float32Array(isSeen.length);
  const weights = new Float32Array(isSeen.length);
  isSeen.forEach((seen, v) => {
    if (!seen || vertexClasses[v] !== 0) return;
    brightness[v] = luma(colours, v);
    weights[v] = faceWeights[v]! * attributes[v * ATTRIBUTE_COUNT + ATTRIBUTE.facing]!;
  });
  return fitLight(normals, brightness, weights);
}

const SKIN_FACING = 0.5;
const LASH_REACH_METRES = 0.0035;

/**
 * Whether a skin vertex may colour others: not near the outline, where a fit that is off by a pixel sees the
 * background, not on an ear, and not at the rim of an eye, where lashes are dark.
 */
function givesColour({ camera, surfaces }: SeenHead, attributes: Float32Array, at: number): boolean {
  if (attributes[at + ATTRIBUTE.facing]! < SKIN_FACING || attributes[at + ATTRIBUTE.carryWeight] === 0)
    return false;
  const z = attributes[at + 2]!;
  const [x, y] = projectInCamera(camera, attributes[at]!, attributes[at + 1]!, z);
  const reach = (LASH_REACH_METRES * camera.focalXPx) / z;
  for (let j = -1; j <= 1; j++) {
    for (let i = -1; i <= 1; i++) {
      const [px, py] = [Math.floor(x + i * reach), Math.floor(y + j * reach)];
      if (px < 0 || py < 0 || px >= camera.width || py >= camera.height) continue;
      if (surfaces[py * camera.width + px] === EYE + 1) return false;
    }
  }
  return true;
}

const EYE = SURFACE_CLASSES.indexOf('eye');

/** Pixel position of a point given in the camera's own axes. */
export function projectInCamera(camera: Camera, x: number, y: number, z: number): [number, number] {
  return [(camera.focalXPx * x) / z + camera.centreXPx, (camera.focalYPx * y) / z + camera.centreYPx];
}

// Skin lies on skin only at folds; the mouth's cavity lies close behind the lips. Teeth and tongue are steep
// at their sides.
const DEPTH_TOLERANCE_METRES = SURFACE_CLASSES.map(
  (name) => ({ skin: 0.004, eye: 0.0015, cavity: 0.0015, teeth: 0.006, tongue: 0.006 })[name],
);
const CAVITY = SURFACE_CLASSES.indexOf('cavity');

/**
 * Whether a pixel of one surface (1 + class) may show another class. A fit seldom has a still's teeth and
 * tongue to the millimetre: both take what lies between the lips.
 */
const shows = (seen: number, wanted: number): boolean =>
  seen === wanted + 1 || (wanted > CAVITY && seen > CAVITY);

/** Whether a source picture shows a point (camera axes) of a surface class. */
export function seesPoint(view: SeenHead, x: number, y: number, z: number, surface: number): boolean {
  const { camera, depths, surfaces } = view;
  const px = Math.floor((camera.focalXPx * x) / z + camera.centreXPx);
  const py = Math.floor((camera.focalYPx * y) / z + camera.centreYPx);
  if (px < 0 || py < 0 || px >= camera.width || py >= camera.height) return false;
  const pixel = py * camera.width + px;
  if (surface !== 0 && !shows(surfaces[pixel]!, surface)) return false;
  const depth = depths[pixel]!;
  return z <= depth + DEPTH_TOLERANCE_METRES[surface]!;
}

/** Bilinear look-up of a pixel position, clamped at the border; writes three values, 0 to 255. */
export function samplePicture(image: RgbImage, x: number, y: number, out: Float32Array, at: number): void {
  const { width, height, data } = image;
  const cx = Math.min(width - 1, Math.max(0, x - 0.5));
  const cy = Math.min(height - 1, Math.max(0, y - 0.5));
  const x0 = Math.floor(cx);
  const y0 = Math.floor(cy);
  const fx = cx - x0;
  const fy = cy - y0;
  const p = (y0 * width + x0) * 3;
  const right = x0 + 1 < width ? 3 : 0;
  const below = y0 + 1 < height ? width * 3 : 0;
  const topLeft = (1 - fx) * (1 - fy);
  const topRight = fx * (1 - fy);
  const bottomLeft = (1 - fx) * fy;
  const bottomRight = fx * fy;
  for (let k = 0; k < 3; k++) {
    const q = p + k;
    out[at + k] =
      topLeft * data[q]! +
      topRight * data[q + right]! +
      bottomLeft * data[q + below]! +
      bottomRight * data[q + below + right]!;
  }
}

/**
 * Of each pixel on the head the deepest of its surface in the 3 x 3 about it: at a steep rim pixels are too coarse to
 * hide a point by.
 */
function deepestAround({ depths, width, height }: VisibilityBuffer, surfaces: Uint8Array): Float32Array {
  return depths.map((own, pixel) => {
    const column = pixel % width;
    const row = (pixel - column) / width;
    if (own === Infinity || column === 0 || row === 0 || column === width - 1 || row === height - 1)
      return own;
    let deepest = own;
    for (let other = pixel - width; other <= pixel + width; other += width) {
      for (let k = other - 1; k <= other + 1; k++) {
        if (surfaces[k] === surfaces[pixel]) deepest = Math.max(deepest, depths[k]!);
      }
    }
    return deepest;
  });
}

function surfacesOf(triangleIds: Uint32Array, { triangleClasses }: LiftGeometry): Uint8Array {
  const surfaces = new Uint8Array(triangleIds.length);
  triangleIds.forEach((id, pixel) => {
    if (id !== NO_TRIANGLE) surfaces[pixel] = triangleClasses[id]! + 1;
  });
  return surfaces;
}

function placeVertices(
  { camera, attributes }: SeenHead,
  vertices: Float32Array,
  normals: Float32Array,
): void {
  const { rotation: r, translation: t } = camera.cameraFromWorld;
  for (let v = 0; v < vertices.length / 3; v++) {
    const [x, y, z] = [vertices[3 * v]!, vertices[3 * v + 1]!, vertices[3 * v + 2]!];
    const [nx, ny, nz] = [normals[3 * v]!, normals[3 * v + 1]!, normals[3 * v + 2]!];
    const at = v * ATTRIBUTE_COUNT;
    let [squared, cosine] = [0, 0];
    for (let k = 0; k < 3; k++) {
      const [r0, r1, r2] = [Number(r[3 * k]), Number(r[3 * k + 1]), Number(r[3 * k + 2])];
      const placed = r0 * x + r1 * y + r2 * z + Number(t[k]);
      attributes[at + k] = placed;
      squared += placed * placed;
      cosine -= placed * (r0 * nx + r1 * ny + r2 * nz);
    }
    attributes[at + ATTRIBUTE.facing] = cosine / Math.sqrt(squared);
  }
}

/** Gives every vertex a colour; changes `colours`, leaves the seen ones. */
function fillHidden(
  head: HeadModel,
  geometry: LiftGeometry,
  colours: Float32Array,
  isSeen: Uint8Array,
): void {
  const { vertexClasses, mirrored, neighbours } = geometry;
  const isSkin = (v: number): boolean => vertexClasses[v] === 0;
  // How the two sides differ (light, mostly), spread to where only one side is seen.
  const differences = new Float32Array(colours.length);
  const isCompared = isSeen.map((seen, v) => (seen && isSeen[mirrored[v]!] && isSkin(v) ? 1 : 0));
  isCompared.forEach((compared, v) => {
    if (!compared) return;
    for (let k = 0; k < 3; k++) {
      differences[3 * v + k] = colours[3 * v + k]! - colours[3 * mirrored[v]! + k]!;
    }
  });
  diffuseOverMesh(differences, isCompared, neighbours);
  const isKnown = Uint8Array.from(isSeen);
  isSeen.forEach((seen, v) => {
    const other = mirrored[v]!;
    if (seen || !isSkin(v) || !isSeen[other]) return;
    isKnown[v] = 1;
    for (let k = 0; k < 3; k++) colours[3 * v + k] = colours[3 * other + k]! + differences[3 * v + k]!;
  });
  const white = whiteOfEyes(colours, isSeen, vertexClasses);
  if (!vertexClasses.some((surface, v) => surface === 1 && isSeen[v]))
    paintEyes(head, geometry, colours, isKnown, white);
  paintMouth(
    head,
    geometry,
    colours,
    isSeen,
    isKnown,
    Math.max(white, whiteOfTeeth(colours, isSeen, vertexClasses)),
  );
  diffuseOverMesh(colours, isKnown, neighbours);
}
