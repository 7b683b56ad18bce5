// `evaluate --protocol self|cross|novel-view`: how good the model's pictures are, or those of any other program, beside
// the lift alone and the reference copied.

import { z } from 'zod';
import { contradictoryOptions } from '../arguments.ts';
import { type CliCommand, defineCommand } from '../command.ts';
import { choice, inputFile, integer, outputFile, text } from '../option-types.ts';

const folder = (description: string) =>
  text(description, { expects: 'the path of a folder', hint: 'DIR' }).optional();

export const command: CliCommand = defineCommand({
  summary: "measure the model, or any other program's pictures, against the truth",
  options: z.object({
    protocol: choice('what is asked of the model', ['self', 'cross', 'novel-view']),
    synthetic: integer('how many rendered subjects; --seed numbers the first, from 500000 on', {
      min: 1,
      max: 100_000,
    }).optional(),
    data: folder('a dataset whose held-out clips are the truth'),
    frames: folder('pictures that another program made, to be measured in place of the model'),
    export: folder('write what other programs need to answer, and measure nothing'),
    clipFrames: integer('frames of a clip that are used, its first included', { min: 2, max: 1000 }).default(
      40,
    ),
    clips: integer('clips of a dataset that are used; else 50', { min: 1, max: 100_000 }).optional(),
    orbits: integer('subjects that are also shown from all around, for multi-view consistency', {
      min: 0,
      max: 100_000,
    }).default(8),
    out: folder('the folder for the report; an interrupted evaluation goes on there'),
    weights: inputFile('weights to use instead of those of the package').optional(),
    steps: integer('denoising steps of the network', { min: 1, max: 1000 }).optional(),
    faceNetwork: inputFile('face recogniser in ArcFace form (ONNX) for CSIM').optional(),
    lpipsTrunk: inputFile("VGG16 for LPIPS: torchvision's weights as safetensors, or ONNX").optional(),
    sheet: outputFile('also write a sheet of reference, truth, lift, output and error', '.png').optional(),
  }),
  examples: [
    'evaluate --protocol novel-view --synthetic 16 --json',
    'evaluate --protocol self --synthetic 20 --out evaluation',
    'evaluate --protocol cross --data nersemble --frames their-pictures --out theirs',
  ],
  async run(options, context) {
    expectOptionsThatAgree(options);
    const { runEvaluation } = await import('../evaluation.ts');
    return runEvaluation(options, context);
  },
});

type Given = Readonly<Partial<Record<string, unknown>>> & { readonly protocol: string };

function expectOptionsThatAgree(options: Given): void {
  const { protocol, synthetic, data, frames, weights, steps, out, sheet } = options;
  if (synthetic !== undefined && data !== undefined) {
    throw contradictoryOptions('--synthetic and --data both say whom to evaluate.', 'Leave one of them out.');
  }
  if (synthetic === undefined && data === undefined && frames === undefined) {
    throw contradictoryOptions(
      'Nothing says whom to evaluate: --synthetic, --data and --frames are all missing.',
      'Add --synthetic N, --data DIR or --frames DIR.',
    );
  }
  if (options.clips !== undefined && data === undefined) {
    throw contradictoryOptions(
      '--clips counts the clips of a dataset, and --data names none.',
      'Leave it out, or add --data DIR.',
    );
  }
  if (protocol === 'cross' && synthetic === 1) {
    throw contradictoryOptions(
      'In cross-reenactment another subject drives, but --synthetic 1 is one alone.',
      'Ask for at least 2.',
    );
  }
  const ofModel = weights === undefined ? (steps === undefined ? null : '--steps') : '--weights';
  if (frames !== undefined && ofModel !== null) {
    throw contradictoryOptions(
      `${ofModel} belongs to the model, and --frames measures pictures that are there already.`,
      'Leave one of them out.',
    );
  }
  if (options.export === undefined) return;
  const judged = Object.entries({ frames, out, sheet, weights }).find(([, value]) => value !== undefined);
  if (judged === undefined) return;
  throw contradictoryOptions(
    `--export writes what other programs are asked and measures nothing, so --${judged[0]} has no use.`,
    'Leave one of them out.',
  );
}
