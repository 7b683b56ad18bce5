// MakeHuman's clothes files: how each vertex of an asset hangs on three vertices of the base mesh. Read from
// the files themselves: "verts" is followed by one line a vertex, either one base vertex, or three with
// three weights and an offset; header lines may still come between.

import { assetLines, assetNumbers, damagedAsset } from './asset-text.ts';

/** An axis' scale: the distance of two base vertices along it, over `reference` (decimetres). */
export type MhcloScale = { readonly from: number; readonly to: number; readonly reference: number };

/** An asset's hold on the base mesh: vertex = sum of weight * base vertex + offset * scale. */
export type Mhclo = {
  readonly objFile: string;
  readonly material: string | null;
  readonly tags: readonly string[];
  /** For x, y, z. */
  readonly scales: readonly [MhcloScale, MhcloScale, MhcloScale];
  /** `N 3` base vertices. */
  readonly vertices: Uint32Array;
  /** `N 3`. */
  readonly weights: Float32Array;
  /** `N 3`, decimetres before scaling. */
  readonly offsets: Float32Array;
};

/** Reads a clothes file. @param name what to call it in errors @throws BadInputError in one line. */
export function parseMhclo(text: string, name: string): Mhclo {
  const header = new Map<string, readonly string[]>();
  const tags: string[] = [];
  const [vertices, weights, offsets]: [number[], number[], number[]] = [[], [], []];
  let section: string | null = null;
  for (const { words, number } of assetLines(text)) {
    if (/^[a-z]/i.test(words[0]!)) {
      if (words[0] === 'tag') tags.push(words.slice(1).join(' ').toLowerCase());
      else header.set(words[0]!, words.slice(1));
      if (/^(verts|delete_verts|weights)$/.test(words[0]!)) section = words[0]!;
      continue;
    }
    if (section !== 'verts') continue;
    const values = assetNumbers(words, name, number);
    if (values.length !== 1 && values.length !== 6 && values.length !== 9) {
      throw damagedAsset(name, `line ${number} binds a vertex with ${values.length} numbers, not 1, 6 or 9`);
    }
    const isCopy = values.length === 1;
    const bases = isCopy ? [values[0]!, values[0]!, values[0]!] : values.slice(0, 3);
    if (bases.some((v) => !Number.isInteger(v) || v < 0)) {
      throw damagedAsset(name, `line ${number} names no vertex of the base mesh`);
    }
    vertices.push(...bases);
    weights.push(...(isCopy ? [1, 0, 0] : values.slice(3, 6)));
    offsets.push(...(values.length === 9 ? values.slice(6) : [0, 0, 0]));
  }
  const base = header.get('basemesh')?.[0];
  if (base !== undefined && base !== 'hm08')
    throw damagedAsset(name, `it is made for the mesh "${base}", not hm08`);
  if (vertices.length === 0) throw damagedAsset(name, 'it binds no vertices');
  const objFile = header.get('obj_file')?.[0];
  if (!objFile) throw damagedAsset(name, 'it names no obj_file');
  return {
    objFile,
    material: header.get('material')?.[0] ?? null,
    tags,
    scales: [readScale(header, 'x', name), readScale(header, 'y', name), readScale(header, 'z', name)],
    vertices: Uint32Array.from(vertices),
    weights: Float32Array.from(weights),
    offsets: Float32Array.from(offsets),
  };
}

function readScale(header: ReadonlyMap<string, readonly string[]>, axis: string, name: string): MhcloScale {
  const [from, to, reference] = (header.get(`${axis}_scale`) ?? []).map(Number);
  if (
    from === undefined ||
    to === undefined ||
    reference === undefined ||
    !(from >= 0 && to >= 0 && reference > 0)
  ) {
    throw damagedAsset(name, `its ${axis}_scale should be two base vertices and a length`);
  }
  return { from, to, reference };
}
