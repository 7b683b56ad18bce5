// Published weights in and out: files of tensors in pieces, the layouts that they come in, what of them a model takes.

export * from './byte-source.ts';
export * from './description.ts';
export * from './export-plan.ts';
export * from './import-plan.ts';
export * from './layout.ts';
export * from './open-weights.ts';
export * from './original-names.ts';
export * from './safetensors-file.ts';
export * from './stored-type.ts';
export * from './tensor-file.ts';
export * from './torch-file.ts';
export * from './weight-places.ts';
export * from './weights-writer.ts';
