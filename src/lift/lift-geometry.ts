// What lifting needs to know of a head, whoever wears it: which triangles are drawn, how far each vertex
// belongs to the face, which vertices shape the outline, and each vertex's mirror image. Once per head.

import type { VertexNeighbours } from '../geometry/index.ts';
import { mirrorImages, vertexNeighbours } from '../geometry/index.ts';
import { type HeadModel, PART_NAMES, type PartName, vertexCount, verticesOfParts } from '../head/index.ts';
import { type EyeSocket, eyeSockets } from './eye-sockets.ts';

/** How a material is treated: skin and lips, an eyeball, the mouth's inside, its teeth, its tongue. */
export const SURFACE_CLASSES = ['skin', 'eye', 'cavity', 'teeth', 'tongue'] as const;
export type SurfaceClass = (typeof SURFACE_CLASSES)[number];

/** The parts of a head model that lifting works with; arrays by the head's own vertex indices. */
export type LiftGeometry = {
  /** `F' 3`: no lashes (they are too thin for a depth test), no shoulders (a picture's body does not turn). */
  readonly triangles: Uint32Array;
  /** `F'`, index into `SURFACE_CLASSES`. */
  readonly triangleClasses: Uint8Array;
  /** `V`, index into `SURFACE_CLASSES`. */
  readonly vertexClasses: Uint8Array;
  /** `V`: 1 where the surface itself carries the picture (face, throat, nape), 0 where the rubber sheet does. */
  readonly faceWeights: Float32Array;
  /** `V`: 1 on cheeks, jaw and throat, where no hair grows from the scalp, 0 from the eyes upwards. */
  readonly cheekWeights: Float32Array;
  /** `V`: 1 on the skull with its scalp and jaw, 0 on ears, neck and shoulders: what shapes the outline. */
  readonly skullWeights: Float32Array;
  /** `V`: how far the sheet may follow the surface: 1 on all skin but the ears. */
  readonly carryWeights: Float32Array;
  /** `V`: how far a vertex turns with the head; a picture's shoulders stay as they are. */
  readonly headness: Float32Array;
  /** Pairs of vertices: the edges whose ends both lie on the skull. */
  readonly skullEdges: Uint32Array;
  /** `V`: the vertex at the mirrored place. */
  readonly mirrored: Uint32Array;
  readonly neighbours: VertexNeighbours;
  /** Vertices that the head's centre is the mean of: they turn with the head and not with the jaw. */
  readonly centreVertices: Uint32Array;
  /** The vertices of each part that is finer than pixels: both eyes, the lips. */
  readonly fineParts: readonly Uint32Array[];
  readonly sockets: readonly EyeSocket[];
  /** The vertices of each ear. */
  readonly ears: readonly Uint32Array[];
};

/** Vertices further than this from the mirrored place of another are not its image, metres. */
const MIRROR_REACH_METRES = 0.004;

const cache = new WeakMap<HeadModel, LiftGeometry>();

/** The lifting geometry of a head, computed once and remembered. */
export function liftGeometry(head: HeadModel): LiftGeometry {
  const known = cache.get(head);
  if (known) return known;
  const geometry = deriveGeometry(head);
  cache.set(head, geometry);
  return geometry;
}

const CLASS_OF_PART: Readonly<Record<Exclude<PartName, 'lashes'>, SurfaceClass>> = {
  skin: 'skin',
  lips: 'skin',
  mouthCavity: 'cavity',
  leftEyeball: 'eye',
  rightEyeball: 'eye',
  upperTeeth: 'teeth',
  lowerTeeth: 'teeth',
  tongue: 'tongue',
};
const FINE_PARTS: readonly PartName[] = ['leftEyeball', 'rightEyeball', 'lips'];
const [ROOT, NECK, JAW, LEFT_EYE] = [0, 1, 2, 3];

function deriveGeometry(head: HeadModel): LiftGeometry {
  const vertices = vertexCount(head);
  const { template } = head;
  const y = (v: number): number => template[3 * v + 1]!;
  const weight = (v: number, joint: number): number =>
    head.skinningWeights[v * head.jointParents.length + joint]!;
  const headness = (v: number): number => 1 - weight(v, ROOT!);

  const kept: number[] = [];
  const classes: number[] = [];
  const vertexClasses = new Uint8Array(vertices);
  head.triangleParts.forEach((part, t) => {
    const name = PART_NAMES[part]!;
    if (name === 'lashes') return;
    const corners = head.triangles.subarray(3 * t, 3 * t + 3);
    if (corners.every((v) => headness(v) < 0.3)) return;
    const surface = SURFACE_CLASSES.indexOf(CLASS_OF_PART[name]);
    kept.push(...corners);
    classes.push(surface);
    for (const v of corners) vertexClasses[v] = Math.max(vertexClasses[v]!, surface);
  });
  // Lips share their rim with the cavity: what any skin triangle uses counts as skin.
  for (let t = 0; t < classes.length; t++) {
    if (classes[t] === 0) for (let k = 0; k < 3; k++) vertexClasses[kept[3 * t + k]!] = 0;
  }
  const triangles = Uint32Array.from(kept);
  const isUsed = new Uint8Array(vertices);
  for (const v of triangles) isUsed[v] = 1;

  const measures = measure(
    head,
    (v) => isUsed[v] === 1 && headness(v) > 0.7,
    (v) => weight(v, JAW!),
  );
  const { eyeHeight, chinHeight, axisDepth, halfWidth } = measures;
  const faceWeights = new Float32Array(vertices);
  const cheekWeights = new Float32Array(vertices);
  const skullWeights = new Float32Array(vertices);
  const carryWeights = new Float32Array(vertices);
  const centreVertices: number[] = [];
  const ears: [number[], number[]] = [[], []];
  for (let v = 0; v < vertices; v++) {
    if (!isUsed[v]) continue;
    const [vx, vy, vz] = [template[3 * v]!, y(v), template[3 * v + 2]!];
    const azimuthDegrees = (Math.atan2(Math.abs(vx), vz - axisDepth) * 180) / Math.PI;
    const isEar =
      Math.abs(vx) > halfWidth && vy < eyeHeight + 0.035 && vy > eyeHeight - 0.07 && azimuthDegrees > 60;
    const aboveChin = smoothstep(chinHeight - 0.03, chinHeight - 0.005, vy);
    const turned = 1 - smoothstep(62, 80, azimuthDegrees);
    const belowCrown = 1 - smoothstep(eyeHeight + 0.06, eyeHeight + 0.095, vy);
    const isInner = vertexClasses[v] !== 0;
    const isLow = 1 - smoothstep(eyeHeight - 0.065, eyeHeight - 0.045, vy);
    const carried = Math.max(turned * belowCrown, isLow) * smoothstep(0.3, 0.6, headness(v));
    cheekWeights[v] = isEar ? 0 : 1 - smoothstep(eyeHeight - 0.025, eyeHeight + 0.005, vy);
    faceWeights[v] = isInner ? 1 : isEar ? 0 : carried;
    skullWeights[v] = isInner || isEar ? 0 : aboveChin;
    carryWeights[v] = isInner || isEar ? 0 : 1;
    if (isEar && !isInner) ears[vx > 0 ? 0 : 1].push(v);
    if (!isInner && !isEar && weight(v, NECK!) > 0.95 && vy > chinHeight) centreVertices.push(v);
  }
  const neighbours = vertexNeighbours(vertices, triangles);
  return {
    triangles,
    triangleClasses: Uint8Array.from(classes),
    vertexClasses,
    faceWeights,
    cheekWeights,
    skullWeights,
    carryWeights,
    headness: Float32Array.from({ length: vertices }, (_, v) => headness(v)),
    mirrored: mirrorImages(template, (v) => (isUsed[v] ? vertexClasses[v]! : -1), MIRROR_REACH_METRES),
    neighbours,
    skullEdges: edgesAmong(neighbours, (v) => skullWeights[v]! > 0.5),
    centreVertices: Uint32Array.from(centreVertices),
    fineParts: FINE_PARTS.map((name) => verticesOfParts(head, name)),
    sockets: eyeSockets(head, vertexClasses, isUsed),
    ears: ears.map((ear) => Uint32Array.from(ear)),
  };
}

function edgesAmong({ starts, indices }: VertexNeighbours, isWanted: (v: number) => boolean): Uint32Array {
  const edges: number[] = [];
  for (let v = 0; v + 1 < starts.length; v++) {
    if (!isWanted(v)) continue;
    for (const other of indices.subarray(starts[v]!, starts[v + 1]!)) {
      if (other > v && isWanted(other)) edges.push(v, other);
    }
  }
  return Uint32Array.from(edges);
}

type Measures = {
  readonly eyeHeight: number;
  readonly chinHeight: number;
  /** z of the vertical axis that azimuths are measured about: half-way between face and nape. */
  readonly axisDepth: number;
  /** Half the width of the skull above the ears. */
  readonly halfWidth: number;
};

function measure(
  head: HeadModel,
  isHead: (vertex: number) => boolean,
  jawWeight: (vertex: number) => number,
): Measures {
  const { template, jointRegressor } = head;
  const vertices = vertexCount(head);
  let eyeHeight = 0;
  for (let v = 0; v < vertices; v++)
    eyeHeight += jointRegressor[LEFT_EYE! * vertices + v]! * template[3 * v + 1]!;
  let chinHeight = Infinity;
  let [front, back, halfWidth] = [-Infinity, Infinity, 0];
  for (let v = 0; v < vertices; v++) {
    if (!isHead(v)) continue;
    const [x, y, z] = [template[3 * v]!, template[3 * v + 1]!, template[3 * v + 2]!];
    if (jawWeight(v) > 0.5) chinHeight = Math.min(chinHeight, y);
    if (y > eyeHeight && y < eyeHeight + 0.08) {
      front = Math.max(front, z);
      back = Math.min(back, z);
    }
    if (y > eyeHeight + 0.04 && y < eyeHeight + 0.08) halfWidth = Math.max(halfWidth, Math.abs(x));
  }
  return { eyeHeight, chinHeight, axisDepth: (front + back) / 2, halfWidth };
}

/** 0 below `low`, 1 above `high`, smooth between. */
export function smoothstep(low: number, high: number, value: number): number {
  const t = Math.min(1, Math.max(0, (value - low) / (high - low)));
  return t * t * (3 - 2 * t);
}
