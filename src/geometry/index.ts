// Rotations, rigid transforms, cameras and meshes: the geometry that knows no heads.

export * from './camera.ts';
export * from './cholesky.ts';
export * from './least-squares.ts';
export * from './mesh.ts';
export * from './mirror-images.ts';
export * from './point-alignment.ts';
export * from './reference-rasteriser.ts';
export * from './rigid-transform.ts';
export * from './spherical-harmonics.ts';
export * from './surface-search.ts';
