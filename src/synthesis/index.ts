// Synthetic subjects with ground truth: people made from seeds, rendered from the parametric head, and the
// pairs that networks learn from.

export {
  type AssetLibrary,
  type AssetSource,
  type AssetSources,
  buildAssetLibrary,
} from './asset-library.ts';
export type { TexturePicture } from './asset-skin.ts';
export { makeSyntheticClip, type SyntheticClipOptions } from './clips.ts';
export { parseMhclo } from './mhclo.ts';
export { parseMhmat } from './mhmat.ts';
export { type Motion, rotationVector, sampleMotion } from './motion.ts';
export { type MotionClipOptions, sampleMotionClip } from './motion-clip.ts';
export { parseObj } from './obj-mesh.ts';
export {
  type AwayOptions,
  type LearningPair,
  makeRoundTripPair,
  makeSyntheticPair,
  misfit,
  moveAway,
  type SyntheticPair,
  type SyntheticPairOptions,
} from './pairs.ts';
export { placeSubject } from './placement.ts';
export { createRenderTools, type RenderedSubject, type RenderTools, renderSubject } from './renderer.ts';
export { type BakedSkin, bakeSkin } from './skin-baking.ts';
export { createSubject, type Subject } from './subject.ts';
export { SUBJECT_MASKS, type SubjectMask } from './subject-parts.ts';
export type { SurfaceMaps } from './surface-maps.ts';
export type { SubjectTraits } from './traits.ts';
export { renderViews, type ViewsJob } from './views.ts';
