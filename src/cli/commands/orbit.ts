// `orbit --portrait P --out O.mp4`: the person of a portrait from all around.

import { z } from 'zod';
import { contradictoryOptions } from '../arguments.ts';
import { type CliCommand, defineCommand } from '../command.ts';
import { angleRange, expectRange } from '../control-values.ts';
import { choice, inputFile, outputFile, real } from '../option-types.ts';
import { expectRendererOptions, RENDERER_OPTIONS } from '../renderer-options.ts';

const DEFAULT_YAW = { low: -25, high: 25 };
const NO_PITCH = { low: 0, high: 0 };
const SOME_PITCH = { low: -12, high: 12 };
/** Beyond these nothing of the face is left. */
const LIMITS = { yaw: 75, pitch: 45 } as const;

export const command: CliCommand = defineCommand({
  summary: 'show the person of a portrait from all around',
  options: z.object({
    portrait: inputFile('picture of the person to show'),
    out: outputFile('the video to write', '.mp4'),
    yaw: angleRange('how far to turn, positive to their own left; else 25 degrees to both sides').optional(),
    pitch: angleRange(
      'how far to nod, positive down; else 0, or 12 to both sides on a circle or spiral',
    ).optional(),
    path: choice('from side to side, around the rim of both ranges, or there in a spiral', [
      'sweep',
      'circle',
      'spiral',
    ]).default('sweep'),
    expression: inputFile('track whose expressions the face makes meanwhile; else it is still').optional(),
    seconds: real('length; with --expression that of the track', { min: 0.1, max: 600 }).optional(),
    fps: real('frames a second', { min: 1, max: 120 }).default(25),
    ...RENDERER_OPTIONS,
    sheet: outputFile('also write a contact sheet', '.png').optional(),
  }),
  takesHead: true,
  examples: [
    'orbit --portrait anna.jpg --out around.mp4',
    'orbit --portrait anna.jpg --out spiral.mp4 --path spiral --yaw 30 --pitch -10..15 --seconds 6',
  ],
  async run(options, context) {
    expectRendererOptions(options);
    const { path, expression, seconds } = options;
    const yaw = options.yaw ?? DEFAULT_YAW;
    const pitch = options.pitch ?? (path === 'sweep' ? NO_PITCH : SOME_PITCH);
    expectRange('--yaw', yaw, LIMITS.yaw);
    expectRange('--pitch', pitch, LIMITS.pitch);
    if (yaw.low === yaw.high && pitch.low === pitch.high && expression === undefined) {
      throw contradictoryOptions(
        `--yaw ${yaw.low}..${yaw.high} and --pitch ${pitch.low}..${pitch.high} turn nothing.`,
        'Give one of them a range.',
      );
    }
    if (expression !== undefined && seconds !== undefined) {
      throw contradictoryOptions(
        '--seconds and --expression both say how long the video is.',
        'Leave one of them out.',
      );
    }
    const { runOrbit } = await import('../authored-motion.ts');
    return runOrbit({ ...options, yaw, pitch }, context);
  },
});
