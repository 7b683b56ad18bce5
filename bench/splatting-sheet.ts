// The scene that both benches of the splatting share.

import type { SplatScene } from '../src/gaussians/index.ts';
import { frontCamera } from '../src/geometry/index.ts';
import { createRandom } from '../src/tensor/index.ts';

/** A square sheet of `side * side` fresh Gaussians, 0.36 m wide, 0.65 to 0.75 m away. */
export function sheet(side: number, size: number): SplatScene {
  const random = createRandom(1);
  const count = side * side;
  const means = new Float32Array(count * 3);
  for (let i = 0; i < count; i++) {
    means[3 * i] = ((i % side) / side - 0.5) * 0.36;
    means[3 * i + 1] = (Math.floor(i / side) / side - 0.5) * 0.36;
    means[3 * i + 2] = -random.uniform(0.65, 0.75);
  }
  return {
    camera: frontCamera(size, size, size * 1.2),
    channels: 8,
    means,
    scales: new Float32Array(count).fill(0.36 / side),
    opacities: new Float32Array(count).fill(0.1),
    features: Float32Array.from({ length: count * 8 }, () => random.uniform(-1, 1)),
  };
}
