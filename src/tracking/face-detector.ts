// Finds faces in a picture: BlazeFace over the whole picture, letterboxed to a square.
// Source: Bazarevsky et al., "BlazeFace", 2019; anchors as in MediaPipe's back-camera model: 2 in each cell
// of a 16 x 16 grid, 6 in each of an 8 x 8 grid, all of one size, so an anchor is just its cell's centre.

import type { AffineMap, RgbImage } from '../media/index.ts';
import { warpAffine } from '../media/index.ts';
import type { Device, Session } from '../tensor/index.ts';

/** One face of a picture; all values in its pixels. */
export type DetectedFace = {
  /** 0 to 1. */
  readonly score: number;
  readonly leftPx: number;
  readonly topPx: number;
  readonly rightPx: number;
  readonly bottomPx: number;
  /** Right eye, left eye (the subject's), nose tip, mouth, right ear, left ear. */
  readonly keyPointsPx: readonly (readonly [x: number, y: number])[];
};

/** Finds faces. Owns a session: dispose of it, or hold it with `await using`. */
export type FaceDetector = {
  /**
   * All faces that score at least `minScore` (default 0.5), the largest first.
   * @param options.closely where the whole picture shows none, its parts are looked at too: finds heads down to
   *   about a fortieth of the picture, and takes 25 times as long where there is nobody
   * @param options.part where the whole picture shows none, this one of its parts, counted over and over, is looked
   *   at too: the same search, a part a picture
   */
  detect(
    image: RgbImage,
    options?: { readonly minScore?: number; readonly closely?: boolean; readonly part?: number },
  ): Promise<DetectedFace[]>;
  [Symbol.asyncDispose](): Promise<void>;
};

const INPUT_SIZE = 256;
const ANCHOR_GRIDS = [
  { cells: 16, perCell: 2 },
  { cells: 8, perCell: 6 },
] as const;
const VALUES_PER_ANCHOR = 16;
const KEY_POINTS = 6;
/** Sides of the parts that are looked at where the whole shows nobody, over the picture's longer side. */
const PART_SHARES = [0.5, 0.25];
/** Boxes that overlap more than this are the same face. */
const OVERLAP_LIMIT = 0.3;

/** Loads the detector; `model` is `models/perception/face-detector.onnx`. */
export async function createFaceDetector(device: Device, model: Uint8Array): Promise<FaceDetector> {
  const session = await device.createSession(model);
  const anchors = anchorCentres();
  return {
    async detect(image, { minScore = 0.5, closely = false, part } = {}) {
      const look = (window: Square): Promise<DetectedFace[]> =>
        detectFaces(session, anchors, image, window, minScore);
      const { width, height } = image;
      const side = Math.max(width, height);
      let faces = await look({ left: (width - side) / 2, top: (height - side) / 2, side });
      for (const share of closely ? PART_SHARES : []) {
        if (faces.length > 0) break;
        for (const window of partsOf(image, share * side)) faces.push(...(await look(window)));
      }
      if (faces.length === 0 && part !== undefined) {
        const windows = PART_SHARES.flatMap((share) => partsOf(image, share * side));
        faces = await look(windows[part % windows.length]!);
      }
      faces = mergeOverlapping(faces);
      return faces.sort((a, b) => area(b) - area(a));
    },
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  };
}

function anchorCentres(): Float32Array {
  const centres: number[] = [];
  for (const { cells, perCell } of ANCHOR_GRIDS) {
    for (let y = 0; y < cells; y++) {
      for (let x = 0; x < cells; x++) {
        for (let n = 0; n < perCell; n++) centres.push((x + 0.5) / cells, (y + 0.5) / cells);
      }
    }
  }
  return Float32Array.from(centres);
}

type Square = { readonly left: number; readonly top: number; readonly side: number };

/** Squares of a side that cover a picture, each half over the next. */
function partsOf({ width, height }: RgbImage, side: number): Square[] {
  const starts = (length: number): number[] => {
    const count = Math.max(1, Math.ceil((2 * (length - side)) / side) + 1);
    const step = count === 1 ? 0 : (length - side) / (count - 1);
    return Array.from({ length: count }, (_, i) => (count === 1 ? (length - side) / 2 : i * step));
  };
  return starts(height).flatMap((top) => starts(width).map((left) => ({ left, top, side })));
}

async function detectFaces(
  session: Session,
  anchors: Float32Array,
  image: RgbImage,
  { left, top, side }: Square,
  minScore: number,
): Promise<DetectedFace[]> {
  const scale = side / INPUT_SIZE;
  const sourceFromTarget: AffineMap = [scale, 0, left, 0, scale, top];
  const size = { width: INPUT_SIZE, height: INPUT_SIZE };
  const planar = warpAffine(image, { sourceFromTarget, ...size, border: 'black' });
  const { scores, boxes } = await session.run({ image: { ...planar, shape: [1, ...planar.shape] } });
  const logits = scores!.data as Float32Array;
  const values = boxes!.data as Float32Array;
  const faces: DetectedFace[] = [];
  for (let i = 0; i < logits.length; i++) {
    const score = 1 / (1 + Math.exp(-logits[i]!));
    if (score < minScore) continue;
    const row = values.subarray(i * VALUES_PER_ANCHOR, (i + 1) * VALUES_PER_ANCHOR);
    const x = (k: number): number => (row[k]! / INPUT_SIZE + anchors[2 * i]!) * side + left;
    const y = (k: number): number => (row[k]! / INPUT_SIZE + anchors[2 * i + 1]!) * side + top;
    const [halfWidth, halfHeight] = [(row[2]! * scale) / 2, (row[3]! * scale) / 2];
    faces.push({
      score,
      leftPx: x(0) - halfWidth,
      topPx: y(1) - halfHeight,
      rightPx: x(0) + halfWidth,
      bottomPx: y(1) + halfHeight,
      keyPointsPx: Array.from({ length: KEY_POINTS }, (_, k) => [x(4 + 2 * k), y(5 + 2 * k)] as const),
    });
  }
  return faces;
}

const area = (face: DetectedFace): number => (face.rightPx - face.leftPx) * (face.bottomPx - face.topPx);

/** Boxes of one face become their mean, weighted by score: steadier than keeping the best. */
function mergeOverlapping(faces: readonly DetectedFace[]): DetectedFace[] {
  const rest = [...faces].sort((a, b) => b.score - a.score);
  const merged: DetectedFace[] = [];
  while (rest.length > 0) {
    const best = rest[0]!;
    const same = rest.filter((face) => overlap(best, face) > OVERLAP_LIMIT);
    for (const face of same) rest.splice(rest.indexOf(face), 1);
    merged.push(meanFace(same.length > 0 ? same : [best], best.score));
    if (same.length === 0) rest.shift();
  }
  return merged;
}

function meanFace(faces: readonly DetectedFace[], score: number): DetectedFace {
  const total = faces.reduce((sum, face) => sum + face.score, 0);
  const mean = (value: (face: DetectedFace) => number): number =>
    faces.reduce((sum, face) => sum + face.score * value(face), 0) / total;
  return {
    score,
    leftPx: mean((face) => face.leftPx),
    topPx: mean((face) => face.topPx),
    rightPx: mean((face) => face.rightPx),
    bottomPx: mean((face) => face.bottomPx),
    keyPointsPx: Array.from(
      { length: KEY_POINTS },
      (_, k) => [mean((face) => face.keyPointsPx[k]![0]), mean((face) => face.keyPointsPx[k]![1])] as const,
    ),
  };
}

function overlap(a: DetectedFace, b: DetectedFace): number {
  const width = Math.min(a.rightPx, b.rightPx) - Math.max(a.leftPx, b.leftPx);
  const height = Math.min(a.bottomPx, b.bottomPx) - Math.max(a.topPx, b.topPx);
  if (width <= 0 || height <= 0) return 0;
  const shared = width * height;
  return shared / (area(a) + area(b) - shared);
}
