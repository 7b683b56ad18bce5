// The 52 ARKit units on the head: carried over, made exactly symmetric, and without their part of the
// eyeballs' rotation, which belongs to the eyes' joints.

import type { HeadSurface } from './head-surface.ts';
import { mirrorPoints } from './identity.ts';
import { type BaseMesh, readFaceUnits, scatterTarget } from './makehuman.ts';
import type { Wheel } from './wheel.ts';

/** Offsets (`V 3`, metres) of each unit at 1, by name. */
export function expressionUnits(
  wheel: Wheel,
  mesh: BaseMesh,
  surface: HeadSurface,
  mirror: Uint32Array,
): Map<string, Float64Array> {
  const dense = new Float32Array(mesh.positions.length);
  const carried = new Map<string, Float64Array>();
  for (const [name, target] of readFaceUnits(wheel)) {
    dense.fill(0);
    scatterTarget(dense, target);
    const offsets = surface.carry(dense);
    for (const { first, count } of surface.eyeballs) offsets.fill(0, 3 * first, 3 * (first + count));
    carried.set(name, offsets);
  }
  return new Map(
    [...carried].map(([name, offsets]) => {
      const other = carried.get(mirroredName(name));
      if (!other) throw new Error(`the unit ${name} has no counterpart`);
      const reflected = mirrorPoints(other, mirror);
      return [name, offsets.map((value, i) => (value + reflected[i]!) / 2)];
    }),
  );
}

/** eyeBlinkLeft for eyeBlinkRight; symmetric units keep their name. */
export function mirroredName(name: string): string {
  if (name.endsWith('Left')) return name.replace(/Left$/, 'Right');
  if (name.endsWith('Right')) return name.replace(/Right$/, 'Left');
  return name;
}
