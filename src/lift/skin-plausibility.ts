// Whether what a still shows at a grazing point of the face can be its skin: strands, a collar or the shade behind an
// ear lie on the fitted surface as well, and would turn to the front as blots. What can be is told by the face
// that is seen squarely, spread over the mesh.

import { type LiftGeometry, smoothstep } from './lift-geometry.ts';
import { diffuseOverMesh } from './mesh-diffusion.ts';
import { ATTRIBUTE, ATTRIBUTE_COUNT } from './source-view.ts';

/** Seen this squarely, the face is taken as it is. */
export const SQUARE_FACING = 0.65;
/** By how much, in logarithms, the colour of skin may lie from what is expected, and where it cannot be skin any more. */
const DEVIATIONS = [0.35, 0.65] as const;
const DARKEST = 16;
/** How much darker, in logarithms, the throat may be: it lies in the chin's shade. */
const THROAT_SHADE = 0.6;

/**
 * How plausible each vertex's colour is as skin, `V`, 0 to 1; 1 from the eyes upwards, where it is not seen at all, and
 * from the chin upwards where it is seen squarely: a throat may be a collar however it is seen.
 * @param colours `V 3`, 0 to 255, of the vertices of skin that `isVisible` holds of
 */
export function skinPlausibility(
  { vertexClasses, faceWeights, cheekWeights, skullWeights, neighbours }: LiftGeometry,
  attributes: Float32Array,
  colours: Float32Array,
  isVisible: Uint8Array,
): Float32Array {
  const facing = (v: number): number => attributes[v * ATTRIBUTE_COUNT + ATTRIBUTE.facing]!;
  const expected = Float32Array.from(colours);
  const isAnchor = isVisible.map((visible, v) =>
    visible &&
    vertexClasses[v] === 0 &&
    faceWeights[v]! > 0.5 &&
    skullWeights[v] === 1 &&
    facing(v) > SQUARE_FACING
      ? 1
      : 0,
  );
  diffuseOverMesh(expected, isAnchor, neighbours, 8);
  return Float32Array.from(isVisible, (visible, v) => {
    if (!visible || isAnchor[v] || vertexClasses[v] !== 0) return 1;
    const shades = [0, 1, 2].map((k) => {
      const at = 3 * v + k;
      return Math.log((colours[at]! + DARKEST) / (expected[at]! + DARKEST));
    });
    const darker = Math.min(
      0,
      shades.reduce((sum, shade) => sum + shade / 3, 0),
    );
    const shade = Math.max(darker, (skullWeights[v]! - 1) * THROAT_SHADE);
    const deviation = Math.max(...shades.map((own) => Math.abs(own - shade)));
    return 1 - cheekWeights[v]! * smoothstep(...DEVIATIONS, deviation);
  });
}
