// How open the pixels of a depth buffer are to light from all around, read off the depths nearby. Plain functions over
// pointers. Doubles throughout, so that it rounds as the reference does.

export function heapBase(): usize {
  return __heap_base;
}

/**
 * Reads `depths` (`H W` floats, infinite where nothing is), `rings` (radius and strength, doubles) and `rays` (x and y, each
 * for its opposite too, doubles); writes `out` (`H W` floats), 1 where nothing is. Pixels of a 2 x 2 block that lie
 * less than `oneSurface` behind or before its first share what that one sees.
 */
export function openness(
  depths: usize,
  width: i32,
  height: i32,
  focal: f64,
  rings: usize,
  ringCount: i32,
  rays: usize,
  rayCount: i32,
  oneSurface: f64,
  out: usize,
): void {
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = <usize>(y * width + x) << 2;
      const depth = <f64>load<f32>(depths + at);
      if (depth == Infinity) {
        store<f32>(out + at, 1);
        continue;
      }
      const first = <usize>((y & ~1) * width + (x & ~1)) << 2;
      if (first != at && Math.abs(<f64>load<f32>(depths + first) - depth) < oneSurface) {
        store<f32>(out + at, load<f32>(out + first));
        continue;
      }
      let occlusion: f64 = 0;
      for (let ring = 0; ring < ringCount; ring++) {
        const radius = load<f64>(rings + ((<usize>ring) << 4), 0);
        const reach = (radius * focal) / depth;
        const scale = 1 / radius;
        let hollows: f64 = 0;
        for (let ray = 0; ray < rayCount; ray++) {
          const dx = <i32>Math.floor(load<f64>(rays + ((<usize>ray) << 4), 0) * reach + 0.5);
          const dy = <i32>Math.floor(load<f64>(rays + ((<usize>ray) << 4), 8) * reach + 0.5);
          hollows += Math.max(
            0,
            hollow(depths, width, height, x + dx, y + dy, depth, scale) +
              hollow(depths, width, height, x - dx, y - dy, depth, scale),
          );
        }
        occlusion += load<f64>(rings + ((<usize>ring) << 4), 8) * hollows;
      }
      store<f32>(out + at, <f32>Math.exp(-occlusion));
    }
  }
}

/** How far a neighbour stands before a pixel, in radii (`scale` is 1 / radius), -1 to 1; far before it counts little. */
// @ts-ignore: decorator
@inline
function hollow(depths: usize, width: i32, height: i32, x: i32, y: i32, depth: f64, scale: f64): f64 {
  if (<u32>x >= <u32>width || <u32>y >= <u32>height) return 0;
  const before = (depth - <f64>load<f32>(depths + (<usize>(y * width + x) << 2))) * scale;
  return before > 3 ? 0.5 : Math.max(-1, Math.min(1, before));
}
