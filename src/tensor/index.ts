// Tensors and the networks made of them: host arrays and files, the symbolic graph with its gradients,
// the ONNX models it emits, and the devices that run them.

export * from './device.ts';
export * from './half.ts';
export * from './host-tensor.ts';
export * from './onnx-model.ts';
export * from './random.ts';
export * from './safetensors.ts';
