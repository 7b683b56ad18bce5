// The loop: killed anywhere it ends where it would have ended, damage is noticed, and
// gradients that are not finite change nothing.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { BadInputError, FaultError } from '../../src/errors/index.ts';
import type { AvatarEvent } from '../../src/events/index.ts';
import { createParameterSet, linearLayer } from '../../src/nn/index.ts';
import { createDevice } from '../../src/node/index.ts';
import type { Device } from '../../src/tensor/index.ts';
import {
  createRandom,
  decodeSafetensors,
  input,
  mean,
  square,
  sub,
  tensor,
  zeros,
} from '../../src/tensor/index.ts';
import type { RunFolder, Stage } from '../../src/training/index.ts';
import {
  CHECKPOINT_INDEX,
  CONFIGURATION_FILE,
  FAULTY_BATCH_FILE,
  learningRateAt,
  listCheckpoints,
  runTraining,
} from '../../src/training/index.ts';
import { memoryFolder } from './tiny-run.ts';

const SHEET = { width: 1, height: 1, data: new Uint8Array(3) };
const device = await createDevice('cpu');

/** A stage of one small layer, and of one number that learns outside the graph. */
function lineStage(features = 2, quantisesMoments = false): Stage {
  const set = createParameterSet();
  const x = input('x', [4, 3]);
  const loss = mean(
    square(sub(linearLayer(set.scope.at('line'), x, { features }), input('y', [4, features]))),
  );
  const outside = zeros([1]);
  const settings = {
    batch: 4,
    learningRate: 0.05,
    warmupSteps: 3,
    weightDecay: 0.01,
    clipNorm: 1,
    emaDecay: 0.9,
  };
  return {
    name: 'vae',
    settings,
    problem: { name: 'line', loss, trained: set.values, frozen: {}, optimiser: settings, quantisesMoments },
    initialWeights: () => Object.entries(set.initialise(1)),
    async batchAt(step) {
      const random = createRandom(step);
      return {
        x: tensor(random.fillNormal(new Float32Array(12)), [4, 3]),
        y: tensor(random.fillNormal(new Float32Array(8)), [4, 2]),
      };
    },
    learn(outputs) {
      outside.data[0]! += outputs.loss!.data[0]!;
    },
    outsideState: () => ({ outside }),
    restore: (state) => outside.data.set(state.outside!.data),
    validate: async () => ({ figures: {}, score: 0, sheet: SHEET }),
  };
}

/** Each run is a process of its own: nothing of an earlier one is in memory. */
const quiet = () => ({ stage: lineStage(), device, validationMinutes: null });

const newest = async (folder: RunFolder): Promise<Uint8Array> =>
  (await folder.read((await listCheckpoints(folder)).at(-1)!.file))!;
/** What must not depend on kills: everything but the seconds of the header. */
const withoutSeconds = (bytes: Uint8Array): Uint8Array => {
  const header = 8 + Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  return bytes.subarray(header);
};

class Killed extends Error {}

/** A folder whose writer dies at its `n`-th write: nothing of that write is left, or the whole of it. */
function dyingFolder(folder: RunFolder, n: number, isDone: boolean): RunFolder {
  let writes = 0;
  const guard = async (act: () => Promise<void>): Promise<void> => {
    writes++;
    if (writes < n) return act();
    if (writes === n && isDone) await act();
    throw new Killed();
  };
  return {
    ...folder,
    write: (path, bytes) => guard(() => folder.write(path, bytes)),
    append: (path, text) => guard(() => folder.append(path, text)),
    remove: (path) => guard(() => folder.remove(path)),
  };
}

test('killed fifty times at random writes, a run ends at exactly the weights of one that never was', async () => {
  const steps = 24;
  const whole = memoryFolder();
  await runTraining({ ...quiet(), folder: whole, isResumed: false, steps });
  // Begun, so it is resumed each time, whether a checkpoint has been written or not.
  const broken = memoryFolder();
  await broken.write(CONFIGURATION_FILE, '{}');
  const random = createRandom(11);
  let kills = 0;
  for (let goal = 1; goal <= steps; ) {
    const writer = kills < 50 ? dyingFolder(broken, 1 + random.integer(6), random.uniform() < 0.5) : broken;
    try {
      await runTraining({ ...quiet(), folder: writer, isResumed: true, steps: goal, checkpointMinutes: 0 });
      goal = kills < 50 ? Math.min(steps, goal + 1) : goal === steps ? steps + 1 : steps;
    } catch (error) {
      assert.ok(error instanceof Killed, String(error));
      kills++;
    }
  }
  assert.equal(kills, 50);
  assert.deepEqual(withoutSeconds(await newest(broken)), withoutSeconds(await newest(whole)));
});

test('a run that was stopped before its first checkpoint begins again, and says so', async () => {
  const folder = memoryFolder();
  await folder.write(CONFIGURATION_FILE, '{}');
  const said: string[] = [];
  const events = (event: AvatarEvent): void => {
    if (event.kind === 'log') said.push(event.message);
  };
  const result = await runTraining({ ...quiet(), folder, events, isResumed: true, steps: 2 });
  assert.deepEqual([result.resumedFromStep, result.step], [0, 2]);
  assert.equal(said[0], 'stage vae was stopped before its first checkpoint: it begins again');
});

test('a run with moments in 8 bits goes on from its checkpoint bit by bit, and from no other', async () => {
  const quantised = () => ({ ...quiet(), stage: lineStage(2, true) });
  const [whole, stopped] = [memoryFolder(), memoryFolder()];
  await runTraining({ ...quantised(), folder: whole, isResumed: false, steps: 7 });
  await runTraining({ ...quantised(), folder: stopped, isResumed: false, steps: 3 });
  await runTraining({ ...quantised(), folder: stopped, isResumed: true, steps: 7 });
  assert.deepEqual(withoutSeconds(await newest(stopped)), withoutSeconds(await newest(whole)));
  const { tensors } = decodeSafetensors(await newest(whole));
  const held = ['first.line.weight', 'second.line.weight', 'firstUnits.line.weight'].map((name) => {
    const { dtype, shape } = tensors[name]!;
    return [dtype, ...shape];
  });
  assert.deepEqual(held, [
    ['uint8', 2, 3],
    ['uint8', 2, 3],
    ['float32', 1],
  ]);
  await assert.rejects(runTraining({ ...quiet(), folder: whole, isResumed: true, steps: 8 }), {
    code: 'checkpoint-mismatch',
    message: /first\.line\.\w+ of type float32, got uint8/,
  });
});

test('the newest three checkpoints stay, and the best', async () => {
  const folder = memoryFolder();
  const scores = [1, 9, 3, 2, 4, 5];
  let validations = 0;
  const scored: Stage = {
    ...lineStage(),
    validate: async () => ({ figures: {}, score: scores[validations++]!, sheet: SHEET }),
  };
  await runTraining({
    stage: scored,
    device,
    folder,
    isResumed: false,
    steps: 5,
    checkpointMinutes: 0,
    validationMinutes: 0,
  });
  const kept = await listCheckpoints(folder);
  assert.deepEqual(
    kept.map(({ step }) => step),
    [1, 3, 4, 5],
  );
  for (const { file } of kept) assert.ok(await folder.read(file), file);
  assert.equal(await folder.read('checkpoints/step-0000002.safetensors'), null);
});

test('a damaged checkpoint is refused and the one before it used; when all are damaged it says so', async () => {
  const folder = memoryFolder();
  await runTraining({ ...quiet(), folder, isResumed: false, steps: 2, checkpointMinutes: 0 });
  const whole = await newest(folder);
  const damage = async (file: string): Promise<void> => {
    const bytes = (await folder.read(file))!.slice();
    bytes[bytes.length - 5]! ^= 1;
    await folder.write(file, bytes);
  };
  const entries = await listCheckpoints(folder);
  await damage(entries.at(-1)!.file);
  const events: AvatarEvent[] = [];
  const result = await runTraining({
    ...{ ...quiet(), folder, isResumed: true, steps: 2 },
    events: (event) => void events.push(event),
  });
  assert.equal(result.resumedFromStep, 1);
  assert.match(
    events.map((event) => (event.kind === 'log' ? event.message : '')).join(),
    /step 2 is damaged/,
  );
  assert.deepEqual(withoutSeconds(await newest(folder)), withoutSeconds(whole));
  for (const { file } of await listCheckpoints(folder)) await damage(file);
  await assert.rejects(
    runTraining({ ...quiet(), folder, isResumed: true, steps: 3 }),
    (error) => error instanceof BadInputError && error.code === 'checkpoints-damaged',
  );
});

test('checkpoints of a newer version are refused', async () => {
  const folder = memoryFolder();
  await folder.write(CHECKPOINT_INDEX, JSON.stringify({ version: 99, checkpoints: [] }));
  await assert.rejects(runTraining({ ...quiet(), folder, isResumed: true, steps: 3 }), {
    code: 'checkpoint-version',
  });
});

test('a step without a finite gradient changes nothing; twenty in a row end the run and keep the batch', async () => {
  const stage = lineStage();
  const spoiledFrom = (first: number, last: number): Stage => ({
    ...stage,
    async batchAt(step) {
      const batch = await stage.batchAt(step);
      if (step < first || step > last) return batch;
      return { ...batch, x: tensor(new Float32Array(12).fill(Number.NaN), [4, 3]) };
    },
  });
  const folder = memoryFolder();
  const result = await runTraining({
    ...quiet(),
    stage: spoiledFrom(1, 1),
    folder,
    isResumed: false,
    steps: 3,
  });
  assert.equal(result.skippedSteps, 1);
  assert.ok(Number.isFinite(result.loss));
  const broken = memoryFolder();
  await runTraining({ ...quiet(), folder: broken, isResumed: false, steps: 1 });
  const before = await newest(broken);
  await assert.rejects(
    runTraining({ ...quiet(), stage: spoiledFrom(0, 99), folder: broken, isResumed: true, steps: 99 }),
    (error) => error instanceof FaultError && error.code === 'training-diverged',
  );
  assert.ok(await broken.read(FAULTY_BATCH_FILE));
  assert.deepEqual(await newest(broken), before);
});

test('a full disk ends the run with what was saved before; with space again it goes on to the same weights', async () => {
  const whole = memoryFolder();
  await runTraining({ ...quiet(), folder: whole, isResumed: false, steps: 4 });
  const folder = memoryFolder();
  await runTraining({ ...quiet(), folder, isResumed: false, steps: 2 });
  const saved = await newest(folder);
  const isFull = (): FaultError =>
    new FaultError({ code: 'write-failed', message: 'the disk is full', hint: 'make room' });
  const full: RunFolder = {
    ...folder,
    write: async (path, bytes) => {
      if (path.includes('step-')) throw isFull();
      await folder.write(path, bytes);
    },
  };
  await assert.rejects(runTraining({ ...quiet(), folder: full, isResumed: true, steps: 4 }), {
    code: 'write-failed',
  });
  assert.deepEqual(await newest(folder), saved);
  await runTraining({ ...quiet(), folder, isResumed: true, steps: 4 });
  assert.deepEqual(withoutSeconds(await newest(folder)), withoutSeconds(await newest(whole)));
});

test('a device that is lost in the middle is a fault, and the last checkpoint stays', async () => {
  const folder = memoryFolder();
  const dying: Device = {
    ...device,
    async createSession(model, options) {
      const session = await device.createSession(model, options);
      let runs = 0;
      return {
        ...{ inputNames: session.inputNames, outputNames: session.outputNames },
        run: async (feeds, into) => {
          if (++runs > 3)
            throw new FaultError({ code: 'run-failed', message: 'device lost', hint: 'restart' });
          return session.run(feeds, into);
        },
        [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
      };
    },
  };
  const options = { ...quiet(), device: dying, folder, isResumed: false, steps: 9, checkpointMinutes: 0 };
  await assert.rejects(runTraining(options), { code: 'run-failed' });
  assert.equal((await listCheckpoints(folder)).at(-1)!.step, 3);
  const { resumedFromStep } = await runTraining({ ...quiet(), folder, isResumed: true, steps: 4 });
  assert.equal(resumedFromStep, 3);
});

test('a checkpoint of another configuration is refused by the parameter that differs', async () => {
  const folder = memoryFolder();
  await runTraining({ ...quiet(), folder, isResumed: false, steps: 1 });
  await assert.rejects(
    runTraining({ ...quiet(), stage: lineStage(5), folder, isResumed: true, steps: 2 }),
    (error) =>
      error instanceof BadInputError &&
      error.code === 'checkpoint-mismatch' &&
      /line\.weight of shape \[5,3\], got \[2,3\]/.test(error.message),
  );
});

test('curves of a run that lost steps hold each step once', async () => {
  const folder = memoryFolder();
  await runTraining({ ...quiet(), folder, isResumed: false, steps: 1 });
  await folder.append('curves.jsonl', '{"step":7,"loss":1}\n{"step":');
  await runTraining({ ...quiet(), folder, isResumed: true, steps: 2 });
  const lines = new TextDecoder()
    .decode((await folder.read('curves.jsonl'))!)
    .trim()
    .split('\n');
  assert.deepEqual(
    lines.map((line) => (JSON.parse(line) as { step: number }).step),
    [1, 2],
  );
});

test('a run resumed at its last step tells the loss that it ended with, and one without steps tells none', async () => {
  const folder = memoryFolder();
  const none = await runTraining({ ...quiet(), folder: memoryFolder(), isResumed: false, minutes: 0 });
  assert.equal(none.loss, null);
  const first = await runTraining({ ...quiet(), folder, isResumed: false, steps: 3 });
  const again = await runTraining({ ...quiet(), folder, isResumed: true, steps: 3 });
  assert.equal(again.step, 3);
  assert.ok(
    first.loss !== null && Math.abs(again.loss! / first.loss - 1) < 1e-4,
    `${first.loss}, ${again.loss}`,
  );
});

test('a line about steps that were all skipped tells no loss', async () => {
  const stage = lineStage();
  const broken: Stage = {
    ...stage,
    async batchAt(step) {
      return { ...(await stage.batchAt(step)), x: tensor(new Float32Array(12).fill(Number.NaN), [4, 3]) };
    },
  };
  const folder = memoryFolder();
  const { loss, skippedSteps } = await runTraining({
    ...quiet(),
    stage: broken,
    folder,
    isResumed: false,
    steps: 2,
  });
  assert.deepEqual([loss, skippedSteps], [null, 2]);
  const curves = new TextDecoder().decode((await folder.read('curves.jsonl'))!);
  assert.ok(!curves.includes('"loss"') && curves.includes('"skipped":2'), curves);
});

test('the share of time that steps waited for their batch is told, in the result and in the curves', async () => {
  const stage = lineStage();
  const late: Stage = {
    ...stage,
    async batchAt(step) {
      await delay(40);
      return stage.batchAt(step);
    },
  };
  const folder = memoryFolder();
  const { waitingShare } = await runTraining({ ...quiet(), stage: late, folder, isResumed: false, steps: 5 });
  assert.ok(waitingShare > 0.1 && waitingShare <= 1, `${waitingShare}`);
  const curves = new TextDecoder().decode((await folder.read('curves.jsonl'))!);
  assert.ok((JSON.parse(curves.trim()) as { waitingShare: number }).waitingShare > 0.1, curves);
});

test('the learning rate rises from zero, stays, and falls along a cosine where its end is known', () => {
  const settings = { learningRate: 1, warmupSteps: 10 };
  assert.equal(learningRateAt(0, settings), 0.1);
  assert.equal(learningRateAt(1000, settings), 1);
  const falling = { ...settings, decaySteps: 110 };
  assert.equal(learningRateAt(10, falling), 1);
  assert.ok(Math.abs(learningRateAt(60, falling) - 0.525) < 1e-12);
  assert.ok(Math.abs(learningRateAt(500, falling) - 0.05) < 1e-12);
});
