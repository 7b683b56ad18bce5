// `track CLIP|IMAGE --out T.track`: the head of a clip or a picture, frame by frame.

import { z } from 'zod';
import { contradictoryOptions, missingOption } from '../arguments.ts';
import { type CliCommand, defineCommand } from '../command.ts';
import { flag, inputFile, inputFiles, integer, outputFile, real, time } from '../option-types.ts';

export const command: CliCommand = defineCommand({
  summary: 'find the head in a clip or a picture: identity, expression, pose and gaze, frame by frame',
  positionals: ['input'],
  options: z.object({
    input: inputFile('the clip or picture').optional(),
    out: outputFile('the track to write', '.track'),
    from: time('where in the clip to begin').optional(),
    to: time('where in the clip to end').optional(),
    face: integer('which face to track, counted from the left; else the largest', { min: 1 }).optional(),
    allFaces: flag('write a track for each face, as T-1.track, T-2.track, from left to right'),
    online: flag('track frame after frame, as of a camera, without looking ahead'),
    views: inputFiles('instead of a clip: pictures of one moment from several sides').optional(),
    cameras: inputFile('where the views were taken from, as JSON; else that is found').optional(),
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
    'track --views left.jpg front.jpg right.jpg --out moment.track',
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
    const { input, views, cameras, ...rest } = options;
    if (views !== undefined) {
      const clipOnly = { CLIP: input, '--from': rest.from, '--to': rest.to, '--face': rest.face };
      const flags = { '--online': rest.online || undefined, '--all-faces': rest.allFaces || undefined };
      const other = Object.entries({ ...clipOnly, ...flags }).find(([, value]) => value !== undefined);
      if (other !== undefined) {
        throw contradictoryOptions(
          `--views takes pictures of one moment, and ${other[0]} is for a clip.`,
          'Leave one of them out.',
        );
      }
      const { runViewTracking } = await import('../view-files.ts');
      return runViewTracking({ ...rest, views, cameras }, context);
    }
    if (cameras !== undefined) {
      throw contradictoryOptions(
        '--cameras is for --views.',
        'Name the pictures with --views, or leave it out.',
      );
    }
    if (input === undefined)
      throw missingOption('INPUT', 'the clip or picture', 'Name the path of a file after the command');
    const { runTracking } = await import('../track-files.ts');
    return runTracking({ ...rest, input }, context);
  },
});
