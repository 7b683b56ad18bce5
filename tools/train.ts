// Trains one stage: npx tsx tools/train.ts --config C --stage vae --data DIR --out DIR [--resume]
// [--steps N | --minutes M].

import { parseArgs } from 'node:util';
import { createDevice } from '../src/node/index.ts';
import { trainStage } from '../src/node/train-stage.ts';
import type { StageName } from '../src/training/index.ts';

const { values } = parseArgs({
  options: {
    config: { type: 'string', default: 'configs/compact.json' },
    stage: { type: 'string', default: 'vae' },
    data: { type: 'string', default: '' },
    out: { type: 'string', default: '' },
    resume: { type: 'boolean', default: false },
    steps: { type: 'string' },
    minutes: { type: 'string' },
  },
});
const stopping = new AbortController();
process.once('SIGINT', () => stopping.abort());
process.once('SIGTERM', () => stopping.abort());
const result = await trainStage({
  configPath: values.config,
  stage: values.stage as StageName,
  dataPath: values.data,
  outPath: values.out,
  isResumed: values.resume,
  ...(values.steps === undefined ? {} : { steps: Number(values.steps) }),
  ...(values.minutes === undefined ? {} : { minutes: Number(values.minutes) }),
  device: await createDevice('cpu'),
  events: (event) => {
    if (event.kind === 'log') console.error(event.message);
  },
  signal: stopping.signal,
});
console.log(JSON.stringify(result));
