// Fits rendered subjects from a dozen views each and compares with the truth: with the true cameras, and with
// cameras that are found too. Views without a face are counted.
//
//   npm run -s bench:multi-view [-- --subjects 20] [--size 256] [--zoom 1.6] [--assets DIR] [--keep DIR]
//     [--first-seed 507000]
// --first-seed: other subjects; those below 500000 are to choose constants by and not to measure with.
// The last line is one JSON object.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  axisAngleFromRotation,
  type Camera,
  multiplyRotations,
  projectPoint,
  rotationFromAxisAngle,
} from '../src/geometry/index.ts';
import { createHeadPoser, type HeadModel, type HeadParameters } from '../src/head/index.ts';
import { createDevice, loadEmbeddedHead, loadTracker, readAssetFolder } from '../src/node/index.ts';
import { createRenderTools } from '../src/synthesis/index.ts';
import type { ViewsTrack } from '../src/tracking/index.ts';
import { FIRST_HELD_OUT_SEED } from '../tools/train-tracking-prior/rendered-takes.ts';
import { storedTake } from '../tools/train-tracking-prior/stored-takes.ts';
import { renderMoment, trueCameras } from './multi-view/rendered-views.ts';
import { angleBetween, createShapeComparison, median } from './tracking-truth/truth-metrics.ts';

const [RIGHT_CORNER, LEFT_CORNER] = [33, 263];

const { values } = parseArgs({
  options: {
    subjects: { type: 'string', default: '20' },
    size: { type: 'string', default: '256' },
    zoom: { type: 'string', default: '1.6' },
    assets: { type: 'string', default: join(import.meta.dirname, '../../shared/heads/makehuman/assets') },
    keep: { type: 'string' },
    'first-seed': { type: 'string', default: String(FIRST_HELD_OUT_SEED + 7000) },
  },
});
const [subjects, sizePx, zoom, firstSeed] = [
  values.subjects,
  values.size,
  values.zoom,
  values['first-seed'],
].map(Number) as [number, number, number, number];
const head = await loadEmbeddedHead();
const tools = createRenderTools(head);
const assets = existsSync(values.assets) ? (await readAssetFolder(values.assets, head)).library : null;
await using tracker = await loadTracker(await createDevice('cpu'), head);
const poser = createHeadPoser(head);
const compareShapes = createShapeComparison(head);

type Row = {
  readonly rotationDegrees: number;
  readonly landmarkError: number;
  readonly seenError: number;
  readonly shapeMm: number;
  readonly focalRatio: number;
};
const rows: Record<'calibrated' | 'uncalibrated' | 'single', Row[]> = {
  calibrated: [],
  uncalibrated: [],
  single: [],
};
let [views, withoutFace] = [0, 0];
for (let i = 0; i < subjects; i++) {
  const seed = firstSeed + i;
  const path =
    values.keep === undefined ? null : join(values.keep, `moment-${seed}-${sizePx}-${zoom}.safetensors`);
  const take = await storedTake(path, () => renderMoment(tools, { seed, sizePx, zoom, assets }));
  const cameras = trueCameras(take.truths, sizePx, take.focalPx, rootJoint(head, take.truths[0]!.identity));
  const calibrated = await tracker.trackViews(
    take.images.map((image, v) => ({ image, camera: cameras[v]! })),
  );
  const uncalibrated = await tracker.trackViews(take.images.map((image) => ({ image })));
  rows.calibrated.push(compare(calibrated, take.truths, cameras));
  rows.uncalibrated.push(compare(uncalibrated, take.truths, cameras));
  // What one of these pictures alone would have given.
  const front = take.truths
    .map(({ jointRotations }) => Math.abs(jointRotations[1]!))
    .reduce((best, yaw, v, all) => (yaw < all[best]! ? v : best), 0);
  const single = await tracker.trackViews([{ image: take.images[front]! }]);
  rows.single.push(compare(single, [take.truths[front]!], [cameras[front]!]));
  views += take.images.length;
  withoutFace += calibrated.views.filter(({ landmarksPx }) => landmarksPx === null).length;
  console.error(JSON.stringify({ seed, calibrated: rows.calibrated[i], uncalibrated: rows.uncalibrated[i] }));
}

const result = {
  bench: 'multi-view',
  subjects,
  views,
  viewsWithoutFace: withoutFace,
  sizePx,
  hasAssets: assets !== null,
  ...Object.fromEntries(Object.entries(rows).map(([name, all]) => [name, figures(all)])),
};
console.log(JSON.stringify(result));

function figures(all: readonly Row[]) {
  const of = (pick: (row: Row) => number): { median: number; largest: number } => {
    const sorted = all.map(pick).sort((a, b) => a - b);
    return { median: Number(median(sorted).toFixed(4)), largest: Number(sorted.at(-1)!.toFixed(4)) };
  };
  return {
    rotationDegrees: of((row) => row.rotationDegrees),
    landmarkError: of((row) => row.landmarkError),
    seenError: of((row) => row.seenError),
    shapeMm: of((row) => row.shapeMm),
    focalRatio: of((row) => row.focalRatio),
  };
}

/** Medians over the views with a face: the head's turn before the camera, and where its landmarks fall. */
function compare(found: ViewsTrack, truths: readonly HeadParameters[], cameras: readonly Camera[]): Row {
  const seen = found.views.flatMap((view, v) => (view.landmarksPx === null ? [] : [{ view, v }]));
  const rotation = rotationFromAxisAngle(found.parameters.jointRotations.subarray(0, 3));
  const turns = seen.map(({ view, v }) => {
    const [r, front] = [view.camera!.cameraFromWorld.rotation, [1, 0, 0, 0, -1, 0, 0, 0, -1]];
    const inView = axisAngleFromRotation(multiplyRotations(multiplyRotations(front, r), rotation));
    return angleBetween(inView, truths[v]!.jointRotations.subarray(0, 3));
  });
  const errors = seen.map(({ view, v }) => {
    const a = landmarksIn(view.camera!, found.parameters);
    const camera = {
      ...cameras[v]!,
      cameraFromWorld: { rotation: [1, 0, 0, 0, -1, 0, 0, 0, -1], translation: [0, 0, 0] },
    };
    const b = landmarksIn(camera, truths[v]!);
    let sum = 0;
    for (let l = 0; l < a.length; l++) sum += Math.hypot(a[l]![0] - b[l]![0], a[l]![1] - b[l]![1]);
    return sum / a.length / eyeDistancePx(camera, truths[v]!);
  });
  return {
    rotationDegrees: median(turns),
    landmarkError: median(errors),
    seenError: median(seen.map(({ view }) => view.landmarkError)),
    shapeMm: compareShapes(found.parameters.identity, truths[0]!.identity),
    focalRatio: found.views[found.world]!.camera!.focalXPx / cameras[0]!.focalXPx,
  };
}

function landmarkPoints(parameters: HeadParameters): [number, number, number][] {
  const vertices = poser.pose(parameters);
  const { triangles, barycentrics } = head.landmarks!;
  return Array.from(triangles, (triangle, l) => {
    const point: [number, number, number] = [0, 0, 0];
    for (let c = 0; c < 3; c++) {
      const v = head.triangles[3 * triangle + c]!;
      for (let k = 0; k < 3; k++) point[k]! += barycentrics[3 * l + c]! * vertices[3 * v + k]!;
    }
    return point;
  });
}

function landmarksIn(camera: Camera, parameters: HeadParameters): [number, number, number][] {
  return landmarkPoints(parameters).map((point) => projectPoint(camera, point));
}

/** What the outer eye corners' distance measures when seen from the front, pixels. */
function eyeDistancePx(camera: Camera, parameters: HeadParameters): number {
  const points = landmarkPoints(parameters);
  const [a, b] = [points[RIGHT_CORNER]!, points[LEFT_CORNER]!];
  const width = Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
  return (camera.focalXPx * width) / Math.abs((a[2] + b[2]) / 2);
}

function rootJoint(model: HeadModel, identity: Float32Array): number[] {
  const vertexTotal = model.template.length / 3;
  const at = [0, 0, 0];
  for (let v = 0; v < vertexTotal; v++) {
    const weight = model.jointRegressor[v]!;
    if (weight === 0) continue;
    for (let k = 0; k < 3; k++) {
      let value = model.template[3 * v + k]!;
      for (let i = 0; i < identity.length; i++)
        value += identity[i]! * model.identityBasis[i * model.template.length + 3 * v + k]!;
      at[k]! += weight * value;
    }
  }
  return at;
}
