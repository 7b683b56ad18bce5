// `lift`: a still carried to another view and expression on its own fitted head, without any network.
// The face's visible triangles take their colour from the picture; a rubber sheet carries the rest; hidden
// skin is filled from the mirrored side or by diffusion. Recipe and its faults: docs/synthesis.md.

import { BadInputError } from '../errors/index.ts';
import type { Camera } from '../geometry/index.ts';
import { multiplyRotations, rotationFromAxisAngle, vertexSurface } from '../geometry/index.ts';
import { createHeadPoser, type HeadModel, type HeadParameters, type HeadPoser } from '../head/index.ts';
import { createRasteriser, type Rasteriser } from '../kernels/index.ts';
import type { RgbImage } from '../media/index.ts';
import { bareEars, carryBareEars } from './bare-ears.ts';
import { composeLift, type LiftedImage } from './composition.ts';
import { fineWindows } from './fine-windows.ts';
import { type LiftGeometry, liftGeometry } from './lift-geometry.ts';
import { lightChange } from './light.ts';
import { measureOutline, type Outline } from './outline.ts';
import { personLayers, personRadii } from './person-layers.ts';
import type { SheetMap } from './rubber-sheet.ts';
import { ATTRIBUTE, ATTRIBUTE_COUNT, type SourceView, viewSource } from './source-view.ts';
import { stillPlate } from './still-plate.ts';
import { createSurfaceReader } from './surface-reader.ts';

/** A head in front of a camera. */
export type HeadPlacement = {
  readonly parameters: HeadParameters;
  readonly camera: Camera;
};

/** What a lifter needs besides its still; share one between all lifters of a thread. */
export type LiftTools = {
  readonly head: HeadModel;
  readonly poser: HeadPoser;
  readonly rasteriser: Rasteriser;
};

/** A still and the head fitted to it; the camera has the picture's size. */
export type LiftSource = HeadPlacement & {
  readonly image: RgbImage;
  /** How far to trust each pixel of the still, `H W`, 0 to 255; default: wholly. */
  readonly trust?: Uint8Array;
  /**
   * The share of each pixel that the person covers, `H W`, 0 to 255. With it the background stays still behind the
   * person, filled where they hid it; without it background and hair are one.
   */
  readonly personMask?: Uint8Array | undefined;
  /** Leave the shoulders where the still has them, rather than let them go along as the head is displaced. */
  readonly bodyStays?: boolean;
};

/** Carries one still to any placement of its head. */
export type Lifter = {
  /**
   * The still as it would look with the head placed so; about 10 ms at 256 x 256.
   * The identity of `to` should be the still's own.
   */
  lift(to: HeadPlacement): LiftedImage;
};

/** What round trips need besides: the sheet of a lift, and lifts on a given sheet. */
export type SheetLifter = Lifter & {
  liftWithSheet(to: HeadPlacement, sheet?: SheetMap): { lifted: LiftedImage; sheet: SheetMap };
};

/** The tools for lifting with a head. */
export function createLiftTools(head: HeadModel): LiftTools {
  return { head, poser: createHeadPoser(head), rasteriser: createRasteriser() };
}

/**
 * Prepares a fitted still for lifting; everything that does not depend on the target happens here.
 * @throws BadInputError when the camera or the mask is not of the picture's size.
 */
export function createLifter(tools: LiftTools, source: LiftSource): Lifter {
  const { lift } = createSheetLifter(tools, source);
  return { lift };
}

/** As `createLifter`, with the rubber sheet at hand. */
export function createSheetLifter(tools: LiftTools, source: LiftSource): SheetLifter {
  const { head, rasteriser } = tools;
  const { image, camera, parameters, trust, personMask, bodyStays = false } = source;
  if (camera.width !== image.width || camera.height !== image.height) {
    throw new BadInputError({
      code: 'lift-camera',
      message: `expected a camera of the picture's ${image.width} x ${image.height} px, got ${camera.width} x ${camera.height}`,
      hint: 'use cropCamera for a resampled picture',
    });
  }
  if (personMask !== undefined && personMask.length !== image.width * image.height) {
    throw new BadInputError({
      code: 'lift-mask',
      message: `expected a person mask of ${image.width} x ${image.height} px, got ${personMask.length} values`,
      hint: 'cut the mask with the picture: resampleMask',
    });
  }
  const geometry = liftGeometry(head);
  const bodyOf = (head: HeadParameters): HeadParameters =>
    bodyStays ? { ...head, translation: parameters.translation } : head;
  const vertices = poseOverShoulders(tools, geometry, parameters, parameters);
  const layers = personMask ? personLayers(image, personMask) : null;
  const plate = layers && stillPlate(layers, trust ?? null);
  const view = viewSource({
    ...{ head, geometry, rasteriser, camera, vertices },
    image: layers?.person ?? image,
    bareEars: layers && bareEars(geometry, camera, vertices, layers),
  });
  const fromOutline = outlineOf(tools, geometry, { parameters, camera, body: parameters }, vertices);
  const personRadiiPx = layers && personRadii(fromOutline, layers);

  const liftWithSheet: SheetLifter['liftWithSheet'] = (to, sheet) => {
    const body = bodyOf(to.parameters);
    const targetVertices = poseOverShoulders(tools, geometry, to.parameters, body);
    faceTarget(view, geometry, targetVertices, to.camera);
    carryBareEars(view, geometry);
    const buffer = rasteriser.rasterise({
      camera: to.camera,
      vertices: targetVertices,
      triangles: geometry.triangles,
    });
    const toOutline = outlineOf(tools, geometry, { ...to, body }, targetVertices);
    return composeLift({
      view,
      trust: trust ?? null,
      layers,
      plate,
      surface: createSurfaceReader(geometry, buffer, view.attributes),
      fineWindows: fineWindows(tools, geometry, to.camera, targetVertices, view.attributes),
      toCamera: to.camera,
      from: fromOutline,
      personRadiiPx,
      to: toOutline,
      sheet: sheet ?? null,
    });
  };
  return { liftWithSheet, lift: (to) => liftWithSheet(to).lifted };
}

/** The posed head over the shoulders of `body`, which stay upright: a picture's body does not turn with its head. */
function poseOverShoulders(
  { poser }: LiftTools,
  { headness }: LiftGeometry,
  parameters: HeadParameters,
  body: HeadParameters,
): Float32Array {
  const posed = poser.pose(parameters);
  const unturned = new Float32Array(parameters.jointRotations.length);
  const upright = poser.pose({ ...body, jointRotations: unturned });
  for (let v = 0; v < headness.length; v++) {
    const share = headness[v]!;
    if (share === 1) continue;
    for (let k = 3 * v; k < 3 * v + 3; k++) posed[k] = upright[k]! + share * (posed[k]! - upright[k]!);
  }
  return posed;
}

function outlineOf(
  { poser }: LiftTools,
  { skullWeights, skullEdges, centreVertices, ears }: LiftGeometry,
  { parameters, camera, body }: HeadPlacement & { readonly body: HeadParameters },
  vertices: Float32Array,
): Outline {
  const rotations = parameters.jointRotations;
  const headRotation = multiplyRotations(
    rotationFromAxisAngle(rotations.subarray(0, 3)),
    rotationFromAxisAngle(rotations.subarray(3, 6)),
  );
  const joints = poser.joints(body);
  return measureOutline({
    camera,
    vertices,
    joints,
    skullWeights,
    skullEdges,
    centreVertices,
    ears,
    headRotation,
  });
}

/** Writes how squarely every vertex faces the target camera, how its light changes and how it is stretched. */
function faceTarget(
  { attributes, normals: sourceNormals, areas: sourceAreas, light }: SourceView,
  { vertexClasses, carryWeights, triangles }: LiftGeometry,
  vertices: Float32Array,
  camera: Camera,
): void {
  const { normals, areas } = vertexSurface(vertices, triangles);
  const { rotation: r, translation: t } = camera.cameraFromWorld;
  // The camera's place in the world is -R^T t.
  const eye = [0, 1, 2].map((k) => -(r[k]! * t[0]! + r[3 + k]! * t[1]! + r[6 + k]! * t[2]!));
  for (let v = 0; v < vertices.length / 3; v++) {
    const x = eye[0]! - vertices[3 * v]!;
    const y = eye[1]! - vertices[3 * v + 1]!;
    const z = eye[2]! - vertices[3 * v + 2]!;
    const cosine = x * normals[3 * v]! + y * normals[3 * v + 1]! + z * normals[3 * v + 2]!;
    const at = v * ATTRIBUTE_COUNT;
    attributes[at + ATTRIBUTE.targetFacing] = cosine / Math.sqrt(x * x + y * y + z * z);
    attributes[at + ATTRIBUTE.surfaceStretch] =
      vertexClasses[v] === 0 ? Math.min(1, sourceAreas[v]! / areas[v]!) : 1;
    // Folds of an ear are too deep for a light that is smooth.
    attributes[at + ATTRIBUTE.lightChange] =
      vertexClasses[v] === 0 && carryWeights[v]! > 0 ? lightChange(light, v, sourceNormals, normals) : 1;
  }
}
