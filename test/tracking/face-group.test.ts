// Following several faces, with a detector and a landmark network that read a script instead of pictures.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type RgbImage, solidImage } from '../../src/media/index.ts';
import { findClipFaces } from '../../src/tracking/clip-faces.ts';
import { createFaceGroup } from '../../src/tracking/face-group.ts';
import type {
  DetectedFace,
  FaceDetector,
  FaceLandmarks,
  FaceRegion,
  LandmarkNetwork,
} from '../../src/tracking/index.ts';

/** Who is where in a frame: the centre of a face of 100 pixels, by name. */
type Scene = Readonly<Record<string, readonly [x: number, y: number]>>;
const SIZE = 100;

/** A picture that stands for a scene. */
const pictures = new WeakMap<RgbImage, Scene>();
function pictureOf(scene: Scene): RgbImage {
  const image = solidImage(4, 4, [0, 0, 0]);
  pictures.set(image, scene);
  return image;
}

function landmarksAt([x, y]: readonly [number, number]): Float32Array {
  const landmarks = new Float32Array(2 * 478);
  for (let i = 0; i < 478; i++) {
    landmarks.set([x + (SIZE / 2) * Math.cos(i), y + (SIZE / 2) * Math.sin(i)], 2 * i);
  }
  landmarks.set([x - 30, y], 2 * 33);
  landmarks.set([x + 30, y], 2 * 263);
  return landmarks;
}

const detector: FaceDetector = {
  async detect(image) {
    return Object.values(pictures.get(image)!).map(([x, y]): DetectedFace => {
      const box = {
        leftPx: x - SIZE / 2,
        rightPx: x + SIZE / 2,
        topPx: y - SIZE / 2,
        bottomPx: y + SIZE / 2,
      };
      return {
        score: 1,
        ...box,
        keyPointsPx: [
          [x - 20, y],
          [x + 20, y],
        ],
      };
    });
  },
  async [Symbol.asyncDispose]() {},
};

/** Finds whoever is nearest to the region's centre, as the network does when two faces are in a region. */
const network: LandmarkNetwork = {
  async locate(image: RgbImage, { centreXPx, centreYPx, sizePx }: FaceRegion) {
    const away = ([x, y]: readonly [number, number]): number => Math.hypot(x - centreXPx, y - centreYPx);
    const [nearest] = Object.values(pictures.get(image)!).sort((a, b) => away(a) - away(b));
    const isThere = nearest !== undefined && away(nearest) < sizePx / 2;
    return { landmarksPx: landmarksAt(nearest ?? [0, 0]), presence: isThere ? 1 : 0 } as FaceLandmarks;
  },
  async [Symbol.asyncDispose]() {},
};

/** Where each followed face is in every scene; null where it is not seen. */
async function follow(scenes: readonly Scene[], cuts: readonly number[] = []): Promise<(number | null)[][]> {
  const group = createFaceGroup(detector, network);
  const places: (number | null)[][] = [];
  for (const [i, scene] of scenes.entries()) {
    const found = await group.next(pictureOf(scene), { isNewShot: cuts.includes(i) });
    places.push(
      found.map((face) => face && Math.round((face.landmarksPx[2 * 33]! + face.landmarksPx[2 * 263]!) / 2)),
    );
  }
  return places;
}

test('two who look alike keep apart while they come near each other and part again', async () => {
  const gaps = [300, 220, 150, 110, 150, 220, 300];
  const places = await follow(
    gaps.map((gap) => ({ anna: [500 - gap / 2, 200], berta: [500 + gap / 2, 200] })),
  );
  assert.deepEqual(
    places,
    gaps.map((gap) => [500 - gap / 2, 500 + gap / 2]),
  );
});

test('where one goes behind the other, the one who moved less keeps the face', async () => {
  const scenes: Scene[] = [
    { anna: [200, 200], berta: [300, 200] },
    { anna: [200, 200], berta: [260, 200] },
    { anna: [200, 200] },
    { anna: [205, 200] },
  ];
  assert.deepEqual(await follow(scenes), [
    [200, 300],
    [200, 260],
    [200, null],
    [205, null],
  ]);
});

test('a face that comes back near its place is the same, one that comes elsewhere is another', async () => {
  const scenes: Scene[] = [{ anna: [200, 200] }, {}, {}, { anna: [230, 200] }, {}, {}, { clara: [700, 200] }];
  assert.deepEqual(await follow(scenes), [[200], [null], [null], [230], [null], [null], [null, 700]]);
});

test('a newcomer is met within five frames', async () => {
  const both: Scene = { anna: [200, 200], berta: [600, 200] };
  const places = await follow([{ anna: [200, 200] }, both, both, both, both, both]);
  assert.deepEqual(places.at(-1), [200, 600]);
});

test('after a cut only who is in the same place is the same', async () => {
  const scenes: Scene[] = [{ anna: [200, 200] }, { berta: [290, 200] }, { anna: [210, 200] }];
  assert.deepEqual(await follow(scenes.slice(0, 2)), [[200], [290]]);
  assert.deepEqual(await follow(scenes, [1, 2]), [[200], [null, 290], [210, null]]);
});

test('the faces of a clip are counted from left to right, and passers-by are left out', async () => {
  async function* frames() {
    for (let i = 0; i < 40; i++) {
      const passing: Scene = i === 20 ? { somebody: [50, 200] } : {};
      const image = pictureOf({ berta: [i === 30 ? 601 : 600, 200], anna: [200 + i, 200], ...passing });
      yield { timestampSeconds: i / 25, image };
    }
  }
  const said: string[] = [];
  const { faces } = await findClipFaces(frames(), createFaceGroup(detector, network), {
    onEvent: (event) => event.kind === 'log' && said.push(event.message),
    isCut: (image) => pictures.get(image)!.berta![0] === 601,
  });
  assert.equal(faces.length, 2);
  const cuts = faces.map((seen) => seen.flatMap(({ startsShot }, frame) => (startsShot ? [frame] : [])));
  assert.deepEqual(cuts, [[30], [30]]);
  const firstX = faces.map((seen) => Math.round(seen[0]!.face!.landmarksPx[2 * 33]!));
  assert.deepEqual(firstX, [170, 570]);
  assert.ok(faces.every((seen) => seen.length === 40 && seen.every(({ face }) => face !== null)));
  assert.match(said.join(), /1 faces are left out: they are seen in fewer than 4 frames/);
});
