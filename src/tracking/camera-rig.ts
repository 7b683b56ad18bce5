// What a fit of several views may move beside the head: cameras of which nothing is known, each with a pose of the
// head before it and a focal length; or known ones, before which the head has one pose. Row and column places of
// the common unknowns come first: 6 hinges, `E` units, `I` identity coefficients; a rig's own follow.

import { invertRotation, multiplyRotations, rotate, rotationFromAxisAngle } from '../geometry/index.ts';
import type { FrameSystem } from './frame-system.ts';
import { FRAME_LAYOUT, type FrameState } from './head-state.ts';
import type { LandmarkModel } from './landmark-model.ts';
import { frameUnknowns } from './landmark-projection.ts';

/** A head's pose before a camera that looks along -z with y up; metres. */
export type ViewPose = Pick<FrameState, 'rotation' | 'translation'>;

/** Normal equations under way: `size size` and `size`. */
export type NormalEquations = {
  readonly matrix: Float64Array;
  readonly vector: Float64Array;
  readonly size: number;
};

/** Cameras as a fit of views sees them; immutable. */
export type CameraRig = {
  /** How many unknowns it has of its own. */
  readonly unknowns: number;
  /** What one unit of a calibration is, metres; 1 without one. */
  readonly unitMetres: number;
  /** The cost of its own unknowns. */
  readonly cost: number;
  /** The head before a view's camera. @param pivot the head's root joint for the identity, metres */
  poseIn(view: number, pivot: Float64Array): ViewPose;
  focalPx(view: number): number;
  /** Adds a view's equations, those of `system` at its last linearised state. */
  gather(view: number, system: FrameSystem, into: NormalEquations): void;
  /** Adds those of its own priors. */
  gatherPriors(into: NormalEquations): void;
  /** The rig after a step. @param step its own unknowns' */
  moved(step: Float64Array): CameraRig;
};

/** Number of unknowns that all views have in common. */
export function commonUnknowns(model: LandmarkModel): number {
  return frameUnknowns(model) - FRAME_LAYOUT.hinges + model.identityCount;
}

/** A focal length that several views have in common, and how sure it is. */
export type SharedLens = {
  readonly focalPx: number;
  readonly expectedPx: number;
  /** Standard deviation of the logarithm; 0 where it is known. */
  readonly deviation: number;
};

/** Cameras of which nothing is known. @param lensOf which of `lenses` a view has */
export function freeRig(
  model: LandmarkModel,
  poses: readonly ViewPose[],
  lenses: readonly SharedLens[],
  lensOf: readonly number[],
): CameraRig {
  const common = commonUnknowns(model);
  const own = frameUnknowns(model);
  const firstLens = 6 * poses.length;
  const off = ({ focalPx, expectedPx }: SharedLens): number => Math.log(focalPx / expectedPx);
  // A focal length that is kept has an empty row: any precision holds it still.
  const precision = ({ deviation }: SharedLens): number => (deviation > 0 ? 1 / deviation ** 2 : 1);
  return {
    unknowns: firstLens + lenses.length,
    unitMetres: 1,
    cost: lenses.reduce((sum, lens) => sum + 0.5 * precision(lens) * off(lens) ** 2, 0),
    poseIn: (view) => poses[view]!,
    focalPx: (view) => lenses[lensOf[view]!]!.focalPx,
    gather(view, system, into) {
      const lens = lensOf[view]!;
      const places = Array.from({ length: system.size }, (_, i) => {
        if (i < FRAME_LAYOUT.hinges) return common + 6 * view + i;
        return i < system.size - 1 ? i - FRAME_LAYOUT.hinges : common + firstLens + lens;
      });
      const isKept = lenses[lens]!.deviation === 0;
      addAt(system.matrix, system.vector, places, isKept ? own + model.identityCount : system.size, into);
    },
    gatherPriors({ matrix, vector, size }) {
      for (const [i, lens] of lenses.entries()) {
        const at = common + firstLens + i;
        matrix[at * size + at]! += precision(lens);
        vector[at]! -= precision(lens) * off(lens);
      }
    },
    moved(step) {
      const turned = poses.map((pose, view) => movePose(pose, step.subarray(6 * view, 6 * view + 6)));
      const stretched = lenses.map((lens, i) =>
        lens.deviation > 0 ? { ...lens, focalPx: lens.focalPx * Math.exp(step[firstLens + i]!) } : lens,
      );
      return freeRig(model, turned, stretched, lensOf);
    },
  };
}

/** A known camera: where it stands, in axes of its own that look along -z with y up. */
export type KnownView = {
  /** 3 x 3. */
  readonly viewFromWorld: Float64Array;
  /** In the unit of the calibration. */
  readonly translation: Float64Array;
  readonly focalPx: number;
};

/** The unit of a calibration in metres, and how sure it is. */
export type CalibrationUnit = {
  readonly metres: number;
  readonly expectedMetres: number;
  /** Standard deviation of the logarithm; 0 where it is known. */
  readonly deviation: number;
};

/** Known cameras. @param head its pose in the world */
export function knownRig(
  model: LandmarkModel,
  head: ViewPose,
  views: readonly KnownView[],
  unit: CalibrationUnit,
): CameraRig {
  const common = commonUnknowns(model);
  const off = Math.log(unit.metres / unit.expectedMetres);
  const precision = unit.deviation > 0 ? 1 / unit.deviation ** 2 : 1;
  return {
    unknowns: 7,
    unitMetres: unit.metres,
    cost: 0.5 * precision * off ** 2,
    poseIn(view, pivot) {
      const { viewFromWorld, translation } = views[view]!;
      const place = rotate(
        viewFromWorld,
        pivot.map((value, k) => value + head.translation[k]!),
      );
      return {
        rotation: multiplyRotations(viewFromWorld, head.rotation),
        translation: place.map((value, k) => value + unit.metres * translation[k]! - pivot[k]!),
      };
    },
    focalPx: (view) => views[view]!.focalPx,
    gather(view, system, into) {
      const places = Array.from({ length: system.size }, (_, i) => {
        if (i < FRAME_LAYOUT.hinges) return common + i;
        return i < system.size - 1 ? i - FRAME_LAYOUT.hinges : common + 6;
      });
      const world = inWorld(model, system, views[view]!, unit);
      addAt(world.matrix, world.vector, places, unit.deviation > 0 ? system.size : system.size - 1, into);
    },
    gatherPriors({ matrix, vector, size }) {
      const at = common + 6;
      matrix[at * size + at]! += precision;
      vector[at]! -= precision * off;
    },
    moved(step) {
      const metres = unit.deviation > 0 ? unit.metres * Math.exp(step[6]!) : unit.metres;
      return knownRig(model, movePose(head, step), views, { ...unit, metres });
    },
  };
}

function movePose({ rotation, translation }: ViewPose, step: Float64Array): ViewPose {
  return {
    rotation: multiplyRotations(rotationFromAxisAngle(step.subarray(0, 3)), rotation),
    translation: translation.map((value, k) => value + step[3 + k]!),
  };
}

/** Adds the first `count` rows and columns of a system at other places of a larger one. */
function addAt(
  matrix: Float64Array,
  vector: Float64Array,
  places: readonly number[],
  count: number,
  into: NormalEquations,
): void {
  const size = places.length;
  for (let i = 0; i < count; i++) {
    into.vector[places[i]!]! += vector[i]!;
    const row = places[i]! * into.size;
    for (let j = 0; j < count; j++) into.matrix[row + places[j]!]! += matrix[i * size + j]!;
  }
}

/**
 * A view's equations by the head's pose in the world. With V the view's rotation: its turn is V times the world's,
 * and its translation V (pivot + t) + unit v - pivot, which moves with t, the pivot and the unit. The last unknown,
 * elsewhere the focal length's logarithm, is here the unit's.
 */
function inWorld(
  model: LandmarkModel,
  system: FrameSystem,
  { viewFromWorld, translation }: KnownView,
  unit: CalibrationUnit,
): { readonly matrix: Float64Array; readonly vector: Float64Array } {
  const { size } = system;
  const own = frameUnknowns(model);
  const still = new Float64Array(size * size);
  const right = system.vector.slice();
  right[size - 1] = 0;
  still.set(system.matrix);
  for (let i = 0; i < size; i++) {
    still[i * size + size - 1] = 0;
    still[(size - 1) * size + i] = 0;
  }
  // What each later unknown does to the view's translation.
  const shifts = model.jointIdentity.map((joints) => {
    const pivot = joints.subarray(0, 3);
    return rotate(viewFromWorld, pivot).map((value, k) => value - pivot[k]!);
  });
  shifts.push(translation.map((value) => unit.metres * value));
  const back = invertRotation(viewFromWorld);
  const transform = (row: Float64Array): void => {
    const shift = row.slice(3, 6);
    row.set(rotate(back, row.subarray(0, 3)), 0);
    row.set(rotate(back, shift), 3);
    for (const [k, by] of shifts.entries()) {
      row[own + k]! += shift[0]! * by[0]! + shift[1]! * by[1]! + shift[2]! * by[2]!;
    }
  };
  for (let i = 0; i < size; i++) transform(still.subarray(i * size, (i + 1) * size));
  transform(right);
  const column = new Float64Array(size);
  for (let j = 0; j < size; j++) {
    for (let i = 0; i < size; i++) column[i] = still[i * size + j]!;
    transform(column);
    for (let i = 0; i < size; i++) still[i * size + j] = column[i]!;
  }
  return { matrix: still, vector: right };
}
