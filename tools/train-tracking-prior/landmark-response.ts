// How the landmark network answers to what a head does. It draws faces towards the usual one: where a lip moves by
// four millimetres, its points may move by three. From pictures whose truth is known, every landmark's place at rest
// and its motion by units and identity are put right by least squares, so that the fit expects what will be seen.

import { factorCholesky, solveCholesky } from '../../src/geometry/index.ts';
import type { HeadModel } from '../../src/head/index.ts';
import { createNormalEquationsKernel } from '../../src/kernels/index.ts';
import type { LandmarkModel } from '../../src/tracking/landmark-model.ts';
import { frameUnknowns, LandmarkProjection, shapeLandmarks } from '../../src/tracking/landmark-projection.ts';
import type { LandmarkResponse } from '../../src/tracking/landmark-response.ts';
import { viewTerms } from '../../src/tracking/landmark-sliding.ts';
import { IDENTITY_TARGETS, movingNames, TURN_TARGETS } from '../../src/tracking/learned-prior.ts';
import { createFaceMirror, landmarkPartners } from '../../src/tracking/mirrored-face.ts';
import { observeLandmarks } from '../../src/tracking/observe.ts';
import { isHeldOut, type Sample, stateOf, surfaceOf } from './dataset.ts';

/** Usual error of a landmark, metres, and from where on it is taken for a mistake. */
const NOISE_METRES = 0.0025;
const OUTLIER_METRES = 0.006;
/** How far the answers to the terms are expected to be off, metres. */
const EXPECTED_METRES = { rest: 0.003, expression: 0.002, identity: 0.0007, view: 0.004 };
/** What becomes of `viewTerms` in a mirror. */
const VIEW_SIGNS = [-1, 1, 1, 1, -1];

/** One picture's landmarks beside the true ones. */
type Seen = {
  readonly isHeldOut: boolean;
  /** 1 for the place at rest, units, identity, `viewTerms`. */
  readonly terms: Float64Array;
  /** `2L`: seen less true, in metres at the landmark's depth, each times the root of its weight. */
  readonly residual: Float64Array;
  /** `6L`: how that answers to a shift of the point in the head's axes. */
  readonly blocks: Float64Array;
};

/** Fits the response. @returns it, and lines for people: errors with and without it on held-out subjects */
export function learnResponse(
  head: HeadModel,
  samples: readonly Sample[],
): { readonly response: LandmarkResponse; readonly report: readonly string[] } {
  const model = surfaceOf(head);
  const seen = samples.map((sample) => compare(model, sample));
  const learned = seen.filter((one) => !one.isHeldOut);
  const [firstIdentity, firstView] = [
    1 + model.expressionCount,
    1 + model.expressionCount + IDENTITY_TARGETS,
  ];
  const count = firstView + VIEW_SIGNS.length;
  const rows = Array.from({ length: count }, () => new Float64Array(3 * model.pointCount));
  const solve = createSolver(model, learned);
  for (let l = 0; l < model.pointCount; l++) {
    const answer = solve(l);
    for (const [k, row] of rows.entries()) row.set(answer.subarray(3 * k, 3 * k + 3), 3 * l);
  }
  const even = symmetric(head, model, rows);
  const response = {
    rest: even[0]!,
    expression: even.slice(1, firstIdentity),
    identity: even.slice(firstIdentity, firstView),
    view: even.slice(firstView),
  };
  const held = seen.filter((one) => one.isHeldOut);
  const millimetres = (answer: readonly Float64Array[]): string =>
    (1000 * errorOf(model, held, answer)).toFixed(2);
  const report = [
    `landmarks, ${held.length} held-out pictures, root of the mean square: ` +
      `${millimetres([])} mm, with places at rest ${millimetres(even.slice(0, 1))} mm, ` +
      `with units ${millimetres(even.slice(0, firstIdentity))} mm, ` +
      `with identity ${millimetres(even.slice(0, firstView))} mm, with all ${millimetres(even)} mm`,
  ];
  return { response, report };
}

function compare(model: LandmarkModel, sample: Sample): Seen {
  const { frame, identity, focalPx, centre } = stateOf(sample);
  const projection = new LandmarkProjection(model);
  projection.project(frame, shapeLandmarks(model, identity), focalPx, centre);
  const { weights } = observeLandmarks(model, sample.landmarksPx, centre, frame.rotation);
  const columns = Array.from(
    { length: frameUnknowns(model) },
    (_, k) => new Float64Array(k < 6 ? 2 * model.pointCount : 0),
  );
  projection.differentiate(new Float64Array(model.pointCount).fill(1), columns, 'pose');
  const residual = new Float64Array(2 * model.pointCount);
  const blocks = new Float64Array(6 * model.pointCount);
  for (let l = 0; l < model.pointCount; l++) {
    // Pixels a metre, from the column of a shift along x.
    const scale = columns[3]![2 * l]!;
    const [dx, dy] = [0, 1].map(
      (k) => (sample.landmarksPx[2 * l + k]! - projection.pixels[2 * l + k]!) / scale,
    );
    const trust = model.weights[l]! > 0 ? Math.min(1, weights[l]! / model.weights[l]!) : 1;
    const root = Math.sqrt(trust / (1 + (dx! ** 2 + dy! ** 2) / OUTLIER_METRES ** 2));
    residual[2 * l] = root * dx!;
    residual[2 * l + 1] = root * dy!;
    for (let row = 0; row < 2; row++) {
      for (let k = 0; k < 3; k++) {
        let sum = 0;
        for (let axis = 0; axis < 3; axis++) {
          sum += columns[3 + axis]![2 * l + row]! * frame.rotation[3 * axis + k]!;
        }
        blocks[6 * l + 3 * row + k] = (root * sum) / scale;
      }
    }
  }
  const terms = Float64Array.of(
    1,
    ...frame.expression,
    ...identity.subarray(0, IDENTITY_TARGETS),
    ...viewTerms(frame.rotation),
  );
  return { isHeldOut: isHeldOut(sample), terms, residual, blocks };
}

/** Makes the least-squares solver of one landmark: three values a term. */
function createSolver(model: LandmarkModel, seen: readonly Seen[]): (l: number) => Float64Array {
  const terms = seen[0]!.terms.length;
  const width = 3 * terms;
  const kernel = createNormalEquationsKernel(width + 1, 2 * seen.length);
  const all = Array.from({ length: width + 1 }, (_, k) => k);
  const matrix = new Float64Array((width + 1) ** 2);
  const expected = [
    EXPECTED_METRES.rest,
    ...new Array<number>(model.expressionCount).fill(EXPECTED_METRES.expression),
    ...new Array<number>(IDENTITY_TARGETS).fill(EXPECTED_METRES.identity),
    ...VIEW_SIGNS.map(() => EXPECTED_METRES.view),
  ];
  return (l) => {
    for (const [i, { terms: own, residual, blocks }] of seen.entries()) {
      for (let row = 0; row < 2; row++) {
        const at = 2 * i + row;
        const block = 6 * l + 3 * row;
        for (const [t, term] of own.entries()) {
          for (let k = 0; k < 3; k++) kernel.columns[3 * t + k]![at] = term * blocks[block + k]!;
        }
        kernel.columns[width]![at] = residual[2 * l + row]!;
      }
    }
    kernel.products(all, matrix);
    const system = new Float64Array(width * width);
    const answer = new Float64Array(width);
    for (let i = 0; i < width; i++) {
      for (let j = 0; j <= i; j++) system[i * width + j] = matrix[i * (width + 1) + j]!;
      system[i * width + i]! += (NOISE_METRES / expected[Math.floor(i / 3)]!) ** 2;
      answer[i] = matrix[i * (width + 1) + width]!;
    }
    factorCholesky(system, width);
    solveCholesky(system, width, answer);
    return answer;
  };
}

/** Means of every row and of what its mirror image says of the other side. */
function symmetric(head: HeadModel, model: LandmarkModel, rows: readonly Float64Array[]): Float64Array[] {
  const partner = landmarkPartners(model);
  // What a unit's or coefficient's row becomes in a mirror: another's, or the same with its sign turned.
  const mirror = createFaceMirror(model);
  const readCount = movingNames(head).length + TURN_TARGETS.length;
  const mirrored = (row: number): { readonly other: number; readonly sign: number } => {
    if (row === 0) return { other: 0, sign: 1 };
    const term = row - 1 - model.expressionCount - IDENTITY_TARGETS;
    if (term >= 0) return { other: row, sign: VIEW_SIGNS[term]! };
    const at = row <= model.expressionCount ? row - 1 : readCount + row - 1 - model.expressionCount;
    const unit = new Float32Array(readCount + IDENTITY_TARGETS);
    unit[at] = 1;
    const image = mirror.targets(unit);
    const other = image.findIndex((value) => value !== 0);
    return {
      other: other < readCount ? other + 1 : other - readCount + 1 + model.expressionCount,
      sign: image[other]!,
    };
  };
  return rows.map((row, r) => {
    const { other, sign } = mirrored(r);
    return row.map((value, i) => {
      const [l, k] = [Math.floor(i / 3), i % 3];
      const image = sign * (k === 0 ? -1 : 1) * rows[other]![3 * partner[l]! + k]!;
      return (value + image) / 2;
    });
  });
}

/** Root of the mean square of what an answer, the first of the terms, leaves, metres. */
function errorOf(model: LandmarkModel, seen: readonly Seen[], answer: readonly Float64Array[]): number {
  let total = 0;
  for (const { terms, residual, blocks } of seen) {
    const shift = new Float64Array(3 * model.pointCount);
    for (const [t, row] of answer.entries())
      for (let i = 0; i < row.length; i++) shift[i]! += terms[t]! * row[i]!;
    for (let i = 0; i < residual.length; i++) {
      const l = i >> 1;
      let left = residual[i]!;
      for (let k = 0; k < 3; k++) left -= blocks[3 * i + k]! * shift[3 * l + k]!;
      total += left * left;
    }
  }
  return Math.sqrt(total / (seen.length * model.pointCount));
}
