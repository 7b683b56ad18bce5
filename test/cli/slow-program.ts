// A program for the interrupt tests: the frame with one command that writes a clip without end, and pays
// attention to interrupts or not (`--deaf`).

import { z } from 'zod';
import { defineCommand } from '../../src/cli/command.ts';
import { main } from '../../src/cli/main.ts';
import { flag, outputFile } from '../../src/cli/option-types.ts';
import { solidImage } from '../../src/media/index.ts';
import { writeVideo } from '../../src/node/index.ts';

const slow = defineCommand({
  summary: 'write a clip without end',
  options: z.object({ out: outputFile('the clip', '.mp4'), deaf: flag('ignore interrupts') }),
  async run({ out, deaf }, { signal, emit }) {
    const sink = await writeVideo(out, { width: 64, height: 64, framesPerSecond: 25 });
    for (let frame = 0; ; frame++) {
      if (!deaf && signal.aborted) {
        await sink.discard();
        signal.throwIfAborted();
      }
      await sink.add(solidImage(64, 64, [frame & 255, 0, 0]), frame / 25);
      if (frame === 20) emit({ kind: 'log', level: 'info', message: 'writing' });
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  },
});

await main(process.argv.slice(2), async () => slow);
