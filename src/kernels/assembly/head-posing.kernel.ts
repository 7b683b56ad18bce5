// Blend shapes and linear blend skinning of one head.
//
// `combine`: out[i] = base[i] + sum_k coefficients[k] * basis[rows[k]][i]
//   reads  base (blocks * 16 floats), basis in blocks: block b holds 16 values of every row, row after row,
//          so that a dense sum streams through memory once; rows and coefficients (count values each)
//   writes out (blocks * 16 floats); out may be base
// `skin`: out[v] = sum_j weights[v][j] * (columns of joint j applied to points[v])
//   reads  points (3 floats a vertex), weights (joints floats a vertex), columns (4 x 4 floats a joint:
//          three columns of the rotation, then the translation, the fourth lane unused)
//   writes out (3 floats a vertex, and one float past the end)

const BLOCK_BYTES: usize = 64;

export function heapBase(): usize {
  return __heap_base;
}

export function combine(
  out: usize,
  base: usize,
  basis: usize,
  rowCount: u32,
  rows: usize,
  coefficients: usize,
  count: u32,
  blocks: u32,
): void {
  const blockStride: usize = <usize>rowCount * BLOCK_BYTES;
  for (let b: u32 = 0; b < blocks; b++) {
    const at: usize = <usize>b * BLOCK_BYTES;
    const block: usize = basis + <usize>b * blockStride;
    let a0 = v128.load(base + at);
    let a1 = v128.load(base + at, 16);
    let a2 = v128.load(base + at, 32);
    let a3 = v128.load(base + at, 48);
    for (let k: u32 = 0; k < count; k++) {
      const c = v128.load32_splat(coefficients + (<usize>k << 2));
      const row: usize = block + <usize>load<u32>(rows + (<usize>k << 2)) * BLOCK_BYTES;
      a0 = f32x4.add(a0, f32x4.mul(c, v128.load(row)));
      a1 = f32x4.add(a1, f32x4.mul(c, v128.load(row, 16)));
      a2 = f32x4.add(a2, f32x4.mul(c, v128.load(row, 32)));
      a3 = f32x4.add(a3, f32x4.mul(c, v128.load(row, 48)));
    }
    v128.store(out + at, a0);
    v128.store(out + at, a1, 16);
    v128.store(out + at, a2, 32);
    v128.store(out + at, a3, 48);
  }
}

export function skin(
  out: usize,
  points: usize,
  weights: usize,
  columns: usize,
  joints: u32,
  vertices: u32,
): void {
  for (let v: u32 = 0; v < vertices; v++) {
    let c0 = f32x4.splat(0);
    let c1 = f32x4.splat(0);
    let c2 = f32x4.splat(0);
    let c3 = f32x4.splat(0);
    for (let j: u32 = 0; j < joints; j++) {
      const weight = load<f32>(weights + (<usize>(v * joints + j) << 2));
      if (weight == 0) continue;
      const w = f32x4.splat(weight);
      const m: usize = columns + (<usize>j << 6);
      c0 = f32x4.add(c0, f32x4.mul(w, v128.load(m)));
      c1 = f32x4.add(c1, f32x4.mul(w, v128.load(m, 16)));
      c2 = f32x4.add(c2, f32x4.mul(w, v128.load(m, 32)));
      c3 = f32x4.add(c3, f32x4.mul(w, v128.load(m, 48)));
    }
    const p: usize = points + <usize>v * 12;
    let r = f32x4.add(c3, f32x4.mul(c0, v128.load32_splat(p)));
    r = f32x4.add(r, f32x4.mul(c1, v128.load32_splat(p, 4)));
    r = f32x4.add(r, f32x4.mul(c2, v128.load32_splat(p, 8)));
    v128.store(out + <usize>v * 12, r);
  }
}
