// `train --config C --stage vae|1|2|distill --data DIR --out DIR`: one stage of training, or more of it.

import { z } from 'zod';
import type { StageRehearsal } from '../../node/index.ts';
import type { StageName } from '../../training/index.ts';
import { contradictoryOptions } from '../arguments.ts';
import { type CliCommand, defineCommand } from '../command.ts';
import { choice, flag, inputFile, integer, real, text } from '../option-types.ts';

const STAGES = ['vae', '1', '2', 'distill'] as const satisfies readonly StageName[];

export const command: CliCommand = defineCommand({
  summary:
    'train the autoencoder (vae), the denoiser and the Gaussians (1), the temporal layers (2), or one step (distill)',
  options: z.object({
    config: inputFile('the sizes and settings, e.g. configs/compact.json'),
    stage: choice('what learns', STAGES),
    data: text('a dataset, a mixture of datasets, or a folder of samples that are made already', {
      expects: 'the path of a folder or of a mixture file',
      hint: 'DIR|FILE',
    }),
    samples: integer(
      'how many samples (clips, for stage 2) to make of datasets; as many as they are good for',
      {
        min: 1,
      },
    ).optional(),
    cacheGb: real('room on the disk for samples that are made of datasets (4 if not given)', {
      min: 0.001,
      max: 1e5,
    }).optional(),
    out: text('the folder of the model: each stage keeps a folder in it', {
      expects: 'the path of a folder',
      hint: 'DIR',
    }),
    from: inputFile('a .avatar file to begin from, in place of the stage before').optional(),
    resume: flag('go on from the last checkpoint'),
    keepEncoder: flag('stage vae: only the decoder learns, so that latents stay what a denoiser knows'),
    steps: integer('stop at this step', { min: 1 }).optional(),
    minutes: real('stop after this many minutes', { min: 0, max: 1e6 }).optional(),
    dryRun: flag('take two steps, say what a run would take, and write nothing'),
  }),
  examples: [
    'train --config configs/compact.json --stage vae --data subjects --out model --minutes 60',
    'train --config configs/compact.json --stage 1 --data mixture.json --samples 8000 --out model --resume',
    'train --config configs/compact.json --stage distill --from old.avatar --data subjects --out model',
  ],
  // The step that runs ends, and a checkpoint is written.
  stopSeconds: 120,
  async run(options, { emit, openDevice, signal }) {
    const { config, stage, data, samples, cacheGb, out, from, resume, keepEncoder } = options;
    const { steps, minutes, dryRun } = options;
    if (keepEncoder && stage !== 'vae') {
      throw contradictoryOptions(
        `--keep-encoder belongs to --stage vae, got --stage ${stage}.`,
        'Leave --keep-encoder out: this stage never changes the autoencoder.',
      );
    }
    if (from !== undefined && stage === 'vae' && !keepEncoder) {
      throw contradictoryOptions(
        '--from with --stage vae needs --keep-encoder.',
        'A new encoder begins from its data alone: leave --from out, or add --keep-encoder.',
      );
    }
    const { rehearseStage, trainStage } = await import('../../node/index.ts');
    const request = {
      configPath: config,
      stage,
      dataPath: data,
      outPath: out,
      isResumed: resume,
      keepsEncoder: keepEncoder,
      ...(samples === undefined ? {} : { samples }),
      ...(cacheGb === undefined ? {} : { cacheBytes: 1e9 * cacheGb }),
      ...(from === undefined ? {} : { fromPath: from }),
      ...(steps === undefined ? {} : { steps }),
      ...(minutes === undefined ? {} : { minutes }),
      device: await openDevice(),
      events: emit,
      signal,
    };
    if (dryRun) {
      const rehearsal = await rehearseStage(request);
      return {
        summary: rehearsalLine(stage, rehearsal, steps),
        outputs: [],
        fields: { stage, ...rehearsal },
      };
    }
    const result = await trainStage(request);
    const { outputs, ...fields } = result;
    const { step, loss, imagesPerSecond, waitingShare } = fields;
    const speed = `${imagesPerSecond.toFixed(1)} images a second, ${(100 * waitingShare).toFixed(1)} % of the time waiting for data`;
    return {
      summary: `stage ${stage}: step ${step}, ${loss === null ? 'no loss yet' : `loss ${loss.toPrecision(4)}`}, ${speed}`,
      outputs,
      fields: { stage, ...fields },
    };
  },
});

function rehearsalLine(stage: StageName, rehearsal: StageRehearsal, steps: number | undefined): string {
  const { trainedParameters, frozenParameters, secondsPerStep, imagesPerSecond, peakMemoryMb } = rehearsal;
  const millions = (count: number): string => `${(count / 1e6).toFixed(1)} M`;
  const size = `${millions(trainedParameters)} parameters learn, ${millions(frozenParameters)} stay`;
  const speed = `${secondsPerStep.toFixed(2)} s a step, ${imagesPerSecond.toFixed(1)} images a second`;
  const length =
    steps === undefined
      ? ''
      : `; ${steps} steps would take ${((steps * secondsPerStep) / 3600).toFixed(1)} hours`;
  return `stage ${stage}: ${size}; ${speed}; ${peakMemoryMb} MB of memory${length}${preparationNote(rehearsal)}`;
}

function preparationNote({ preparation }: StageRehearsal): string {
  if (preparation === null) return '';
  const { samples, bytes, secondsEach } = preparation;
  const minutes = ((samples * secondsEach) / 60).toFixed(1);
  return `; before, ${samples} samples are made: ${(bytes / 1e9).toPrecision(2)} GB, ${minutes} minutes of one core`;
}
