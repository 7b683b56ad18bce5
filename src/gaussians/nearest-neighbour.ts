// The distance from each point of a cloud to its nearest other point, by a hash grid.

const CELLS_ALONG_DIAGONAL = 64;

/** `N` distances for `N 3` points; infinity where there is no other point. */
export function nearestNeighbourDistances(points: Float32Array): Float32Array {
  const count = points.length / 3;
  const cellSize = diagonal(points) / CELLS_ALONG_DIAGONAL || 1;
  const cells = new Map<string, number[]>();
  const cellOf = (i: number): [number, number, number] => [
    Math.floor(points[3 * i]! / cellSize),
    Math.floor(points[3 * i + 1]! / cellSize),
    Math.floor(points[3 * i + 2]! / cellSize),
  ];
  for (let i = 0; i < count; i++) {
    const key = cellOf(i).join();
    const cell = cells.get(key);
    if (cell) cell.push(i);
    else cells.set(key, [i]);
  }
  const everyPoint = Array.from({ length: count }, (_, i) => i);
  return Float32Array.from({ length: count }, (_, i) => {
    const [x, y, z] = cellOf(i);
    let nearest = Number.POSITIVE_INFINITY;
    for (let dz = -1; dz <= 1; dz++) {
      for (let dy = -1; dy <= 1; dy++) {
        for (let dx = -1; dx <= 1; dx++) {
          const cell = cells.get(`${x + dx},${y + dy},${z + dz}`);
          if (cell) nearest = Math.min(nearest, nearestOf(points, i, cell));
        }
      }
    }
    // Points beyond the neighbouring cells are at least a cell away: only then do all others count.
    return nearest <= cellSize ? nearest : nearestOf(points, i, everyPoint);
  });
}

function nearestOf(points: Float32Array, i: number, others: readonly number[]): number {
  let nearest = Number.POSITIVE_INFINITY;
  for (const j of others) {
    if (j === i) continue;
    const dx = points[3 * j]! - points[3 * i]!;
    const dy = points[3 * j + 1]! - points[3 * i + 1]!;
    const dz = points[3 * j + 2]! - points[3 * i + 2]!;
    nearest = Math.min(nearest, dx * dx + dy * dy + dz * dz);
  }
  return Math.sqrt(nearest);
}

function diagonal(points: Float32Array): number {
  const low = [Infinity, Infinity, Infinity];
  const high = [-Infinity, -Infinity, -Infinity];
  for (let i = 0; i < points.length; i++) {
    low[i % 3] = Math.min(low[i % 3]!, points[i]!);
    high[i % 3] = Math.max(high[i % 3]!, points[i]!);
  }
  return Math.hypot(high[0]! - low[0]!, high[1]! - low[1]!, high[2]! - low[2]!);
}
