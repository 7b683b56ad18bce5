// ONNX models as plain data, and their protobuf encoding: the one form every back end runs.
// Only the fields that the project writes are covered. Source: onnx/onnx.proto (field numbers), opset 21.

import type { AnyTensor, DType } from './host-tensor.ts';

/** The default operator set of emitted models. */
export const ONNX_OPSET = 21;

/** The value of a node's attribute; whole numbers are written as INT unless wrapped in `onnxFloat`. */
export type OnnxAttribute =
  | number
  | string
  | readonly number[]
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | AnyTensor;

/** One operator application; inputs and outputs are value names, `''` for an omitted one. */
export type OnnxNode = {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, OnnxAttribute>>;
  /** Operator domain; the default is ONNX's own, `com.microsoft` holds ONNX Runtime's extras. */
  readonly domain?: string;
  readonly name?: string;
};

/** A graph input or output; a string extent is a symbolic dimension. */
export type OnnxValueInfo = {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly (number | string)[];
};

/** A whole model: nodes in topological order, with constants as initialisers. */
export type OnnxModel = {
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly inputs: readonly OnnxValueInfo[];
  readonly outputs: readonly OnnxValueInfo[];
  /** What lies between, as far as it is known; for plans, not for runtimes. */
  readonly intermediates?: readonly OnnxValueInfo[];
  readonly initialisers: Readonly<Record<string, AnyTensor>>;
};

/** Where the raw bytes of a tensor stand in a file. */
export type ExternalPlace = {
  readonly offset: number;
  readonly length: number;
  /** How its elements are stored, where that is not fp32; the model casts them to what it computes in. */
  readonly stored?: 'float16' | 'bfloat16';
};

/** Weights in a file beside the model, for models beyond 2 GB: the model's inputs of these names become initialisers. */
export type ExternalWeights = {
  /** The file's name, relative to the model, or to `SessionOptions.weightsFolder`. */
  readonly location: string;
  readonly places: ReadonlyMap<string, ExternalPlace>;
};

/** Encodes a model as a protobuf `ModelProto`. What is encoded within must stay below 2 GB. */
export function encodeOnnxModel(model: OnnxModel, external?: ExternalWeights): Uint8Array<ArrayBuffer> {
  const domains = new Set(model.nodes.map((node) => node.domain ?? ''));
  const writer = new ProtoWriter();
  writer.varint(1, 10); // ir_version
  writer.text(2, 'learn2control'); // producer_name
  writer.message(7, (graph) => writeGraph(graph, model, external));
  for (const domain of new Set(['', ...domains])) {
    writer.message(8, (opset) => {
      opset.text(1, domain);
      opset.varint(2, domain === '' ? ONNX_OPSET : 1);
    });
  }
  return writer.finish();
}

const ELEMENT_TYPE: Record<DType, number> = {
  float32: 1,
  uint8: 2,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
};
/** Files hold it; nothing here computes in it. */
const BFLOAT16 = 16;
const ATTRIBUTE = { float: 1, int: 2, string: 3, tensor: 4, floats: 6, ints: 7 } as const;

/** A model that takes its weights as their file has them, and the places of these by the names that it gives them. */
export type StoredForm = { readonly model: OnnxModel; readonly places: ReadonlyMap<string, ExternalPlace> };

/** Casts what a file holds in another type than the model computes in; 16 bits of either kind count as `float16`. */
export function withStoredWeights(model: OnnxModel, places: ReadonlyMap<string, ExternalPlace>): StoredForm {
  const casts: OnnxNode[] = [];
  const widened: OnnxValueInfo[] = [];
  const named = new Map<string, ExternalPlace>();
  const inputs = model.inputs.map((input): OnnxValueInfo => {
    const place = places.get(input.name);
    const stored = place?.stored ?? 'float32';
    const isCast = place !== undefined && stored !== input.dtype;
    const name = isCast ? `${input.name}.stored` : input.name;
    if (place !== undefined) named.set(name, place);
    if (!isCast) return input;
    const attributes = { to: ELEMENT_TYPE[input.dtype] };
    casts.push({ op: 'Cast', inputs: [name], outputs: [input.name], attributes });
    widened.push(input);
    return { ...input, name, dtype: stored === 'float32' ? stored : 'float16' };
  });
  const intermediates = [...widened, ...(model.intermediates ?? [])];
  return { model: { ...model, nodes: [...casts, ...model.nodes], inputs, intermediates }, places: named };
}

function writeGraph(graph: ProtoWriter, given: OnnxModel, external: ExternalWeights | undefined): void {
  const { model, places } = withStoredWeights(given, external?.places ?? new Map());
  for (const node of model.nodes) graph.message(1, (writer) => writeNode(writer, node));
  graph.text(2, model.name);
  for (const [name, tensor] of Object.entries(model.initialisers)) {
    graph.message(5, (writer) => writeTensor(writer, name, tensor));
  }
  for (const input of model.inputs) {
    const place = places.get(input.name);
    if (external === undefined || place === undefined) {
      graph.message(11, (writer) => writeValueInfo(writer, input));
    } else {
      graph.message(5, (writer) =>
        writeExternalTensor(writer, input, { location: external.location, place }),
      );
    }
  }
  for (const output of model.outputs) graph.message(12, (writer) => writeValueInfo(writer, output));
}

function writeNode(writer: ProtoWriter, node: OnnxNode): void {
  for (const input of node.inputs) writer.text(1, input);
  for (const output of node.outputs) writer.text(2, output);
  if (node.name !== undefined) writer.text(3, node.name);
  writer.text(4, node.op);
  for (const [name, value] of Object.entries(node.attributes ?? {})) {
    writer.message(5, (attribute) => writeAttribute(attribute, name, value));
  }
  if (node.domain !== undefined) writer.text(7, node.domain);
}

function writeAttribute(writer: ProtoWriter, name: string, value: OnnxAttribute): void {
  writer.text(1, name);
  if (typeof value === 'number') {
    writer.varint(3, value);
    writer.varint(20, ATTRIBUTE.int);
  } else if (typeof value === 'string') {
    writer.text(4, value);
    writer.varint(20, ATTRIBUTE.string);
  } else if (isNumberList(value)) {
    for (const n of value) writer.varint(8, n);
    writer.varint(20, ATTRIBUTE.ints);
  } else if ('float' in value) {
    writer.float(2, value.float);
    writer.varint(20, ATTRIBUTE.float);
  } else if ('floats' in value) {
    for (const n of value.floats) writer.float(7, n);
    writer.varint(20, ATTRIBUTE.floats);
  } else {
    writer.message(5, (tensorWriter) => writeTensor(tensorWriter, name, value));
    writer.varint(20, ATTRIBUTE.tensor);
  }
}

function isNumberList(value: OnnxAttribute): value is readonly number[] {
  return Array.isArray(value);
}

function writeTensor(writer: ProtoWriter, name: string, { dtype, shape, data }: AnyTensor): void {
  for (const extent of shape) writer.varint(1, extent);
  writer.varint(2, ELEMENT_TYPE[dtype]);
  writer.text(8, name);
  writer.bytes(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
}

/** A tensor whose bytes stand elsewhere: fields `external_data` and `data_location` of `TensorProto`. */
function writeExternalTensor(
  writer: ProtoWriter,
  { dtype, shape, name }: OnnxValueInfo,
  { location, place }: { readonly location: string; readonly place: ExternalPlace },
): void {
  const { offset, length, stored } = place;
  for (const extent of shape) writer.varint(1, Number(extent));
  writer.varint(2, stored === 'bfloat16' ? BFLOAT16 : ELEMENT_TYPE[stored ?? dtype]);
  writer.text(8, name);
  for (const [key, value] of Object.entries({ location, offset, length })) {
    writer.message(13, (entry) => {
      entry.text(1, key);
      entry.text(2, `${value}`);
    });
  }
  writer.varint(14, 1);
}

function writeValueInfo(writer: ProtoWriter, { name, dtype, shape }: OnnxValueInfo): void {
  writer.text(1, name);
  writer.message(2, (type) =>
    type.message(1, (tensorType) => {
      tensorType.varint(1, ELEMENT_TYPE[dtype]);
      tensorType.message(2, (shapeWriter) => {
        for (const extent of shape) {
          shapeWriter.message(1, (dimension) => {
            if (typeof extent === 'number') dimension.varint(1, extent);
            else dimension.text(2, extent);
          });
        }
      });
    }),
  );
}

/** Collects the wire form of one message; nested messages are written through a writer of their own. */
class ProtoWriter {
  readonly #chunks: Uint8Array[] = [];
  #length = 0;

  varint(field: number, value: number): void {
    this.#push(varintBytes(field << 3));
    this.#push(varintBytes(value));
  }

  float(field: number, value: number): void {
    this.#push(varintBytes((field << 3) | 5));
    this.#push(new Uint8Array(new Float32Array([value]).buffer));
  }

  text(field: number, value: string): void {
    this.bytes(field, new TextEncoder().encode(value));
  }

  bytes(field: number, value: Uint8Array): void {
    this.#push(varintBytes((field << 3) | 2));
    this.#push(varintBytes(value.length));
    this.#push(value);
  }

  message(field: number, write: (writer: ProtoWriter) => void): void {
    const nested = new ProtoWriter();
    write(nested);
    this.#push(varintBytes((field << 3) | 2));
    this.#push(varintBytes(nested.#length));
    for (const chunk of nested.#chunks) this.#push(chunk);
  }

  finish(): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(this.#length);
    let offset = 0;
    for (const chunk of this.#chunks) {
      bytes.set(chunk, offset);
      offset += chunk.length;
    }
    return bytes;
  }

  #push(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
  }
}

function varintBytes(value: number): Uint8Array {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest === 0n ? low : low | 0x80);
  } while (rest !== 0n);
  return Uint8Array.from(bytes);
}
