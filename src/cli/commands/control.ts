// `control CLIP|T.track --out C.mp4`: frame, mesh over the frame and feature map side by side.

import { z } from 'zod';
import { contradictoryOptions } from '../arguments.ts';
import { expectPieceOfClip } from '../clip-piece-options.ts';
import { type CliCommand, defineCommand } from '../command.ts';
import { inputFile, outputFile, time } from '../option-types.ts';

export const command: CliCommand = defineCommand({
  summary: 'show what steers the model: frame, mesh over the frame and feature map side by side',
  positionals: ['input'],
  options: z.object({
    input: inputFile('the clip, or a track written by `track`'),
    out: outputFile('the video to write', '.mp4'),
    clip: inputFile('the clip of a track, to show its frames').optional(),
    from: time('where in the clip to begin').optional(),
    to: time('where in the clip to end').optional(),
    sheet: outputFile('also write six frames of it as a picture', '.png').optional(),
    weights: inputFile('weights whose Gaussian field to show; else a fresh one').optional(),
  }),
  takesHead: true,
  examples: ['control clip.mp4 --out control.mp4', 'control clip.track --clip clip.mp4 --out control.mp4'],
  async run(options, context) {
    const { input, clip } = options;
    const isTrack = input.endsWith('.track');
    if (clip !== undefined && !isTrack) {
      throw contradictoryOptions(
        '--clip goes with a .track; the frames of a clip are shown anyway.',
        'Leave --clip out, or name the track of the clip.',
      );
    }
    expectPieceOfClip(options, input, 'show');
    const { writeControlVideo } = await import('../control-video.ts');
    return writeControlVideo(options, context);
  },
});
