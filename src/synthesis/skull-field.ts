// The skull of a shaped head as a distance by direction, so that strands of hair can lie on it.

/** A point that all of the scalp is seen from, on the head at rest. */
export const SKULL_CENTRE = [0, 0.02, -0.085] as const;

/** The skull about `SKULL_CENTRE`. */
export type SkullField = {
  /** Distance of the scalp from the centre, metres, along a unit direction. */
  radius(x: number, y: number, z: number): number;
};

/** Builds the field from vertices (`V 3`) of which `isScalp` holds. */
export function createSkullField(shaped: Float32Array, isScalp: (vertex: number) => boolean): SkullField {
  const [columns, rows] = [48, 24];
  const seen: number[] = [];
  for (let v = 0; v < shaped.length / 3; v++) {
    if (!isScalp(v)) continue;
    const x = shaped[3 * v]! - SKULL_CENTRE[0];
    const y = shaped[3 * v + 1]! - SKULL_CENTRE[1];
    const z = shaped[3 * v + 2]! - SKULL_CENTRE[2];
    const radius = Math.sqrt(x * x + y * y + z * z);
    seen.push(x / radius, y / radius, z / radius, radius);
  }
  const directions = Float64Array.from(seen);
  const table = new Float32Array((columns + 1) * (rows + 1));
  for (let row = 0; row <= rows; row++) {
    for (let column = 0; column <= columns; column++) {
      const [polar, azimuth] = [(Math.PI * row) / rows, (2 * Math.PI * column) / columns - Math.PI];
      const [x, y, z] = [
        Math.sin(polar) * Math.sin(azimuth),
        Math.cos(polar),
        Math.sin(polar) * Math.cos(azimuth),
      ];
      let [sum, total] = [0, 1e-12];
      for (let i = 0; i < directions.length; i += 4) {
        const cosine = x * directions[i]! + y * directions[i + 1]! + z * directions[i + 2]!;
        // Beyond this the weight is lost beside the smallest total.
        if (cosine < 0.7) continue;
        const weight = Math.exp(-(1 - cosine) / 0.006);
        sum += weight * directions[i + 3]!;
        total += weight;
      }
      table[row * (columns + 1) + column] = sum > 1e-9 ? sum / total : 0.09;
    }
  }
  return {
    radius(x, y, z) {
      const row = (Math.acos(Math.max(-1, Math.min(1, y))) / Math.PI) * rows;
      const column = ((Math.atan2(x, z) + Math.PI) / (2 * Math.PI)) * columns;
      const [r0, c0] = [Math.min(rows - 1, Math.floor(row)), Math.min(columns - 1, Math.floor(column))];
      const at = r0 * (columns + 1) + c0;
      const [fr, fc] = [row - r0, column - c0];
      const top = table[at]! + fc * (table[at + 1]! - table[at]!);
      const bottom = table[at + columns + 1]! + fc * (table[at + columns + 2]! - table[at + columns + 1]!);
      return top + fr * (bottom - top);
    },
  };
}
