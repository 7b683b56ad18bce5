// What training and evaluation take from datasets: a reference picture, target pictures of the same person with their
// heads and cameras, and the label. Each sample is made when it is asked for and by its position alone; memory holds
// the indices and a few open clips.

import { BadInputError } from '../errors/index.ts';
import type { Camera, CropWindow } from '../geometry/index.ts';
import { type HeadParameters, type HeadTrack, parametersAt, trackCamera } from '../head/index.ts';
import type { RgbImage } from '../media/index.ts';
import { createRandom, deriveSeed, type Random } from '../tensor/index.ts';
import {
  type Augmentation,
  centredWindow,
  changeFrame,
  drawColourChange,
  drawWindow,
  type FrameChange,
  NO_AUGMENTATION,
  type SampleFrame,
  type StoredFrame,
} from './augmentation.ts';
import type { ClipFileInfo } from './clip-file.ts';
import type { ClipLabel, ClipSplit, GreyMapName, MapName } from './clip-info.ts';
import { type ClipPlace, type Dataset, mapsOf, type OpenClip } from './dataset.ts';
import { depthsOf, type FrameMaps, normalsOf } from './frame-maps.ts';
import type { HeadMirror } from './head-mirror.ts';
import { createClipOrder, createMixture } from './sample-order.ts';

/** The host's decoders of stored pictures. */
export type PictureDecoders = {
  frame(bytes: Uint8Array): Promise<RgbImage>;
  /** `H W`. */
  mask(bytes: Uint8Array): Promise<Uint8Array>;
  /** `H W`, all 16 bits. */
  depth(bytes: Uint8Array): Promise<Uint16Array>;
};

/** A dataset and how often it comes, e.g. 1 : 0.8 : 0.2 : 1 for four. */
export type SampleSource = { readonly dataset: Dataset; readonly weight: number };

/** What a stream gives. */
export type SampleStreamOptions = {
  readonly sources: readonly SampleSource[];
  readonly decoders: PictureDecoders;
  readonly seed: number;
  /** Targets of a sample: 1, or consecutive frames of a sequence. */
  readonly frames: number;
  /** Side of all pictures. */
  readonly sizePx: number;
  /** Where the reference comes from: the same clip (default), or any clip of the person. */
  readonly reference?: 'clip' | 'identity';
  /**
   * Where to look in a stored frame, e.g. the avatar's own framing of a head; default its largest centred square. A
   * run of targets is seen through the window of its middle frame.
   */
  readonly framing?: (camera: Camera, parameters: HeadParameters) => CropWindow;
  /** Which maps come with each frame, of those that its clip has; the masks of head and person always do. */
  readonly maps?: readonly MapName[];
  /** Default `train`. */
  readonly split?: ClipSplit;
  /** Default none. */
  readonly augmentation?: Augmentation;
  /** The mirror of the datasets' head; needed where `augmentation.flip` is above 0. */
  readonly mirror?: HeadMirror;
};

/** One sample. */
export type Sample = {
  readonly position: number;
  /** Index of the source. */
  readonly source: number;
  /** Key of the targets' clip. */
  readonly key: string;
  readonly identity: string;
  readonly label: ClipLabel;
  readonly isMirrored: boolean;
  /** Whether reference and target are one frame, as of a still they are. */
  readonly isOwnReference: boolean;
  readonly reference: SampleFrame;
  /** As many as `frames`. */
  readonly targets: readonly SampleFrame[];
};

/** Samples by position. */
export type SampleStream = {
  /** How many clips of each source can be drawn. */
  readonly clips: readonly number[];
  /** The sample of a position (from 0): always the same. @throws BadInputError `dataset-damaged`, `no-usable-frames`. */
  at(position: number): Promise<Sample>;
  /** Samples from a position on, without end, the next ones prepared meanwhile. */
  from(position: number, ahead?: number): AsyncGenerator<Sample, void, undefined>;
};

/** Clips that a track could not follow at all are passed over, this many in a row at most. */
const MAX_PASSED = 32;
const OPEN_CLIPS = 16;

/**
 * Opens a stream.
 * @throws BadInputError `no-usable-clips` where a source of positive weight has none; `mixed-heads` where the tracks
 *   are of different heads; `no-mirror` where flips are asked for without one
 */
export function openSampleStream(options: SampleStreamOptions): SampleStream {
  const { sources, decoders, seed, frames, sizePx, reference = 'clip', split = 'train' } = options;
  const { augmentation = NO_AUGMENTATION, mirror, maps = [] } = options;
  expectOneHead(sources);
  if (augmentation.flip > 0 && mirror === undefined) throw noMirror();
  const usable = sources.map(({ dataset }) =>
    dataset.clips.filter((clip) => clip.split === split && clip.isTracked),
  );
  const drawn = usable.map((clips) =>
    frames === 1 ? clips : clips.filter((clip) => clip.kind === 'sequence' && clip.frames >= frames),
  );
  for (const [i, { dataset, weight }] of sources.entries()) {
    if (weight > 0 && drawn[i]!.length === 0) throw noUsableClips(dataset.folder.name, frames, split);
  }
  const mixture = createMixture(
    sources.map(({ weight }) => weight),
    seed,
  );
  const orders = drawn.map((clips, i) => createClipOrder(clips, deriveSeed(seed, 64, i)));
  const people = usable.map(byIdentity);
  const openAt = createClipCache(sources);

  const at = async (position: number): Promise<Sample> => {
    const { source, draw } = mixture.at(position);
    const random = createRandom(deriveSeed(seed, 65, position));
    for (let passed = 0; passed < MAX_PASSED; passed++) {
      const place = orders[source]!.at(draw + passed);
      const clip = await openAt(source, place);
      const first = drawRun(clip.track, frames, random);
      if (first === null) continue;
      const other = reference === 'clip' ? place : random.choose(people[source]!.get(place.identity)!);
      const from = other === place ? clip : await openAt(source, other);
      // A reference that is the target itself teaches copying, so it is taken only where there is no other frame.
      const avoided = from === clip && frames === 1 ? first : -1;
      const referenceFrame = drawFrame(from.track, avoided, random) ?? first;
      const isMirrored = random.uniform() < augmentation.flip;
      const colours = augmentation.colour > 0 ? drawColourChange(augmentation.colour, random) : null;
      const change = (of: CachedClip, frame: number): FrameChange => ({
        window: drawWindow(windowOf(of, frame, options.framing), augmentation.cropJitter, random),
        sizePx,
        colours,
        mirror: isMirrored ? mirror! : null,
      });
      const targetChange = change(clip, first + (frames >> 1));
      const referenceChange = change(from, referenceFrame);
      const make = async (of: CachedClip, frame: number, how: FrameChange): Promise<SampleFrame> =>
        changeFrame(await readFrame(of, frame, decoders, maps), how);
      return {
        position,
        source,
        key: place.key,
        identity: place.identity,
        label: place.label,
        isMirrored,
        isOwnReference: frames === 1 && from === clip && referenceFrame === first,
        reference: await make(from, referenceFrame, referenceChange),
        targets: await Promise.all(
          Array.from({ length: frames }, (_, i) => make(clip, first + i, targetChange)),
        ),
      };
    }
    throw noUsableFrames(sources[source]!.dataset.folder.name);
  };

  return {
    clips: drawn.map(({ length }) => length),
    at,
    async *from(position, ahead = 2) {
      const coming: Promise<Sample>[] = [];
      for (let next = position; ; next++) {
        while (coming.length <= ahead) {
          const sample = at(next + coming.length);
          // What fails is told when its turn comes.
          sample.catch(() => {});
          coming.push(sample);
        }
        yield await coming.shift()!;
      }
    },
  };
}

function byIdentity(clips: readonly ClipPlace[]): ReadonlyMap<string, readonly ClipPlace[]> {
  const people = new Map<string, ClipPlace[]>();
  for (const clip of clips) {
    const own = people.get(clip.identity);
    if (own === undefined) people.set(clip.identity, [clip]);
    else own.push(clip);
  }
  return people;
}

type CachedClip = { readonly open: OpenClip; readonly info: ClipFileInfo; readonly track: HeadTrack };

/** Opens clips with their tracks, and keeps the last few. */
function createClipCache(
  sources: readonly SampleSource[],
): (source: number, place: ClipPlace) => Promise<CachedClip> {
  const known = new Map<string, Promise<CachedClip>>();
  return (source, place) => {
    const name = `${source} ${place.key}`;
    const clip = known.get(name) ?? openWithTrack(sources[source]!.dataset, place);
    known.delete(name);
    known.set(name, clip);
    if (known.size > OPEN_CLIPS) known.delete(known.keys().next().value!);
    return clip;
  };
}

async function openWithTrack(dataset: Dataset, place: ClipPlace): Promise<CachedClip> {
  const open = await dataset.open(place);
  const track = await open.track();
  if (track === null) throw noUsableFrames(place.key);
  return { open, info: open.info, track };
}

/** The first frame of a run that is tracked throughout; null where there is none. */
function drawRun({ confidence }: HeadTrack, frames: number, random: Random): number | null {
  const starts: number[] = [];
  let run = 0;
  for (const [frame, value] of confidence.entries()) {
    run = value > 0 ? run + 1 : 0;
    if (run >= frames) starts.push(frame - frames + 1);
  }
  return starts.length === 0 ? null : random.choose(starts);
}

/** A tracked frame other than one; null where there is none. */
function drawFrame({ confidence }: HeadTrack, avoided: number, random: Random): number | null {
  const frames = [...confidence.keys()].filter((frame) => confidence[frame]! > 0 && frame !== avoided);
  return frames.length === 0 ? null : random.choose(frames);
}

function windowOf(
  { info, track }: CachedClip,
  frame: number,
  framing: SampleStreamOptions['framing'],
): CropWindow {
  if (framing === undefined) return centredWindow(info);
  return framing(cameraOf(info, track), parametersAt(track, frame));
}

function cameraOf({ camera }: ClipFileInfo, track: HeadTrack): Camera {
  return camera ?? trackCamera(track);
}

async function readFrame(
  { open, info, track }: CachedClip,
  frame: number,
  decoders: PictureDecoders,
  maps: readonly MapName[],
): Promise<StoredFrame> {
  const mask = async (name: GreyMapName): Promise<Uint8Array | null> => {
    const bytes = await open.map(name, frame);
    return bytes && decoders.mask(bytes);
  };
  const known = mapsOf(info);
  const wanted = async (name: MapName): Promise<FrameMaps> => {
    const bytes = (await open.map(name, frame))!;
    if (name === 'normals') return { normals: normalsOf((await decoders.frame(bytes)).data) };
    if (name === 'depth') return { depth: depthsOf(await decoders.depth(bytes)) };
    return { [name]: await decoders.mask(bytes) };
  };
  const found = await Promise.all(maps.filter((name) => known.includes(name)).map(wanted));
  return {
    image: await decoders.frame((await open.frame(frame)).bytes),
    headMask: await mask('head'),
    personMask: await mask('person'),
    maps: Object.assign({}, ...found),
    parameters: parametersAt(track, frame),
    camera: cameraOf(info, track),
    timestampSeconds: track.timestampsSeconds[frame]!,
  };
}

function expectOneHead(sources: readonly SampleSource[]): void {
  const heads = new Map(
    sources.flatMap(({ dataset: { header, folder } }) =>
      header.headName === null ? [] : [[header.headName, folder.name] as const],
    ),
  );
  if (heads.size <= 1) return;
  const [[one, first], [two, second]] = [...heads] as [[string, string], [string, string]];
  throw new BadInputError({
    code: 'mixed-heads',
    message: `Expected datasets of one head, but ${first} has tracks of ${one} and ${second} of ${two}.`,
    hint: 'Import one of them again with the head of the other.',
  });
}

function noMirror(): BadInputError {
  return new BadInputError({
    code: 'no-mirror',
    message: 'Expected the mirror of the head, since flips are asked for, but there is none.',
    hint: 'Pass createHeadMirror(head), or a flip probability of 0.',
  });
}

function noUsableClips(name: string, frames: number, split: ClipSplit): BadInputError {
  const wanted = frames === 1 ? 'tracked clips' : `tracked sequences of ${frames} frames or more`;
  return new BadInputError({
    code: 'no-usable-clips',
    message: `Expected ${wanted} in the ${split} part of ${name}, but there are none.`,
    hint: 'See dataset inspect for what it holds; synthesize clips with --frames, import it with tracking, or give this source the weight 0.',
  });
}

function noUsableFrames(name: string): BadInputError {
  return new BadInputError({
    code: 'no-usable-frames',
    message: `Expected frames with a tracked head in ${name}, but ${MAX_PASSED} clips in a row have none.`,
    hint: 'See dataset inspect for how many frames are tracked, and import it again.',
  });
}
