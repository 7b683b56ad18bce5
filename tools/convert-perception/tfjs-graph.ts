// Reads TensorFlow.js graph models: a JSON topology of TensorFlow nodes and one binary of weights.
// Source of the form: TensorFlow's GraphDef, and the weight manifest of the tfjs converter.

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type AnyTensor, elementCount, fromHalf } from '../../src/tensor/index.ts';

/** One TensorFlow operation. */
export type TfNode = {
  readonly name: string;
  readonly op: string;
  /** Names of nodes; control inputs are left out. */
  readonly inputs: readonly string[];
  readonly attributes: Readonly<Record<string, TfAttribute>>;
};

/** The fields of an attribute's JSON that the converter reads. */
export type TfAttribute = {
  readonly i?: string | number;
  readonly b?: boolean;
  readonly s?: string;
  readonly type?: string;
  readonly list?: { readonly i?: readonly (string | number)[]; readonly s?: readonly string[] };
};

/** A graph model: its nodes in topological order and its constants by node name. */
export type TfGraph = {
  readonly nodes: readonly TfNode[];
  readonly weights: Readonly<Record<string, AnyTensor>>;
};

type WeightSpec = {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: 'float32' | 'int32';
  readonly quantization?: { readonly dtype: string };
};

type ModelJson = {
  readonly modelTopology: {
    readonly node: readonly {
      readonly name: string;
      readonly op: string;
      readonly input?: readonly string[];
      readonly attr?: Readonly<Record<string, TfAttribute>>;
    }[];
  };
  readonly weightsManifest: readonly {
    readonly paths: readonly string[];
    readonly weights: readonly WeightSpec[];
  }[];
};

/** Reads `FILE.json` and the binaries beside it. */
export function readTfGraph(jsonFile: string): TfGraph {
  const json = JSON.parse(readFileSync(jsonFile, 'utf8')) as ModelJson;
  const weights: Record<string, AnyTensor> = {};
  for (const group of json.weightsManifest) {
    const files = group.paths.map((path) => readFileSync(join(dirname(jsonFile), path)));
    const bytes = Uint8Array.from(Buffer.concat(files));
    let offset = 0;
    for (const spec of group.weights) {
      const { value, byteLength } = readWeight(spec, bytes.subarray(offset));
      weights[spec.name] = value;
      offset += byteLength;
    }
  }
  return { nodes: sortTopologically(json), weights };
}

function readWeight(spec: WeightSpec, bytes: Uint8Array): { value: AnyTensor; byteLength: number } {
  const count = elementCount(spec.shape);
  const isHalf = spec.quantization?.dtype === 'float16';
  const byteLength = count * (isHalf ? 2 : 4);
  const buffer = bytes.slice(0, byteLength).buffer;
  if (spec.dtype === 'int32') {
    return { value: { dtype: 'int32', shape: spec.shape, data: new Int32Array(buffer) }, byteLength };
  }
  const data = isHalf ? fromHalf(new Uint16Array(buffer)) : new Float32Array(buffer);
  return { value: { dtype: 'float32', shape: spec.shape, data }, byteLength };
}

function sortTopologically(json: ModelJson): TfNode[] {
  const byName = new Map(json.modelTopology.node.map((node) => [node.name, node]));
  const sorted: TfNode[] = [];
  const seen = new Set<string>();
  const visit = (name: string): void => {
    if (seen.has(name)) return;
    seen.add(name);
    const node = byName.get(name);
    if (node === undefined) throw new Error(`the graph names a node that it does not hold: ${name}`);
    const inputs = (node.input ?? []).filter((i) => !i.startsWith('^')).map((i) => i.replace(/:0$/, ''));
    for (const input of inputs) visit(input);
    sorted.push({ name, op: node.op, inputs, attributes: node.attr ?? {} });
  };
  for (const name of byName.keys()) visit(name);
  return sorted;
}
