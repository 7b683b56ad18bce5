// Observed samples as what the prior is fitted to: features of every face and the truth beside them.

import { readFile } from 'node:fs/promises';
import type { HeadModel } from '../../src/head/index.ts';
import { decodeSafetensors } from '../../src/tensor/index.ts';
import { createFaceFeatures, type FaceFeatures } from '../../src/tracking/face-features.ts';
import { createLandmarkModel } from '../../src/tracking/landmark-model.ts';

/** One picture. */
export type Sample = {
  readonly subject: number;
  readonly features: FaceFeatures;
  /** As of `eyePatches`. */
  readonly eyes: Uint8Array;
  readonly expression: Float32Array;
  readonly jointRotations: Float32Array;
  /** `I`. */
  readonly identity: Float32Array;
};

/** Reads what `observe` wrote and describes every face. */
export async function readSamples(head: HeadModel, files: readonly string[]): Promise<Sample[]> {
  const model = createLandmarkModel(head, head.landmarks!, head.landmarkWeights!);
  const maker = createFaceFeatures(model);
  const samples: Sample[] = [];
  let firstSubject = 0;
  for (const file of files) {
    const { tensors } = decodeSafetensors(new Uint8Array(await readFile(file)), file);
    const count = tensors.subject!.shape[0]!;
    const row = (name: string, i: number): Float32Array => {
      const data = tensors[name]!.data as Float32Array;
      const width = data.length / count;
      return data.slice(i * width, (i + 1) * width);
    };
    for (let i = 0; i < count; i++) {
      const sizePx = row('camera', i)[0]!;
      const centre = { xPx: sizePx / 2, yPx: sizePx / 2 };
      samples.push({
        subject: firstSubject + row('subject', i)[0]!,
        features: maker.describe(row('landmarks', i), centre),
        eyes: Uint8Array.from(row('eyes', i)),
        expression: row('expression', i),
        jointRotations: row('jointRotations', i),
        identity: row('identity', i),
      });
    }
    firstSubject = samples.at(-1)!.subject + 1;
  }
  return samples;
}
