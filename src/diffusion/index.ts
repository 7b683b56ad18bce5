// Diffusion: the noise schedule, v-prediction, samplers. Knows no heads and no networks.

export * from './sampler.ts';
export * from './sampling-loop.ts';
export * from './schedule.ts';
export * from './velocity.ts';
