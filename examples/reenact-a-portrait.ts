// One portrait makes the motion of a clip: with the trained network, or by geometry alone.
//
//   npx tsx examples/reenact-a-portrait.ts [PORTRAIT] [CLIP] [OUT.mp4] [--preview]

import {
  createDevice,
  createModelRenderer,
  createPreviewRenderer,
  loadAvatar,
  loadHead,
  loadTracker,
  readImage,
  reenact,
  track,
  writeVideo,
} from 'learn2control';

const words = process.argv.slice(2);
const [portraitPath = 'samples/portrait.png', clip = 'samples/driving.mp4', out = 'out/reenacted.mp4'] =
  words.filter((word) => word !== '--preview');

const head = await loadHead();
const device = await createDevice('auto');
await using tracker = await loadTracker(device, head);
const { image } = await readImage(portraitPath);
const personMask = (await tracker.personMask(image)) ?? undefined;
const portrait = { image, personMask, ...(await tracker.trackImage(image)) };
const { track: motion, framesPerSecond } = await track(clip, { head, tracker });

const renderer = words.includes('--preview')
  ? createPreviewRenderer(head, portrait, { sizePx: 256 })
  : await createModelRenderer(portrait, { ...(await loadAvatar(head)), head, device, seed: 0 });
const { sizePx } = renderer;
const video = await writeVideo(out, { width: sizePx, height: sizePx, framesPerSecond: 25 });
for await (const frame of reenact(renderer, portrait.parameters, motion)) {
  await video.add(frame.image, frame.timestampSeconds);
}
await video.finish();
console.log(
  `${out}: ${portraitPath} moves as ${clip} does; tracked at ${framesPerSecond?.toFixed(0)} frames a second`,
);
