// Triangles to pixels: a visibility buffer (triangle, barycentrics, depth), then attributes and textures
// looked up through it. One thread. Plain reference: `src/geometry/reference-rasteriser.ts`.

import { instantiateKernel } from './kernel-instance.ts';
import { wasmBase64 } from './wasm/rasteriser.wasm.ts';

/** The triangle id of a pixel that no triangle covers. */
export const NO_TRIANGLE = 0xffffffff;

/** What the rasteriser needs of a pinhole camera with OpenCV's axes; `Camera` of geometry fits. */
export type RasterCamera = {
  readonly width: number;
  readonly height: number;
  readonly focalXPx: number;
  readonly focalYPx: number;
  readonly centreXPx: number;
  readonly centreYPx: number;
  readonly cameraFromWorld: {
    readonly rotation: Readonly<ArrayLike<number>>;
    readonly translation: Readonly<ArrayLike<number>>;
  };
};

/** Triangles from `firstTriangle` on are cut out by a texture: lashes, hair cards. */
export type AlphaCutout = {
  readonly firstTriangle: number;
  /** `U 2` in [0, 1], v down. */
  readonly uvs: Float32Array;
  /** `F' 3` indices into `uvs`, one row for each triangle from `firstTriangle` on. */
  readonly uvTriangles: Uint32Array;
  readonly alpha: { readonly width: number; readonly height: number; readonly data: Uint8Array };
  /** A texel of at least this much counts, 1 to 255. */
  readonly threshold: number;
};

/** A scene of triangles before a camera. */
export type RasterInput = {
  readonly camera: RasterCamera;
  /** `V 3`, world, metres. */
  readonly vertices: Float32Array;
  /** `F 3`, counter-clockwise from outside. */
  readonly triangles: Uint32Array;
  /** Whether triangles seen from behind are left out; default false. */
  readonly cullsBackFaces?: boolean;
  /** Triangles with a corner nearer than this are left out; default 0.01 m. */
  readonly nearMetres?: number;
  readonly cutout?: AlphaCutout;
};

/** What every pixel sees; pixel (x, y) is looked up at its centre (x + 0.5, y + 0.5). */
export type VisibilityBuffer = {
  readonly width: number;
  readonly height: number;
  /** `H W`, `NO_TRIANGLE` where nothing is. */
  readonly triangleIds: Uint32Array;
  /** `H W 3`, perspective-correct weights of the triangle's corners; 0 where nothing is. */
  readonly barycentrics: Float32Array;
  /** `H W`, metres along the camera's axis; infinite where nothing is. */
  readonly depths: Float32Array;
};

/** A float picture of any number of channels, `H W A`. */
export type FloatTexture = {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly data: Float32Array;
};

/** A rasteriser with a memory of its own; results are copies that the caller keeps. */
export type Rasteriser = {
  rasterise(input: RasterInput): VisibilityBuffer;
  /** The depths alone (`H W`, metres along the camera's axis; infinite where nothing is), for less. */
  depths(input: RasterInput): Float32Array<ArrayBuffer>;
  /**
   * Attributes of what every pixel sees: `H W A`, 0 where nothing is. `triangles` are rows of corner
   * indices into `attributes` (`N A`): the mesh's own, or its UV triangles.
   */
  interpolate(
    buffer: VisibilityBuffer,
    attributes: {
      readonly triangles: Uint32Array;
      readonly values: Float32Array;
      readonly channels: number;
    },
  ): Float32Array<ArrayBuffer>;
  /** Bilinear look-ups at `positions` (`N 2`, texels, centres at +0.5), clamped at the border: `N A`. */
  sample(texture: FloatTexture, positions: Float32Array): Float32Array<ArrayBuffer>;
};

type RasteriserExports = {
  project(vertices: number, count: number, camera: number, screen: number): void;
  clear(ids: number, inverseDepths: number, pixels: number): void;
  draw(
    ...pointersAndSizes: [
      ...mesh: [screen: number, triangles: number, first: number, last: number, facing: number],
      ...target: [width: number, height: number, stride: number, ids: number, inverseDepths: number],
      ...cutout: [uvs: number, uvTriangles: number, alpha: number, width: number, height: number, at: number],
    ]
  ): void;
  resolve(
    ...pointersAndSizes: [
      ...source: [
        screen: number,
        triangles: number,
        width: number,
        height: number,
        stride: number,
        ids: number,
      ],
      ...target: [triangleIds: number, barycentrics: number, depths: number],
    ]
  ): void;
  resolveDepths(inverseDepths: number, width: number, height: number, stride: number, depths: number): void;
  interpolate(
    ...pointersAndSizes: [
      ...buffer: [triangleIds: number, barycentrics: number, pixels: number],
      ...attributes: [triangles: number, values: number, channels: number, out: number],
    ]
  ): void;
  sample(
    ...pointersAndSizes: [
      ...positions: [positions: number, count: number],
      ...texture: [data: number, width: number, height: number, channels: number, out: number],
    ]
  ): void;
};

const DEFAULT_NEAR_METRES = 0.01;

/** Makes a rasteriser; about a millisecond, once per thread. */
export function createRasteriser(): Rasteriser {
  const { exports, heap } = instantiateKernel<RasteriserExports>(wasmBase64);

  /** Draws into reserved memory. */
  const draw = (input: RasterInput) => {
    const { camera, vertices, triangles, cutout } = input;
    const { width, height } = camera;
    const stride = Math.ceil(width / 4) * 4;
    const facing = input.cullsBackFaces ? 1 : 0;
    const triangleCount = triangles.length / 3;
    heap.reset();
    const [vertexAt, triangleAt] = [heap.put(vertices), heap.put(triangles)];
    const cameraAt = heap.put(cameraFloats(camera, input.nearMetres ?? DEFAULT_NEAR_METRES));
    const screen = heap.reserve((vertices.length / 3) * 16);
    const [ids, inverseDepths] = [heap.reserve(stride * height * 4), heap.reserve(stride * height * 4)];
    const cutoutAt = cutout
      ? ([heap.put(cutout.uvs), heap.put(cutout.uvTriangles), heap.put(cutout.alpha.data)] as const)
      : ([0, 0, 0] as const);
    exports.project(vertexAt, vertices.length / 3, cameraAt, screen);
    exports.clear(ids, inverseDepths, stride * height);
    const target = [width, height, stride, ids, inverseDepths] as const;
    const solidEnd = cutout ? cutout.firstTriangle : triangleCount;
    exports.draw(screen, triangleAt, 0, solidEnd, facing, ...target, 0, 0, 0, 0, 0, 0);
    if (cutout) {
      const { alpha, threshold } = cutout;
      const mesh = [screen, triangleAt, solidEnd, triangleCount, facing] as const;
      exports.draw(...mesh, ...target, ...cutoutAt, alpha.width, alpha.height, threshold);
    }
    return { width, height, stride, screen, triangleAt, ids, inverseDepths };
  };

  const rasterise: Rasteriser['rasterise'] = (input) => {
    const { width, height, stride, screen, triangleAt, ids } = draw(input);
    const pixels = width * height;
    const [idsOut, weightsOut] = [heap.reserve(pixels * 4), heap.reserve(pixels * 12)];
    const depthsOut = heap.reserve(pixels * 4);
    exports.resolve(screen, triangleAt, width, height, stride, ids, idsOut, weightsOut, depthsOut);
    return {
      width,
      height,
      triangleIds: heap.uints(idsOut, pixels).slice(),
      barycentrics: heap.floats(weightsOut, pixels * 3).slice(),
      depths: heap.floats(depthsOut, pixels).slice(),
    };
  };

  const depths: Rasteriser['depths'] = (input) => {
    const { width, height, stride, inverseDepths } = draw(input);
    const out = heap.reserve(width * height * 4);
    exports.resolveDepths(inverseDepths, width, height, stride, out);
    return heap.floats(out, width * height).slice();
  };

  const interpolate: Rasteriser['interpolate'] = (buffer, { triangles, values, channels }) => {
    const pixels = buffer.width * buffer.height;
    heap.reset();
    const [idsAt, weightsAt] = [heap.put(buffer.triangleIds), heap.put(buffer.barycentrics)];
    const [trianglesAt, valuesAt] = [heap.put(triangles), heap.put(values)];
    const out = heap.reserve(pixels * channels * 4);
    exports.interpolate(idsAt, weightsAt, pixels, trianglesAt, valuesAt, channels, out);
    return heap.floats(out, pixels * channels).slice();
  };

  const sample: Rasteriser['sample'] = ({ width, height, channels, data }, positions) => {
    const count = positions.length / 2;
    heap.reset();
    const [positionsAt, dataAt] = [heap.put(positions), heap.put(data)];
    const out = heap.reserve(count * channels * 4);
    exports.sample(positionsAt, count, dataAt, width, height, channels, out);
    return heap.floats(out, count * channels).slice();
  };

  return { rasterise, depths, interpolate, sample };
}

function cameraFloats(camera: RasterCamera, nearMetres: number): Float32Array {
  const { rotation, translation } = camera.cameraFromWorld;
  return Float32Array.of(
    ...Array.from(rotation),
    ...Array.from(translation),
    ...[camera.focalXPx, camera.focalYPx, camera.centreXPx, camera.centreYPx, nearMetres],
  );
}
