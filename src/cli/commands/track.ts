// `track CLIP|IMAGE --out T.track`: the head of a clip or a picture, frame by frame.

import { z } from 'zod';
import { type CliCommand, defineCommand } from '../command.ts';
import { inputFile, outputFile, real } from '../option-types.ts';

export const command: CliCommand = defineCommand({
  summary: 'find the head in a clip or a picture: identity, expression, pose and gaze, frame by frame',
  positionals: ['input'],
  options: z.object({
    input: inputFile('the clip or picture'),
    out: outputFile('the track to write', '.track'),
    focalPx: real('the focal length in pixels, if it is known', { min: 1, max: 1e6 }).optional(),
  }),
  takesHead: true,
  examples: ['track clip.mp4 --out clip.track', 'track portrait.jpg --out portrait.track --json'],
  async run({ input, out, focalPx }, { emit, loadHead, openDevice, signal }) {
    const { encodeHeadTrack } = await import('../../head/index.ts');
    const { expectWritable, loadTracker, trackFile, writeFileAtomic } = await import('../../node/index.ts');
    await expectWritable(out);
    const device = await openDevice();
    const head = await loadHead();
    await using tracker = await loadTracker(device, head);
    const result = await trackFile(tracker, head, input, { emit, signal, ...(focalPx ? { focalPx } : {}) });
    await writeFileAtomic(out, encodeHeadTrack(result.track));
    const { frames, framesTracked, framesPerSecond, landmarkErrorMedian } = result;
    const percent = landmarkErrorMedian === null ? '?' : (100 * landmarkErrorMedian).toFixed(2);
    return {
      summary: `${out}: ${framesTracked} of ${frames} frames tracked, landmark error ${percent} % of the eyes' distance`,
      outputs: [out],
      fields: { frames, framesTracked, framesPerSecond, landmarkErrorMedian },
    };
  },
});
