// `track CLIP|IMAGE --out T.track`: the head of a clip or a picture, frame by frame.

import { z } from 'zod';
import { contradictoryOptions } from '../arguments.ts';
import { type CliCommand, defineCommand } from '../command.ts';
import { flag, inputFile, integer, outputFile, real, time } from '../option-types.ts';

export const command: CliCommand = defineCommand({
  summary: 'find the head in a clip or a picture: identity, expression, pose and gaze, frame by frame',
  positionals: ['input'],
  options: z.object({
    input: inputFile('the clip or picture'),
    out: outputFile('the track to write', '.track'),
    from: time('where in the clip to begin').optional(),
    to: time('where in the clip to end').optional(),
    face: integer('which face to track, counted from the left; else the largest', { min: 1 }).optional(),
    allFaces: flag('write a track for each face, as T-1.track, T-2.track, from left to right'),
    online: flag('track frame after frame, as of a camera, without looking ahead'),
    export: outputFile('also write it for other programs', '.csv', '.json', '.npz').optional(),
    report: outputFile('also write a page with pictures, curves and frames to mistrust', '.html').optional(),
    sheet: outputFile('also write a picture of the mesh over twelve frames', '.png').optional(),
    focalPx: real('the focal length in pixels, if it is known', { min: 1, max: 1e6 }).optional(),
    refine: flag("refine the face's shape and the focal length of a clip against its pictures"),
  }),
  takesHead: true,
  examples: [
    'track clip.mp4 --out clip.track',
    'track clip.mp4 --out clip.track --report clip.html --export clip.csv',
    'track talk.mp4 --from 1:02:30 --to 1:03:00 --all-faces --out talk.track',
    'track portrait.jpg --out portrait.track --json',
    'track clip.mp4 --online --out clip.track --json',
  ],
  async run(options, context) {
    if (options.allFaces && options.face !== undefined) {
      throw contradictoryOptions(
        '--all-faces writes every face, and --face asks for one.',
        'Leave one of them out.',
      );
    }
    if (options.online && (options.allFaces || options.face !== undefined)) {
      throw contradictoryOptions(
        '--online follows the largest face of the first frames, and --face and --all-faces ask for others.',
        'Leave one of them out.',
      );
    }
    const { runTracking } = await import('../track-files.ts');
    return runTracking(options, context);
  },
});
