// What the perception networks see in the rendered pictures, with the truth beside it, in one file: the
// samples that the prior is fitted to.

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createDevice, readImage, readModel } from '../../src/node/index.ts';
import { encodeSafetensors, onOneThread } from '../../src/tensor/index.ts';
import { eyePatches } from '../../src/tracking/eye-patch.ts';
import { createFaceFollower } from '../../src/tracking/face-follower.ts';
import { facePatch } from '../../src/tracking/face-patch.ts';
import { createFaceDetector, createLandmarkNetwork } from '../../src/tracking/index.ts';
import type { TakeTruth } from './render.ts';

/** Observes all rendered pictures of a folder. @returns the bytes of a safetensors file */
export async function observeSubjects(folder: string): Promise<Uint8Array<ArrayBuffer>> {
  const device = onOneThread(await createDevice('cpu'));
  await using detector = await createFaceDetector(
    device,
    await readModel('perception', 'face-detector.onnx'),
  );
  await using network = await createLandmarkNetwork(
    device,
    await readModel('perception', 'face-landmarks.onnx'),
  );
  const names = (await readdir(folder)).filter((file) => file.endsWith('.json')).sort();
  const columns: Record<string, number[][]> = {};
  const add = (name: string, row: ArrayLike<number>): void => {
    columns[name] ??= [];
    columns[name]!.push(Array.from(row));
  };
  let missed = 0;
  for (const [done, file] of names.entries()) {
    const truth = JSON.parse(await readFile(join(folder, file), 'utf8')) as TakeTruth;
    for (const [k, frame] of truth.frames.entries()) {
      const { image } = await readImage(join(folder, file.replace('.json', `-${k}.jpg`)));
      const face = await createFaceFollower(detector, network).next(image);
      if (face === null) {
        missed++;
        continue;
      }
      add('subject', [done]);
      add('camera', [truth.sizePx, truth.focalPx]);
      add('landmarks', face.landmarksPx);
      add('eyes', eyePatches(image, face.landmarksPx));
      add('patch', facePatch(image, face.landmarksPx));
      add('identity', truth.identity);
      add('expression', frame.expression);
      add('jointRotations', frame.jointRotations);
      add('translation', frame.translation);
    }
    if ((done + 1) % 20 === 0) console.log(`${done + 1} of ${names.length} subjects observed`);
  }
  console.log(`no face in ${missed} pictures`);
  const tensors = Object.fromEntries(
    Object.entries(columns).map(([name, rows]) => {
      const width = rows[0]!.length;
      const data = new Float32Array(rows.length * width);
      for (const [i, row] of rows.entries()) data.set(row, i * width);
      return [name, { dtype: 'float32', shape: [rows.length, width], data } as const];
    }),
  );
  return encodeSafetensors({ metadata: {}, tensors });
}
