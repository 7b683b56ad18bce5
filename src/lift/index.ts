// A still carried to another pose and expression on its own fitted head, with what is seen and what is not.

export type { LiftedImage } from './composition.ts';
export type { EyeSocket } from './eye-sockets.ts';
export { liftGeometry } from './lift-geometry.ts';
export {
  createLifter,
  createLiftTools,
  type HeadPlacement,
  type Lifter,
  type LiftSource,
  type LiftTools,
} from './lifter.ts';
export { diffuseOverMesh } from './mesh-diffusion.ts';
export { liftRoundTrip, type RoundTrip } from './round-trip.ts';
