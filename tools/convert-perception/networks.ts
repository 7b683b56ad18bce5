// The networks that the project ships: which file each comes from, and what it is made to answer.
// All take one picture as planar RGB `1 3 H W`; models/perception/README.md gives their value ranges.

import type { GraphEmitter, Value } from './graph-emitter.ts';
import { LEFT_EYE_POINTS, LIP_POINTS, RIGHT_EYE_POINTS } from './landmark-order.ts';
import { channelsLast } from './operators.ts';

/** One network to convert. */
export type NetworkSpec = {
  /** Base name of the file written. */
  readonly name: string;
  /** Base name of the tfjs model in the package. */
  readonly source: string;
  readonly sizePx: number;
  readonly purpose: string;
  readonly origin: string;
  readonly licence: string;
  /** Whether only its weights are written, for the graph of src/tracking/face-trunk.ts. */
  readonly isWeights?: boolean;
  /** Picks the outputs; `node` finds a value by its TensorFlow name. */
  readonly outputs: (
    graph: GraphEmitter,
    node: (name: string) => Value,
  ) => Promise<Readonly<Record<string, Value>>>;
};

const MEDIAPIPE = 'MediaPipe (Google), https://github.com/google-ai-edge/mediapipe';

export const NETWORKS: readonly NetworkSpec[] = [
  {
    name: 'face-detector',
    source: 'blazeface-back',
    sizePx: 256,
    purpose: 'Face detection: 896 anchors with a score, a box and six key points each. Input in [-1, 1].',
    origin: `${MEDIAPIPE}: BlazeFace, back camera`,
    licence: 'Apache-2.0',
    outputs: detectorOutputs,
  },
  {
    name: 'face-landmarks',
    source: 'facemesh-attention',
    sizePx: 192,
    purpose: 'Face mesh with attention: 478 landmarks in pixels of the input, and presence. Input in [0, 1].',
    origin: `${MEDIAPIPE}: face landmarks with attention`,
    licence: 'Apache-2.0',
    outputs: landmarkOutputs,
  },
  {
    name: 'face-features',
    source: 'facemesh-attention',
    sizePx: 192,
    purpose:
      'The first layers of the face mesh, one map a size, for a perceptual distance: the weights of `faceTrunk`. Input in [0, 1].',
    origin: `${MEDIAPIPE}: face landmarks with attention`,
    licence: 'Apache-2.0',
    isWeights: true,
    outputs: async (_graph, node) =>
      Object.fromEntries(
        [2, 5, 8, 11, 14].map((layer, i) => [
          `features${i}`,
          node(`StatefulPartitionedCall/functional_1/p_re_lu_${layer}/Relu`),
        ]),
      ),
  },
  {
    name: 'person-mask',
    source: 'selfie',
    sizePx: 256,
    purpose: 'Person mask: the probability of a person at every pixel. Input in [0, 1].',
    origin: `${MEDIAPIPE}: selfie segmentation, by way of PINTO_model_zoo 109`,
    licence: 'Apache-2.0',
    outputs: async (_graph, node) => ({ mask: node('activation_10') }),
  },
  {
    name: 'face-descriptor',
    source: 'faceres',
    sizePx: 224,
    purpose:
      'Face description: 1,024 features, age and gender (a MobileNet). Input blue, green, red in [0, 255], less 103.939, 116.779, 123.68.',
    origin: 'HSE_FaceRec_tf (A. Savchenko), https://github.com/HSE-asavchenko/HSE_FaceRec_tf',
    licence: 'Apache-2.0',
    outputs: async (_graph, node) => ({
      descriptor: node('global_pooling/Mean'),
      gender: node('gender_pred/Sigmoid'),
      age: node('age_pred/Softmax'),
    }),
  },
];

/** Both scales in one: `scores` 896 1 and `boxes` 896 16, the fine scale's 512 anchors first. */
async function detectorOutputs(graph: GraphEmitter, node: (name: string) => Value) {
  return {
    scores: await graph.emit('Concat', [node('Identity'), node('Identity_1')], { axis: 1 }),
    boxes: await graph.emit('Concat', [node('Identity_2'), node('Identity_3')], { axis: 1 }),
  };
}

/** The mesh with its lips, eyes and irises replaced by what the attention heads say: `landmarks` 478 2. */
async function landmarkOutputs(graph: GraphEmitter, node: (name: string) => Value) {
  const points = async (name: string, extents: number): Promise<Value> => {
    const flat = await channelsLast(graph, node(name));
    const rows = await graph.emit('Reshape', [flat, graph.ints([-1, extents])]);
    if (extents === 2) return rows;
    return graph.emit('Slice', [rows, graph.ints([0]), graph.ints([2]), graph.ints([1])]);
  };
  const parts = [
    await points('Identity_4', 3),
    await points('Identity_3', 2),
    await points('Identity_1', 2),
    await points('Identity_5', 2),
    await points('Identity_2', 2),
    await points('Identity_6', 2),
  ];
  const all = await graph.emit('Concat', parts, { axis: 0 });
  const order = Array.from({ length: 468 }, (_, i) => i);
  let next = 468;
  for (const refined of [LIP_POINTS, RIGHT_EYE_POINTS, LEFT_EYE_POINTS]) {
    for (const index of refined) order[index] = next++;
  }
  for (let iris = 0; iris < 10; iris++) order.push(next++);
  return {
    landmarks: await graph.emit('Gather', [all, graph.ints(order)], { axis: 0 }),
    presence: node('Identity'),
  };
}
