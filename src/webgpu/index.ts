// Computation on a GPU through WebGPU, in a browser or in Node: a device (request-device), its use
// (gpu-context), the stable radix sort and the running sum that splatting needs, and the splatting itself
// (splatting). Knows arrays and buffers only; scenes, shapes and their checks are in `gaussians`.

export * from './gpu-context.ts';
export * from './gpu-device.ts';
export * from './prefix-sum.ts';
export * from './radix-sort.ts';
export * from './request-device.ts';
export * from './splatting.ts';
export * from './splatting-input.ts';
export * from './stage-timer.ts';
export * from './work-size.ts';
