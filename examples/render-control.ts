// What steers the model: the Gaussian features of every frame as tensors, and as a video to look at.
//
//   npx tsx examples/render-control.ts [CLIP] [OUT.mp4]

import { loadHead, readVideo, renderControl, track, writeVideo } from 'learn2control';

const [clip = 'samples/driving.mp4', out = 'out/control.mp4'] = process.argv.slice(2);

const head = await loadHead();
const { track: motion } = await track(clip, { head });

using source = await readVideo(clip);
const video = await writeVideo(out, {
  width: 3 * source.width,
  height: source.height,
  framesPerSecond: source.framesPerSecond,
});
for await (const { index, timestampSeconds, features, alpha, preview } of renderControl(motion, {
  head,
  clip,
})) {
  if (index === 0) {
    const covered = alpha.data.reduce((sum, value) => sum + value, 0) / alpha.data.length;
    console.log(
      `features [${features.shape.join(', ')}], ${(100 * covered).toFixed(0)} % of the picture covered`,
    );
  }
  await video.add(preview(), timestampSeconds);
}
await video.finish();
console.log(`${out}: frame, mesh and features side by side`);
