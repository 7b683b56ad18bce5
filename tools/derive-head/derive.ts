// The derivation itself: cut the mesh, sample the population, reduce it, carry the expression units,
// solve the joints, lay out the texture.

import { type HeadModel, JOINT_NAMES, PART_NAMES, type PartName } from '../../src/head/index.ts';
import { layOutCharts } from './charts.ts';
import { expressionUnits } from './expressions.ts';
import { faceForward } from './facing.ts';
import { cutHead, type HeadSurface } from './head-surface.ts';
import { deriveIdentity, findMirror } from './identity.ts';
import { EYES, JAW, jointAt, NECK, ROOT, solveJoints } from './joints.ts';
import { type BaseMesh, readBaseMesh, readRigWeights } from './makehuman.ts';
import { headShareOfBone, solveJaw } from './rig.ts';
import { sampleHeads } from './samples.ts';
import { WHEEL_PACKAGE, WHEEL_VERSION, type Wheel } from './wheel.ts';

const IDENTITY_COUNT = 100;
const HELD_OUT = 100;

type Options = {
  readonly isLip: (u: number, v: number) => boolean;
  readonly sampleCount: number;
  readonly log: (line: string) => void;
};

type Derived = {
  readonly head: HeadModel;
  readonly surface: HeadSurface;
  readonly report: Record<string, number | readonly number[]>;
  readonly sources: ReadonlyMap<string, string>;
};

export function deriveHead(wheel: Wheel, { isLip, sampleCount, log }: Options): Derived {
  const mesh = readBaseMesh(wheel);
  const surface = cutHead(mesh, isLip);
  const rest = surface.carry(mesh.positions);
  const mirror = findMirror(rest);
  log(`cut: ${surface.vertexCount} vertices, ${surface.triangles.length} triangles`);

  const rig = readRigWeights(wheel);
  const headShare = surface.carryScalar(trunkToHead(mesh, rig), 1);
  const importance = importanceOf(surface, headShare);
  const samples = sampleHeads(wheel, mesh, surface, sampleCount + HELD_OUT);
  log(`sampled ${samples.heads.length} heads from ${samples.targetCount} targets`);
  const units = expressionUnits(wheel, mesh, surface, mirror);
  const jawOpen = units.get('jawOpen')!;
  const lowerTeeth = verticesOfPart(surface, 'lowerTeeth');
  // Before the alignment: weights that sum to 1 follow any rigid motion.
  const joints = solveJoints(samples, surface, rest, mirror, headShare, {
    offsets: jawOpen,
    rigid: lowerTeeth,
  });
  const identity = deriveIdentity(samples.heads, {
    start: rest,
    weights: importance,
    mirror,
    count: IDENTITY_COUNT,
    heldOut: HELD_OUT,
  });
  log(`identity: ${(100 * identity.explained).toFixed(2)} % explained`);

  const jawPivot = jointAt(joints.regressor, identity.mean, JAW);
  const jaw = solveJaw(identity.mean, jawOpen, jawPivot, lowerTeeth, headShare);
  const eyes = EYES.map((eye) => jointAt(joints.regressor, identity.mean, eye));
  const origin = eyes[0]!.map((value, axis) => (value + eyes[1]![axis]!) / 2);
  const facing = faceForward(identity.basis, identity.mean, {
    face: {
      vertices: faceVertices(surface, identity.mean, origin),
      pivot: jointAt(joints.regressor, identity.mean, ROOT),
    },
    eyeballs: surface.eyeballs.map(({ first, count }, i) => ({
      vertices: Array.from({ length: count }, (_, k) => first + k),
      pivot: eyes[i]!,
    })),
    mirror,
  });
  const charts = layOutCharts(surface, rest);
  log('laid out the texture');

  const names = [...units.keys()];
  const provenance = {
    tool: 'tools/derive-head',
    package: `PyPI ${WHEEL_PACKAGE} ${WHEEL_VERSION}`,
    wheel: wheel.fileName,
    wheelSha256: wheel.sha256,
    data: "MakeHuman's base mesh, targets, face units, rig weights and masks (CC0-1.0); see sources.txt",
    samples: String(sampleCount),
  };
  const head: HeadModel = {
    name: 'embedded-2',
    licence: 'CC0-1.0',
    template: Float32Array.from(identity.mean, (value, i) => value - origin[i % 3]!),
    identityBasis: flattenRows(facing.basis),
    identityCount: identity.basis.length,
    expressionBasis: flattenRows([...units.values()]),
    expressionNames: names,
    eyelidExpressions: [names.indexOf('eyeBlinkLeft'), names.indexOf('eyeBlinkRight')],
    poseCorrectives: jawCorrectives(jaw.corrective, jaw.openRadians),
    jointRegressor: joints.regressor,
    skinningWeights: skinningWeights(surface, headShare, jaw.weights),
    jointParents: [-1, 0, 1, 1, 1],
    triangles: Uint32Array.from(surface.triangles.flatMap(({ vertices }) => vertices)),
    ...charts,
    triangleParts: Uint8Array.from(surface.triangles, ({ part }) => PART_NAMES.indexOf(part)),
    landmarks: null,
    landmarkWeights: null,
    provenance,
  };
  const report = {
    vertices: surface.vertexCount,
    triangles: surface.triangles.length,
    targets: samples.targetCount,
    explained: identity.explained,
    heldOutRmsMm: identity.heldOutRms * 1000,
    jawOpenDegrees: (jaw.openRadians * 180) / Math.PI,
    jawMissRmsMm: jaw.missRms * 1000,
    jawMissMaxMm: jaw.missMax * 1000,
    jointErrorMm: joints.errorMm,
    turnsTakenOutDegrees: facing.deviationDegrees,
  };
  return { head, surface, report, sources: wheel.sources };
}

/** How much of each base vertex moves with the head, by the rig's weights. */
function trunkToHead(mesh: BaseMesh, rig: ReadonlyMap<string, [number, number][]>): Float64Array {
  const count = mesh.positions.length / 3;
  const [share, mass] = [new Float64Array(count), new Float64Array(count)];
  for (const [bone, weights] of rig) {
    const belongs = headShareOfBone(bone);
    for (const [vertex, weight] of weights) {
      share[vertex]! += belongs * weight;
      mass[vertex]! += weight;
    }
  }
  return share.map((value, v) => (mass[v]! > 0 ? value / mass[v]! : 0));
}

/** How much a vertex counts in alignment and variance: the visible head, hardly the shoulders. */
function importanceOf(surface: HeadSurface, headShare: Float64Array): Float64Array {
  const weights = headShare.map((share) => 0.02 + 0.98 * share ** 2);
  const hidden: Partial<Record<string, number>> = { mouth: 0.1, leftSocket: 0.02, rightSocket: 0.02 };
  for (const { vertices, island, part } of surface.triangles) {
    const most = hidden[island] ?? (part === 'skin' || part === 'lips' ? 1 : 0.2);
    for (const v of vertices) weights[v] = Math.min(weights[v]!, most);
  }
  return weights;
}

/** The face's skin, from the hairline to the chin: dense about eyes, nose and mouth. */
function faceVertices(surface: HeadSurface, mean: Float64Array, origin: readonly number[]): number[] {
  const skin = new Set([...verticesOfPart(surface, 'skin'), ...verticesOfPart(surface, 'lips')]);
  return [...skin].filter((v) => {
    const [x, y, z] = origin.map((value, axis) => mean[3 * v + axis]! - value) as [number, number, number];
    return Math.abs(x) < 0.07 && y > -0.105 && y < 0.05 && z > 0;
  });
}

/** `V J`: the trunk follows the root, the head the neck, and of the head the jaw and the eyes their joints. */
function skinningWeights(surface: HeadSurface, headShare: Float64Array, jaw: Float64Array): Float32Array {
  const joints = JOINT_NAMES.length;
  const weights = new Float32Array(surface.vertexCount * joints);
  for (let v = 0; v < surface.vertexCount; v++) {
    weights[v * joints + ROOT] = 1 - headShare[v]!;
    weights[v * joints + NECK] = headShare[v]! - jaw[v]!;
    weights[v * joints + JAW] = jaw[v]!;
  }
  for (const [i, { first, count }] of surface.eyeballs.entries()) {
    for (let v = first; v < first + count; v++) {
      weights.fill(0, v * joints, (v + 1) * joints);
      weights[v * joints + EYES[i]!] = 1;
    }
  }
  return weights;
}

/** The jaw's corrective hangs on the sine of its pitch: entry (2, 1) of its rotation. */
function jawCorrectives(corrective: Float64Array, openRadians: number): Float32Array {
  const rows = new Float32Array(9 * (JOINT_NAMES.length - 1) * corrective.length);
  const row = 9 * (JAW - 1) + 7;
  rows.set(
    corrective.map((value) => value / Math.sin(openRadians)),
    row * corrective.length,
  );
  return rows;
}

function verticesOfPart(surface: HeadSurface, part: PartName): number[] {
  return [...new Set(surface.triangles.filter((t) => t.part === part).flatMap(({ vertices }) => vertices))];
}

function flattenRows(rows: readonly Float64Array[]): Float32Array {
  const flat = new Float32Array(rows.length * rows[0]!.length);
  for (const [i, row] of rows.entries()) flat.set(row, i * row.length);
  return flat;
}
