// What networks are made of, without a word of what they are for: named parameters and their
// initialisers, layers and blocks, the optimiser, files of weights.

export * from './adamw.ts';
export * from './blocks.ts';
export * from './initialisers.ts';
export * from './layers.ts';
export * from './scope.ts';
export * from './tokens.ts';
export * from './weights-file.ts';
