// The weights of the face trunk out of its converted graph, under the names of src/tracking/face-trunk.ts: its nodes come
// in the order in which the trunk is built.

import type { Weights } from '../../src/nn/index.ts';
import { createParameterSet } from '../../src/nn/index.ts';
import { type AnyTensor, fromHalf, input, type OnnxModel, type Tensor } from '../../src/tensor/index.ts';
import { faceTrunk } from '../../src/tracking/index.ts';

/** Names the weights of convolutions and slopes. @throws RangeError when the graph has other layers than the trunk. */
export function trunkWeights({ nodes, initialisers, inputs }: OnnxModel): Weights {
  const set = createParameterSet();
  faceTrunk(set.scope, input('image', inputs[0]!.shape.map(Number)));
  const stored = new Map<string, AnyTensor>(Object.entries(initialisers));
  for (const { op, inputs: from, outputs } of nodes) {
    if (op === 'Cast' && stored.has(from[0]!)) stored.set(outputs[0]!, stored.get(from[0]!)!);
  }
  const found = nodes
    .filter(({ op }) => op === 'Conv' || op === 'PRelu')
    .flatMap(({ inputs: from }) => from.slice(1).map((name) => asFloats(stored.get(name)!)));
  const names = [...set.values];
  const isSame = names.every(([, { shape }], i) => shape.join() === found[i]?.shape.join());
  if (found.length !== names.length || !isSame)
    throw new RangeError(`expected ${names.length} weights of the trunk's shapes, got ${found.length}`);
  return Object.fromEntries(names.map(([name], i) => [name, found[i]!]));
}

function asFloats({ dtype, shape, data }: AnyTensor): Tensor {
  if (dtype === 'float32') return { dtype, shape, data };
  if (dtype === 'float16') return { dtype: 'float32', shape, data: fromHalf(data) };
  throw new RangeError(`expected weights, got ${dtype}`);
}
