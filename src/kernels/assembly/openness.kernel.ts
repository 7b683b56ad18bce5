// How open the pixels of a depth buffer are to light from all around, read off the depths nearby. Plain functions over
// pointers. The rays of a ring lie side by side in a vector.

export function heapBase(): usize {
  return __heap_base;
}

/**
 * Reads `depths` (`H W` floats, infinite where nothing is), `rings` (radius and strength, floats) and `rays` (four x, then four y,
 * floats, each for its opposite too; missing ones are 0); writes `out` (`H W` floats), 1 where nothing is. Pixels of a 2 x 2 block
 * that lie less than `oneSurface` behind or before its first share what that one sees.
 */
export function openness(
  depths: usize,
  width: i32,
  height: i32,
  focal: f32,
  rings: usize,
  ringCount: i32,
  rays: usize,
  oneSurface: f32,
  out: usize,
): void {
  const rayX = v128.load(rays, 0);
  const rayY = v128.load(rays, 16);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = <usize>(y * width + x) << 2;
      const depth = load<f32>(depths + at);
      if (depth == Infinity) {
        store<f32>(out + at, 1);
        continue;
      }
      const first = <usize>((y & ~1) * width + (x & ~1)) << 2;
      if (first != at && abs<f32>(load<f32>(depths + first) - depth) < oneSurface) {
        store<f32>(out + at, load<f32>(out + first));
        continue;
      }
      let occlusion = f32x4.splat(0);
      for (let ring = 0; ring < ringCount; ring++) {
        const radius = load<f32>(rings + (<usize>ring << 3), 0);
        const reach = f32x4.splat((radius * focal) / depth);
        const dx = rounded(f32x4.mul(rayX, reach));
        const dy = rounded(f32x4.mul(rayY, reach));
        const scale = f32x4.splat(<f32>1 / radius);
        const hollows = f32x4.max(
          f32x4.splat(0),
          f32x4.add(
            hollow(depths, width, height, i32x4.add(i32x4.splat(x), dx), i32x4.add(i32x4.splat(y), dy), depth, scale),
            hollow(depths, width, height, i32x4.sub(i32x4.splat(x), dx), i32x4.sub(i32x4.splat(y), dy), depth, scale),
          ),
        );
        occlusion = f32x4.add(occlusion, f32x4.mul(v128.load32_splat(rings + (<usize>ring << 3), 4), hollows));
      }
      const sum =
        f32x4.extract_lane(occlusion, 0) +
        f32x4.extract_lane(occlusion, 1) +
        f32x4.extract_lane(occlusion, 2) +
        f32x4.extract_lane(occlusion, 3);
      store<f32>(out + at, Mathf.exp(-sum));
    }
  }
}

// @ts-ignore: decorator
@inline
function rounded(values: v128): v128 {
  return i32x4.trunc_sat_f32x4_s(f32x4.floor(f32x4.add(values, f32x4.splat(0.5))));
}

/** How far neighbours stand before a pixel, in radii (`scale` is 1 / radius), -1 to 1; far before it they count little. */
// @ts-ignore: decorator
@inline
function hollow(depths: usize, width: i32, height: i32, x: v128, y: v128, depth: f32, scale: v128): v128 {
  const isInside = v128.and(i32x4.lt_u(x, i32x4.splat(width)), i32x4.lt_u(y, i32x4.splat(height)));
  const at = v128.and(isInside, i32x4.shl(i32x4.add(i32x4.mul(y, i32x4.splat(width)), x), 2));
  const there = f32x4(
    load<f32>(depths + <usize>i32x4.extract_lane(at, 0)),
    load<f32>(depths + <usize>i32x4.extract_lane(at, 1)),
    load<f32>(depths + <usize>i32x4.extract_lane(at, 2)),
    load<f32>(depths + <usize>i32x4.extract_lane(at, 3)),
  );
  const before = f32x4.mul(f32x4.sub(f32x4.splat(depth), there), scale);
  const near = f32x4.max(f32x4.splat(-1), f32x4.min(f32x4.splat(1), before));
  const isFar = f32x4.gt(before, f32x4.splat(3));
  return v128.and(isInside, v128.bitselect(f32x4.splat(0.5), near, isFar));
}
