// Tensors and the networks made of them: host arrays and files, the symbolic graph with its gradients,
// the ONNX models it emits, and the devices that run them.

export * from './device.ts';
export { withGradient } from './graph/custom-gradient.ts';
export { type EmissionOptions, emitModel, nameOf, parametersOf } from './graph/emission.ts';
export { gradients, pullBack, stopGradient } from './graph/gradients.ts';
export { nothingOf, recomputed, recomputedFrom, recomputedIf } from './graph/recomputation.ts';
export { constant, input, type Operand, parameter, type Value } from './graph/value.ts';
export * from './half.ts';
export * from './host-tensor.ts';
export * from './memory-plan.ts';
export * from './mixed-precision.ts';
export * from './onnx-model.ts';
export { withOpenExtents } from './open-extents.ts';
export * from './operations/activations.ts';
export * from './operations/attention.ts';
export * from './operations/convolution.ts';
export * from './operations/elementwise.ts';
export * from './operations/matrix-products.ts';
export * from './operations/normalisation.ts';
export * from './operations/reductions.ts';
export * from './operations/resampling.ts';
export {
  concat,
  depthToSpace,
  expand,
  gatherRows,
  pad,
  pad2d,
  reshape,
  slice,
  spaceToDepth,
  split,
  transpose,
} from './operations/shape.ts';
export * from './random.ts';
export { interpret } from './reference/interpreter.ts';
export * from './safetensors.ts';
