// Heads of the sampled population as vertices, with the rig's joint markers beside them.

import type { HeadSurface } from './head-surface.ts';
import { type BaseMesh, scatterTarget } from './makehuman.ts';
import { createPopulation } from './population.ts';
import type { Wheel } from './wheel.ts';

const METRES_PER_UNIT = 0.1;

export type Samples = {
  readonly heads: Float32Array[];
  /** Per head the centres of `CUBES`, metres. */
  readonly cubes: readonly Float32Array[];
  /** The centres of `CUBES` on the base mesh, metres. */
  readonly restCubes: Float32Array;
  readonly targetCount: number;
};

/** The rig's joint markers that the head's joints are made of. */
export const CUBES = ['joint-head', 'joint-neck', 'joint-mouth'] as const;

/** Draws heads; the rig's joint markers are carried along with the vertices. */
export function sampleHeads(wheel: Wheel, mesh: BaseMesh, surface: HeadSurface, count: number): Samples {
  const population = createPopulation(wheel);
  const cubeVertices = CUBES.map((cube) => [
    ...new Set(
      mesh.polygons
        .filter(({ group }) => group === cube)
        .flatMap(({ corners }) => corners.map(({ vertex }) => vertex)),
    ),
  ]);
  const carryCubes = (base: ArrayLike<number>): number[] =>
    cubeVertices.flatMap((vertices) =>
      [0, 1, 2].map(
        (axis) =>
          (METRES_PER_UNIT * vertices.reduce((sum, v) => sum + base[3 * v + axis]!, 0)) / vertices.length,
      ),
    );
  const dense = new Float32Array(mesh.positions.length);
  const shapes = population.targets.map(({ target }) => {
    scatterTarget(dense, target);
    const shape = Float32Array.from([...surface.carry(dense), ...carryCubes(dense)]);
    dense.fill(0);
    return shape;
  });
  const rest = Float32Array.from([...surface.carry(mesh.positions), ...carryCubes(mesh.positions)]);
  const length = 3 * surface.vertexCount;
  const heads: Float32Array[] = [];
  const cubes: Float32Array[] = [];
  for (let i = 0; i < count; i++) {
    const whole = rest.slice();
    for (const [t, weight] of population.sample().entries()) {
      if (weight === 0) continue;
      const shape = shapes[t]!;
      for (let k = 0; k < whole.length; k++) whole[k]! += weight * shape[k]!;
    }
    heads.push(whole.slice(0, length));
    cubes.push(whole.slice(length));
  }
  return { heads, cubes, restCubes: rest.slice(length), targetCount: shapes.length };
}
