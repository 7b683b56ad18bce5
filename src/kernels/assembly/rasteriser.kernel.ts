// Triangles to a visibility buffer, and attributes and textures through it. Plain functions over pointers.
// Screen vertices are `x, y, w, 0` with w = 1 / depth (0: behind the near plane); w is affine on the
// screen, so it is both the depth test (largest wins) and what makes the weights perspective-correct.
// Rows of all pixel buffers are `stride` pixels long, a multiple of 4.

export function heapBase(): usize {
  return __heap_base;
}

const NONE: u32 = 0xffffffff;
// Edges take pixels this far outside, so that two triangles never leave a crack between them.
const EDGE_TOLERANCE_PX: f32 = 0.002;

/** Triangles at least so wide are looked for row by row. */
const WIDE_PX = 8;

/** Reads `count` world vertices and a camera (`R` 9, `t` 3, fx, fy, cx, cy, near); writes screen vertices. */
export function project(vertices: usize, count: i32, camera: usize, screen: usize): void {
  const r0 = load<f32>(camera, 0);
  const r1 = load<f32>(camera, 4);
  const r2 = load<f32>(camera, 8);
  const r3 = load<f32>(camera, 12);
  const r4 = load<f32>(camera, 16);
  const r5 = load<f32>(camera, 20);
  const r6 = load<f32>(camera, 24);
  const r7 = load<f32>(camera, 28);
  const r8 = load<f32>(camera, 32);
  const tx = load<f32>(camera, 36);
  const ty = load<f32>(camera, 40);
  const tz = load<f32>(camera, 44);
  const fx = load<f32>(camera, 48);
  const fy = load<f32>(camera, 52);
  const cx = load<f32>(camera, 56);
  const cy = load<f32>(camera, 60);
  const near = load<f32>(camera, 64);
  for (let i = 0; i < count; i++) {
    const p = vertices + <usize>i * 12;
    const s = screen + <usize>i * 16;
    const x = load<f32>(p, 0);
    const y = load<f32>(p, 4);
    const z = load<f32>(p, 8);
    const depth = r6 * x + r7 * y + r8 * z + tz;
    const w: f32 = depth > near ? 1 / depth : 0;
    store<f32>(s, fx * (r0 * x + r1 * y + r2 * z + tx) * w + cx, 0);
    store<f32>(s, fy * (r3 * x + r4 * y + r5 * z + ty) * w + cy, 4);
    store<f32>(s, w, 8);
    store<f32>(s, 0, 12);
  }
}

/** Empties the buffers: `ids` to none, `inverseDepths` to 0. */
export function clear(ids: usize, inverseDepths: usize, pixels: i32): void {
  memory.fill(ids, 0xff, <usize>pixels << 2);
  memory.fill(inverseDepths, 0, <usize>pixels << 2);
}

/**
 * Draws triangles `first` to `last`. Reads `screen`, `triangles`; updates `ids` and `inverseDepths`.
 * `facing`: 0 draws both sides, 1 only fronts. With `alpha` (0: none), a pixel counts only where the
 * 8-bit texture at the triangle's uv (`uvTriangles` counts from `first`) is at least `threshold`.
 */
export function draw(
  screen: usize,
  triangles: usize,
  first: i32,
  last: i32,
  facing: i32,
  width: i32,
  height: i32,
  stride: i32,
  ids: usize,
  inverseDepths: usize,
  uvs: usize,
  uvTriangles: usize,
  alpha: usize,
  alphaWidth: i32,
  alphaHeight: i32,
  threshold: i32,
): void {
  const lane = f32x4(0, 1, 2, 3);
  for (let t = first; t < last; t++) {
    const corner = triangles + <usize>t * 12;
    const a = screen + (<usize>load<u32>(corner, 0) << 4);
    let b = screen + (<usize>load<u32>(corner, 4) << 4);
    let c = screen + (<usize>load<u32>(corner, 8) << 4);
    const aw = load<f32>(a, 8);
    let bw = load<f32>(b, 8);
    let cw = load<f32>(c, 8);
    if (aw == 0 || bw == 0 || cw == 0) continue;
    const ax = load<f32>(a, 0);
    const ay = load<f32>(a, 4);
    let bx = load<f32>(b, 0);
    let by = load<f32>(b, 4);
    let cx = load<f32>(c, 0);
    let cy = load<f32>(c, 4);
    // Counter-clockwise from outside turns into a negative area, for the screen's y points down.
    let area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);
    const isFront = area < 0;
    if (area == 0 || (facing == 1 && !isFront)) continue;
    if (isFront) {
      const ox = bx;
      const oy = by;
      const ow = bw;
      bx = cx;
      by = cy;
      bw = cw;
      cx = ox;
      cy = oy;
      cw = ow;
      area = -area;
    }
    const left = max(0, <i32>Mathf.ceil(min(ax, min(bx, cx)) - 0.5 - EDGE_TOLERANCE_PX));
    const right = min(width - 1, <i32>Mathf.floor(max(ax, max(bx, cx)) - 0.5 + EDGE_TOLERANCE_PX));
    const top = max(0, <i32>Mathf.ceil(min(ay, min(by, cy)) - 0.5 - EDGE_TOLERANCE_PX));
    const bottom = min(height - 1, <i32>Mathf.floor(max(ay, max(by, cy)) - 0.5 + EDGE_TOLERANCE_PX));
    if (left > right || top > bottom) continue;

    // e_k(p) = twice the area of p with the edge opposite to corner k; dx, dy are its steps per pixel.
    const e0x = by - cy;
    const e0y = cx - bx;
    const e1x = cy - ay;
    const e1y = ax - cx;
    const e2x = ay - by;
    const e2y = bx - ax;
    const startX = left & ~3;
    const px = <f32>startX + 0.5;
    const py = <f32>top + 0.5;
    const inverseArea: f32 = <f32>1 / area;
    const w0 = aw * inverseArea;
    const w1 = bw * inverseArea;
    const w2 = cw * inverseArea;
    let row0 = e0x * (px - bx) + e0y * (py - by);
    let row1 = e1x * (px - cx) + e1y * (py - cy);
    let row2 = e2x * (px - ax) + e2y * (py - ay);
    const floor0 = f32x4.splat(-EDGE_TOLERANCE_PX * (abs(e0x) + abs(e0y)));
    const floor1 = f32x4.splat(-EDGE_TOLERANCE_PX * (abs(e1x) + abs(e1y)));
    const floor2 = f32x4.splat(-EDGE_TOLERANCE_PX * (abs(e2x) + abs(e2y)));
    const lane0 = f32x4.mul(lane, f32x4.splat(e0x));
    const lane1 = f32x4.mul(lane, f32x4.splat(e1x));
    const lane2 = f32x4.mul(lane, f32x4.splat(e2x));
    const id = i32x4.splat(t);
    // Pixels from the left where an edge begins or ends, a row's own value apart.
    const isWide = right - left >= WIDE_PX;
    const across0: f32 = isWide ? <f32>1 / e0x : 0;
    const across1: f32 = isWide ? <f32>1 / e1x : 0;
    const across2: f32 = isWide ? <f32>1 / e2x : 0;
    const slack0 = f32x4.extract_lane(floor0, 0);
    const slack1 = f32x4.extract_lane(floor1, 0);
    const slack2 = f32x4.extract_lane(floor2, 0);
    // Texture coordinates over depth, as the edges' weights sum them.
    let u0 = f32x4.splat(0);
    let u1 = u0;
    let u2 = u0;
    let v0 = u0;
    let v1 = u0;
    let v2 = u0;
    if (alpha != 0) {
      // Corners b and c may have been swapped above.
      const uvCorner = uvTriangles + <usize>(t - first) * 12;
      const ua = uvs + (<usize>load<u32>(uvCorner, 0) << 3);
      const ub = uvs + (<usize>(isFront ? load<u32>(uvCorner, 8) : load<u32>(uvCorner, 4)) << 3);
      const uc = uvs + (<usize>(isFront ? load<u32>(uvCorner, 4) : load<u32>(uvCorner, 8)) << 3);
      u0 = f32x4.splat(w0 * load<f32>(ua, 0));
      u1 = f32x4.splat(w1 * load<f32>(ub, 0));
      u2 = f32x4.splat(w2 * load<f32>(uc, 0));
      v0 = f32x4.splat(w0 * load<f32>(ua, 4));
      v1 = f32x4.splat(w1 * load<f32>(ub, 4));
      v2 = f32x4.splat(w2 * load<f32>(uc, 4));
    }
    for (let y = top; y <= bottom; y++) {
      let from = startX;
      let to = right;
      if (isWide) {
        let low: f32 = 0;
        let high: f32 = <f32>(right - startX);
        if (e0x > 0) low = max<f32>(low, (slack0 - row0) * across0);
        else if (e0x < 0) high = min<f32>(high, (slack0 - row0) * across0);
        if (e1x > 0) low = max<f32>(low, (slack1 - row1) * across1);
        else if (e1x < 0) high = min<f32>(high, (slack1 - row1) * across1);
        if (e2x > 0) low = max<f32>(low, (slack2 - row2) * across2);
        else if (e2x < 0) high = min<f32>(high, (slack2 - row2) * across2);
        // A pixel more on either side, for what rounding takes: the edges decide.
        from += max(0, <i32>min<f32>(low, <f32>width) - 1) & ~3;
        to = min(right, startX + <i32>max<f32>(high, -2) + 1);
      }
      let at = (<usize>(y * stride + from)) << 2;
      for (let x = from; x <= to; x += 4) {
        const step = <f32>(x - startX);
        const e0 = f32x4.add(f32x4.splat(row0 + step * e0x), lane0);
        const e1 = f32x4.add(f32x4.splat(row1 + step * e1x), lane1);
        const e2 = f32x4.add(f32x4.splat(row2 + step * e2x), lane2);
        let mask = v128.and(
          v128.and(f32x4.ge(e0, floor0), f32x4.ge(e1, floor1)),
          f32x4.ge(e2, floor2),
        );
        if (v128.any_true(mask)) {
          const w = f32x4.add(
            f32x4.add(f32x4.mul(e0, f32x4.splat(w0)), f32x4.mul(e1, f32x4.splat(w1))),
            f32x4.mul(e2, f32x4.splat(w2)),
          );
          const before = v128.load(inverseDepths + at);
          mask = v128.and(mask, f32x4.gt(w, before));
          if (alpha != 0 && v128.any_true(mask)) {
            const depth = f32x4.div(f32x4.splat(1), w);
            const u = f32x4.mul(
              f32x4.add(f32x4.add(f32x4.mul(e0, u0), f32x4.mul(e1, u1)), f32x4.mul(e2, u2)),
              depth,
            );
            const v = f32x4.mul(
              f32x4.add(f32x4.add(f32x4.mul(e0, v0), f32x4.mul(e1, v1)), f32x4.mul(e2, v2)),
              depth,
            );
            const texel = texels(u, v, alphaWidth, alphaHeight);
            const seen = i32x4(
              <i32>load<u8>(alpha + <usize>i32x4.extract_lane(texel, 0)),
              <i32>load<u8>(alpha + <usize>i32x4.extract_lane(texel, 1)),
              <i32>load<u8>(alpha + <usize>i32x4.extract_lane(texel, 2)),
              <i32>load<u8>(alpha + <usize>i32x4.extract_lane(texel, 3)),
            );
            mask = v128.and(mask, i32x4.ge_s(seen, i32x4.splat(threshold)));
          }
          v128.store(inverseDepths + at, v128.bitselect(w, before, mask));
          v128.store(ids + at, v128.bitselect(id, v128.load(ids + at), mask));
        }
        at += 16;
      }
      row0 += e0y;
      row1 += e1y;
      row2 += e2y;
    }
  }
}

/** Offsets of the nearest texels, clamped to the texture. */
// @ts-ignore: decorator
@inline
function texels(u: v128, v: v128, width: i32, height: i32): v128 {
  const x = i32x4.trunc_sat_f32x4_s(f32x4.mul(u, f32x4.splat(<f32>width)));
  const y = i32x4.trunc_sat_f32x4_s(f32x4.mul(v, f32x4.splat(<f32>height)));
  const zero = i32x4.splat(0);
  const cx = i32x4.max_s(zero, i32x4.min_s(x, i32x4.splat(width - 1)));
  const cy = i32x4.max_s(zero, i32x4.min_s(y, i32x4.splat(height - 1)));
  return i32x4.add(i32x4.mul(cy, i32x4.splat(width)), cx);
}

/**
 * Reads `ids` and `screen`; writes tight `triangleIds` (`H W`), `barycentrics` (`H W 3`, perspective-correct,
 * sum 1; 0 where none) and `depths` (`H W`, infinite where none).
 */
export function resolve(
  screen: usize,
  triangles: usize,
  width: i32,
  height: i32,
  stride: i32,
  ids: usize,
  triangleIds: usize,
  barycentrics: usize,
  depths: usize,
): void {
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const t = load<u32>(ids + (<usize>(y * stride + x) << 2));
      const pixel = <usize>(y * width + x);
      store<u32>(triangleIds + (pixel << 2), t);
      const weights = barycentrics + pixel * 12;
      if (t == NONE) {
        store<f32>(depths + (pixel << 2), <f32>Infinity);
        store<f32>(weights, 0, 0);
        store<f32>(weights, 0, 4);
        store<f32>(weights, 0, 8);
        continue;
      }
      const corner = triangles + <usize>t * 12;
      const a = screen + (<usize>load<u32>(corner, 0) << 4);
      const b = screen + (<usize>load<u32>(corner, 4) << 4);
      const c = screen + (<usize>load<u32>(corner, 8) << 4);
      const px = <f32>x + 0.5;
      const py = <f32>y + 0.5;
      const ax = load<f32>(a, 0) - px;
      const ay = load<f32>(a, 4) - py;
      const bx = load<f32>(b, 0) - px;
      const by = load<f32>(b, 4) - py;
      const cx = load<f32>(c, 0) - px;
      const cy = load<f32>(c, 4) - py;
      let e0 = bx * cy - by * cx;
      let e1 = cx * ay - cy * ax;
      let e2 = ax * by - ay * bx;
      // The tolerance of the edges lets weights fall just below 0.
      const sign: f32 = e0 + e1 + e2 < 0 ? -1 : 1;
      e0 = max<f32>(0, e0 * sign);
      e1 = max<f32>(0, e1 * sign);
      e2 = max<f32>(0, e2 * sign);
      const area = e0 + e1 + e2;
      const q0 = e0 * load<f32>(a, 8);
      const q1 = e1 * load<f32>(b, 8);
      const q2 = e2 * load<f32>(c, 8);
      const sum = q0 + q1 + q2;
      store<f32>(depths + (pixel << 2), area / sum);
      store<f32>(weights, q0 / sum, 0);
      store<f32>(weights, q1 / sum, 4);
      store<f32>(weights, q2 / sum, 8);
    }
  }
}

/** Reads `inverseDepths`; writes tight `depths` (`H W`, infinite where none). */
export function resolveDepths(inverseDepths: usize, width: i32, height: i32, stride: i32, depths: usize): void {
  for (let y = 0; y < height; y++) {
    const from = inverseDepths + (<usize>(y * stride) << 2);
    const to = depths + (<usize>(y * width) << 2);
    for (let x = 0; x < width; x++) {
      store<f32>(to + (<usize>x << 2), <f32>1 / load<f32>(from + (<usize>x << 2)));
    }
  }
}

/** Reads ids, barycentrics, `triangles` (indices into `attributes`, `A` floats each); writes `pixels A`, 0 where none. */
export function interpolate(
  triangleIds: usize,
  barycentrics: usize,
  pixels: i32,
  triangles: usize,
  attributes: usize,
  channels: i32,
  out: usize,
): void {
  const row = <usize>channels << 2;
  for (let pixel = 0; pixel < pixels; pixel++) {
    const t = load<u32>(triangleIds + (<usize>pixel << 2));
    const target = out + <usize>pixel * row;
    if (t == NONE) {
      memory.fill(target, 0, row);
      continue;
    }
    const weights = barycentrics + <usize>pixel * 12;
    const q0 = load<f32>(weights, 0);
    const q1 = load<f32>(weights, 4);
    const q2 = load<f32>(weights, 8);
    const corner = triangles + <usize>t * 12;
    const a = attributes + <usize>load<u32>(corner, 0) * row;
    const b = attributes + <usize>load<u32>(corner, 4) * row;
    const c = attributes + <usize>load<u32>(corner, 8) * row;
    let offset: usize = 0;
    for (; offset + 16 <= row; offset += 16) {
      const value = f32x4.add(
        f32x4.add(
          f32x4.mul(f32x4.splat(q0), v128.load(a + offset)),
          f32x4.mul(f32x4.splat(q1), v128.load(b + offset)),
        ),
        f32x4.mul(f32x4.splat(q2), v128.load(c + offset)),
      );
      v128.store(target + offset, value);
    }
    for (; offset < row; offset += 4) {
      const value = q0 * load<f32>(a + offset) + q1 * load<f32>(b + offset) + q2 * load<f32>(c + offset);
      store<f32>(target + offset, value);
    }
  }
}

/**
 * Bilinear look-ups, clamped to the border: reads `positions` (`pixels 2`, in texels, centres at +0.5) and
 * `texture` (`H W A` floats); writes `pixels A`.
 */
export function sample(
  positions: usize,
  pixels: i32,
  texture: usize,
  width: i32,
  height: i32,
  channels: i32,
  out: usize,
): void {
  const row = <usize>channels << 2;
  const lastX = <f32>(width - 1);
  const lastY = <f32>(height - 1);
  for (let pixel = 0; pixel < pixels; pixel++) {
    const position = positions + (<usize>pixel << 3);
    const x = max<f32>(0, min<f32>(lastX, load<f32>(position, 0) - 0.5));
    const y = max<f32>(0, min<f32>(lastY, load<f32>(position, 4) - 0.5));
    const x0 = <i32>x;
    const y0 = <i32>y;
    const fx = x - <f32>x0;
    const fy = y - <f32>y0;
    const stepX: usize = x0 + 1 < width ? row : 0;
    const stepY: usize = y0 + 1 < height ? row * <usize>width : 0;
    const p = texture + <usize>(y0 * width + x0) * row;
    const target = out + <usize>pixel * row;
    for (let offset: usize = 0; offset < row; offset += 4) {
      const top0 = load<f32>(p + offset);
      const top = top0 + fx * (load<f32>(p + stepX + offset) - top0);
      const bottom0 = load<f32>(p + stepY + offset);
      const bottom = bottom0 + fx * (load<f32>(p + stepY + stepX + offset) - bottom0);
      store<f32>(target + offset, top + fy * (bottom - top));
    }
  }
}
