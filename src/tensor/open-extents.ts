// Memory given back as soon as nobody needs it. ONNX Runtime plans ahead which result takes the buffer of a dead one of
// the same shape, and holds such a buffer from its first use to its last: one that serves the first and the last block
// lives throughout. Where a shape is not known ahead it cannot plan so: each result gets a buffer of its own when it is
// computed, which is freed after its last use. Leaving the first extents open makes every shape unknown.
// Source: `FindReusableTensor` in onnxruntime/core/framework/allocation_planner.cc.

import type { AnyTensor } from './host-tensor.ts';
import type { OnnxModel, OnnxNode, OnnxValueInfo } from './onnx-model.ts';

/**
 * The same model with the first extents of what is fed, and of what comes out, left open. It still runs at the extents
 * that it was made for, and gives the same numbers.
 * @param isWeight whether an input holds weights, whose shapes stay
 */
export function withOpenExtents(model: OnnxModel, isWeight: (name: string) => boolean): OnnxModel {
  const opened = (info: OnnxValueInfo): OnnxValueInfo =>
    info.shape.length === 0 || isWeight(info.name)
      ? info
      : { ...info, shape: info.shape.with(0, `${info.name}.extent`) };
  const targets: Record<string, AnyTensor> = {};
  const nodes = model.nodes.map((node): OnnxNode => {
    const target = node.op === 'Reshape' ? model.initialisers[node.inputs[1]!] : undefined;
    if (target?.dtype !== 'int64' || target.data.length === 0 || target.data.includes(-1n)) return node;
    // The runtime finds the first extent from what is left: as large as it was, and unknown ahead.
    const name = `${node.inputs[1]!}.open`;
    targets[name] = { ...target, data: target.data.with(0, -1n) };
    return { ...node, inputs: [node.inputs[0]!, name] };
  });
  const all = { ...model.initialisers, ...targets };
  const used = new Set(nodes.flatMap(({ inputs }) => inputs));
  const initialisers = Object.fromEntries(Object.entries(all).filter(([name]) => used.has(name)));
  return {
    ...model,
    ...{ nodes, initialisers },
    ...{ inputs: model.inputs.map(opened), outputs: model.outputs.map(opened) },
  };
}
