// A skin for synthetic subjects from a fitted photograph, in the head's own texture layout: what the photograph
// shows of the skin, its light divided out roughly, the rest from the mirrored side or spread over the mesh.
// Light: second-order spherical harmonics of the normal, fitted to the brightness of the seen skin
// (Ramamoorthi and Hanrahan, "An efficient representation for irradiance environment maps", 2001).

import { mirrorImages, vertexNeighbours, vertexNormals } from '../geometry/index.ts';
import { type HeadModel, PART_NAMES, verticesOfParts } from '../head/index.ts';
import { diffuseOverMesh, type LiftSource, type LiftTools, liftGeometry } from '../lift/index.ts';
import { brightness, byteFromLinear, linearFromByte } from './asset-skin.ts';
import { colourLids, hideLids } from './baked-lids.ts';
import { forEachTexel } from './head-layout.ts';
import { solveSymmetric } from './least-squares.ts';

/** A baked skin: `S S 3`, 8-bit sRGB, in the head's own layout. */
export type BakedSkin = {
  readonly sizePx: number;
  readonly data: Uint8Array;
  /** Share of the face's texels that the photograph shows. */
  readonly seenShare: number;
};

const DEPTH_TOLERANCE_METRES = 0.004;
/** Skin seen more slantingly is smeared, and a fit that is off by a pixel sees what is behind it. */
const LEAST_FACING = 0.28;
/** Colours this far from the face's own (in the logarithm of light) are hair, cloth or glasses. */
const FOREIGN_COLOUR = 0.55;
const HARMONICS = 9;
/** What is brighter than the face at its middle by this factor is shine, of which a share is left. */
const SHINE_FROM = 1.2;
const SHINE_KEPT = 0.35;

/** Bakes a fitted still's skin. */
export function bakeSkin(
  { head, poser, rasteriser }: LiftTools,
  source: LiftSource,
  sizePx: number,
): BakedSkin {
  const vertices = poser.pose(source.parameters);
  const seen = seeVertices(
    head,
    vertices,
    rasteriser.rasterise({ camera: source.camera, vertices, triangles: head.triangles }).depths,
    source,
  );
  hideLids(liftGeometry(head).sockets, seen.weights);
  const shade = shadingOf(head, seen);
  const spread = spreadColours(head, seen, shade);
  const brightest = SHINE_FROM * usualBrightness(head, seen, shade);
  const data = new Uint8Array(sizePx * sizePx * 3);
  const colour = new Float32Array(3);
  const place = new Float32Array(3);
  const sampled = new Float32Array(3);
  let [faceTexels, seenTexels] = [0, 0];
  forEachTexel(head, sizePx, (texel, triangle, wa, wb, wc) => {
    const [a, b, c] = [
      head.triangles[3 * triangle]!,
      head.triangles[3 * triangle + 1]!,
      head.triangles[3 * triangle + 2]!,
    ];
    const blend = (values: Float32Array, width: number, k: number): number =>
      wa * values[width * a + k]! + wb * values[width * b + k]! + wc * values[width * c + k]!;
    for (let k = 0; k < 3; k++) {
      colour[k] = blend(spread, 3, k);
      place[k] = blend(seen.pixels, 3, k);
    }
    const weight = blend(seen.weights, 1, 0);
    const part = PART_NAMES[head.triangleParts[triangle]!]!;
    if ((part === 'skin' || part === 'lips') && isFace(head, a)) {
      faceTexels++;
      if (weight > 0.25) seenTexels++;
    }
    if (weight > 0.02) {
      sampleLinear(source, place[0]!, place[1]!, sampled);
      const light = blend(shade, 1, 0);
      const share = Math.min(1, 1.4 * weight);
      for (let k = 0; k < 3; k++) colour[k]! += share * (sampled[k]! / light - colour[k]!);
    }
    const bright = brightness(colour, 0);
    const kept = bright > brightest ? (brightest + SHINE_KEPT * (bright - brightest)) / bright : 1;
    for (let k = 0; k < 3; k++) data[3 * texel + k] = byteFromLinear(kept * colour[k]!);
  });
  return { sizePx, data, seenShare: faceTexels === 0 ? 0 : seenTexels / faceTexels };
}

/** What a photograph shows of each vertex. */
type SeenVertices = {
  /** `V 3`: pixel position and depth. */
  readonly pixels: Float32Array;
  /** `V`: how squarely it is seen, 0 where hidden, foreign, or not of the face and throat. */
  readonly weights: Float32Array;
  /** `V 3`, linear light. */
  readonly colours: Float32Array;
  /** `V 3`, world. */
  readonly normals: Float32Array;
};

function seeVertices(
  head: HeadModel,
  vertices: Float32Array,
  depths: Float32Array,
  source: LiftSource,
): SeenVertices {
  const { camera } = source;
  const { rotation: r, translation: t } = camera.cameraFromWorld;
  const count = vertices.length / 3;
  const normals = vertexNormals(vertices, head.triangles);
  const pixels = new Float32Array(3 * count);
  const weights = new Float32Array(count);
  const colours = new Float32Array(3 * count);
  const colour = new Float32Array(3);
  for (let v = 0; v < count; v++) {
    const place = [0, 1, 2].map(
      (i) =>
        r[3 * i]! * vertices[3 * v]! +
        r[3 * i + 1]! * vertices[3 * v + 1]! +
        r[3 * i + 2]! * vertices[3 * v + 2]! +
        t[i]!,
    );
    const [x, y, z] = [place[0]!, place[1]!, place[2]!];
    const [px, py] = [
      (camera.focalXPx * x) / z + camera.centreXPx,
      (camera.focalYPx * y) / z + camera.centreYPx,
    ];
    pixels.set([px, py, z], 3 * v);
    if (px < 1 || py < 1 || px >= camera.width - 1 || py >= camera.height - 1 || !isBare(head, v)) continue;
    if (z > depths[Math.floor(py) * camera.width + Math.floor(px)]! + DEPTH_TOLERANCE_METRES) continue;
    let facing = 0;
    for (let i = 0; i < 3; i++) {
      const turned =
        r[3 * i]! * normals[3 * v]! +
        r[3 * i + 1]! * normals[3 * v + 1]! +
        r[3 * i + 2]! * normals[3 * v + 2]!;
      facing -= turned * place[i]!;
    }
    facing /= Math.hypot(x, y, z);
    if (facing < LEAST_FACING) continue;
    sampleLinear(source, px, py, colour);
    colours.set(colour, 3 * v);
    weights[v] = Math.min(1, (facing - LEAST_FACING) / 0.3);
  }
  leaveOutForeign(head, weights, colours);
  return { pixels, weights, colours, normals };
}

/** Skin that is bare on most people: the face to the hairline, the throat above a collar; no ears. */
function isBare(head: HeadModel, v: number): boolean {
  const [x, y, z] = [head.template[3 * v]!, head.template[3 * v + 1]!, head.template[3 * v + 2]!];
  const isEar = Math.abs(x) > 0.071;
  const hairline = 0.062 - 6 * x * x;
  return !isEar && y < hairline && y > -0.115 && z > -0.06;
}

const isFace = (head: HeadModel, v: number): boolean =>
  isBare(head, v) && head.template[3 * v + 1]! > -0.09 && head.template[3 * v + 2]! > -0.03;

/** Takes out what is not of the skin's colour: strands, glasses, a hand. Eyes, lips and brows may differ. */
function leaveOutForeign(head: HeadModel, weights: Float32Array, colours: Float32Array): void {
  const [x, y] = [(v: number) => Math.abs(head.template[3 * v]!), (v: number) => head.template[3 * v + 1]!];
  const cheeks = [...weights.keys()].filter(
    (v) => weights[v]! > 0.5 && y(v) < -0.02 && y(v) > -0.055 && x(v) < 0.05,
  );
  if (cheeks.length === 0) return;
  const middle = [0, 1, 2].map((k) => median(cheeks.map((v) => Math.log(colours[3 * v + k]! + 0.01))));
  for (const v of weights.keys()) {
    const isFeature = (y(v) < 0.03 && y(v) > -0.02) || (y(v) < -0.05 && y(v) > -0.085 && x(v) < 0.03);
    if (weights[v] === 0 || isFeature) continue;
    // Shade darkens all channels alike: it is the hue that tells, and darkness beyond all shade.
    const apart = [0, 1, 2].map((k) => Math.log(colours[3 * v + k]! + 0.01) - middle[k]!);
    const mean = (apart[0]! + apart[1]! + apart[2]!) / 3;
    const hue = Math.hypot(...apart.map((value) => value - mean));
    const strange = Math.max(hue / (0.6 * FOREIGN_COLOUR), Math.abs(mean) / (2 * FOREIGN_COLOUR));
    weights[v]! *= Math.exp(-(strange ** 4));
  }
}

/** How bright the light on each vertex is, 1 on average (`V`). */
function shadingOf(head: HeadModel, { weights, colours, normals }: SeenVertices): Float32Array {
  const known = [...weights.keys()].filter((v) => weights[v]! > 0.3 && isFace(head, v));
  if (known.length < 4 * HARMONICS) return new Float32Array(weights.length).fill(1);
  const matrix = Array.from({ length: HARMONICS }, () => new Float64Array(HARMONICS));
  const right = new Float64Array(HARMONICS);
  for (const v of known) {
    const basis = harmonics(normals, v);
    const bright = brightness(colours, v);
    for (let i = 0; i < HARMONICS; i++) {
      right[i]! += weights[v]! * basis[i]! * bright;
      for (let j = 0; j < HARMONICS; j++) matrix[i]![j]! += weights[v]! * basis[i]! * basis[j]!;
    }
  }
  // Higher terms are hardly seen on half a head: they are held small.
  for (let i = 0; i < HARMONICS; i++)
    matrix[i]![i]! += known.length * (i === 0 ? 1e-6 : i < 4 ? 0.002 : 0.01);
  const light = solveSymmetric(matrix, right);
  const raw = Float32Array.from(weights, (_, v) =>
    harmonics(normals, v).reduce((sum, value, i) => sum + value * light[i]!, 0),
  );
  const mean = known.reduce((sum, v) => sum + raw[v]!, 0) / known.length;
  // Roughly: the last fifth of a strong light is more often the skin's own.
  return raw.map((value) => Math.min(1.6, Math.max(0.45, value / mean)) ** 0.85);
}

function harmonics(normals: Float32Array, v: number): number[] {
  const [x, y, z] = [normals[3 * v]!, normals[3 * v + 1]!, normals[3 * v + 2]!];
  return [1, x, y, z, x * y, y * z, x * z, x * x - y * y, 3 * z * z - 1];
}

/** The median brightness of the face that is seen, its light divided out. */
function usualBrightness(head: HeadModel, { weights, colours }: SeenVertices, shade: Float32Array): number {
  const seen = [...weights.keys()].filter((v) => weights[v]! > 0.5 && isFace(head, v));
  return seen.length === 0 ? 1 : median(seen.map((v) => brightness(colours, v) / shade[v]!));
}

/** A colour for every vertex (`V 3`, linear): its own, its mirror image's, or spread from its neighbours. */
function spreadColours(
  head: HeadModel,
  { weights, colours }: SeenVertices,
  shade: Float32Array,
): Float32Array {
  const spread = new Float32Array(colours.length);
  const isKnown = new Uint8Array(weights.length);
  const mirrored = mirroredSkin(head);
  for (const v of weights.keys()) {
    const from = weights[v]! > 0.4 ? v : weights[mirrored[v]!]! > 0.4 ? mirrored[v]! : -1;
    if (from < 0) continue;
    isKnown[v] = 1;
    for (let k = 0; k < 3; k++) spread[3 * v + k] = colours[3 * from + k]! / shade[from]!;
  }
  const neighbours = vertexNeighbours(weights.length, head.triangles);
  diffuseOverMesh(spread, isKnown, neighbours, 60);
  colourLids(liftGeometry(head).sockets, neighbours, spread, weights);
  return spread;
}

/** Images further than this from the mirrored place are none, metres. */
const MIRROR_REACH_METRES = 0.004;
const mirrorsOf = new WeakMap<HeadModel, Uint32Array>();

/** For every vertex, also of eyes and mouth, that of the skin nearest to its mirrored place. */
function mirroredSkin(head: HeadModel): Uint32Array {
  const known = mirrorsOf.get(head);
  if (known) return known;
  const isSkin = new Set(verticesOfParts(head, 'skin', 'lips'));
  const images = mirrorImages(
    head.template,
    () => 0,
    MIRROR_REACH_METRES,
    (v) => isSkin.has(v),
  );
  mirrorsOf.set(head, images);
  return images;
}

/** Bilinear in linear light. */
function sampleLinear(
  { image: { width, height, data } }: LiftSource,
  x: number,
  y: number,
  out: Float32Array,
): void {
  const [cx, cy] = [
    Math.min(width - 1.001, Math.max(0, x - 0.5)),
    Math.min(height - 1.001, Math.max(0, y - 0.5)),
  ];
  const [x0, y0] = [Math.floor(cx), Math.floor(cy)];
  const [fx, fy] = [cx - x0, cy - y0];
  const at = 3 * (y0 * width + x0);
  for (let k = 0; k < 3; k++) {
    const light = (offset: number): number => linearFromByte(data[at + offset + k]!);
    const top = light(0) + fx * (light(3) - light(0));
    const bottom = light(3 * width) + fx * (light(3 * width + 3) - light(3 * width));
    out[k] = top + fy * (bottom - top);
  }
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
