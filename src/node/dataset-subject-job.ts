// One synthetic subject as a clip of a dataset: rendered, encoded and packed on a worker thread.

import {
  clipKey,
  DATASET_FRAMES_PER_SECOND,
  type EncodedClip,
  encodeClip,
  type MapName,
} from '../dataset/index.ts';
import { projectPoint } from '../geometry/index.ts';
import {
  createHeadPoser,
  decodeHead,
  type HeadModel,
  type HeadPoser,
  type HeadTrack,
} from '../head/index.ts';
import { type RenderedSubject, renderViews, type ViewsJob } from '../synthesis/index.ts';
import { encodeDepth, encodeFrame, encodeMask, encodeNormals } from './dataset-pictures.ts';

/** What can be stored of a subject beside its pictures; the masks of head and person always are. */
export type SubjectMapName = Exclude<MapName, 'head' | 'person' | 'visibility'>;
const SURFACE_MAPS: readonly MapName[] = ['landmarks', 'normals', 'depth'];

/** A subject to render; plain data. */
export type SubjectJob = Omit<ViewsJob, 'hasMaps'> & {
  readonly maps: readonly SubjectMapName[];
  readonly licence: string;
  /** Whose motion the subject takes over; null: its own. */
  readonly motionName?: string | null;
};

/** The name of a subject, as item and as key of its clip. */
export function subjectName(seed: number): string {
  return `subject-${String(seed).padStart(6, '0')}`;
}

let known: { readonly length: number; readonly head: HeadModel; readonly poser: HeadPoser } | null = null;

/** Renders a subject's views; the same job always gives the same bytes. */
export async function renderSubjectClip({
  licence,
  motionName = null,
  maps,
  ...job
}: SubjectJob): Promise<EncodedClip> {
  if (known?.length !== job.head.length) {
    const head = decodeHead(job.head);
    known = { length: job.head.length, head, poser: createHeadPoser(head) };
  }
  const views = renderViews({ ...job, hasMaps: maps.some((name) => SURFACE_MAPS.includes(name)) });
  const stored = (['head', 'person', ...maps] as const).map(
    async (name) => [name, await Promise.all(views.map((view) => encodeMap(name, view)))] as const,
  );
  return encodeClip({
    key: clipKey(subjectName(job.seed)),
    info: {
      identity: subjectName(job.seed),
      label: 'synthetic',
      kind: job.clip ? 'sequence' : 'views',
      split: 'train',
      licence,
      origin: `synthesize, seed ${job.seed}${motionName === null ? '' : `, motion of ${motionName}`}`,
      sequence: null,
      view: null,
      width: job.sizePx,
      height: job.sizePx,
      framesPerSecond: job.clip ? DATASET_FRAMES_PER_SECOND : null,
      camera: null,
      calibration: null,
    },
    track: truthTrack(known.head, known.poser, views, job),
    frames: await Promise.all(views.map(({ image }) => encodeFrame(image))),
    maps: Object.fromEntries(await Promise.all(stored)),
  });
}

function encodeMap(
  name: SubjectMapName | 'head' | 'person',
  { masks, maps, camera: { width, height } }: RenderedSubject,
): Promise<Uint8Array> {
  if (name === 'normals') return encodeNormals(maps!.normals, width, height);
  if (name === 'depth') return encodeDepth(maps!.depths, width, height);
  const mask = name === 'landmarks' ? maps!.landmarks.map((value) => 255 * value) : masks[name];
  return encodeMask(Uint8Array.from(mask, Math.round), width, height);
}

/** The exact parameters of the views as a track; its landmarks are where the head has them. */
function truthTrack(
  head: HeadModel,
  poser: HeadPoser,
  views: readonly RenderedSubject[],
  { seed, clip }: Pick<ViewsJob, 'seed' | 'clip'>,
): HeadTrack {
  const { camera, parameters } = views[0]!;
  const stacked = (part: 'expression' | 'jointRotations' | 'translation'): Float32Array => {
    const width = parameters[part].length;
    const rows = new Float32Array(views.length * width);
    for (const [i, view] of views.entries()) rows.set(view.parameters[part], i * width);
    return rows;
  };
  const landmarksPx = new Float32Array(views.length * 478 * 2);
  for (const [i, view] of views.entries()) {
    landmarksPx.set(projectedLandmarks(head, poser, view), i * 478 * 2);
  }
  return {
    headName: head.name,
    width: camera.width,
    height: camera.height,
    focalPx: camera.focalXPx,
    timestampsSeconds: Float64Array.from(views, (_, i) => (clip ? i / DATASET_FRAMES_PER_SECOND : i)),
    identity: parameters.identity,
    expression: stacked('expression'),
    jointRotations: stacked('jointRotations'),
    translation: stacked('translation'),
    confidence: new Float32Array(views.length).fill(1),
    landmarksPx,
    provenance: { source: `synthesize, seed ${seed}` },
  };
}

/** The landmarks' places in the picture, `478 2`, hidden ones too; zero where the head has none. */
function projectedLandmarks(
  { landmarks, triangles }: HeadModel,
  poser: HeadPoser,
  { parameters, camera }: RenderedSubject,
): Float32Array {
  const places = new Float32Array(478 * 2);
  if (landmarks === null) return places;
  const vertices = poser.pose(parameters);
  for (const [i, triangle] of landmarks.triangles.entries()) {
    const point = [0, 1, 2].map((axis) => {
      let sum = 0;
      for (let corner = 0; corner < 3; corner++) {
        const vertex = triangles[3 * triangle + corner]!;
        sum += landmarks.barycentrics[3 * i + corner]! * vertices[3 * vertex + axis]!;
      }
      return sum;
    });
    places.set(projectPoint(camera, point).slice(0, 2), 2 * i);
  }
  return places;
}
