// The parametric head: identity, expression and pose to vertices; and the tracks that move it.

export * from './head-model.ts';
export * from './head-track.ts';
