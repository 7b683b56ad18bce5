// One moment that several cameras see, to one head: a face in every view, the fit of all of them together, and the
// cameras. Without a calibration the first view with a face is the world.

import {
  type Camera,
  composeTransforms,
  FRONT_CAMERA_FROM_WORLD,
  frontCamera,
  invertRotation,
  invertTransform,
  multiplyRotations,
  type RigidTransform,
  rotate,
} from '../geometry/index.ts';
import type { HeadParameters } from '../head/index.ts';
import type { RgbImage } from '../media/index.ts';
import { freeRig, type KnownView, knownRig } from './camera-rig.ts';
import { noFace } from './complaints.ts';
import type { FaceDetector } from './face-detector.ts';
import { createFaceFollower, type FollowedFace } from './face-follower.ts';
import type { LandmarkNetwork } from './face-landmarks.ts';
import { FOCAL_DEVIATION } from './fit-clip.ts';
import { fitFrame } from './fit-frame.ts';
import { inPose, landmarkErrorOf, trustOf } from './fit-portrait.ts';
import { costOf, type FitView, fitViews, frameIn, type MomentState, shareOfView } from './fit-views.ts';
import { believedIdentity, createFrameBeliefs, type FrameBelief } from './frame-beliefs.ts';
import { firstPoseOf } from './frame-chain.ts';
import { FrameSystem } from './frame-system.ts';
import { type FrameState, parametersOf } from './head-state.ts';
import type { LandmarkModel } from './landmark-model.ts';
import { shapeLandmarks } from './landmark-projection.ts';
import type { LearnedPrior } from './learned-prior.ts';
import { assumedFocalPx, observeLandmarks } from './observe.ts';
import { headInWorld } from './view-triangulation.ts';

/** One of several views of a moment. */
export type View = {
  readonly image: RgbImage;
  /** Where it was taken from, where that is known: of all views or of none. In metres, or any one unit. */
  readonly camera?: Camera;
};

/** What was found in a view. */
export type TrackedView = {
  /** In metres; null where nothing tells it: no calibration, and no face. */
  readonly camera: Camera | null;
  /** `478 2`, pixels; null where no face was found. */
  readonly landmarksPx: Float32Array | null;
  /** Mean distance of seen and fitted landmarks over the size of the face; NaN where no face was found. */
  readonly landmarkError: number;
  /** 0 to 1. */
  readonly confidence: number;
};

/** One head of all views. */
export type ViewsTrack = {
  /** In the world of the cameras, where the camera of view `world` stands at the origin and looks along -z. */
  readonly parameters: HeadParameters;
  /** The first view with a face. */
  readonly world: number;
  readonly views: readonly TrackedView[];
  /** What one unit of the calibration is, metres; 1 without one. */
  readonly unitMetres: number;
};

/**
 * Landmarks are wrong in the same way in all views: they count for less than their number beside what is believed of the
 * identity, the more so where that is learned and not of the population alone.
 */
const IDENTITY_PRECISION = { learned: 8, plain: 4 };
/** Views of known cameras tell the turn together: what each by itself says of it counts less. */
const KNOWN_TURN_SHARE = 0.5;
const POSE_ONLY = { iterations: 4, tolerance: 1e-3 };
const ROUGHLY = { iterations: 8, tolerance: 1e-2 };
const FULLY = { iterations: 20, tolerance: 1e-4 };
/** A calibration whose unit seems nearer to a metre than this factor is taken to be in metres. */
const METRE_FACTOR = 1.3;
const UNIT_DEVIATION = 0.1;
/** The cosine of the turn at which a view counts for nothing, and for all it says. */
const FACING = { least: 0.45, whole: 0.7 };
const LEAST_TRUST = 0.01;
const AXES_FLIP = FRONT_CAMERA_FROM_WORLD;

type SeenView = {
  readonly view: View;
  readonly face: FollowedFace;
  readonly landmarksPx: Float32Array;
  readonly centre: { readonly xPx: number; readonly yPx: number };
  readonly belief: FrameBelief;
  readonly focalPx: number;
  /** The head as this view alone would have it. */
  readonly alone: FrameState;
};

/**
 * Fits one head to several views of one moment.
 * @param options.focalPx of all views without a calibration, where it is known
 * @throws BadInputError `no-face` where no view shows one
 */
export async function trackViews(
  parts: {
    readonly model: LandmarkModel;
    readonly learned: LearnedPrior | null;
    readonly detector: FaceDetector;
    readonly network: LandmarkNetwork;
  },
  views: readonly View[],
  { focalPx }: { readonly focalPx?: number } = {},
): Promise<ViewsTrack> {
  const { model, learned, detector, network } = parts;
  const faces: (FollowedFace | null)[] = [];
  for (const { image } of views) faces.push(await createFaceFollower(detector, network).next(image));
  return fitSeenViews(model, learned, views, faces, focalPx);
}

/** The fit of views whose faces were looked for. @throws BadInputError `no-face` */
export function fitSeenViews(
  model: LandmarkModel,
  learned: LearnedPrior | null,
  views: readonly View[],
  faces: readonly (FollowedFace | null)[],
  focalPx?: number,
): ViewsTrack {
  const world = faces.findIndex((face) => face !== null);
  if (world < 0) throw noFace('any of the views');
  const small = new FrameSystem(model, { withShared: false });
  const seen = faces.flatMap((face, i): SeenView[] =>
    face === null ? [] : [lookAlone(model, learned, small, views[i]!, face, focalPx)],
  );
  const isCalibrated = seen.every(({ view }) => view.camera !== undefined);
  const identity = believedIdentity(
    model,
    seen.map(({ belief }) => belief),
    IDENTITY_PRECISION[learned === null ? 'plain' : 'learned'],
    { areApart: true },
  );
  const system = new FrameSystem(model, { withShared: true });
  const observe = (rotations: readonly Float64Array[], agreement: readonly number[] | null): FitView[] => {
    const trusts = rotations.map((rotation, i) => facingTrust(rotation) * (agreement?.[i] ?? 1));
    const total = trusts.reduce((sum, trust) => sum + trust, 0);
    return seen.map(({ landmarksPx, centre, belief: { prior } }, i) => {
      const whole = { seen: observeLandmarks(model, landmarksPx, centre, rotations[i]!), prior };
      const share = trusts[i]! / total;
      return shareOfView(whole, share, share * (isCalibrated && seen.length > 1 ? KNOWN_TURN_SHARE : 1));
    });
  };
  const first = observe(
    seen.map(({ alone }) => alone.rotation),
    null,
  );
  const starts = isCalibrated
    ? calibratedStarts(model, seen, views[world]!, identity.mean)
    : [freeStart(model, seen, focalPx, identity.mean)];
  const costs = starts.map((state) => costOf(model, system, first, state, identity));
  const start = starts[costs.indexOf(Math.min(...costs))]!;
  const rough = fitViews(model, system, first, start, identity, ROUGHLY);
  const errors = landmarkErrors(model, system, seen, first, rough);
  const usual = [...errors].sort((a, b) => a - b)[(errors.length - 1) >> 1]!;
  const joints = shapeLandmarks(model, rough.identity).joints;
  const again = observe(
    seen.map((_, i) => frameIn(rough, i, joints).rotation),
    errors.map((error) => (error > usual ? (usual / error) ** 2 : 1)),
  );
  const state = fitViews(model, system, again, rough, identity, FULLY);
  const found = landmarkErrors(model, system, seen, again, state);
  return pack(model, { views, faces, seen, errors: found, state, world, isCalibrated });
}

/** How much a view counts by the head's turn: landmarks of far turned faces are drawn as of less turned ones. */
function facingTrust(rotation: Float64Array): number {
  const facing = (rotation[8]! - FACING.least) / (FACING.whole - FACING.least);
  return Math.min(1, Math.max(LEAST_TRUST, facing));
}

/** The mean distance of seen and fitted landmarks in each view, over the size of the face. */
function landmarkErrors(
  model: LandmarkModel,
  system: FrameSystem,
  seen: readonly SeenView[],
  fitted: readonly FitView[],
  state: MomentState,
): number[] {
  const shaped = shapeLandmarks(model, state.identity);
  return seen.map(({ landmarksPx }, i) => {
    const view = fitted[i]!;
    const frame = frameIn(state, i, shaped.joints);
    system.evaluate(view.seen, frame, shaped, state.rig.focalPx(i), view.prior);
    return landmarkErrorOf(landmarksPx, system.pixels, view.seen.scalePx);
  });
}

function lookAlone(
  model: LandmarkModel,
  learned: LearnedPrior | null,
  system: FrameSystem,
  view: View,
  face: FollowedFace,
  knownPx: number | undefined,
): SeenView {
  const { image, camera } = view;
  const centre = { xPx: camera?.centreXPx ?? image.width / 2, yPx: camera?.centreYPx ?? image.height / 2 };
  const landmarksPx = squarePixels(face.landmarksPx, camera);
  const focalPx = camera?.focalXPx ?? knownPx ?? assumedFocalPx(image, landmarksPx);
  // By itself: the median of faces from all around is nobody's face at rest.
  const squared = { ...face, landmarksPx };
  const belief = createFrameBeliefs(model, learned, [squared], centre).about(squared);
  const shaped = shapeLandmarks(model, new Float64Array(model.identityCount));
  const pose = firstPoseOf(model, system, { landmarksPx, centre, belief, shaped, focalPx });
  const seen = observeLandmarks(model, landmarksPx, centre, pose.rotation);
  const start = inPose(belief.start, pose);
  const { frame } = fitFrame(system, seen, start, shaped, focalPx, belief.prior, POSE_ONLY);
  return { view, face, landmarksPx, centre, belief, focalPx, alone: frame };
}

/** Landmarks as a camera with equal focal lengths would have them. */
function squarePixels(landmarksPx: Float32Array, camera: Camera | undefined): Float32Array {
  if (camera === undefined || camera.focalXPx === camera.focalYPx) return landmarksPx;
  const stretch = camera.focalXPx / camera.focalYPx;
  return landmarksPx.map((value, i) =>
    i % 2 === 0 ? value : camera.centreYPx + stretch * (value - camera.centreYPx),
  );
}

/** Expression of the views' mean belief. */
function commonStart(seen: readonly SeenView[]): Pick<MomentState, 'hinges' | 'expression'> {
  const mean = (of: (frame: FrameState) => Float64Array): Float64Array =>
    of(seen[0]!.alone).map((_, k) => seen.reduce((sum, { alone }) => sum + of(alone)[k]! / seen.length, 0));
  return { hinges: mean(({ hinges }) => hinges), expression: mean(({ expression }) => expression) };
}

/** Views of pictures of one size were taken with one lens. */
function freeStart(
  model: LandmarkModel,
  seen: readonly SeenView[],
  focalPx: number | undefined,
  identity: Float64Array,
): MomentState {
  const sizes = seen.map(({ view: { image } }) => `${image.width} x ${image.height}`);
  const kinds = [...new Set(sizes)];
  const lenses = kinds.map((kind) => {
    const own = seen.filter((_, i) => sizes[i] === kind).map((view) => view.focalPx);
    const expectedPx = own.sort((a, b) => a - b)[own.length >> 1]!;
    return { focalPx: expectedPx, expectedPx, deviation: focalPx === undefined ? FOCAL_DEVIATION : 0 };
  });
  const lensOf = sizes.map((size) => kinds.indexOf(size));
  const poses = seen.map(({ alone, focalPx: assumed }, i) => {
    const translation = alone.translation.slice();
    translation[2]! *= lenses[lensOf[i]!]!.focalPx / assumed;
    return { rotation: alone.rotation, translation };
  });
  return { ...commonStart(seen), identity, rig: freeRig(model, poses, lenses, lensOf) };
}

/** One start for each view's opinion of the head's turn. The world is the camera of the first view. */
function calibratedStarts(
  model: LandmarkModel,
  seen: readonly SeenView[],
  first: View,
  identity: Float64Array,
): MomentState[] {
  const worldFromCalibration = frontFromWorld(first.camera!);
  const views = seen.map(({ view, focalPx }): KnownView => {
    const viewFromWorld = composeTransforms(
      frontFromWorld(view.camera!),
      invertTransform(worldFromCalibration),
    );
    return {
      viewFromWorld: Float64Array.from(viewFromWorld.rotation),
      translation: Float64Array.from(viewFromWorld.translation),
      focalPx,
    };
  });
  const pivot = model.joints.subarray(0, 3);
  const heads = seen.map(({ alone }) => alone.translation.map((value, k) => value + pivot[k]!));
  const { place, metres } = headInWorld(views, heads);
  const isMetric = Math.max(metres, 1 / metres) < METRE_FACTOR;
  const unit = isMetric
    ? { metres: 1, expectedMetres: 1, deviation: 0 }
    : { metres, expectedMetres: metres, deviation: UNIT_DEVIATION };
  const { place: where } = isMetric ? headInWorld(views, heads, 1) : { place };
  const common = commonStart(seen);
  return seen.map(({ alone }, i) => {
    const worldFromView = Float64Array.from(
      invertTransform({ rotation: views[i]!.viewFromWorld, translation: [0, 0, 0] }).rotation,
    );
    const head = {
      rotation: multiplyRotations(worldFromView, alone.rotation),
      translation: where.map((value, k) => value - pivot[k]!),
    };
    return { ...common, identity, rig: knownRig(model, head, views, unit) };
  });
}

/** A camera's pose in axes that look along -z with y up. */
function frontFromWorld({ cameraFromWorld }: Camera): RigidTransform {
  return composeTransforms(AXES_FLIP, cameraFromWorld);
}

/** The result: the head in the first view's world, cameras and errors of all views. */
function pack(
  model: LandmarkModel,
  fit: {
    readonly views: readonly View[];
    readonly faces: readonly (FollowedFace | null)[];
    readonly seen: readonly SeenView[];
    /** Of the views with a face. */
    readonly errors: readonly number[];
    readonly state: MomentState;
    readonly world: number;
    readonly isCalibrated: boolean;
  },
): ViewsTrack {
  const { views, faces, seen, errors, state, world, isCalibrated } = fit;
  const shaped = shapeLandmarks(model, state.identity);
  const pivot = shaped.joints.subarray(0, 3);
  const frames = seen.map((_, i) => frameIn(state, i, shaped.joints));
  const head = frames[0]!;
  const unitMetres = state.rig.unitMetres;
  const worldFromCalibration = isCalibrated ? frontFromWorld(views[world]!.camera!) : null;
  let next = 0;
  const tracked = views.map(({ image, camera }, i): TrackedView => {
    const face = faces[i]!;
    const known =
      worldFromCalibration === null || camera === undefined
        ? null
        : inMetres(camera, worldFromCalibration, unitMetres);
    if (face === null) return { camera: known, landmarksPx: null, landmarkError: Number.NaN, confidence: 0 };
    const at = next++;
    const frame = frames[at]!;
    const focalPx = state.rig.focalPx(at);
    const landmarkError = errors[at]!;
    return {
      camera: known ?? cameraBefore(frontCamera(image.width, image.height, focalPx), frame, head, pivot),
      landmarksPx: face.landmarksPx,
      landmarkError,
      confidence: face.presence * trustOf(landmarkError),
    };
  });
  return { parameters: parametersOf(model.head, head, state.identity), world, views: tracked, unitMetres };
}

/** A known camera in metres, in the world of another. */
function inMetres(camera: Camera, worldFromCalibration: RigidTransform, metres: number): Camera {
  const { rotation, translation } = composeTransforms(
    camera.cameraFromWorld,
    invertTransform(worldFromCalibration),
  );
  return {
    ...camera,
    cameraFromWorld: { rotation, translation: Array.from(translation, (value) => metres * value) },
  };
}

/** The camera before which a head that is `head` in the world looks like `frame`. */
function cameraBefore(camera: Camera, frame: FrameState, head: FrameState, pivot: Float64Array): Camera {
  const rotation = multiplyRotations(frame.rotation, invertRotation(head.rotation));
  const place = rotate(
    rotation,
    pivot.map((value, k) => value + head.translation[k]!),
  );
  const translation = place.map((value, k) => frame.translation[k]! + pivot[k]! - value);
  return { ...camera, cameraFromWorld: composeTransforms(AXES_FLIP, { rotation, translation }) };
}
