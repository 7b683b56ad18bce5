// Several pictures of one moment, with or without a calibration file, to one head and its cameras.

import { basename } from 'node:path';
import {
  type CalibratedCamera,
  type CameraFileView,
  encodeCameraFile,
  parseCalibration,
  stemOf,
} from '../dataset/index.ts';
import { BadInputError } from '../errors/index.ts';
import type { Camera } from '../geometry/index.ts';
import type { HeadModel, HeadTrack } from '../head/index.ts';
import type { RgbImage } from '../media/index.ts';
import type { Tracker, ViewsTrack } from '../tracking/index.ts';
import { readImage } from './image-file.ts';
import { readBytes } from './model-files.ts';
import type { FileTrack, TrackFileOptions } from './track-input.ts';

/** One head of several pictures, as a track of one frame: what the first view with a face sees. */
export type ViewsFileTrack = FileTrack & {
  /** The picture that the track belongs to. */
  readonly worldPath: string;
  /** In the order of the pictures. */
  readonly views: readonly CameraFileView[];
  /** The text of a camera file. */
  readonly cameraFile: string;
};

/**
 * Fits one head to pictures of one moment.
 * @param options.cameras the path of a calibration: a camera file, NeRSemble's, or a `transforms.json`
 * @throws BadInputError if a file is no picture, a camera is missing, or no picture shows a face
 */
export async function trackViewFiles(
  tracker: Tracker,
  head: HeadModel,
  paths: readonly string[],
  options: Pick<TrackFileOptions, 'emit' | 'signal' | 'focalPx'> & { readonly cameras?: string | undefined },
): Promise<ViewsFileTrack> {
  const { emit, signal, focalPx, cameras } = options;
  const calibration =
    cameras === undefined ? null : parseCalibration(await readBytes(cameras, 'a calibration'), cameras);
  const images: RgbImage[] = [];
  for (const path of paths) {
    signal.throwIfAborted();
    const { image, notes } = await readImage(path);
    for (const message of notes) emit({ kind: 'log', level: 'warning', message });
    images.push(image);
    emit({ kind: 'progress', stage: 'read', done: images.length, total: paths.length, unit: 'views' });
  }
  const inputs = images.map((image, i) =>
    calibration === null ? { image } : { image, camera: cameraOf(calibration, paths[i]!, image, cameras!) },
  );
  const found = await tracker.trackViews(inputs, focalPx === undefined ? {} : { focalPx });
  const views = found.views.map(({ camera, landmarksPx, landmarkError }, i): CameraFileView => {
    const { width, height } = images[i]!;
    const hasFace = landmarksPx !== null;
    return {
      name: basename(paths[i]!),
      width,
      height,
      camera,
      hasFace,
      landmarkError: hasFace ? landmarkError : null,
    };
  });
  warn(found, views, emit);
  const errors = found.views
    .map(({ landmarkError }) => landmarkError)
    .filter((error) => !Number.isNaN(error));
  const world = found.views[found.world]!;
  return {
    track: trackOfMoment(head, found, images[found.world]!, paths[found.world]!, world.camera!),
    frames: 1,
    framesTracked: 1,
    framesPerSecond: null,
    landmarkErrors: Float32Array.of(world.landmarkError),
    lipContrasts: Float32Array.of(Number.NaN),
    shots: [],
    landmarkErrorMedian: errors.sort((a, b) => a - b)[errors.length >> 1]!,
    worldPath: paths[found.world]!,
    views,
    cameraFile: encodeCameraFile(views),
  };
}

/** The calibrated camera of a picture: by its name, or that without NeRSemble's `cam_`. */
function cameraOf(
  calibration: ReadonlyMap<string, CalibratedCamera>,
  path: string,
  { width, height }: RgbImage,
  file: string,
): Camera {
  const stem = stemOf(path);
  const camera = calibration.get(stem) ?? calibration.get(stem.replace(/^cam_/, ''));
  if (camera !== undefined) return { ...camera, width, height };
  throw new BadInputError({
    code: 'no-such-camera',
    message: `Expected a camera for ${stem} in ${file}, but it has ${[...calibration.keys()].slice(0, 8).join(', ')}.`,
    hint: 'Name pictures as the calibration does, or leave --cameras out: cameras are then found.',
  });
}

function warn(found: ViewsTrack, views: readonly CameraFileView[], emit: TrackFileOptions['emit']): void {
  const say = (message: string): void => emit({ kind: 'log', level: 'warning', message });
  const lost = views.filter(({ hasFace }) => !hasFace).map(({ name }) => name);
  if (lost.length > 0) {
    say(
      `No face in ${lost.length} of ${views.length} views: ${lost.join(', ')}. The others say what there is to know.`,
    );
  }
  if (found.unitMetres !== 1) {
    const unit = found.unitMetres.toPrecision(3);
    say(`The calibration is not in metres: one unit was found to be about ${unit} m, by the size of heads.`);
  }
  const { camera, width, height } = views[found.world]!;
  if (Math.hypot(camera!.centreXPx - width / 2, camera!.centreYPx - height / 2) > 0.02 * width) {
    say(
      'The first view is not centred on its axis, and a track is: its mesh lies beside the face by that much.',
    );
  }
}

function trackOfMoment(
  head: HeadModel,
  { parameters, views, world }: ViewsTrack,
  { width, height }: RgbImage,
  source: string,
  camera: Camera,
): HeadTrack {
  const { landmarksPx, confidence } = views[world]!;
  return {
    headName: head.name,
    width,
    height,
    focalPx: camera.focalXPx,
    timestampsSeconds: Float64Array.of(0),
    identity: parameters.identity,
    expression: parameters.expression,
    jointRotations: parameters.jointRotations,
    translation: parameters.translation,
    confidence: Float32Array.of(confidence),
    landmarksPx: landmarksPx!,
    provenance: { source, views: String(views.length) },
  };
}
