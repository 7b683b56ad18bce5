// The texture layout, planned on 1024 x 1024 pixels: the face large, the rest of the skin below it, cut
// along the back of the head; eyeballs, mouth, teeth, tongue and lashes in a column beside it.

import { EYEBALL_RIM_DEGREES, eyeballDirections } from './eyeball.ts';
import type { HeadSurface, SurfaceTriangle } from './head-surface.ts';
import { boundaryLoops, parametriseDisc } from './parametrise.ts';

const SIZE = 1024;
/** Left, top, width, height in pixels of the layout. */
type Rectangle = readonly [number, number, number, number];

const FACE: Rectangle = [8, 8, 704, 736];
const REST: Rectangle = [12, 764, 1000, 248];
/** Metres, in the base mesh's frame: between the hairline and the underside of the chin. */
const FACE_MIDDLE_Y = 0.698;
const EYES_Y = 0.728;
const ISLANDS: Record<string, Rectangle> = {
  leftEyeball: [876, 8, 140, 140],
  rightEyeball: [724, 8, 140, 140],
  mouth: [724, 160, 292, 204],
  leftSocket: [876, 374, 140, 110],
  rightSocket: [724, 374, 140, 110],
  'helper-tongue': [724, 496, 90, 246],
  'helper-upper-teeth': [826, 496, 190, 60],
  'helper-lower-teeth': [826, 564, 190, 60],
  'helper-l-eyelashes-2': [926, 634, 90, 50],
  'helper-r-eyelashes-2': [826, 634, 90, 50],
  'helper-l-eyelashes-1': [926, 692, 90, 50],
  'helper-r-eyelashes-1': [826, 692, 90, 50],
};

export type Charts = { readonly uvs: Float32Array; readonly uvTriangles: Uint32Array };

/** @param rest `V 3`, metres, in the base mesh's frame */
export function layOutCharts(surface: HeadSurface, rest: Float64Array): Charts {
  const uvs: number[] = [];
  const uvTriangles = new Uint32Array(3 * surface.triangles.length);
  const place = (triangle: number, corner: number, index: number): void => {
    uvTriangles[3 * triangle + corner] = index;
  };
  const add = (xPx: number, yPx: number): number => uvs.push(xPx / SIZE, yPx / SIZE) / 2 - 1;

  const skin: number[] = [];
  const islands = new Map<string, number[]>();
  for (const [t, { island }] of surface.triangles.entries()) {
    if (island === 'face' || island === 'torso') skin.push(t);
    else islands.set(island, [...(islands.get(island) ?? []), t]);
  }
  const isFace = selectFace(surface.triangles, skin, rest);
  const flatten = (members: number[], chart: FlatChart): void => {
    const indexOf = chart.flat.map(([x, y]) => add(x, y));
    for (const [i, t] of members.entries()) {
      for (let corner = 0; corner < 3; corner++) place(t, corner, indexOf[chart.corners[i]![corner]!]!);
    }
  };
  const face = skin.filter((t) => isFace.has(t));
  const remainder = skin.filter((t) => !isFace.has(t));
  flatten(face, flattenFace(surface.triangles, face, rest));
  flatten(remainder, flattenRemainder(surface.triangles, remainder, rest));
  for (const [island, members] of islands) {
    const rectangle = ISLANDS[island];
    if (!rectangle) throw new Error(`no place in the texture for ${island}`);
    const eye = { leftEyeball: 0, rightEyeball: 1 }[island];
    if (eye !== undefined)
      placeEyeball(surface, surface.eyeballs[eye]!.first, members, rectangle, add, place);
    else placeIsland(surface.triangles, members, rectangle, add, place);
  }
  return { uvs: Float32Array.from(uvs), uvTriangles };
}

type FlatChart = {
  /** Pixels of each chart vertex. */
  readonly flat: readonly (readonly [number, number])[];
  /** Per triangle of the chart its three chart vertices. */
  readonly corners: readonly (readonly [number, number, number])[];
};
type AddVertex = (xPx: number, yPx: number) => number;
type PlaceCorner = (triangle: number, corner: number, index: number) => void;

/** The face: within 78 degrees about the head's axis and from the hairline to under the chin, in one piece. */
function selectFace(
  triangles: readonly SurfaceTriangle[],
  skin: readonly number[],
  rest: Float64Array,
): Set<number> {
  const isInside = (t: number): boolean => {
    const [x, y, z] = [0, 1, 2].map(
      (axis) => triangles[t]!.vertices.reduce((sum, v) => sum + rest[3 * v + axis]!, 0) / 3,
    ) as [number, number, number];
    const azimuth = Math.abs(Math.atan2(Math.abs(x), z - 0.03)) / ((78 * Math.PI) / 180);
    const height = Math.abs(y - FACE_MIDDLE_Y) / 0.113;
    return azimuth ** 4 + height ** 4 < 1;
  };
  const chosen = new Set(skin.filter(isInside));
  const joined = largestComponent(triangles, [...chosen]);
  const outside = largestComponent(
    triangles,
    skin.filter((t) => !joined.has(t)),
  );
  const face = new Set(skin.filter((t) => !outside.has(t)));
  // Where the outline touches itself, take in the triangles around that vertex.
  for (;;) {
    const out = new Map<number, number>();
    const members = [...face].map((t) => triangles[t]!.vertices);
    const edges = new Set(members.flatMap(([a, b, c]) => [`${a} ${b}`, `${b} ${c}`, `${c} ${a}`]));
    for (const edge of edges) {
      const [from, to] = edge.split(' ').map(Number) as [number, number];
      if (!edges.has(`${to} ${from}`)) out.set(from, (out.get(from) ?? 0) + 1);
    }
    const pinched = new Set([...out].filter(([, count]) => count > 1).map(([v]) => v));
    if (pinched.size === 0) return face;
    for (const t of skin) if (triangles[t]!.vertices.some((v) => pinched.has(v))) face.add(t);
  }
}

function largestComponent(triangles: readonly SurfaceTriangle[], members: readonly number[]): Set<number> {
  const around = new Map<number, number[]>();
  for (const t of members) {
    for (const v of triangles[t]!.vertices) around.set(v, [...(around.get(v) ?? []), t]);
  }
  const left = new Set(members);
  let largest = new Set<number>();
  while (left.size > 0) {
    const [start] = left;
    const component = new Set([start!]);
    left.delete(start!);
    for (const t of component) {
      for (const v of triangles[t]!.vertices) {
        for (const other of around.get(v)!) if (left.delete(other)) component.add(other);
      }
    }
    if (component.size > largest.size) largest = component;
  }
  return largest;
}

/** Local indices for a chart's vertices. */
function localise(
  triangles: readonly SurfaceTriangle[],
  members: readonly number[],
): { vertices: number[]; corners: [number, number, number][] } {
  const indexOf = new Map<number, number>();
  const corners = members.map((t) =>
    triangles[t]!.vertices.map((v) => {
      if (!indexOf.has(v)) indexOf.set(v, indexOf.size);
      return indexOf.get(v)!;
    }),
  ) as [number, number, number][];
  return { vertices: [...indexOf.keys()], corners };
}

const pointsOf = (rest: Float64Array, vertices: readonly number[]): Float64Array =>
  Float64Array.from(vertices.flatMap((v) => [...rest.subarray(3 * v, 3 * v + 3)]));

const OUTLINE_POWER = 3;
const WIDENING = 0.14;

function flattenFace(
  triangles: readonly SurfaceTriangle[],
  members: readonly number[],
  rest: Float64Array,
): FlatChart {
  const { vertices, corners } = localise(triangles, members);
  const points = pointsOf(rest, vertices);
  const loop = boundaryLoops(corners).sort((a, b) => b.length - a.length)[0]!;
  const lengths = cumulativeLengths(points, [...loop, loop[0]!]);
  const total = lengths.at(-1)!;
  // The top of the midline goes to the top of the outline; the loop then runs towards the subject's left or right.
  const height = (v: number): number => points[3 * v + 1]! - 100 * Math.abs(points[3 * v]!);
  const top = loop.reduce((best, v, i) => (height(v) > height(loop[best]!) ? i : best), 0);
  const towards = Math.sign(points[3 * loop[(top + 2) % loop.length]!]!);
  const outlineAt = superellipse(FACE, OUTLINE_POWER);
  const outline = new Map(
    loop.map((v, i) => {
      const fraction = (lengths[i]! - lengths[top]! + total) / total;
      return [v, outlineAt(towards * fraction)] as const;
    }),
  );
  const importance = Float64Array.from(vertices, (v) => {
    // Eyes, nose and mouth first, the eyes above all; the rim of the chart last.
    const [x, y, z] = [Math.abs(rest[3 * v]!), rest[3 * v + 1]!, rest[3 * v + 2]!];
    const away = (x / 0.062) ** 2 + ((y - FACE_MIDDLE_Y) / 0.075) ** 2 + (Math.min(0, z - 0.1) / 0.05) ** 2;
    const toEye =
      ((x - 0.025) / 0.036) ** 2 + ((y - EYES_Y) / 0.028) ** 2 + (Math.min(0, z - 0.1) / 0.04) ** 2;
    return 0.55 + 1.15 / (1 + away ** 2) + 0.6 * Math.exp(-toEye);
  });
  const flat = parametriseDisc({ points, triangles: corners, outline, importance, steps: 10 });
  return { flat: pairs(flat).map(([x, y]) => [widenMiddle(x), y] as const), corners };
}

/** Moves columns of the face outwards, smoothly, so that its middle gets more texels; the rim stays. */
function widenMiddle(x: number): number {
  const [left, , width] = FACE;
  const s = ((x - left) / width) * 2 - 1;
  return left + (width / 2) * (1 + s + (WIDENING * Math.sin(Math.PI * s)) / Math.PI);
}

/** Scalp, ears, neck and shoulders: slit along the back, spread on a rectangle with the throat in the middle. */
function flattenRemainder(
  triangles: readonly SurfaceTriangle[],
  members: readonly number[],
  rest: Float64Array,
): FlatChart {
  const { vertices, corners } = localise(triangles, members);
  const points = pointsOf(rest, vertices);
  const slit = backMidline(points, corners);
  // The subject's right side gets copies of the slit's vertices.
  const copyOf = new Map(slit.map((v, i) => [v, vertices.length + i]));
  const split = corners.map((triangle) => {
    const side = triangle.reduce((sum, v) => sum + points[3 * v]!, 0);
    return (side < 0 ? triangle.map((v) => copyOf.get(v) ?? v) : triangle) as [number, number, number];
  });
  const all = [...vertices, ...slit.map((v) => vertices[v]!)];
  const allPoints = pointsOf(rest, all);
  const loop = boundaryLoops(split).sort((a, b) => b.length - a.length)[0]!;
  const [first, last] = [slit[0]!, slit.at(-1)!];
  // Seen from outside the subject's left (+x) is on the right of the layout.
  const stops = [copyOf.get(first)!, first, last, copyOf.get(last)!];
  const [left, top, width, height] = REST;
  const edge = [
    [left, top],
    [left + width, top],
    [left + width, top + height],
    [left, top + height],
  ] as const;
  const outline = new Map<number, readonly [number, number]>();
  for (const [i, from] of stops.entries()) {
    const to = stops[(i + 1) % 4]!;
    const path = walk(loop, from, to, stops);
    const lengths = cumulativeLengths(allPoints, path);
    for (const [k, v] of path.entries()) {
      const t = lengths[k]! / lengths.at(-1)!;
      const [[x0, y0], [x1, y1]] = [edge[i]!, edge[(i + 1) % 4]!];
      // A slight bulge keeps the outline strictly convex.
      const bulge = 16 * t * (1 - t);
      const [nx, ny] = [Math.sign(y1 - y0), -Math.sign(x1 - x0)];
      outline.set(v, [x0 + t * (x1 - x0) + bulge * nx, y0 + t * (y1 - y0) + bulge * ny]);
    }
  }
  const importance = Float64Array.from(all, (v) => {
    const [x, y, z] = [Math.abs(rest[3 * v]!), rest[3 * v + 1]!, rest[3 * v + 2]!];
    if (y < 0.58) return 0.6;
    return Math.hypot(x - 0.08, y - 0.71, z - 0.03) < 0.045 ? 1.6 : 1;
  });
  const flat = parametriseDisc({ points: allPoints, triangles: split, outline, importance, steps: 10 });
  return { flat: pairs(flat), corners: split };
}

/** The way along a loop from one stop to the next, in whichever direction meets no other stop. */
function walk(loop: readonly number[], from: number, to: number, stops: readonly number[]): number[] {
  for (const step of [1, -1]) {
    const path = [from];
    for (let at = loop.indexOf(from); path.length <= loop.length; ) {
      at = (at + step + loop.length) % loop.length;
      path.push(loop[at]!);
      if (stops.includes(loop[at]!)) break;
    }
    if (path.at(-1) === to) return path;
  }
  throw new Error('the outline does not pass its corners in order');
}

/** Vertices of the plane x = 0 from the face's top over the crown down the back to the cut. */
function backMidline(
  points: Float64Array,
  corners: readonly (readonly [number, number, number])[],
): number[] {
  const isMiddle = (v: number): boolean => Math.abs(points[3 * v]!) < 1e-6;
  const loops = boundaryLoops(corners);
  const highest = loops
    .flat()
    .filter(isMiddle)
    .reduce((a, b) => (points[3 * b + 1]! > points[3 * a + 1]! ? b : a));
  const rim = new Set(loops.flat());
  const next = new Map<number, Set<number>>();
  for (const triangle of corners) {
    for (const v of triangle) {
      if (!isMiddle(v)) continue;
      for (const other of triangle) {
        if (other !== v && isMiddle(other)) next.set(v, (next.get(v) ?? new Set()).add(other));
      }
    }
  }
  const path = [highest];
  for (;;) {
    const onward = [...(next.get(path.at(-1)!) ?? [])].find((v) => !path.includes(v));
    if (onward === undefined) throw new Error('the midline of the back ends inside the head');
    path.push(onward);
    if (rim.has(onward)) return path;
  }
}

function cumulativeLengths(points: Float64Array, path: readonly number[]): number[] {
  const lengths = [0];
  for (let i = 1; i < path.length; i++) {
    const [a, b] = [path[i - 1]!, path[i]!];
    const step = Math.hypot(...[0, 1, 2].map((axis) => points[3 * a + axis]! - points[3 * b + axis]!));
    lengths.push(lengths[i - 1]! + step);
  }
  return lengths;
}

/** Points of a superellipse in a rectangle by their fraction of its length, clockwise from the top. */
function superellipse(
  [left, top, width, height]: Rectangle,
  power: number,
): (fraction: number) => readonly [number, number] {
  const samples = Array.from({ length: 4001 }, (_, i) => {
    const angle = (2 * Math.PI * i) / 4000;
    const bend = (value: number): number => Math.sign(value) * Math.abs(value) ** (2 / power);
    return [
      left + (width / 2) * (1 + bend(Math.sin(angle))),
      top + (height / 2) * (1 - bend(Math.cos(angle))),
    ] as const;
  });
  const lengths = [0];
  for (let i = 1; i < samples.length; i++) {
    const [a, b] = [samples[i - 1]!, samples[i]!];
    lengths.push(lengths[i - 1]! + Math.hypot(a[0] - b[0], a[1] - b[1]));
  }
  return (fraction) => {
    const wanted = (((fraction % 1) + 1) % 1) * lengths.at(-1)!;
    const i = Math.max(
      1,
      lengths.findIndex((length) => length >= wanted),
    );
    const t = (wanted - lengths[i - 1]!) / (lengths[i]! - lengths[i - 1]!);
    const [a, b] = [samples[i - 1]!, samples[i]!];
    return [a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])];
  };
}

/** The pupil in the middle, equal angles at equal distances. */
function placeEyeball(
  surface: HeadSurface,
  first: number,
  members: readonly number[],
  [left, top, width, height]: Rectangle,
  add: AddVertex,
  place: PlaceCorner,
): void {
  const rim = (EYEBALL_RIM_DEGREES * Math.PI) / 180;
  const indices = eyeballDirections().map(({ direction: [x, y, z] }) => {
    const side = Math.hypot(x, y) || 1;
    const reach = Math.acos(Math.min(1, z)) / rim / 2;
    return add(left + width * (0.5 + (reach * x) / side), top + height * (0.5 - (reach * y) / side));
  });
  for (const t of members) {
    for (const [corner, v] of surface.triangles[t]!.vertices.entries()) place(t, corner, indices[v - first]!);
  }
}

/** Keeps MakeHuman's own flattening of an island, fitted into a rectangle. */
function placeIsland(
  triangles: readonly SurfaceTriangle[],
  members: readonly number[],
  [left, top, width, height]: Rectangle,
  add: AddVertex,
  place: PlaceCorner,
): void {
  const all = members.flatMap((t) => triangles[t]!.sourceUvs);
  const range = (axis: number): [number, number] => {
    const values = all.map((uv) => uv[axis]!);
    return [Math.min(...values), Math.max(...values)];
  };
  const [[u0, u1], [v0, v1]] = [range(0), range(1)];
  const indexOf = new Map<string, number>();
  for (const t of members) {
    for (const [corner, [u, v]] of triangles[t]!.sourceUvs.entries()) {
      const key = `${u} ${v}`;
      if (!indexOf.has(key)) {
        indexOf.set(key, add(left + (width * (u - u0)) / (u1 - u0), top + (height * (v1 - v)) / (v1 - v0)));
      }
      place(t, corner, indexOf.get(key)!);
    }
  }
}

function pairs(flat: Float64Array): [number, number][] {
  return Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i]!, flat[2 * i + 1]!]);
}
