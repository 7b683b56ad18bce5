// `animate --portrait P --set jawOpen=0.6,headYaw=20deg --out O.mp4`: motion without a driving clip.

import { z } from 'zod';
import { contradictoryOptions } from '../arguments.ts';
import { type CliCommand, defineCommand } from '../command.ts';
import { controlValues } from '../control-values.ts';
import { choice, inputFile, outputFile, real } from '../option-types.ts';
import { expectRendererOptions, RENDERER_OPTIONS } from '../renderer-options.ts';

export const command: CliCommand = defineCommand({
  summary: 'move the person of a portrait by values, keyframes or presets',
  options: z.object({
    portrait: inputFile('picture of the person to show'),
    out: outputFile('the video, or the picture of its last moment, to write', '.mp4', '.png'),
    set: controlValues('expressions (0 to 1) and turns (degrees) to go to').optional(),
    keyframes: inputFile('a motion in JSON, as docs/reenactment.md describes it').optional(),
    preset: choice('a motion that needs no writing', ['nod', 'smile', 'look-around', 'speak']).optional(),
    seconds: real('length, with --set and --preset speak', { min: 0.1, max: 600 }).optional(),
    intensity: real('factor on the motion', { min: 0, max: 3 }).default(1),
    track: outputFile('also write the motion as a track', '.track').optional(),
    ...RENDERER_OPTIONS,
    sheet: outputFile('also write a contact sheet', '.png').optional(),
  }),
  takesHead: true,
  examples: [
    'animate --portrait anna.jpg --set jawOpen=0.6,headYaw=20deg --out surprise.mp4',
    'animate --portrait anna.jpg --set mouthSmile=0.8 --out smile.png',
    'animate --portrait anna.jpg --preset look-around --out looks.mp4 --paste-back',
    'animate --portrait anna.jpg --keyframes wink.json --out wink.mp4',
  ],
  async run(options, context) {
    expectRendererOptions(options);
    const { set, keyframes, preset, seconds, out, sheet } = options;
    const sources = Object.entries({ '--set': set, '--keyframes': keyframes, '--preset': preset })
      .filter(([, value]) => value !== undefined)
      .map(([name]) => name);
    if (sources.length !== 1) {
      throw contradictoryOptions(
        `animate expects one of --set, --keyframes and --preset, got ${sources.length === 0 ? 'none' : sources.join(' and ')}.`,
        'Name one of them.',
      );
    }
    if (seconds !== undefined && set === undefined && preset !== 'speak') {
      const source = preset === undefined ? '--keyframes' : `--preset ${preset}`;
      throw contradictoryOptions(
        `${source} has its own length, and --seconds asks for one.`,
        'Leave --seconds out.',
      );
    }
    if (sheet !== undefined && out.toLowerCase().endsWith('.png')) {
      throw contradictoryOptions(
        '--sheet shows moments of a video, and --out is one picture.',
        'Leave --sheet out, or write an .mp4.',
      );
    }
    const { runAnimation } = await import('../authored-motion.ts');
    return runAnimation(options, context);
  },
});
