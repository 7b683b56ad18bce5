// Which point of a nearly symmetric cloud is the mirror image of which. The mirror is the plane x = 0.

/**
 * For every point of a class the nearest point of that class to its mirrored place; itself where none is within reach.
 * @param points `V 3`
 * @param classOf what a point is of; negative for points that have no image and are none
 * @param reach largest distance of image and mirrored place, in the points' unit
 * @param mayBeImage which points may be another's image; by default all
 */
export function mirrorImages(
  points: Float32Array,
  classOf: (point: number) => number,
  reach: number,
  mayBeImage: (point: number) => boolean = () => true,
): Uint32Array {
  const count = points.length / 3;
  const cells = new Map<string, number[]>();
  const key = (group: number, x: number, y: number, z: number): string => `${group} ${x} ${y} ${z}`;
  const cellAt = (value: number): number => Math.round(value / reach);
  for (let v = 0; v < count; v++) {
    if (classOf(v) < 0 || !mayBeImage(v)) continue;
    const own = key(
      classOf(v),
      cellAt(points[3 * v]!),
      cellAt(points[3 * v + 1]!),
      cellAt(points[3 * v + 2]!),
    );
    const cell = cells.get(own);
    if (cell) cell.push(v);
    else cells.set(own, [v]);
  }
  return Uint32Array.from({ length: count }, (_, v) => {
    const group = classOf(v);
    if (group < 0) return v;
    const [x, y, z] = [-points[3 * v]!, points[3 * v + 1]!, points[3 * v + 2]!];
    let [best, nearest] = [v, reach];
    for (let i = 0; i < 27; i++) {
      const [dx, dy, dz] = [(i % 3) - 1, (Math.floor(i / 3) % 3) - 1, Math.floor(i / 9) - 1];
      for (const other of cells.get(key(group, cellAt(x) + dx, cellAt(y) + dy, cellAt(z) + dz)) ?? []) {
        const distance = Math.hypot(
          points[3 * other]! - x,
          points[3 * other + 1]! - y,
          points[3 * other + 2]! - z,
        );
        if (distance < nearest) [best, nearest] = [other, distance];
      }
    }
    return best;
  });
}
