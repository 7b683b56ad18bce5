// Where the joints lie: each a weighted sum of vertices that follows MakeHuman's joint markers over the
// sampled population, and the middle of each eyeball.

import { eyeballDirections } from './eyeball.ts';
import type { HeadSurface } from './head-surface.ts';
import { regressPoint, rigidPitch } from './rig.ts';
import { CUBES, type Samples } from './samples.ts';

export const ROOT = 0;
export const NECK = 1;
export const JAW = 2;
/** Left, right. */
export const EYES: readonly [number, number] = [3, 4];

const MOUTH = CUBES.indexOf('joint-mouth');
const JOINT_COUNT = 5;
const CANDIDATES = 60;
const REACH_METRES = 0.11;
const RIDGE = 1e-5;
const SAMPLES_USED = 300;

/** The unit jawOpen (`V 3`, metres) and the vertices that it moves as one. */
export type JawUnit = { readonly offsets: Float64Array; readonly rigid: readonly number[] };

/** The regressor (`J V`), and the RMS distance in mm between regressed joints and the rig's markers. */
export function solveJoints(
  samples: Samples,
  surface: HeadSurface,
  rest: Float64Array,
  mirror: Uint32Array,
  headShare: Float64Array,
  jaw: JawUnit,
): { regressor: Float32Array; errorMm: number } {
  const count = surface.vertexCount;
  const skin = surface.triangles
    .filter(({ island }) => island === 'face' || island === 'torso')
    .flatMap(({ vertices }) => vertices);
  const pool = [...new Set(skin)];
  let [squares, measured] = [0, 0];
  const jawShift = shiftOfJaw(samples, jaw);
  const follow = (cube: number): Float64Array => {
    const marker = (sample: number): Float32Array =>
      samples.cubes[sample]!.slice(3 * cube, 3 * cube + 3).map(
        (value, i) => value + (cube === MOUTH ? jawShift[i]! : 0),
      );
    const restMarker = samples.restCubes.subarray(3 * cube, 3 * cube + 3);
    const near = pool.filter((v) => {
      const distance = Math.hypot(...[0, 1, 2].map((i) => rest[3 * v + i]! - restMarker[i]!));
      return distance < REACH_METRES && (cube !== MOUTH || headShare[v]! > 0.95);
    });
    const candidates = spread(rest, near, CANDIDATES);
    const observations = samples.heads.slice(0, SAMPLES_USED).map((head, sample) => ({
      candidates: candidates.map((v) => [0, 1, 2].map((i) => head[3 * v + i]! - marker(sample)[i]!)),
      point: [0, 0, 0],
    }));
    const solved = regressPoint(observations, RIDGE);
    const weights = new Float64Array(count);
    for (const [i, v] of candidates.entries()) {
      weights[v]! += solved[i]! / 2;
      weights[mirror[v]!]! += solved[i]! / 2;
    }
    for (const [sample, head] of samples.heads.slice(SAMPLES_USED).entries()) {
      const found = [0, 0, 0];
      for (const [v, w] of weights.entries()) {
        if (w !== 0) for (let i = 0; i < 3; i++) found[i]! += w * head[3 * v + i]!;
      }
      squares += found.reduce((sum, value, i) => sum + (value - marker(sample + SAMPLES_USED)[i]!) ** 2, 0);
      measured += 1;
    }
    return weights;
  };
  const [skull, neckBase, mouth] = CUBES.map((_, cube) => follow(cube)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const regressor = new Float32Array(JOINT_COUNT * count);
  regressor.set(skull, ROOT * count);
  regressor.set(
    skull.map((w, v) => (w + neckBase[v]!) / 2),
    NECK * count,
  );
  regressor.set(mouth, JAW * count);
  const equator = eyeballDirections().flatMap(({ direction }, i) =>
    Math.abs(direction[2]) < 1e-9 ? [i] : [],
  );
  for (const [side, { first }] of surface.eyeballs.entries()) {
    for (const i of equator) regressor[EYES[side]! * count + first + i] = 1 / equator.length;
  }
  return { regressor, errorMm: 1000 * Math.sqrt(squares / measured) };
}

/** From the rig's marker of the jaw to the point that jawOpen leaves in place, on the mean head. */
function shiftOfJaw(samples: Samples, { offsets, rigid }: JawUnit): number[] {
  const mean = (rows: readonly Float32Array[]): Float64Array => {
    const sums = new Float64Array(rows[0]!.length);
    for (const row of rows) for (let i = 0; i < sums.length; i++) sums[i]! += row[i]! / rows.length;
    return sums;
  };
  const { fixedPoint } = rigidPitch(mean(samples.heads), offsets, rigid);
  const marker = mean(samples.cubes).subarray(3 * MOUTH, 3 * MOUTH + 3);
  return fixedPoint.map((value, i) => (i === 0 ? 0 : value - marker[i]!));
}

/** A joint of a head (`V 3`). */
export function jointAt(regressor: Float32Array, points: ArrayLike<number>, joint: number): number[] {
  const count = points.length / 3;
  return [0, 1, 2].map((axis) => {
    let sum = 0;
    for (let v = 0; v < count; v++) sum += regressor[joint * count + v]! * points[3 * v + axis]!;
    return sum;
  });
}

/** Vertices far from each other: each next one is the farthest from those before. */
function spread(points: Float64Array, pool: readonly number[], count: number): number[] {
  const distances = new Map(pool.map((v) => [v, Number.POSITIVE_INFINITY]));
  const chosen: number[] = [];
  for (let next = pool[0]!; chosen.length < Math.min(count, pool.length); ) {
    const latest = next;
    chosen.push(latest);
    let farthest = -1;
    for (const [v, before] of distances) {
      const distance = Math.hypot(...[0, 1, 2].map((i) => points[3 * v + i]! - points[3 * latest + i]!));
      const now = Math.min(before, distance);
      distances.set(v, now);
      if (now > farthest) {
        farthest = now;
        next = v;
      }
    }
  }
  return chosen;
}
