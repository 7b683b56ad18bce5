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
    refine: flag('refine shape, focal length and poses of a clip against its pictures'),
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
    const { input, views, cameras, ...rest } = options;
    expectOneMode(options);
    if (views !== undefined) {
      const { runViewTracking } = await import('../view-files.ts');
      return runViewTracking({ ...rest, views, cameras }, context);
    }
    if (input === undefined)
      throw missingOption('INPUT', 'the clip or picture', 'Name the path of a file after the command');
    const { runTracking } = await import('../track-files.ts');
    return runTracking({ ...rest, input }, context);
  },
});

type Modes = Readonly<Record<'allFaces' | 'online' | 'refine', boolean>> & {
  readonly [option in 'input' | 'from' | 'to' | 'face' | 'views' | 'cameras']?: unknown;
};

/** Ways to track that exclude each other. @throws BadInputError naming two that were asked for */
function expectOneMode(options: Modes): void {
  const { input, from, to, face, allFaces, online, refine, views, cameras } = options;
  const forClips = { CLIP: input, '--from': from, '--to': to, '--face': face };
  const modes = [
    {
      isAsked: allFaces,
      says: '--all-faces writes every face',
      others: { '--face': face },
    },
    {
      isAsked: online,
      says: '--online follows the largest face and looks neither ahead nor back',
      others: { '--face': face, '--all-faces': allFaces, '--refine': refine },
    },
    {
      isAsked: views !== undefined,
      says: '--views takes pictures of one moment',
      others: { ...forClips, '--all-faces': allFaces, '--online': online, '--refine': refine },
    },
    {
      isAsked: views === undefined,
      says: 'A clip has one camera, which is found',
      others: { '--cameras': cameras },
    },
  ];
  for (const { isAsked, says, others } of modes) {
    const other = Object.entries(others).find(([, value]) => value !== undefined && value !== false);
    if (!isAsked || other === undefined) continue;
    throw contradictoryOptions(`${says}: ${other[0]} does not go with that.`, 'Leave one of them out.');
  }
}
