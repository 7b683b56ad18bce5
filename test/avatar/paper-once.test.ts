// What a clip needs once is computed once: the networks of the paper's scale, their runs counted.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { openPaperModel } from '../../src/avatar/index.ts';
import { weightPlaces } from '../../src/checkpoints/index.ts';
import { frontCamera } from '../../src/geometry/index.ts';
import { neutralParameters } from '../../src/head/index.ts';
import { createDevice, loadEmbeddedHead, openWeightsFiles, readPaperConfig } from '../../src/node/index.ts';
import type { AnyTensor, Device } from '../../src/tensor/index.ts';
import { writeTinyPaperWeights } from './paper-weights.ts';

const folder = mkdtempSync(join(tmpdir(), 'paper-once-'));
after(() => rmSync(folder, { recursive: true }));
const path = join(folder, 'small.safetensors');
await writeTinyPaperWeights(path);
const config = await readPaperConfig('paper-tiny');
const head = await loadEmbeddedHead();

/** What a session computes, by an output that only it has. */
function nameOf(outputNames: readonly string[]): string {
  const telling = ['latent', 'time', 'guidance', 'velocity', 'picture'].find((name) =>
    outputNames.includes(name),
  );
  return telling ?? 'reference';
}

test('keys and values, label, embeddings and guidance are computed once a clip, whatever the steps', async () => {
  const cpu = await createDevice('cpu');
  const runs: Record<string, number> = {};
  const steps: Readonly<Record<string, AnyTensor>>[] = [];
  const open = new Set<string>();
  const counting: Device = {
    ...cpu,
    async createSession(...words) {
      const session = await cpu.createSession(...words);
      const name = nameOf(session.outputNames);
      open.add(name);
      const run: typeof session.run = (feeds, into) => {
        runs[name] = (runs[name] ?? 0) + 1;
        if (name === 'velocity') {
          steps.push(feeds);
          assert.ok(!open.has('picture'), "the decoder's memory would stand beside the denoiser's");
        }
        return session.run(feeds, into);
      };
      return {
        ...session,
        inputNames: session.inputNames,
        outputNames: session.outputNames,
        run,
        async [Symbol.asyncDispose]() {
          open.delete(name);
          await session[Symbol.asyncDispose]();
        },
      };
    },
  };
  await using opened = await openWeightsFiles(path);
  const weights = {
    ...{ folder: dirname(path), location: basename(path) },
    places: weightPlaces(opened.files[0]!, config),
  };
  const avatar = { name: 'small', config, weights, field: null };
  await using model = await openPaperModel({ avatar, sha256: '', head, device: counting, steps: 2 });
  const { size, frames, sampling } = config;
  const parameters = { ...neutralParameters(head), translation: Float32Array.of(0, 0, -0.6) };
  const renderer = await model.framedRenderer({
    ...{ parameters, camera: frontCamera(size, size, size * 1.5) },
    image: { width: size, height: size, data: new Uint8Array(3 * size * size).fill(90) },
  });
  const FRAMES = frames + 2;
  let pictures = 0;
  for await (const _ of renderer.render(new Array(FRAMES).fill(parameters))) pictures++;
  assert.equal(pictures, FRAMES);
  // Two windows, each with two steps of two branches: with the reference, and without.
  assert.ok(frames - sampling.overlapFrames >= 2);
  assert.deepEqual(runs, {
    ...{ time: 1, latent: 1, reference: 1 },
    ...{ guidance: FRAMES, velocity: 2 * 2 * 2, picture: FRAMES },
  });
  const changing = ['noisy', 'time', 'guidance', 'keepsReference'];
  const still = Object.keys(steps[0]!).filter((name) => !changing.includes(name));
  assert.ok(still.some((name) => name.endsWith('.key')) && still.some((name) => name.endsWith('.label')));
  for (const name of still)
    assert.ok(
      steps.every((feeds) => feeds[name] === steps[0]![name]),
      name,
    );
});
