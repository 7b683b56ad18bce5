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

/** Columns of bytes; the others are of floats. */
const BYTES: ReadonlySet<string> = new Set(['eyes', 'patch']);

/**
 * Observes the rendered pictures of a folder.
 * @param part of so many: which of its subjects
 * @returns the bytes of a safetensors file
 */
export async function observeSubjects(
  folder: string,
  [part, parts]: readonly [part: number, parts: number],
): Promise<Uint8Array<ArrayBuffer>> {
  const device = onOneThread(await createDevice('cpu'));
  await using detector = await createFaceDetector(
    device,
    await readModel('perception', 'face-detector.onnx'),
  );
  await using network = await createLandmarkNetwork(
    device,
    await readModel('perception', 'face-landmarks.onnx'),
  );
  const all = (await readdir(folder)).filter((file) => file.endsWith('.json')).sort();
  const names = all.filter((_, i) => i % parts === part);
  const columns: Record<string, ArrayLike<number>[]> = {};
  const add = (name: string, row: ArrayLike<number>): void => {
    columns[name] ??= [];
    columns[name]!.push(row);
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
      const shape = [rows.length, width];
      const fill = <A extends Uint8Array | Float32Array>(data: A): A => {
        for (const [i, row] of rows.entries()) data.set(row, i * width);
        return data;
      };
      const size = rows.length * width;
      return [
        name,
        BYTES.has(name)
          ? ({ dtype: 'uint8', shape, data: fill(new Uint8Array(size)) } as const)
          : ({ dtype: 'float32', shape, data: fill(new Float32Array(size)) } as const),
      ] as const;
    }),
  );
  return encodeSafetensors({ metadata: {}, tensors });
}
