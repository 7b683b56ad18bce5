// The way back from the head's vertices to MakeHuman's base mesh, as a small file beside the head: what is
// made for that mesh (hair, brows, skins) finds its place by it.

import { encodeSafetensors, tensor } from '../../src/tensor/index.ts';
import type { HeadSurface } from './head-surface.ts';

/** The bytes of `models/head/base-vertices.safetensors`; eyeballs have no base vertices and no rows. */
export function encodeBaseVertices({ sources }: HeadSurface, headName: string): Uint8Array<ArrayBuffer> {
  return encodeSafetensors({
    metadata: { format: 'learn2control.base-vertices', version: '1', baseMesh: 'hm08', headName },
    tensors: {
      ends: {
        dtype: 'int32',
        shape: [sources.length, 2],
        data: Int32Array.from(sources.flatMap(({ a, b }) => [a, b])),
      },
      // Head vertex = (1 - share) * first end + share * second end.
      shares: tensor(
        Float32Array.from(sources, ({ t }) => t),
        [sources.length],
      ),
    },
  });
}
