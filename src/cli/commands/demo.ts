// `demo`: the main job on the embedded sample. Portrait and clip were rendered from the project's own head
// (tools/make-samples.ts), so that nobody's face is needed to see it work.

import { join } from 'node:path';
import { z } from 'zod';
import { type CliCommand, defineCommand } from '../command.ts';
import { text } from '../option-types.ts';

const SAMPLES = join(import.meta.dirname, '..', '..', '..', 'samples');

export const command: CliCommand = defineCommand({
  summary: 'run the main job on the embedded sample',
  options: z.object({
    out: text('the folder for the video and its contact sheet', {
      expects: 'the path of a folder',
      hint: 'DIR',
    }).default('out'),
  }),
  examples: ['demo', 'demo --out /tmp/demo'],
  async run({ out }, context) {
    const { runReenactment } = await import('../reenactment.ts');
    return runReenactment(
      {
        ...{ expressionOnly: false, poseOnly: false, intensity: 1 },
        ...{ retargetEyes: false, retargetLips: false, crop: true, pasteBack: false },
        portrait: [join(SAMPLES, 'portrait.png')],
        driving: [join(SAMPLES, 'driving.mp4')],
        out: join(out, 'demo.mp4'),
        sheet: join(out, 'demo.png'),
        compare: true,
        preview: false,
      },
      context,
    );
  },
});
