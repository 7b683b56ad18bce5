// Triangle meshes as flat arrays: normals, neighbours, welding. Counter-clockwise from outside.

/**
 * Area-weighted unit normals of the vertices (`V 3`); zero for a vertex of no triangle.
 * `vertices` is `V 3`, `triangles` `F 3`.
 */
export function vertexNormals(vertices: Float32Array, triangles: Uint32Array): Float32Array {
  return vertexSurface(vertices, triangles).normals;
}

/** Normals as `vertexNormals` gives them, and the area of the triangles about each vertex (`V`, squared units). */
export function vertexSurface(
  vertices: Float32Array,
  triangles: Uint32Array,
): { normals: Float32Array; areas: Float32Array } {
  const normals = new Float32Array(vertices.length);
  const areas = new Float32Array(vertices.length / 3);
  for (let t = 0; t < triangles.length; t += 3) {
    const [a, b, c] = [triangles[t]! * 3, triangles[t + 1]! * 3, triangles[t + 2]! * 3];
    const ax = vertices[a]!;
    const ay = vertices[a + 1]!;
    const az = vertices[a + 2]!;
    const ux = vertices[b]! - ax;
    const uy = vertices[b + 1]! - ay;
    const uz = vertices[b + 2]! - az;
    const vx = vertices[c]! - ax;
    const vy = vertices[c + 1]! - ay;
    const vz = vertices[c + 2]! - az;
    const nx = uy * vz - uz * vy;
    const ny = uz * vx - ux * vz;
    const nz = ux * vy - uy * vx;
    const area = Math.sqrt(nx * nx + ny * ny + nz * nz) / 2;
    for (let corner = t; corner < t + 3; corner++) {
      areas[triangles[corner]!]! += area;
      const v = triangles[corner]! * 3;
      normals[v]! += nx;
      normals[v + 1]! += ny;
      normals[v + 2]! += nz;
    }
  }
  for (let v = 0; v < normals.length; v += 3) {
    const [x, y, z] = [normals[v]!, normals[v + 1]!, normals[v + 2]!];
    const length = Math.sqrt(x * x + y * y + z * z);
    const scale = length > 0 ? 1 / length : 0;
    normals[v] = x * scale;
    normals[v + 1] = y * scale;
    normals[v + 2] = z * scale;
  }
  return { normals, areas };
}

/** Area of a triangle of the vertices (`V 3`), squared units. */
export function triangleArea(vertices: Float32Array, corners: ArrayLike<number>): number {
  const [a, b, c] = [3 * corners[0]!, 3 * corners[1]!, 3 * corners[2]!];
  const [u, w] = [b, c].map((end) => [0, 1, 2].map((k) => vertices[end + k]! - vertices[a + k]!)) as [
    [number, number, number],
    [number, number, number],
  ];
  return Math.hypot(u[1] * w[2] - u[2] * w[1], u[2] * w[0] - u[0] * w[2], u[0] * w[1] - u[1] * w[0]) / 2;
}

/** The neighbours of every vertex as one list: those of `v` are `indices[starts[v] .. starts[v + 1]]`. */
export type VertexNeighbours = {
  /** `V + 1`. */
  readonly starts: Uint32Array;
  readonly indices: Uint32Array;
};

/** Which vertices share an edge; each pair once in either direction. */
export function vertexNeighbours(vertexCount: number, triangles: Uint32Array): VertexNeighbours {
  const sets = Array.from({ length: vertexCount }, () => new Set<number>());
  for (let t = 0; t < triangles.length; t += 3) {
    for (let k = 0; k < 3; k++) {
      const [from, to] = [triangles[t + k]!, triangles[t + ((k + 1) % 3)]!];
      sets[from]!.add(to);
      sets[to]!.add(from);
    }
  }
  const starts = new Uint32Array(vertexCount + 1);
  sets.forEach((set, v) => {
    starts[v + 1] = starts[v]! + set.size;
  });
  const indices = new Uint32Array(starts[vertexCount]!);
  sets.forEach((set, v) => {
    indices.set([...set].sort(ascending), starts[v]!);
  });
  return { starts, indices };
}

/** The edges that only one triangle has, as vertex pairs in that triangle's direction. */
export function boundaryEdges(triangles: Uint32Array): [from: number, to: number][] {
  const count = triangles.reduce((most, v) => Math.max(most, v + 1), 0);
  const key = (from: number, to: number): number => from * count + to;
  const directed = new Set<number>();
  const edges: [number, number][] = [];
  for (let t = 0; t < triangles.length; t += 3) {
    for (let k = 0; k < 3; k++) {
      const edge: [number, number] = [triangles[t + k]!, triangles[t + ((k + 1) % 3)]!];
      edges.push(edge);
      directed.add(key(...edge));
    }
  }
  return edges.filter(([from, to]) => !directed.has(key(to, from)));
}

const ascending = (a: number, b: number): number => a - b;
