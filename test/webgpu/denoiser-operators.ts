// Which of the operators' cases the denoiser is made of: a driver in software takes half a second to compile each.

/** Titles of `OPERATOR_CASES`. */
export const OF_THE_DENOISER: ReadonlySet<string> = new Set([
  'mul with broadcasting',
  'where',
  'silu',
  'gelu',
  'concat',
  'split with one part unused',
  'depthToSpace',
  'gatherRows with a repeated row',
  'upsampleNearest',
  'averagePool2d',
  'linear',
  'conv2d 3x3',
  'conv2d 3x3, stride 2',
  'groupNorm',
  'layerNorm',
  'attention',
]);
