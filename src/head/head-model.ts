// A parametric head in FLAME's form: template + identity + expression (+ pose correctives), then
// linear blend skinning over five joints. The embedded head and FLAME both take this shape.
// Source of the form: Li et al., "Learning a model of facial shape and expression from 4D scans", 2017.
//
// Axes of the head's frame: y up, face towards +z, the subject's left is +x; metres.

/** The joints, parents first, in the order of every `J` axis. */
export const JOINT_NAMES = ['root', 'neck', 'jaw', 'leftEye', 'rightEye'] as const;
export type JointName = (typeof JOINT_NAMES)[number];

/** What a triangle belongs to: renderers give each its own material. */
export const PART_NAMES = [
  'skin',
  'lips',
  'mouthCavity',
  'leftEyeball',
  'rightEyeball',
  'lashes',
  'upperTeeth',
  'lowerTeeth',
  'tongue',
] as const;
export type PartName = (typeof PART_NAMES)[number];

/** Points on the surface: each a triangle and the weights of its three corners. */
export type SurfacePoints = {
  /** Triangle index of each point, `L`. */
  readonly triangles: Uint32Array;
  /** Corner weights, `L 3`, each row summing to 1. */
  readonly barycentrics: Float32Array;
};

/** A parametric head. Row-major arrays; letters: V vertices, I identity, E expression, J joints, F triangles. */
export type HeadModel = {
  readonly name: string;
  readonly licence: string;
  /** `V 3`, metres. */
  readonly template: Float32Array;
  /** `I V 3`, metres per unit; coefficients have unit variance over the population. */
  readonly identityBasis: Float32Array;
  readonly identityCount: number;
  /** `E V 3`, metres per unit; ARKit units run over [0, 1], FLAME's have unit variance. */
  readonly expressionBasis: Float32Array;
  readonly expressionNames: readonly string[];
  /** Which expression coefficients close the left and the right lid; empty where none does that alone. */
  readonly eyelidExpressions: readonly number[];
  /** `9(J-1) V 3` offsets driven by the joints' rotations minus the identity; null where there are none. */
  readonly poseCorrectives: Float32Array | null;
  /** `J V`, rows sum to 1. */
  readonly jointRegressor: Float32Array;
  /**
   * Whether the joints at rest follow the expression too, as in FLAME; else the identity alone. Default false.
   * Source: `lbs` of the smplx package, which regresses joints from identity and expression together.
   */
  readonly jointsFollowExpression?: boolean;
  /** `V J`, rows sum to 1. */
  readonly skinningWeights: Float32Array;
  /** Parent of each joint; -1 for the root. */
  readonly jointParents: readonly number[];
  /** `F 3` vertex indices, counter-clockwise seen from outside. */
  readonly triangles: Uint32Array;
  /** `U 2` in [0, 1], u to the right and v DOWN (row 0 of a texture is v = 0). */
  readonly uvs: Float32Array;
  /** `F 3` indices into `uvs`. */
  readonly uvTriangles: Uint32Array;
  /** `F`, index into `PART_NAMES`. */
  readonly triangleParts: Uint8Array;
  /** The 478 points of the face mesh network on this head; null before they are derived. */
  readonly landmarks: SurfacePoints | null;
  /**
   * `478`: how much each landmark may be trusted in a fit, 0 (the head has no such point) to about 1.6; null with
   * `landmarks`.
   */
  readonly landmarkWeights: Float32Array | null;
  /** Where the data came from and by which tool, for people and for the header of the file. */
  readonly provenance?: Readonly<Record<string, string>>;
};

/** What poses a head. All lengths are those of the model that they are for. */
export type HeadParameters = {
  /** `I`, unit variance. */
  readonly identity: Float32Array;
  /** `E`. */
  readonly expression: Float32Array;
  /** `J 3` axis-angle, radians: root (the whole head), neck, jaw, left eye, right eye. */
  readonly jointRotations: Float32Array;
  /** Where the head's frame lies in the world, metres. */
  readonly translation: Float32Array;
};

/** The number of vertices of a model. */
export function vertexCount(head: HeadModel): number {
  return head.template.length / 3;
}

/** The mean head at rest, at the world's origin. */
export function neutralParameters(head: HeadModel): HeadParameters {
  return {
    identity: new Float32Array(head.identityCount),
    expression: new Float32Array(head.expressionNames.length),
    jointRotations: new Float32Array(JOINT_NAMES.length * 3),
    translation: new Float32Array(3),
  };
}
