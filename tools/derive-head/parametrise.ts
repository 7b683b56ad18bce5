// Flattens a disc of triangles onto a convex outline without folds: mean value coordinates (Floater 2003)
// make every inner vertex an average of its neighbours, which by Tutte's theorem cannot overlap; dividing
// the weights by the local stretch spreads texels evenly (Yoshizawa, Belyaev, Seidel 2004).

export type Disc = {
  /** `3` a vertex, metres. */
  readonly points: Float64Array;
  readonly triangles: readonly (readonly [number, number, number])[];
  /** Where the outline's vertices go, on a convex curve; holes must not be among them. */
  readonly outline: ReadonlyMap<number, readonly [number, number]>;
  /** How many times more texels than even a vertex deserves, by length. */
  readonly importance: Float64Array;
  /** Even-out steps; each costs a solve. */
  readonly steps: number;
};

/** The flat position of every vertex, `2` each, in the outline's units. Holes are filled for the solve. */
export function parametriseDisc(disc: Disc): Float64Array {
  const filled = fillHoles(disc);
  const { weights, neighbours } = meanValueWeights(filled.points, filled.triangles);
  const count = filled.points.length / 3;
  const flat = new Float64Array(2 * count);
  const centre = [0, 1].map(
    (i) => [...disc.outline.values()].reduce((sum, at) => sum + at[i]!, 0) / disc.outline.size,
  );
  for (let v = 0; v < count; v++) flat.set(disc.outline.get(v) ?? centre, 2 * v);
  relax(flat, neighbours, weights, disc.outline, 4000);

  let best = { flat: flat.slice(), stretch: Number.POSITIVE_INFINITY };
  for (let step = 0; step <= disc.steps; step++) {
    const { perVertex, total } = stretchOf(filled.points, filled.triangles, flat, filled.importance);
    if (total < best.stretch) best = { flat: flat.slice(), stretch: total };
    for (const [v, list] of neighbours.entries()) {
      for (const [i, other] of list.entries()) weights[v]![i]! /= Math.sqrt(perVertex[other]!);
    }
    relax(flat, neighbours, weights, disc.outline, 1500);
  }
  return best.flat.subarray(0, (disc.points.length / 3) * 2);
}

type Filled = {
  points: Float64Array;
  triangles: (readonly [number, number, number])[];
  importance: Float64Array;
};

/** Closes every boundary loop but the outline with a fan around its middle. */
function fillHoles({ points, triangles, outline, importance }: Disc): Filled {
  const extended = [...points];
  const closed = [...triangles];
  const deserved = [...importance];
  for (const loop of boundaryLoops(triangles)) {
    if (loop.some((v) => outline.has(v))) continue;
    const middle = extended.length / 3;
    for (let axis = 0; axis < 3; axis++) {
      extended.push(loop.reduce((sum, v) => sum + points[3 * v + axis]!, 0) / loop.length);
    }
    deserved.push(loop.reduce((sum, v) => sum + importance[v]!, 0) / loop.length);
    for (const [i, v] of loop.entries()) closed.push([loop[(i + 1) % loop.length]!, v, middle]);
  }
  return {
    points: Float64Array.from(extended),
    triangles: closed,
    importance: Float64Array.from(deserved),
  };
}

/** The boundary loops, each in the direction of its triangles' edges. */
export function boundaryLoops(triangles: readonly (readonly [number, number, number])[]): number[][] {
  const edges = new Set<string>();
  for (const [a, b, c] of triangles)
    for (const edge of [`${a} ${b}`, `${b} ${c}`, `${c} ${a}`]) edges.add(edge);
  const next = new Map<number, number>();
  for (const edge of edges) {
    const [from, to] = edge.split(' ').map(Number) as [number, number];
    if (edges.has(`${to} ${from}`)) continue;
    if (next.has(from)) throw new Error(`the boundary touches itself at vertex ${from}`);
    next.set(from, to);
  }
  const loops: number[][] = [];
  while (next.size > 0) {
    const [start] = next.keys();
    const loop: number[] = [];
    for (let at = start!; next.has(at); ) {
      loop.push(at);
      const to = next.get(at)!;
      next.delete(at);
      at = to;
    }
    loops.push(loop);
  }
  return loops;
}

function meanValueWeights(
  points: Float64Array,
  triangles: readonly (readonly [number, number, number])[],
): { weights: number[][]; neighbours: number[][] } {
  const maps = Array.from({ length: points.length / 3 }, () => new Map<number, number>());
  for (const triangle of triangles) {
    for (let corner = 0; corner < 3; corner++) {
      const [v, a, b] = [0, 1, 2].map((i) => triangle[(corner + i) % 3]!) as [number, number, number];
      const arm = (to: number): number[] => [0, 1, 2].map((i) => points[3 * to + i]! - points[3 * v + i]!);
      const [p, q] = [arm(a), arm(b)];
      const [lengthP, lengthQ] = [Math.hypot(...p), Math.hypot(...q)];
      const cosine = p.reduce((sum, value, i) => sum + value * q[i]!, 0) / (lengthP * lengthQ);
      const half = Math.tan(Math.acos(Math.min(1, Math.max(-1, cosine))) / 2);
      maps[v]!.set(a, (maps[v]!.get(a) ?? 0) + half / lengthP);
      maps[v]!.set(b, (maps[v]!.get(b) ?? 0) + half / lengthQ);
    }
  }
  return {
    neighbours: maps.map((map) => [...map.keys()]),
    weights: maps.map((map) => [...map.values()]),
  };
}

/** Successive over-relaxation of "every free vertex is the weighted mean of its neighbours". */
function relax(
  flat: Float64Array,
  neighbours: readonly number[][],
  weights: readonly number[][],
  fixed: ReadonlyMap<number, unknown>,
  sweeps: number,
): void {
  // The last sweeps are plain: over-relaxation may leave tiny folds.
  for (let sweep = 0; sweep < sweeps; sweep++) {
    const factor = sweep < sweeps - 100 ? 1.8 : 1;
    for (const [v, list] of neighbours.entries()) {
      if (fixed.has(v)) continue;
      let [sumU, sumV, mass] = [0, 0, 0];
      const own = weights[v]!;
      for (let i = 0; i < list.length; i++) {
        const other = list[i]!;
        sumU += own[i]! * flat[2 * other]!;
        sumV += own[i]! * flat[2 * other + 1]!;
        mass += own[i]!;
      }
      flat[2 * v]! += factor * (sumU / mass - flat[2 * v]!);
      flat[2 * v + 1]! += factor * (sumV / mass - flat[2 * v + 1]!);
    }
  }
}

/** L2 stretch (metres per flat unit, Sander et al. 2001) times importance, relative to its mean. */
function stretchOf(
  points: Float64Array,
  triangles: readonly (readonly [number, number, number])[],
  flat: Float64Array,
  importance: Float64Array,
): { perVertex: Float64Array; total: number } {
  const count = points.length / 3;
  const [sums, areas] = [new Float64Array(count), new Float64Array(count)];
  let [totalSum, totalArea] = [0, 0];
  let flatArea = 0;
  for (const triangle of triangles) {
    const [a, b, c] = triangle;
    const [u1, v1] = [flat[2 * b]! - flat[2 * a]!, flat[2 * b + 1]! - flat[2 * a + 1]!];
    const [u2, v2] = [flat[2 * c]! - flat[2 * a]!, flat[2 * c + 1]! - flat[2 * a + 1]!];
    const doubled = u1 * v2 - u2 * v1;
    let [ss, tt] = [0, 0];
    const p: number[] = [];
    const q: number[] = [];
    for (let i = 0; i < 3; i++) {
      p.push(points[3 * b + i]! - points[3 * a + i]!);
      q.push(points[3 * c + i]! - points[3 * a + i]!);
      ss += ((p[i]! * v2 - q[i]! * v1) / doubled) ** 2;
      tt += ((q[i]! * u1 - p[i]! * u2) / doubled) ** 2;
    }
    const area =
      0.5 *
      Math.hypot(p[1]! * q[2]! - p[2]! * q[1]!, p[2]! * q[0]! - p[0]! * q[2]!, p[0]! * q[1]! - p[1]! * q[0]!);
    const wanted = (importance[a]! + importance[b]! + importance[c]!) / 3;
    const squared = Math.min(1e6, ((ss + tt) / 2) * wanted ** 2);
    for (const v of triangle) {
      sums[v]! += area * squared;
      areas[v]! += area;
    }
    totalSum += area * squared;
    totalArea += area;
    flatArea += Math.abs(doubled) / 2;
  }
  // Relative to the mean, so that weights stay in range.
  const mean = Math.sqrt(totalSum / totalArea);
  const perVertex = sums.map((sum, v) => Math.sqrt(sum / areas[v]!) / mean);
  return { perVertex, total: mean * Math.sqrt(flatArea) };
}
