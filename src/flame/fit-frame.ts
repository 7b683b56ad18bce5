// One frame of a person whose mesh meets given places: the root by alignment, jaw and expression by least squares about
// the present state, in turns.

import {
  alignPoints,
  axisAngleFromRotation,
  type BoxPrior,
  gramMatrix,
  invertRotation,
  projectResidual,
  type Rotation,
  rotate,
  rotationFromAxisAngle,
  solveInBox,
} from '../geometry/index.ts';
import { createHeadPoser, type HeadModel, type HeadParameters } from '../head/index.ts';
import { reduceToPoints } from './point-head.ts';
import { rms, type SharedPlaces } from './shared-places.ts';

/** A frame, and how far its motion misses: the root mean square over the places, metres, without what differs at rest. */
export type FittedFrame = { readonly parameters: HeadParameters; readonly rmsMetres: number };

const [ROOT, NECK, JAW] = [0, 1, 2] as const;
const FRAME_ROUNDS = 5;
const FIRST_ROUNDS = 20;
const JAW_DEVIATION = 0.3;
const JAW_LIMIT = 0.7;
const JAW_STEP = 0.01;
/** Motion is known better than the places themselves: half their deviation. */
const MOTION_PRECISION = 4;
const SMALLEST_GAIN_METRES = 1e-6;
/** The jaw's joint says what these units would say again, or no skin shows them. */
const UNUSED_UNITS = /^(jawOpen|tongueOut|eyeLookIn|eyeLookOut)/;
const UNIT_DEVIATION = 0.5;

/**
 * Fits one person's frames, each from the one before. What the two heads differ by at rest (`offsets`, `3N`) moves
 * along and is not taken for expression.
 */
export type FrameFit = {
  /** Finds root, jaw and expression that bring the mesh to the places (`N 3`, world). The neck is the source's. */
  fit(places: Float64Array, sourceJoints: Float32Array): FittedFrame;
};

/** Fits root, jaw and expression of one person, frame after frame. */
export function createFrameFit(
  target: HeadModel,
  { identity, offsets }: { readonly identity: Float32Array; readonly offsets: Float64Array },
  { vertices, weights, precision: atRest }: SharedPlaces,
): FrameFit {
  const precision = atRest.map((value) => MOTION_PRECISION * value);
  const head = reduceToPoints(target, identity, vertices, offsets);
  const poser = createHeadPoser(head);
  const count = head.template.length;
  const units = target.expressionNames.length;
  const expressionRows = Array.from({ length: units }, (_, k) =>
    head.expressionBasis.subarray(k * count, (k + 1) * count),
  );
  const expressionGram = gramMatrix(expressionRows, precision);
  const prior = framePrior(target);
  let expression: Float64Array = new Float64Array(units);
  let jaw: Float64Array | null = null;
  const rootless = (
    neck: Float32Array,
    jawNow: ArrayLike<number>,
    units: ArrayLike<number>,
  ): HeadParameters => {
    const jointRotations = new Float32Array(15);
    jointRotations.set(neck, 3 * NECK);
    jointRotations.set(jawNow, 3 * JAW);
    return {
      identity: new Float32Array(0),
      expression: Float32Array.from(units),
      jointRotations,
      translation: new Float32Array(3),
    };
  };
  return {
    fit(places, sourceJoints) {
      const neck = sourceJoints.slice(3 * NECK, 3 * NECK + 3);
      let hinge: Float64Array = jaw ?? Float64Array.from(sourceJoints.subarray(3 * JAW, 3 * JAW + 3));
      let rigid = alignPoints([], [], {});
      let residual: Float64Array = new Float64Array(count);
      let before = Infinity;
      const rounds = jaw === null ? FIRST_ROUNDS : FRAME_ROUNDS;
      for (let round = 0; round <= rounds; round++) {
        const at = rootless(neck, hinge, expression);
        const points = Float64Array.from(poser.pose(at));
        rigid = alignPoints(points, places, { weights, isScaled: false });
        residual = residualInHead(rigid.rotation, rigid.translation, places, points);
        const error = rms(residual, weights);
        if (round === rounds || before - error < SMALLEST_GAIN_METRES) break;
        before = error;
        const jawRows = [0, 1, 2].map((axis) => {
          const opened = hinge.slice();
          opened[axis]! += JAW_STEP;
          const moved = poser.pose(rootless(neck, opened, expression));
          return Float64Array.from(points, (value, i) => (moved[i]! - value) / JAW_STEP);
        });
        // Linear about the present state, seen from the neck's frame, in which the expression's rows lie.
        const back = invertRotation(rotationFromAxisAngle(neck));
        const [own, ...ownJaw] = [residual, ...jawRows].map((row) => turned(back, row));
        const gram = bordered(expressionGram, expressionRows, ownJaw, precision);
        const now = Float64Array.of(...expression, ...hinge);
        const right = projectResidual([...expressionRows, ...ownJaw], precision, own!);
        for (let i = 0; i < now.length; i++) {
          for (let j = 0; j < now.length; j++) right[i]! += gram[i * now.length + j]! * now[j]!;
        }
        const solved = solveInBox(gram, right, prior, now);
        expression = Float64Array.from(solved.subarray(0, units));
        hinge = Float64Array.from(solved.subarray(units));
      }
      jaw = hinge;
      const parameters = rootless(neck, hinge, expression);
      parameters.jointRotations.set(axisAngleFromRotation(rigid.rotation), 3 * ROOT);
      // The root turns about its joint: world = R (p - joint) + joint + translation.
      const joint = poser.joints(rootless(new Float32Array(3), [0, 0, 0], expression)).subarray(0, 3);
      const pivot = rotate(rigid.rotation, joint);
      const translation = Float32Array.from([0, 1, 2], (k) => rigid.translation[k]! - joint[k]! + pivot[k]!);
      return {
        parameters: { ...parameters, identity, translation },
        rmsMetres: rms(residual, weights),
      };
    },
  };
}

/** Every vector of a row (`N 3`) turned. */
function turned(r: Rotation, row: Float64Array): Float64Array {
  const out = new Float64Array(row.length);
  for (let i = 0; i < row.length; i += 3) {
    for (let k = 0; k < 3; k++) {
      out[i + k] = r[3 * k]! * row[i]! + r[3 * k + 1]! * row[i + 1]! + r[3 * k + 2]! * row[i + 2]!;
    }
  }
  return out;
}

/** The Gram matrix of the expression's rows with the jaw's rows beside them. */
function bordered(
  inner: Float64Array,
  rows: readonly ArrayLike<number>[],
  jawRows: readonly Float64Array[],
  weights: Float64Array,
): Float64Array {
  const units = rows.length;
  const size = units + jawRows.length;
  const gram = new Float64Array(size * size);
  for (let i = 0; i < units; i++) gram.set(inner.subarray(i * units, (i + 1) * units), i * size);
  for (const [j, row] of jawRows.entries()) {
    const products = projectResidual([...rows, ...jawRows], weights, row);
    for (let i = 0; i < size; i++) {
      gram[i * size + units + j] = products[i]!;
      gram[(units + j) * size + i] = products[i]!;
    }
  }
  return gram;
}

function framePrior(target: HeadModel): BoxPrior {
  const hasUnits = target.expressionNames.includes('jawOpen');
  const kinds = target.expressionNames.map((name, k) => {
    if (hasUnits && UNUSED_UNITS.test(name)) return { lower: 0, upper: 0, deviation: UNIT_DEVIATION };
    const isUnit = hasUnits || target.eyelidExpressions.includes(k);
    return isUnit ? { lower: 0, upper: 1, deviation: UNIT_DEVIATION } : { lower: -5, upper: 5, deviation: 1 };
  });
  const jaw = { lower: -JAW_LIMIT, upper: JAW_LIMIT, deviation: JAW_DEVIATION };
  const all = [...kinds, jaw, jaw, jaw];
  return {
    lower: all.map(({ lower }) => lower),
    upper: all.map(({ upper }) => upper),
    precision: all.map(({ deviation }) => 1 / deviation ** 2),
  };
}

/** Where the places lie beyond the points, in the head's own frame. */
function residualInHead(
  rotation: Rotation,
  translation: ArrayLike<number>,
  places: Float64Array,
  points: Float64Array,
): Float64Array {
  const gaps = places.map((value, i) => value - translation[i % 3]!);
  return turned(invertRotation(rotation), gaps).map((value, i) => value - points[i]!);
}
