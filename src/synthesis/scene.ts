// A subject's scene as triangles with materials: the posed head, later clothes and hair, in one vertex
// array for the rasteriser. What stays the same in all of a subject's pictures is computed once here.

import { vertexNormals } from '../geometry/index.ts';
import {
  type HeadModel,
  type HeadParameters,
  type HeadPoser,
  PART_NAMES,
  vertexCount,
} from '../head/index.ts';
import { insideFace } from './face-outline.ts';
import { lashTexels } from './lashes.ts';
import { layLidsOverEyes } from './lids-over-eyes.ts';

/** What a triangle is made of. */
export const MATERIALS = [
  'skin',
  'eye',
  'cavity',
  'teeth',
  'tongue',
  'clothes',
  'hair',
  'lash',
  'brow',
  'wrap',
  'frame',
  'jewel',
] as const;
export type Material = (typeof MATERIALS)[number];

/** Channels of a vertex: see `VERTEX`. */
export const VERTEX_CHANNELS = 13;
/** Where a vertex keeps what. Hair has its strand's direction in place of a normal. */
export const VERTEX = {
  /** Place on the mean head, metres (skin, mouth, clothes), or from the eyeball's centre (eyes). */
  local: 0,
  /** World normal; for hair the strand's direction. */
  normal: 3,
  /** Lips' share (skin), how far from the root (hair), 0 to 1. */
  first: 6,
  /** One number per strand (hair), -1 or 1 for the right or left eye. */
  second: 7,
  /** World position, metres. */
  world: 8,
  /** How far the vertex turns with the head: 1 on it, 0 on the shoulders. */
  headness: 11,
  /** How far inside the face's outline (skin), metres; negative outside. */
  face: 12,
} as const;

/** Triangles to draw with materials; `VERTEX_CHANNELS` floats a vertex. */
export type Scene = {
  readonly vertices: Float32Array;
  readonly values: Float32Array;
  readonly triangles: Uint32Array;
  /** `F`, index into `MATERIALS`. */
  readonly materials: Uint8Array;
  /** From which triangle on (lashes, then hair) the strand texture cuts out, with its UVs. */
  readonly cutout: {
    readonly firstTriangle: number;
    readonly uvs: Float32Array;
    readonly uvTriangles: Uint32Array;
  };
};

/** A piece of the scene beside the head; rigid to the head, or to the shoulders. */
export type Piece = {
  /** `V 3`, in the head's rest pose. */
  readonly vertices: Float32Array;
  readonly triangles: Uint32Array;
  readonly material: Material;
  /** `V`: share of the head's motion that each vertex follows. */
  readonly headness: Float32Array;
  /** `V 2`: `first` and `second`. */
  readonly extra: Float32Array;
  /** `V 3` strand directions; null: normals come from the triangles. */
  readonly directions: Float32Array | null;
  /** `V 2` into the texture that cuts out; null: opaque. */
  readonly uvs: Float32Array | null;
  /** Places the vertices on the posed head (`V 3`): for what moves with the face; else the piece is rigid. */
  readonly follow?: (posed: Float32Array, turn: Float64Array) => Float32Array;
};

/** What a head's triangles are made of and where its vertices lie on the mean head; once per head. */
export type HeadScenery = {
  readonly triangles: Uint32Array;
  readonly materials: Uint8Array;
  /** `V VERTEX_CHANNELS`, with `local`, `first`, `second`, `headness` and `face` filled in. */
  readonly values: Float32Array;
};

const MATERIAL_OF_PART = {
  skin: 'skin',
  lips: 'skin',
  mouthCavity: 'cavity',
  leftEyeball: 'eye',
  rightEyeball: 'eye',
  lashes: 'lash',
  upperTeeth: 'teeth',
  lowerTeeth: 'teeth',
  tongue: 'tongue',
} as const;

const cache = new WeakMap<HeadModel, HeadScenery>();

/** The scenery of a head, remembered. */
export function headScenery(head: HeadModel): HeadScenery {
  let scenery = cache.get(head);
  if (!scenery) {
    scenery = deriveScenery(head);
    cache.set(head, scenery);
  }
  return scenery;
}

function deriveScenery(head: HeadModel): HeadScenery {
  const vertices = vertexCount(head);
  const values = new Float32Array(vertices * VERTEX_CHANNELS);
  const materials = head.triangleParts.map((part) => MATERIALS.indexOf(MATERIAL_OF_PART[PART_NAMES[part]!]));
  const eyes = [3, 4].map((joint) =>
    [0, 1, 2].map((axis) => {
      let sum = 0;
      for (let v = 0; v < vertices; v++)
        sum += head.jointRegressor[joint * vertices + v]! * head.template[3 * v + axis]!;
      return sum;
    }),
  );
  const inside = insideFace(head);
  for (let v = 0; v < vertices; v++) {
    const at = v * VERTEX_CHANNELS;
    values[at + VERTEX.face] = inside[v]!;
    values.set(head.template.subarray(3 * v, 3 * v + 3), at);
    values[at + VERTEX.headness] = 1 - head.skinningWeights[v * head.jointParents.length]!;
  }
  const lipCorners = new Float32Array(vertices);
  const skinCorners = new Float32Array(vertices);
  const isDone = new Uint8Array(vertices);
  head.triangleParts.forEach((part, t) => {
    const name = PART_NAMES[part]!;
    for (const v of head.triangles.subarray(3 * t, 3 * t + 3)) {
      if (name === 'lips') lipCorners[v]!++;
      if (name === 'skin') skinCorners[v]!++;
      if ((name !== 'leftEyeball' && name !== 'rightEyeball') || isDone[v]) continue;
      isDone[v] = 1;
      const centre = eyes[name === 'leftEyeball' ? 0 : 1]!;
      for (let k = 0; k < 3; k++) values[v * VERTEX_CHANNELS + k]! -= centre[k]!;
      values[v * VERTEX_CHANNELS + VERTEX.second] = name === 'leftEyeball' ? 1 : -1;
    }
  });
  lipCorners.forEach((count, v) => {
    if (count > 0) values[v * VERTEX_CHANNELS + VERTEX.first] = count / (count + skinCorners[v]!);
  });
  return { triangles: head.triangles, materials, values };
}

/** A rectangle of a texture, in shares of it. */
export type TextureRegion = {
  readonly u: number;
  readonly v: number;
  readonly width: number;
  readonly height: number;
};
const WHOLE_TEXTURE: TextureRegion = { u: 0, v: 0, width: 1, height: 1 };

/** Builds the scene of a subject's head in a pose, with its pieces. */
export function buildScene({
  head,
  poser,
  parameters,
  pieces,
  strands = WHOLE_TEXTURE,
}: {
  readonly head: HeadModel;
  readonly poser: HeadPoser;
  readonly parameters: HeadParameters;
  readonly pieces: readonly Piece[];
  /** Where the strands for lashes lie in the texture that cuts out. */
  readonly strands?: TextureRegion | undefined;
}): Scene {
  const scenery = headScenery(head);
  const { triangles, materials, cutout, order } = sceneLayout(head, pieces, strands);
  const posed = poseOverShoulders(head, poser, parameters, scenery);
  layLidsOverEyes(head, posed);
  const motions = headMotions(head, poser, parameters);
  const count = vertexCount(head) + sum(pieces.map((piece) => piece.headness.length));
  const vertices = new Float32Array(count * 3);
  const values = new Float32Array(count * VERTEX_CHANNELS);
  vertices.set(posed);
  values.set(scenery.values);
  writeNormals(values, 0, vertexNormals(posed, scenery.triangles));
  let first = vertexCount(head);
  for (const { piece, directions } of order) {
    placePiece(piece, directions, motions, vertices, values, first);
    if (piece.follow) vertices.set(piece.follow(posed, rotationOf(motions[0])), 3 * first);
    first += piece.headness.length;
  }
  for (let v = 0; v < count; v++) {
    const at = v * VERTEX_CHANNELS + VERTEX.world;
    for (let k = 0; k < 3; k++) values[at + k] = vertices[3 * v + k]!;
  }
  return { vertices, values, triangles, materials, cutout };
}

/** What all of a subject's pictures share. */
type SceneLayout = Pick<Scene, 'triangles' | 'materials' | 'cutout'> & {
  /** The pieces as their vertices follow the head's, opaque ones first, with what stands for normals. */
  readonly order: readonly { readonly piece: Piece; readonly directions: Float32Array }[];
};

const layouts = new WeakMap<readonly Piece[], SceneLayout & { readonly head: HeadModel }>();

function sceneLayout(head: HeadModel, pieces: readonly Piece[], strands: TextureRegion): SceneLayout {
  let layout = layouts.get(pieces);
  if (layout?.head !== head) {
    layout = { ...layOut(head, pieces, strands), head };
    layouts.set(pieces, layout);
  }
  return layout;
}

/** Triangles in drawing order: the head without its lashes, opaque pieces, lashes, pieces cut out. */
function layOut(head: HeadModel, pieces: readonly Piece[], strands: TextureRegion): SceneLayout {
  const scenery = headScenery(head);
  const lash = MATERIALS.indexOf('lash');
  const triangles: number[] = [];
  const materials: number[] = [];
  const uvs: number[] = [];
  const uvTriangles: number[] = [];
  scenery.materials.forEach((material, t) => {
    if (material === lash) return;
    for (const v of scenery.triangles.subarray(3 * t, 3 * t + 3)) triangles.push(v);
    materials.push(material);
  });
  let first = vertexCount(head);
  const addPiece = (piece: Piece): void => {
    const uvBase = uvs.length / 2;
    for (const v of piece.triangles) {
      triangles.push(v + first);
      if (piece.uvs) uvTriangles.push(v + uvBase);
    }
    const material = MATERIALS.indexOf(piece.material);
    for (let t = 0; t < piece.triangles.length; t += 3) materials.push(material);
    if (piece.uvs) for (const value of piece.uvs) uvs.push(value);
    first += piece.headness.length;
  };
  const opaque = pieces.filter((piece) => piece.uvs === null);
  const cutOut = pieces.filter((piece) => piece.uvs !== null);
  opaque.forEach(addPiece);
  const firstTriangle = materials.length;
  const lashes = lashTexels(head);
  const wearsLashes = pieces.some((piece) => piece.material === 'lash');
  scenery.materials.forEach((material, t) => {
    if (material !== lash || wearsLashes) return;
    materials.push(material);
    for (const v of scenery.triangles.subarray(3 * t, 3 * t + 3)) {
      triangles.push(v);
      uvTriangles.push(uvs.length / 2);
      const { u, v: along } = lashes[v]!;
      uvs.push(strands.u + u * strands.width, strands.v + along * strands.height);
    }
  });
  cutOut.forEach(addPiece);
  return {
    triangles: Uint32Array.from(triangles),
    materials: Uint8Array.from(materials),
    cutout: { firstTriangle, uvs: Float32Array.from(uvs), uvTriangles: Uint32Array.from(uvTriangles) },
    order: [...opaque, ...cutOut].map((piece) => ({
      piece,
      directions: piece.directions ?? vertexNormals(piece.vertices, piece.triangles),
    })),
  };
}

/** The posed head whose shoulders stay upright: what turns with the root is the head alone. */
function poseOverShoulders(
  head: HeadModel,
  poser: HeadPoser,
  parameters: HeadParameters,
  { values }: HeadScenery,
): Float32Array {
  const posed = poser.pose(parameters);
  const upright = poser.pose({
    ...parameters,
    jointRotations: new Float32Array(head.jointParents.length * 3),
  });
  for (let v = 0; v < posed.length / 3; v++) {
    const share = values[v * VERTEX_CHANNELS + VERTEX.headness]!;
    for (let k = 3 * v; k < 3 * v + 3; k++) posed[k] = upright[k]! + share * (posed[k]! - upright[k]!);
  }
  return posed;
}

/** 3 x 4 affine motion (rows) from the rest pose. */
type Motion = Float64Array;

/** How the skull and the shoulders move from the rest pose, from three of the poser's own joints. */
function headMotions(
  head: HeadModel,
  poser: HeadPoser,
  parameters: HeadParameters,
): readonly [Motion, Motion] {
  const rest = { ...parameters, jointRotations: new Float32Array(head.jointParents.length * 3) };
  const restJoints = poser.joints({ ...rest, translation: new Float32Array(3) });
  const posedJoints = poser.joints(parameters);
  // Joints 1, 3 and 4 (neck and eyes) move rigidly with the skull and span a frame.
  const [from, to] = [jointFrame(restJoints), jointFrame(posedJoints)];
  const skull = new Float64Array(12);
  for (let i = 0; i < 3; i++) {
    for (let j = 0; j < 3; j++) {
      for (let k = 0; k < 3; k++) skull[4 * i + j]! += to[3 * k + i]! * from[3 * k + j]!;
    }
    skull[4 * i + 3] = posedJoints[3 + i]!;
    for (let j = 0; j < 3; j++) skull[4 * i + 3]! -= skull[4 * i + j]! * restJoints[3 + j]!;
  }
  const [tx, ty, tz] = [parameters.translation[0]!, parameters.translation[1]!, parameters.translation[2]!];
  return [skull, Float64Array.of(1, 0, 0, tx, 0, 1, 0, ty, 0, 0, 1, tz)];
}

const rotationOf = (motion: Motion): Motion => motion.filter((_, i) => i % 4 < 3);

/** Three orthonormal rows from the neck and the eyes. */
function jointFrame(joints: Float32Array): Float64Array {
  const at = (joint: number, k: number): number => joints[3 * joint + k]!;
  const across = normalise([0, 1, 2].map((k) => at(3, k) - at(4, k)));
  const raw = [0, 1, 2].map((k) => (at(3, k) + at(4, k)) / 2 - at(1, k));
  const along = across.reduce((total, value, k) => total + value * raw[k]!, 0);
  const up = normalise(raw.map((value, k) => value - along * across[k]!));
  const third = [
    across[1]! * up[2]! - across[2]! * up[1]!,
    across[2]! * up[0]! - across[0]! * up[2]!,
    across[0]! * up[1]! - across[1]! * up[0]!,
  ];
  return Float64Array.of(...across, ...up, ...third);
}

function placePiece(
  piece: Piece,
  directions: Float32Array,
  [skull, body]: readonly [Motion, Motion],
  vertices: Float32Array,
  values: Float32Array,
  first: number,
): void {
  for (let v = 0; v < piece.headness.length; v++) {
    const share = piece.headness[v]!;
    const at = (first + v) * VERTEX_CHANNELS;
    for (let i = 0; i < 3; i++) {
      let place = body[4 * i + 3]! + share * (skull[4 * i + 3]! - body[4 * i + 3]!);
      let direction = 0;
      for (let j = 0; j < 3; j++) {
        const m = body[4 * i + j]! + share * (skull[4 * i + j]! - body[4 * i + j]!);
        place += m * piece.vertices[3 * v + j]!;
        direction += m * directions[3 * v + j]!;
      }
      vertices[3 * (first + v) + i] = place;
      values[at + VERTEX.local + i] = piece.vertices[3 * v + i]!;
      values[at + VERTEX.normal + i] = direction;
    }
    values[at + VERTEX.first] = piece.extra[2 * v]!;
    values[at + VERTEX.second] = piece.extra[2 * v + 1]!;
    values[at + VERTEX.headness] = share;
  }
}

function writeNormals(values: Float32Array, first: number, normals: Float32Array): void {
  for (let v = 0; v < normals.length / 3; v++) {
    values.set(normals.subarray(3 * v, 3 * v + 3), (first + v) * VERTEX_CHANNELS + VERTEX.normal);
  }
}

function normalise(vector: readonly number[]): number[] {
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
