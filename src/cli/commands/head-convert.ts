// `head convert T.track --to H.head --out O`: a track on another head, or FLAME's parameters in and out.

import { z } from 'zod';
import { type CliCommand, defineCommand } from '../command.ts';
import { inputFile, real, text } from '../option-types.ts';

export const command: CliCommand = defineCommand({
  summary: "carry a track to another head, and FLAME's parameter files in and out",
  positionals: ['input'],
  options: z.object({
    input: text('a .track, the .npz of a clip in FLAME parameters, or a folder of them as VHAP writes it', {
      expects: 'a .track, a .npz or a folder',
      hint: 'INPUT',
      file: 'input',
    }),
    to: inputFile("the head to carry to; else the package's own").optional(),
    out: text('the .track, the .npz of the whole clip, or the folder with a .npz for each frame', {
      expects: 'a name that ends in .track or .npz, or that of a folder',
      hint: 'FILE.track|FILE.npz|DIR',
      file: 'output',
    }),
    fps: real("frames a second of a folder's frames, where it names no times", { min: 1, max: 1000 }).default(
      25,
    ),
  }),
  takesHead: true,
  examples: [
    'head convert clip.track --to flame.head --out clip-flame.track',
    'head convert clip.track --to flame.head --out clip.npz',
    'head convert vhap/export/person --head flame.head --out person.track',
  ],
  async run(options, context) {
    const { runHeadConvert } = await import('../head-conversion.ts');
    return runHeadConvert(options, context);
  },
});
