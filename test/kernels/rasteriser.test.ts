// The rasteriser against its plain reference, and what it promises by itself.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { frontCamera, rasteriseReference, vertexNormals } from '../../src/geometry/index.ts';
import { createRasteriser, NO_TRIANGLE } from '../../src/kernels/index.ts';
import { createRandom } from '../../src/tensor/index.ts';

const rasteriser = createRasteriser();

/** Random triangles of hand size between 0.5 and 2 m before the camera. */
function randomScene(seed: number, count: number): { vertices: Float32Array; triangles: Uint32Array } {
  const random = createRandom(seed);
  const vertices = new Float32Array(count * 9);
  for (let t = 0; t < count; t++) {
    const centre = [random.uniform(-0.3, 0.3), random.uniform(-0.3, 0.3), random.uniform(-2, -0.5)];
    for (let k = 0; k < 9; k++) vertices[t * 9 + k] = centre[k % 3]! + random.uniform(-0.1, 0.1);
  }
  return { vertices, triangles: Uint32Array.from({ length: count * 3 }, (_, i) => i) };
}

/** One square facing the camera at a depth, as two triangles. */
function square(halfMetres: number, depthMetres: number): { vertices: Float32Array; triangles: Uint32Array } {
  const [h, z] = [halfMetres, -depthMetres];
  return {
    vertices: Float32Array.of(-h, -h, z, h, -h, z, h, h, z, -h, h, z),
    triangles: Uint32Array.of(0, 1, 2, 0, 2, 3),
  };
}

test('the kernel sees the same triangles, weights and depths as the plain reference', () => {
  for (const [seed, width, height] of [
    [1, 64, 48],
    [2, 61, 67],
  ] as const) {
    const camera = frontCamera(width, height, 70);
    const scene = randomScene(seed, 60);
    const ours = rasteriser.rasterise({ camera, ...scene });
    const reference = rasteriseReference(camera, scene.vertices, scene.triangles);
    let differing = 0;
    let worstWeight = 0;
    let worstDepth = 0;
    for (let pixel = 0; pixel < width * height; pixel++) {
      if (ours.triangleIds[pixel] !== reference.triangleIds[pixel]) {
        differing++;
        continue;
      }
      if (ours.triangleIds[pixel] === NO_TRIANGLE) continue;
      worstDepth = Math.max(worstDepth, Math.abs(ours.depths[pixel]! - reference.depths[pixel]!));
      for (let k = 0; k < 3; k++) {
        const difference = ours.barycentrics[3 * pixel + k]! - reference.barycentrics[3 * pixel + k]!;
        worstWeight = Math.max(worstWeight, Math.abs(difference));
      }
    }
    assert.ok(differing <= (width * height) / 500, `${differing} pixels differ, more than edges explain`);
    assert.ok(worstWeight < 2e-3, `weights differ by ${worstWeight}`);
    assert.ok(worstDepth < 2e-4, `depths differ by ${worstDepth} m`);
  }
});

test('a square of known size covers exactly its pixels', () => {
  // 0.25 m at 1 m with a focal length of 64 px: 32 px wide, from 16 to 48.
  const { triangleIds, depths } = rasteriser.rasterise({
    camera: frontCamera(64, 64, 64),
    ...square(0.25, 1),
  });
  for (let y = 0; y < 64; y++) {
    for (let x = 0; x < 64; x++) {
      const isInside = x >= 16 && x < 48 && y >= 16 && y < 48;
      assert.equal(triangleIds[y * 64 + x] !== NO_TRIANGLE, isInside, `pixel ${x}, ${y}`);
      if (isInside) assert.ok(Math.abs(depths[y * 64 + x]! - 1) < 1e-5);
    }
  }
});

test('interpolated positions lie on the ray of their pixel', () => {
  const camera = frontCamera(48, 40, 50);
  const scene = randomScene(5, 40);
  const buffer = rasteriser.rasterise({ camera, ...scene });
  const points = rasteriser.interpolate(buffer, {
    triangles: scene.triangles,
    values: scene.vertices,
    channels: 3,
  });
  let covered = 0;
  let worstPx = 0;
  let worstDepth = 0;
  buffer.triangleIds.forEach((id, pixel) => {
    if (id === NO_TRIANGLE) return;
    covered++;
    const [x, y, z] = [points[pixel * 3]!, points[pixel * 3 + 1]!, points[pixel * 3 + 2]!];
    worstPx = Math.max(worstPx, Math.abs((x / -z) * 50 + 24 - ((pixel % 48) + 0.5)));
    worstPx = Math.max(worstPx, Math.abs((-y / -z) * 50 + 20 - (Math.floor(pixel / 48) + 0.5)));
    worstDepth = Math.max(worstDepth, Math.abs(-z - buffer.depths[pixel]!));
  });
  assert.ok(worstPx < 0.01, `off by ${worstPx} px`);
  assert.ok(worstDepth < 1e-4, `off by ${worstDepth} m`);
  assert.ok(covered > 150, `${covered} pixels covered`);
});

test('culling leaves out triangles seen from behind, and nothing behind the near plane is drawn', () => {
  const camera = frontCamera(16, 16, 16);
  const { vertices, triangles } = square(0.3, 1);
  const seen = (input: Uint32Array, depth = 1): number => {
    const moved = vertices.map((value, i) => (i % 3 === 2 ? -depth : value));
    const buffer = rasteriser.rasterise({ camera, vertices: moved, triangles: input, cullsBackFaces: true });
    return buffer.triangleIds.filter((id) => id !== NO_TRIANGLE).length;
  };
  assert.ok(seen(triangles) > 0);
  assert.equal(seen(Uint32Array.of(0, 2, 1, 0, 3, 2)), 0);
  assert.equal(seen(triangles, -1), 0);
});

test('a cutout draws only where its texture is opaque', () => {
  const camera = frontCamera(32, 32, 32);
  const { vertices, triangles } = square(0.5, 1);
  const buffer = rasteriser.rasterise({
    camera,
    vertices,
    triangles,
    cutout: {
      firstTriangle: 0,
      uvs: Float32Array.of(0, 1, 1, 1, 1, 0, 0, 0),
      uvTriangles: triangles,
      alpha: { width: 2, height: 2, data: Uint8Array.of(255, 0, 0, 0) },
      threshold: 128,
    },
  });
  for (let pixel = 0; pixel < 32 * 32; pixel++) {
    const isUpperLeft = pixel % 32 < 16 && pixel < 16 * 32;
    assert.equal(buffer.triangleIds[pixel] !== NO_TRIANGLE, isUpperLeft, `pixel ${pixel}`);
  }
});

test('a bilinear look-up returns texels at their centres, means between them, and clamps', () => {
  const texture = { width: 2, height: 2, channels: 1, data: Float32Array.of(0, 1, 2, 3) };
  const at = Float32Array.of(0.5, 0.5, 1.5, 1.5, 1, 1, -4, 0.5, 9, 9);
  assert.deepEqual(Array.from(rasteriser.sample(texture, at)), [0, 3, 1.5, 0, 3]);
});

test('vertex normals of a sphere point away from its centre', () => {
  const [rings, segments] = [12, 24];
  const vertices: number[] = [];
  const triangles: number[] = [];
  for (let i = 0; i <= rings; i++) {
    for (let j = 0; j < segments; j++) {
      const [theta, phi] = [(Math.PI * i) / rings, (2 * Math.PI * j) / segments];
      vertices.push(Math.sin(theta) * Math.sin(phi), Math.cos(theta), Math.sin(theta) * Math.cos(phi));
      if (i === rings) continue;
      const next = (j + 1) % segments;
      const [a, b, c, d] = [
        i * segments + j,
        i * segments + next,
        (i + 1) * segments + j,
        (i + 1) * segments + next,
      ];
      triangles.push(a, c, d, a, d, b);
    }
  }
  const normals = vertexNormals(Float32Array.from(vertices), Uint32Array.from(triangles));
  for (let v = segments; v < segments * rings; v++) {
    const cosine = [0, 1, 2].reduce((sum, k) => sum + normals[3 * v + k]! * vertices[3 * v + k]!, 0);
    assert.ok(cosine > 0.99, `vertex ${v}: ${cosine}`);
  }
});
