// Sampling: reproducible, resumable, in proportion, and with pictures, heads and cameras that fit together.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  createClipOrder,
  createHeadMirror,
  createMixture,
  type Dataset,
  encodeClip,
  openDataset,
  openSampleStream,
  type Sample,
  type SampleFrame,
  type SampleStreamOptions,
} from '../../src/dataset/index.ts';
import { projectPoint } from '../../src/geometry/index.ts';
import {
  createHeadPoser,
  type HeadParameters,
  neutralParameters,
  vertexCount,
} from '../../src/head/index.ts';
import { beginDataset } from '../../src/node/dataset-builder.ts';
import { decodeFrame, decodeMask, pictureDecoders } from '../../src/node/dataset-pictures.ts';
import { renderSubjectClip } from '../../src/node/dataset-subject-job.ts';
import { createRandom } from '../../src/tensor/index.ts';
import { head, headBytes } from '../head/embedded-head.ts';
import { temporaryFolder } from '../node/test-clips.ts';
import { filesOf, memoryFolder, someClip, somePlan } from './small-dataset.ts';

const mirror = createHeadMirror(head);
const poser = createHeadPoser(head);
const decoders = pictureDecoders;
const MAPS = ['face', 'eyes', 'landmarks', 'normals', 'depth'] as const;

/** Three rendered subjects of three views. */
async function renderedDataset(): Promise<Dataset> {
  using folder = temporaryFolder();
  using dataset = await beginDataset(somePlan(folder.path, 3, { headName: head.name }));
  for (const item of dataset.missing) {
    const job = {
      head: headBytes,
      seed: 40 + item,
      views: 3,
      sizePx: 48,
      yawDegrees: 35,
      pitchDegrees: 15,
      maps: MAPS,
    };
    await dataset.put(item, { clips: [await renderSubjectClip({ ...job, licence: 'CC0-1.0' })] });
  }
  await dataset.finish();
  return openDataset(memoryFolder(filesOf(folder.path)));
}

const rendered = await renderedDataset();
const options: SampleStreamOptions = {
  sources: [{ dataset: rendered, weight: 1 }],
  decoders,
  seed: 5,
  frames: 1,
  sizePx: 48,
};

test('a mixture keeps the shares of the paper to within two after every hundred, in no regular order', () => {
  const weights = [1, 0.8, 0.2, 1, 0];
  const mixture = createMixture(weights, 3);
  const draws = weights.map(() => 0);
  const order: number[] = [];
  for (let position = 0; position < 3000; position++) {
    const { source, draw } = mixture.at(position);
    assert.equal(draw, draws[source]!++, `position ${position}`);
    order.push(source);
    if ((position + 1) % 100 !== 0) continue;
    for (const [i, weight] of weights.entries()) {
      const share = ((position + 1) * weight) / 3;
      assert.ok(Math.abs(draws[i]! - share) <= 2, `source ${i} has ${draws[i]} of ${share}`);
    }
  }
  assert.deepEqual(draws, [1000, 800, 200, 1000, 0]);
  assert.notDeepEqual(order.slice(0, 50), order.slice(100, 150));
  const later = createMixture(weights, 3);
  assert.deepEqual([later.at(1234), later.at(7)], [mixture.at(1234), mixture.at(7)]);
});

test('every epoch has each clip once, in an order of its own', () => {
  const clips = Array.from({ length: 57 }, (_, i) => ({ ...rendered.clips[0]!, key: `${i}`, shard: i >> 2 }));
  const order = createClipOrder(clips, 9);
  const epoch = (n: number): string[] => clips.map((_, i) => order.at(57 * n + i).key);
  const [first, second] = [epoch(0), epoch(1)];
  assert.equal(new Set(first).size, 57);
  assert.equal(new Set(second).size, 57);
  assert.notDeepEqual(first, second);
  assert.deepEqual(createClipOrder(clips, 9).at(60), order.at(60));
});

test('a stream resumes at a position with the samples that it would have given', async () => {
  const augmentation = { cropJitter: 0.2, colour: 0.1, flip: 0.5 };
  const stream = openSampleStream({ ...options, augmentation, mirror });
  const taken: Sample[] = [];
  for await (const sample of stream.from(0)) {
    taken.push(sample);
    if (taken.length === 8) break;
  }
  assert.deepEqual(
    taken.map(({ position }) => position),
    [0, 1, 2, 3, 4, 5, 6, 7],
  );
  assert.ok(taken.some(({ isMirrored }) => isMirrored) && taken.some(({ isMirrored }) => !isMirrored));
  for await (const sample of openSampleStream({ ...options, augmentation, mirror }).from(5)) {
    assert.deepEqual(sample, taken[5]);
    break;
  }
  const { key, reference } = await openSampleStream({ ...options, augmentation, mirror, seed: 6 }).at(5);
  assert.notDeepEqual({ key, reference }, { key: taken[5]!.key, reference: taken[5]!.reference });
});

test('without augmentation a sample has two frames of one clip as they are stored', async () => {
  const { reference, targets, key, label } = await openSampleStream(options).at(2);
  const clip = await rendered.open(rendered.clips.find((place) => place.key === key)!);
  assert.equal(label, 'synthetic');
  const stored = await Promise.all(
    [0, 1, 2].map(async (i) => (await decodeFrame((await clip.frame(i)).bytes)).data),
  );
  const places = [reference, targets[0]!].map(({ image }) =>
    stored.findIndex((data) => Buffer.compare(data, image.data) === 0),
  );
  assert.ok(places[0]! >= 0 && places[1]! >= 0 && places[0] !== places[1], String(places));
  const mask = await decodeMask((await clip.map('person', places[1]!))!);
  assert.deepEqual(targets[0]!.personMask, mask);
});

/** Where the eyeballs' centres fall in a picture. */
function eyesPx({ parameters, camera }: SampleFrame): number[][] {
  const joints = poser.joints(parameters);
  return [3, 4].map((joint) => projectPoint(camera, joints.subarray(3 * joint, 3 * joint + 3)).slice(0, 2));
}

test('a flipped sample is the mirror image, and head and camera still meet the picture', async () => {
  const asIs = await openSampleStream(options).at(4);
  const flipped = await openSampleStream({
    ...options,
    augmentation: { cropJitter: 0, colour: 0, flip: 1 },
    mirror,
  }).at(4);
  assert.ok(flipped.isMirrored && !asIs.isMirrored);
  const [one, other] = [asIs.targets[0]!, flipped.targets[0]!];
  for (let y = 0; y < 48; y++) {
    for (let x = 0; x < 48; x++) {
      const [at, opposite] = [y * 48 + x, y * 48 + 47 - x];
      assert.equal(other.image.data[3 * at + 1], one.image.data[3 * opposite + 1]);
      assert.equal(other.headMask![at], one.headMask![opposite]);
    }
  }
  const [[leftX, leftY], [rightX, rightY]] = eyesPx(one) as [[number, number], [number, number]];
  const expected = [48 - rightX, rightY, 48 - leftX, leftY];
  for (const [i, value] of eyesPx(other).flat().entries()) {
    assert.ok(Math.abs(value - expected[i]!) < 1e-3, `${value} is not ${expected[i]}`);
  }
});

test('a jittered window moves head and camera with the picture', async () => {
  const augmentation = { cropJitter: 0.4, colour: 0, flip: 0 };
  const asIs = await openSampleStream(options).at(3);
  const { targets } = await openSampleStream({ ...options, augmentation }).at(3);
  const [one, other] = [asIs.targets[0]!, targets[0]!];
  const scale = other.camera.focalXPx / one.camera.focalXPx;
  assert.ok(scale > 1.01, `scale ${scale}`);
  const leftPx = 24 - other.camera.centreXPx / scale;
  const topPx = 24 - other.camera.centreYPx / scale;
  for (const [i, [x, y]] of eyesPx(one).entries()) {
    const [movedX, movedY] = eyesPx(other)[i] as [number, number];
    assert.ok(Math.abs((x! - leftPx) * scale - movedX) < 1e-3);
    assert.ok(Math.abs((y! - topPx) * scale - movedY) < 1e-3);
    // The eyes are still in the head's mask.
    assert.ok(other.headMask![Math.floor(movedY) * 48 + Math.floor(movedX)]! > 200);
  }
});

test('maps come with a sample where they are asked for, and are cut and mirrored with its pictures', async () => {
  assert.deepEqual((await openSampleStream(options).at(4)).targets[0]!.maps, {});
  const withMaps = { ...options, maps: [...MAPS, 'visibility'] as const };
  const { maps: one, headMask, personMask } = (await openSampleStream(withMaps).at(4)).targets[0]!;
  assert.deepEqual(Object.keys(one).sort(), [...MAPS].sort());
  let strays = 0;
  for (const [pixel, depth] of one.depth!.entries()) {
    // A person stands about a metre from the camera, and nothing stands behind.
    if (one.face![pixel] === 255) assert.ok(depth > 0.2 && depth < 4, `${depth}`);
    // Between strands of hair a pixel's centre may see what its four samples do not.
    if (personMask![pixel] === 0 && depth > 0) strays++;
    assert.ok(one.face![pixel]! <= headMask![pixel]!);
  }
  assert.ok(strays < 10, `${strays} pixels`);
  const augmentation = { cropJitter: 0, colour: 0, flip: 1 };
  const { maps: other } = (await openSampleStream({ ...withMaps, augmentation, mirror }).at(4)).targets[0]!;
  for (let at = 0; at < 48 * 48; at++) {
    const opposite = at - (at % 48) + 47 - (at % 48);
    assert.equal(other.depth![at], one.depth![opposite]);
    assert.equal(other.eyes![at], one.eyes![opposite]);
    assert.equal(other.normals![3 * at], -one.normals![3 * opposite]! || 0);
    assert.equal(other.normals![3 * at + 2], one.normals![3 * opposite + 2]);
  }
  const closer = openSampleStream({ ...withMaps, augmentation: { cropJitter: 0.4, colour: 0, flip: 0 } });
  for (const { camera, maps: moved } of [(await closer.at(3)).targets[0]!]) {
    const asIs = (await openSampleStream(withMaps).at(3)).targets[0]!;
    // The middle of the window shows the same place of the surface.
    const scale = camera.focalXPx / asIs.camera.focalXPx;
    const [x, y] = [24 + 0.5 / scale, 24 + 0.5 / scale].map((value, i) =>
      Math.floor(value + (24 - (i === 0 ? camera.centreXPx : camera.centreYPx)) / scale),
    );
    assert.equal(moved.depth![24 * 48 + 24], asIs.maps.depth![y! * 48 + x!]);
  }
});

test('a framing looks at the head wherever it stands in the stored frame', async () => {
  const framing: NonNullable<SampleStreamOptions['framing']> = (camera, parameters) => {
    const joints = poser.joints(parameters);
    const [x, y] = projectPoint(camera, joints.subarray(12, 15));
    return { leftPx: x - 10, topPx: y - 10, sizePx: 20 };
  };
  const { reference, targets } = await openSampleStream({ ...options, framing }).at(1);
  for (const frame of [reference, targets[0]!]) {
    // The right eye, in the middle.
    const [x, y] = eyesPx(frame)[1] as [number, number];
    assert.ok(Math.abs(x - 24) < 1e-3 && Math.abs(y - 24) < 1e-3, `${x}, ${y}`);
    assert.equal(frame.image.width, 48);
  }
});

test('references can come from another clip of the same person', async () => {
  const moved: Dataset = {
    ...rendered,
    clips: rendered.clips.map((clip) => ({ ...clip, identity: 'one person' })),
  };
  const stream = openSampleStream({
    ...options,
    sources: [{ dataset: moved, weight: 1 }],
    reference: 'identity',
  });
  const samples = await Promise.all(Array.from({ length: 12 }, (_, i) => stream.at(i)));
  const others = samples.filter(
    ({ reference, targets }) =>
      reference.parameters.identity.join() !== targets[0]!.parameters.identity.join(),
  );
  assert.ok(others.length >= 4, `${others.length} of 12`);
});

test('a clip for the temporal layers has consecutive tracked frames, and lost ones are passed over', async () => {
  using folder = temporaryFolder();
  using writing = await beginDataset(somePlan(folder.path, 1, { headName: head.name }));
  const clip = someClip(1, 9, { kind: 'sequence', framesPerSecond: 25, width: 48, height: 48 });
  const picture = await (await rendered.open(rendered.clips[0]!)).frame(0);
  const confidence = Float32Array.of(1, 1, 0, 1, 1, 1, 1, 0, 1);
  const whole = {
    ...clip,
    track: { ...clip.track!, confidence, width: 48, height: 48 },
    frames: clip.frames.map(() => picture),
    maps: {},
  };
  await writing.put(0, { clips: [encodeClip(whole)] });
  await writing.finish();
  const dataset = await openDataset(memoryFolder(filesOf(folder.path)));
  const stream = openSampleStream({ ...options, sources: [{ dataset, weight: 1 }], frames: 4 });
  const { targets } = await stream.at(0);
  assert.deepEqual(
    targets.map(({ timestampSeconds }) => Math.round(25 * timestampSeconds)),
    [3, 4, 5, 6],
  );
  const longer = openSampleStream({ ...options, sources: [{ dataset, weight: 1 }], frames: 5 });
  await assert.rejects(longer.at(0), { code: 'no-usable-frames' });
  assert.throws(() => openSampleStream({ ...options, frames: 4 }), { code: 'no-usable-clips' });
  const elsewhere = { ...dataset, header: { ...dataset.header, headName: 'another' } };
  const mixed = [...options.sources, { dataset: elsewhere, weight: 1 }];
  assert.throws(() => openSampleStream({ ...options, sources: mixed }), { code: 'mixed-heads' });
  const flips = { cropJitter: 0, colour: 0, flip: 0.5 };
  assert.throws(() => openSampleStream({ ...options, augmentation: flips }), { code: 'no-mirror' });
});

/** The largest distance between the mirrored mesh and the mesh of the mirrored parameters, metres. */
function asymmetry(parameters: HeadParameters, with_ = mirror): number {
  const posed = poser.pose(parameters).slice();
  const mirrored = poser.pose(with_.mirror(parameters));
  let largest = 0;
  for (let v = 0; v < vertexCount(head); v++) {
    const [a, b] = [3 * v, 3 * mirror.oppositeVertices[v]!];
    const apart = [
      posed[a]! + mirrored[b]!,
      posed[a + 1]! - mirrored[b + 1]!,
      posed[a + 2]! - mirrored[b + 2]!,
    ];
    largest = Math.max(largest, Math.hypot(...apart));
  }
  return largest;
}

function randomHead(seed: number): HeadParameters {
  const random = createRandom(seed);
  const parameters = neutralParameters(head);
  random.fillNormal(parameters.identity);
  for (let i = 0; i < parameters.expression.length; i++) parameters.expression[i] = random.uniform(0, 0.8);
  for (let i = 0; i < parameters.jointRotations.length; i++) {
    parameters.jointRotations[i] = 0.3 * random.normal();
  }
  random.fillNormal(parameters.translation);
  return parameters;
}

test('the mesh of mirrored parameters is the mirrored mesh, up to the asymmetry of the expressions', () => {
  const still = neutralParameters(head);
  assert.ok(asymmetry({ ...randomHead(1), expression: still.expression }) < 2e-5);
  for (let unit = 0; unit < still.expression.length; unit++) {
    const expression = still.expression.slice();
    expression[unit] = 1;
    const metres = asymmetry({ ...still, expression });
    assert.ok(metres < 4e-4, `${head.expressionNames[unit]}: ${metres}`);
  }
  for (const seed of [2, 3, 4]) assert.ok(asymmetry(randomHead(seed)) < 1e-3);
});

test('mirroring twice changes nothing', () => {
  const parameters = randomHead(7);
  const twice = mirror.mirror(mirror.mirror(parameters));
  for (const part of ['identity', 'expression', 'jointRotations', 'translation'] as const) {
    for (const [i, value] of twice[part].entries()) assert.ok(Math.abs(value - parameters[part][i]!) < 1e-5);
  }
});

test('a basis without names and of mixed symmetry is mirrored by least squares', () => {
  // Two components turned into each other: neither is its own mirror image, both together still are.
  const length = head.template.length;
  const identityBasis = head.identityBasis.slice();
  const symmetric = [...Array(20).keys()].find((i) => mirroredSign(i) > 0)!;
  const odd = [...Array(20).keys()].find((i) => mirroredSign(i) < 0)!;
  for (let i = 0; i < length; i++) {
    const [a, b] = [head.identityBasis[symmetric * length + i]!, head.identityBasis[odd * length + i]!];
    identityBasis[symmetric * length + i] = 0.8 * a + 0.6 * b;
    identityBasis[odd * length + i] = 0.8 * b - 0.6 * a;
  }
  const turned = createHeadMirror({ ...head, identityBasis });
  const identity = new Float32Array(head.identityCount);
  identity[symmetric] = 1;
  // 0.8 a + 0.6 b has the image 0.8 a - 0.6 b, which is 0.28 of the first and -0.96 of the second.
  const image = turned.mirror({ ...neutralParameters(head), identity }).identity;
  assert.ok(Math.abs(image[symmetric]! - 0.28) < 0.01, String(image[symmetric]));
  assert.ok(Math.abs(image[odd]! + 0.96) < 0.01, String(image[odd]));
});

/** Whether an identity component of the package's head is symmetric (1) or antisymmetric (-1). */
function mirroredSign(component: number): number {
  const identity = new Float32Array(head.identityCount);
  identity[component] = 1;
  return mirror.mirror({ ...neutralParameters(head), identity }).identity[component]!;
}
