// Products of columns: what a least-squares step spends its time in.
//
// `products`: reads a table of `count` pointers to columns of `rows` float64 each (an even number, 16-byte
// aligned); writes `out[i count + j] = column_i . column_j` for i <= j. Two by four columns and two rows at a
// time: every value loaded serves several products.

export function heapBase(): usize {
  return __heap_base;
}

export function products(table: usize, count: u32, rows: u32, out: usize): void {
  const end: usize = <usize>rows << 3;
  for (let i: u32 = 0; i < count; i += 2) {
    // A column beyond the last is taken for the last: its products are written once more.
    const i1: u32 = min(i + 1, count - 1);
    const a0: usize = load<u32>(table + (<usize>i << 2));
    const a1: usize = load<u32>(table + (<usize>i1 << 2));
    for (let j: u32 = i; j < count; j += 4) {
      const j1: u32 = min(j + 1, count - 1);
      const j2: u32 = min(j + 2, count - 1);
      const j3: u32 = min(j + 3, count - 1);
      const b0: usize = load<u32>(table + (<usize>j << 2));
      const b1: usize = load<u32>(table + (<usize>j1 << 2));
      const b2: usize = load<u32>(table + (<usize>j2 << 2));
      const b3: usize = load<u32>(table + (<usize>j3 << 2));
      let s00 = f64x2.splat(0);
      let s01 = f64x2.splat(0);
      let s02 = f64x2.splat(0);
      let s03 = f64x2.splat(0);
      let s10 = f64x2.splat(0);
      let s11 = f64x2.splat(0);
      let s12 = f64x2.splat(0);
      let s13 = f64x2.splat(0);
      for (let at: usize = 0; at < end; at += 16) {
        const u = v128.load(a0 + at);
        const v = v128.load(a1 + at);
        let w = v128.load(b0 + at);
        s00 = f64x2.add(s00, f64x2.mul(u, w));
        s10 = f64x2.add(s10, f64x2.mul(v, w));
        w = v128.load(b1 + at);
        s01 = f64x2.add(s01, f64x2.mul(u, w));
        s11 = f64x2.add(s11, f64x2.mul(v, w));
        w = v128.load(b2 + at);
        s02 = f64x2.add(s02, f64x2.mul(u, w));
        s12 = f64x2.add(s12, f64x2.mul(v, w));
        w = v128.load(b3 + at);
        s03 = f64x2.add(s03, f64x2.mul(u, w));
        s13 = f64x2.add(s13, f64x2.mul(v, w));
      }
      put(out, count, i, j, s00);
      put(out, count, i, j1, s01);
      put(out, count, i, j2, s02);
      put(out, count, i, j3, s03);
      put(out, count, i1, j, s10);
      put(out, count, i1, j1, s11);
      put(out, count, i1, j2, s12);
      put(out, count, i1, j3, s13);
    }
  }
}

// @ts-ignore: decorator
@inline
function put(out: usize, count: u32, i: u32, j: u32, sums: v128): void {
  store<f64>(out + (<usize>(i * count + j) << 3), f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1));
}
