// `reenact --portrait P --driving CLIP|T.track --out O.mp4`: the main job. The person of the portrait makes
// the motion of the clip.

import { z } from 'zod';
import { contradictoryOptions } from '../arguments.ts';
import { expectPieceOfClip } from '../clip-piece-options.ts';
import { type CliCommand, defineCommand } from '../command.ts';
import { drivenParts, MOTION_OPTIONS } from '../motion-options.ts';
import { flag, inputFiles, integer, outputFile, text, time } from '../option-types.ts';
import { expectRendererOptions, RENDERER_OPTIONS } from '../renderer-options.ts';

const OPTIONS = z.object({
  portrait: inputFiles('picture of the person to show; several for several videos'),
  driving: inputFiles('clip, or track of one, whose motion the person makes; several for several videos'),
  out: text('the video to write; for several portraits or clips the folder for them', {
    expects: 'a file name that ends in .mp4, or a folder for several videos',
    hint: 'FILE.mp4|DIR',
    file: 'output',
  }),
  ...MOTION_OPTIONS,
  from: time('where in the clip to begin').optional(),
  to: time('where in the clip to end').optional(),
  face: integer('which face of the clip drives, counted from the left; else the largest', {
    min: 1,
  }).optional(),
  ...RENDERER_OPTIONS,
  compare: flag('show portrait, driving clip and result side by side'),
  sheet: outputFile('also write a contact sheet of the comparison', '.png').optional(),
});

export const command: CliCommand = defineCommand({
  summary: 'make the person of a portrait move as a driving clip does',
  options: OPTIONS,
  takesHead: true,
  examples: [
    'reenact --portrait anna.jpg --driving speech.mp4 --out anna-speaks.mp4',
    'reenact --portrait anna.jpg --driving speech.mp4 --out look.mp4 --compare --preview',
    'reenact --portrait anna.jpg --driving speech.mp4 --out whole.mp4 --paste-back --expression-only',
    'reenact --portrait anna.jpg --driving interview.mp4 --from 1:02:30 --to 1:03:00 --out minute.mp4',
    'reenact --portrait people/*.jpg --driving a.mp4 b.mp4 --out videos',
  ],
  async run(options, context) {
    drivenParts(options);
    expectRendererOptions(options);
    if (options.face !== undefined && options.driving.some((path) => path.endsWith('.track'))) {
      throw contradictoryOptions(
        '--face chooses a face of a clip, and --driving names a track.',
        'Leave out --face, or name the clip.',
      );
    }
    for (const path of options.driving) expectPieceOfClip(options, path, 'drive with');
    const { runReenactment } = await import('../reenactment.ts');
    return runReenactment(options, context);
  },
});
