// The fitted mesh over a frame, lit and coloured by its parts, with the landmarks that it was fitted to.

import { type Camera, vertexNormals } from '../geometry/index.ts';
import {
  createHeadPoser,
  type HeadModel,
  type HeadTrack,
  type PartName,
  parametersAt,
  trackCamera,
  verticesOfParts,
} from '../head/index.ts';
import { createRasteriser, NO_TRIANGLE } from '../kernels/index.ts';
import { type RgbImage, solidImage } from '../media/index.ts';

/** Draws the heads of one track. */
export type MeshOverlay = {
  /**
   * The mesh of a frame over its picture, on grey where there is none, and its landmarks unless they are not
   * wanted.
   * @param image the track's frame, of the track's size
   */
  render(frame: number, image: RgbImage | null, options?: { readonly hasLandmarks?: boolean }): RgbImage;
};

/** Colours of the mesh's parts; skin where nothing is said. */
const PART_COLOURS: Partial<Record<PartName, readonly [number, number, number]>> = {
  lips: [225, 120, 115],
  mouthCavity: [90, 25, 25],
  upperTeeth: [240, 240, 230],
  lowerTeeth: [240, 240, 230],
  tongue: [200, 90, 90],
  leftEyeball: [240, 240, 240],
  rightEyeball: [240, 240, 240],
};
const SKIN = [165, 190, 215] as const;
const IRIS = [40, 60, 150] as const;
const PUPIL = [10, 10, 10] as const;
/** Half angles of pupil and iris on the eyeball, as tangents. */
const [PUPIL_TANGENT, IRIS_TANGENT] = [0.16, 0.42];
const MESH_OPACITY = 0.7;
const LANDMARK_COLOUR = [60, 255, 90] as const;
const BACKGROUND = [40, 40, 44] as const;

/** Prepares to draw a track's meshes. @param camera that of the track unless given */
export function createMeshOverlay(
  head: HeadModel,
  track: HeadTrack,
  camera: Camera = trackCamera(track),
): MeshOverlay {
  const poser = createHeadPoser(head);
  const rasteriser = createRasteriser();
  const vertexColours = colourVertices(head);
  const landmarkLength = 2 * (head.landmarks?.triangles.length ?? 0);
  return {
    render(frame, image, { hasLandmarks = true } = {}) {
      const vertices = poser.pose(parametersAt(track, frame));
      const buffer = rasteriser.rasterise({ camera, vertices, triangles: head.triangles });
      const values = new Float32Array((vertices.length / 3) * 6);
      const normals = vertexNormals(vertices, head.triangles);
      for (let v = 0; v < vertices.length / 3; v++) {
        values.set(normals.subarray(3 * v, 3 * v + 3), 6 * v);
        values.set(vertexColours.subarray(3 * v, 3 * v + 3), 6 * v + 3);
      }
      const seen = rasteriser.interpolate(buffer, { triangles: head.triangles, values, channels: 6 });
      const base = image ?? solidImage(track.width, track.height, BACKGROUND);
      const mesh = { ...base, data: Uint8Array.from(base.data) };
      const opacity = image === null ? 1 : MESH_OPACITY;
      for (let pixel = 0; pixel < buffer.triangleIds.length; pixel++) {
        if (buffer.triangleIds[pixel] === NO_TRIANGLE) continue;
        const at = 6 * pixel;
        const light = Math.max(0.1, 0.15 + 0.3 * seen[at + 1]! + 0.75 * seen[at + 2]!);
        for (let k = 0; k < 3; k++) {
          const colour = Math.min(255, seen[at + 3 + k]! * light);
          mesh.data[3 * pixel + k] = (1 - opacity) * mesh.data[3 * pixel + k]! + opacity * colour;
        }
      }
      if (hasLandmarks && track.confidence[frame]! > 0) {
        drawLandmarks(mesh, track.landmarksPx.subarray(frame * landmarkLength, (frame + 1) * landmarkLength));
      }
      return mesh;
    },
  };
}

/** `V 3`: a colour for every vertex by its part; irises by the angle on the eyeball at rest. */
function colourVertices(head: HeadModel): Float32Array {
  const colours = new Float32Array(head.template.length);
  for (let v = 0; v < colours.length; v += 3) colours.set(SKIN, v);
  const depth = (v: number): number => head.template[3 * v + 2]!;
  for (const side of ['leftEyeball', 'rightEyeball'] as const) {
    const ball = verticesOfParts(head, side);
    if (ball.length === 0) continue;
    const pole = ball.reduce((front, v) => (depth(v) > depth(front) ? v : front));
    // The unseen back is open, just behind the middle: its depth is that of the eyeball's centre.
    const radius = depth(pole) - Math.min(...Array.from(ball, depth));
    for (const v of ball) {
      const aside = Math.hypot(
        head.template[3 * v]! - head.template[3 * pole]!,
        head.template[3 * v + 1]! - head.template[3 * pole + 1]!,
      );
      const tangent = aside / Math.max(1e-6, radius - (depth(pole) - depth(v)));
      const colour = tangent < PUPIL_TANGENT ? PUPIL : tangent < IRIS_TANGENT ? IRIS : PART_COLOURS[side]!;
      colours.set(colour, 3 * v);
    }
  }
  for (const [name, colour] of Object.entries(PART_COLOURS)) {
    if (name.endsWith('Eyeball')) continue;
    for (const v of verticesOfParts(head, name as PartName)) colours.set(colour, 3 * v);
  }
  return colours;
}

/** Draws landmarks (`L 2`, pixels) into a picture, in place, each as a square of `dotPx`. */
export function drawLandmarks(image: RgbImage, pointsPx: Float32Array, dotPx = 1): void {
  for (let i = 0; i < pointsPx.length; i += 2) {
    const [left, top] = [pointsPx[i]!, pointsPx[i + 1]!].map((at) => Math.round(at - dotPx / 2));
    for (let y = Math.max(0, top!); y < Math.min(image.height, top! + dotPx); y++) {
      for (let x = Math.max(0, left!); x < Math.min(image.width, left! + dotPx); x++) {
        image.data.set(LANDMARK_COLOUR, 3 * (y * image.width + x));
      }
    }
  }
}
