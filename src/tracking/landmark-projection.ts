// Where a head's landmarks fall in the picture, and how they move with every unknown: the forward map of
// the fit and its analytic Jacobian. Camera: at the world's origin, looking along -z, centred.

import { FRAME_LAYOUT, type FrameState, hingeRotation } from './head-state.ts';
import { HINGES, type LandmarkModel } from './landmark-model.ts';
import { viewTermDerivatives, viewTerms } from './landmark-sliding.ts';
import { addCombination, dot2x3 } from './small-algebra.ts';

/** Where a frame's picture has its centre, in pixels. */
export type ImageCentre = { readonly xPx: number; readonly yPx: number };

/** Number of unknowns of a frame. */
export function frameUnknowns(model: LandmarkModel): number {
  return FRAME_LAYOUT.expression + model.expressionCount;
}

/** Number of unknowns that a clip shares: identity, then the logarithm of the focal length. */
export function sharedUnknowns(model: LandmarkModel): number {
  return model.identityCount + 1;
}

/** Landmarks and joints of an identity at rest. */
export type ShapedLandmarks = {
  /** `3L`. */
  readonly points: Float64Array;
  /** `4 3`: root and hinges. */
  readonly joints: Float64Array;
};

/** Applies an identity to the reduced head. */
export function shapeLandmarks(model: LandmarkModel, identity: Float64Array): ShapedLandmarks {
  const points = model.template.slice();
  const joints = model.joints.slice();
  addCombination(points, model.identity, identity);
  addCombination(joints, model.jointIdentity, identity);
  return { points, joints };
}

/** Projects landmarks and differentiates them, again and again in the same memory. */
export class LandmarkProjection {
  readonly #model: LandmarkModel;
  readonly #moving: number[];
  /** `3L`: shaped and expressed, before the joints. */
  readonly #expressed: Float64Array;
  /** `3L`: in the root's frame, with the hinges turned. */
  readonly #hinged: Float64Array;
  /** `3L`: in the world. */
  readonly #world: Float64Array;
  /** `9L`: the derivative of a hinged point by its expressed point, where hinges move it. */
  readonly #blend: Float64Array;
  readonly #hingeRotations: Float64Array[] = [];
  /** `3L`: what an unknown moves, while its column is made. */
  readonly #shift: Float64Array;
  /** `2L`. */
  readonly pixels: Float64Array;
  #frame: FrameState | null = null;
  #shaped: ShapedLandmarks | null = null;
  #focalPx = 0;
  #centre: ImageCentre = { xPx: 0, yPx: 0 };

  constructor(model: LandmarkModel) {
    const count = model.pointCount;
    this.#model = model;
    this.#expressed = new Float64Array(3 * count);
    this.#hinged = new Float64Array(3 * count);
    this.#world = new Float64Array(3 * count);
    this.#blend = new Float64Array(9 * count);
    this.#shift = new Float64Array(3 * count);
    this.pixels = new Float64Array(2 * count);
    const all = Array.from({ length: count }, (_, l) => l);
    this.#moving = all.filter((l) => model.hingeWeights.some((weights) => weights[l]! > 0));
  }

  /** Projects into `pixels`. Returns false where a point lies behind the camera. */
  project(frame: FrameState, shaped: ShapedLandmarks, focalPx: number, centre: ImageCentre): boolean {
    this.#frame = frame;
    this.#shaped = shaped;
    this.#focalPx = focalPx;
    this.#centre = centre;
    this.#express(frame, shaped);
    this.#turnHinges(shaped);
    addCombination(this.#hinged, this.#model.view, viewTerms(frame.rotation));
    const [pivot, rotation, translation] = [shaped.joints, frame.rotation, frame.translation];
    let isInFront = true;
    for (let l = 0; l < this.#model.pointCount; l++) {
      const x = this.#hinged[3 * l]! - pivot[0]!;
      const y = this.#hinged[3 * l + 1]! - pivot[1]!;
      const z = this.#hinged[3 * l + 2]! - pivot[2]!;
      for (let axis = 0; axis < 3; axis++) {
        this.#world[3 * l + axis] =
          rotation[3 * axis]! * x +
          rotation[3 * axis + 1]! * y +
          rotation[3 * axis + 2]! * z +
          pivot[axis]! +
          translation[axis]!;
      }
      const depth = -this.#world[3 * l + 2]!;
      if (depth <= 0.01) isInFront = false;
      this.pixels[2 * l] = centre.xPx + (focalPx * this.#world[3 * l]!) / depth;
      this.pixels[2 * l + 1] = centre.yPx - (focalPx * this.#world[3 * l + 1]!) / depth;
    }
    return isInFront;
  }

  /**
   * The derivatives of the last projection, each row times `rowScales` (`L`).
   * @param columns one per unknown, `2L` values each: the frame's, then (if there are more) the shared ones
   * @param only `pose` leaves all but the columns of turn and translation as they are
   */
  differentiate(
    rowScales: Float64Array,
    columns: readonly Float64Array[],
    only: 'all' | 'pose' = 'all',
  ): void {
    const [model, frame] = [this.#model, this.#frame!];
    const count = model.pointCount;
    const rotation = frame.rotation;
    // By world point, and by expressed point, 2 x 3 each.
    const byWorld = new Float64Array(6 * count);
    const byPoint = new Float64Array(6 * count);
    const byHinged = new Float64Array(6);
    for (let l = 0; l < count; l++) {
      const depth = -this.#world[3 * l + 2]!;
      const scale = (rowScales[l]! * this.#focalPx) / depth;
      byWorld[6 * l] = scale;
      byWorld[6 * l + 2] = (scale * this.#world[3 * l]!) / depth;
      byWorld[6 * l + 4] = -scale;
      byWorld[6 * l + 5] = (-scale * this.#world[3 * l + 1]!) / depth;
      if (only === 'all' || model.view.length > 0) dot2x3(byWorld, 6 * l, rotation, 0, byPoint, 6 * l);
    }
    this.#poseColumns(byWorld, columns);
    this.#addSliding(byPoint, columns);
    if (only === 'pose') return;
    this.#hingeColumns(byPoint, columns);
    for (const l of this.#moving) {
      byHinged.set(byPoint.subarray(6 * l, 6 * l + 6));
      dot2x3(byHinged, 0, this.#blend, 9 * l, byPoint, 6 * l);
    }
    for (let k = 0; k < model.expressionCount; k++) {
      applyRows(byPoint, model.expression[k]!, columns[FRAME_LAYOUT.expression + k]!);
    }
    const shared = frameUnknowns(model);
    if (columns.length === shared) return;
    for (let k = 0; k < model.identityCount; k++) {
      const column = columns[shared + k]!;
      applyRows(byPoint, model.identity[k]!, column);
      this.#addJointTerms(byWorld, model.jointIdentity[k]!, column);
    }
    const focal = columns[shared + model.identityCount]!;
    for (let l = 0; l < count; l++) {
      focal[2 * l] = rowScales[l]! * (this.pixels[2 * l]! - this.#centre.xPx);
      focal[2 * l + 1] = rowScales[l]! * (this.pixels[2 * l + 1]! - this.#centre.yPx);
    }
  }

  #express(frame: FrameState, shaped: ShapedLandmarks): void {
    const model = this.#model;
    this.#expressed.set(shaped.points);
    addCombination(this.#expressed, model.expression, frame.expression);
    for (let hinge = 0; hinge < HINGES.length; hinge++) {
      this.#hingeRotations[hinge] = hingeRotation(frame.hinges[2 * hinge]!, frame.hinges[2 * hinge + 1]!);
    }
    const jaw = this.#hingeRotations[0]!.map((value, i) => value - (i % 4 === 0 ? 1 : 0));
    addCombination(this.#expressed, model.jawCorrectives, jaw);
  }

  #turnHinges(shaped: ShapedLandmarks): void {
    const [hinged, expressed, blend] = [this.#hinged, this.#expressed, this.#blend];
    hinged.set(expressed);
    const offsets = this.#hingeRotations.map((rotation, hinge) =>
      leftOver(rotation, shaped.joints.subarray(3 * (hinge + 1), 3 * (hinge + 1) + 3)),
    );
    for (const l of this.#moving) {
      const at = 9 * l;
      blend.fill(0, at, at + 9);
      let [x, y, z] = [0, 0, 0];
      let rest = 1;
      for (let hinge = 0; hinge < HINGES.length; hinge++) {
        const weight = this.#model.hingeWeights[hinge]![l]!;
        if (weight === 0) continue;
        rest -= weight;
        const rotation = this.#hingeRotations[hinge]!;
        for (let i = 0; i < 9; i++) blend[at + i]! += weight * rotation[i]!;
        const offset = offsets[hinge]!;
        x += weight * offset[0]!;
        y += weight * offset[1]!;
        z += weight * offset[2]!;
      }
      for (let i = 0; i < 9; i += 4) blend[at + i]! += rest;
      const [px, py, pz] = [expressed[3 * l]!, expressed[3 * l + 1]!, expressed[3 * l + 2]!];
      hinged[3 * l] = x + blend[at]! * px + blend[at + 1]! * py + blend[at + 2]! * pz;
      hinged[3 * l + 1] = y + blend[at + 3]! * px + blend[at + 4]! * py + blend[at + 5]! * pz;
      hinged[3 * l + 2] = z + blend[at + 6]! * px + blend[at + 7]! * py + blend[at + 8]! * pz;
    }
  }

  /** A turn about the root joint, and the translation. */
  #poseColumns(byWorld: Float64Array, columns: readonly Float64Array[]): void {
    const { turn, translation } = FRAME_LAYOUT;
    const pivot = this.#shaped!.joints;
    const shift = this.#frame!.translation;
    for (let l = 0; l < this.#model.pointCount; l++) {
      const x = this.#world[3 * l]! - pivot[0]! - shift[0]!;
      const y = this.#world[3 * l + 1]! - pivot[1]! - shift[1]!;
      const z = this.#world[3 * l + 2]! - pivot[2]! - shift[2]!;
      for (let row = 0; row < 2; row++) {
        const a = byWorld[6 * l + 3 * row]!;
        const b = byWorld[6 * l + 3 * row + 1]!;
        const c = byWorld[6 * l + 3 * row + 2]!;
        const at = 2 * l + row;
        columns[translation]![at] = a;
        columns[translation + 1]![at] = b;
        columns[translation + 2]![at] = c;
        // e x p for the three world axes.
        columns[turn]![at] = c * y - b * z;
        columns[turn + 1]![at] = a * z - c * x;
        columns[turn + 2]![at] = b * x - a * y;
      }
    }
  }

  /** What of a turn's columns comes through the points' sliding. */
  #addSliding(byPoint: Float64Array, columns: readonly Float64Array[]): void {
    const { view } = this.#model;
    if (view.length === 0) return;
    for (const [axis, derivative] of viewTermDerivatives(this.#frame!.rotation).entries()) {
      this.#shift.fill(0);
      addCombination(this.#shift, view, derivative);
      addRows(byPoint, this.#shift, columns[FRAME_LAYOUT.turn + axis]!);
    }
  }

  /** Yaw and pitch of every hinge; `byHinged` is 2 x 3 for each point. */
  #hingeColumns(byHinged: Float64Array, columns: readonly Float64Array[]): void {
    const model = this.#model;
    const joints = this.#shaped!.joints;
    for (let hinge = 0; hinge < HINGES.length; hinge++) {
      const yawColumn = columns[FRAME_LAYOUT.hinges + 2 * hinge]!;
      const pitchColumn = columns[FRAME_LAYOUT.hinges + 2 * hinge + 1]!;
      yawColumn.fill(0);
      pitchColumn.fill(0);
      const [yaw, pitch] = [this.#frame!.hinges[2 * hinge]!, this.#frame!.hinges[2 * hinge + 1]!];
      const [byYaw, byPitch] = hingeDerivatives(yaw, pitch);
      const weights = model.hingeWeights[hinge]!;
      for (const l of this.#moving) {
        const weight = weights[l]!;
        const hasCorrectives = hinge === 0 && model.jawCorrectives.length > 0;
        if (weight === 0 && !hasCorrectives) continue;
        for (const [derivative, column] of [
          [byYaw, yawColumn],
          [byPitch, pitchColumn],
        ] as const) {
          const moved = [0, 0, 0];
          for (let axis = 0; axis < 3; axis++) {
            for (let k = 0; k < 3; k++) {
              const arm = this.#expressed[3 * l + k]! - joints[3 * (hinge + 1) + k]!;
              moved[axis]! += weight * derivative[3 * axis + k]! * arm;
            }
          }
          for (let row = 0; row < 2; row++) {
            const at = 6 * l + 3 * row;
            column[2 * l + row]! +=
              byHinged[at]! * moved[0]! + byHinged[at + 1]! * moved[1]! + byHinged[at + 2]! * moved[2]!;
          }
        }
      }
    }
    if (model.jawCorrectives.length > 0) this.#jawCorrectiveColumns(byHinged, columns);
  }

  /** The share of the jaw's columns that comes through the correctives: every point may carry one. */
  #jawCorrectiveColumns(byHinged: Float64Array, columns: readonly Float64Array[]): void {
    const model = this.#model;
    const moves = hingeDerivatives(this.#frame!.hinges[0]!, this.#frame!.hinges[1]!);
    for (const [k, derivative] of moves.entries()) {
      const shift = this.#shift.fill(0);
      addCombination(shift, model.jawCorrectives, derivative);
      for (const l of this.#moving) this.#blendAt(l, shift);
      addRows(byHinged, shift, columns[FRAME_LAYOUT.hinges + k]!);
    }
  }

  /** Takes a displacement of an expressed point to that of the hinged one, in place. */
  #blendAt(l: number, shift: Float64Array): void {
    const [x, y, z] = [shift[3 * l]!, shift[3 * l + 1]!, shift[3 * l + 2]!];
    for (let axis = 0; axis < 3; axis++) {
      const at = 9 * l + 3 * axis;
      shift[3 * l + axis] = this.#blend[at]! * x + this.#blend[at + 1]! * y + this.#blend[at + 2]! * z;
    }
  }

  /** Moving joints move points: the root by (1 - R), a hinge by its weight times R_root (1 - R_hinge). */
  #addJointTerms(byWorld: Float64Array, joints: Float64Array, column: Float64Array): void {
    const model = this.#model;
    const rotation = this.#frame!.rotation;
    const root = leftOver(rotation, joints.subarray(0, 3));
    for (let l = 0; l < model.pointCount; l++) addRow(byWorld, l, root, 1, column);
    for (let hinge = 0; hinge < HINGES.length; hinge++) {
      const local = leftOver(this.#hingeRotations[hinge]!, joints.subarray(3 * hinge + 3, 3 * hinge + 6));
      const world = local.map((_, axis) => {
        return (
          rotation[3 * axis]! * local[0]! +
          rotation[3 * axis + 1]! * local[1]! +
          rotation[3 * axis + 2]! * local[2]!
        );
      });
      for (const l of this.#moving) addRow(byWorld, l, world, model.hingeWeights[hinge]![l]!, column);
    }
  }
}

/** `column` of point l += `weight` x its 2 x 3 row block x `vector`. */
function addRow(
  blocks: Float64Array,
  l: number,
  vector: Float64Array,
  weight: number,
  column: Float64Array,
): void {
  if (weight === 0) return;
  for (let row = 0; row < 2; row++) {
    const at = 6 * l + 3 * row;
    column[2 * l + row]! +=
      weight * (blocks[at]! * vector[0]! + blocks[at + 1]! * vector[1]! + blocks[at + 2]! * vector[2]!);
  }
}

/** `column` += the 2 x 3 block of every point x its row of `shift`. */
function addRows(blocks: Float64Array, shift: Float64Array, column: Float64Array): void {
  for (let l = 0; l < column.length / 2; l++) {
    const [x, y, z] = [shift[3 * l]!, shift[3 * l + 1]!, shift[3 * l + 2]!];
    const at = 6 * l;
    column[2 * l]! += blocks[at]! * x + blocks[at + 1]! * y + blocks[at + 2]! * z;
    column[2 * l + 1]! += blocks[at + 3]! * x + blocks[at + 4]! * y + blocks[at + 5]! * z;
  }
}

/** What a turn about the origin leaves of a point's own place: `(1 - R) v`. */
function leftOver(turn: Float64Array, [x, y, z]: Float64Array): Float64Array {
  const of = (value: number, row: number): number =>
    value - turn[row]! * x! - turn[row + 1]! * y! - turn[row + 2]! * z!;
  return Float64Array.of(of(x!, 0), of(y!, 3), of(z!, 6));
}

/** `column` = the 2 x 3 block of every point x its row of `basis`. */
function applyRows(blocks: Float64Array, basis: Float64Array, column: Float64Array): void {
  const count = column.length / 2;
  for (let l = 0; l < count; l++) {
    const [x, y, z] = [basis[3 * l]!, basis[3 * l + 1]!, basis[3 * l + 2]!];
    const at = 6 * l;
    column[2 * l] = blocks[at]! * x + blocks[at + 1]! * y + blocks[at + 2]! * z;
    column[2 * l + 1] = blocks[at + 3]! * x + blocks[at + 4]! * y + blocks[at + 5]! * z;
  }
}

/** Derivatives of `hingeRotation` by yaw and by pitch. */
function hingeDerivatives(yaw: number, pitch: number): [byYaw: Float64Array, byPitch: Float64Array] {
  const [cy, sy, cp, sp] = [Math.cos(yaw), Math.sin(yaw), Math.cos(pitch), Math.sin(pitch)];
  return [
    Float64Array.of(-sy, cy * sp, cy * cp, 0, 0, 0, -cy, -sy * sp, -sy * cp),
    Float64Array.of(0, sy * cp, -sy * sp, 0, -sp, -cp, 0, cy * cp, -cy * sp),
  ];
}
