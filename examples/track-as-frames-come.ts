// A head for every frame as soon as the frame is there, as from a camera: here the frames of a clip. Any
// `AsyncIterable<{ timestampSeconds, image }>` does.
//
//   npx tsx examples/track-as-frames-come.ts [CLIP]

import { jointAngles, loadHead, trackOnline } from 'learn2control';

const [clip = 'samples/driving.mp4'] = process.argv.slice(2);

const head = await loadHead();
const smileUnit = head.expressionNames.indexOf('mouthSmileLeft');
for await (const state of trackOnline(clip, { head })) {
  const { timestampSeconds, parameters, confidence, latencySeconds } = state;
  if (parameters === null || confidence === 0) {
    console.log(`${timestampSeconds.toFixed(2)} s  nobody`);
    continue;
  }
  const yaw = (180 / Math.PI) * jointAngles(parameters, 'root').yaw;
  const smile = parameters.expression[smileUnit]!;
  console.log(
    `${timestampSeconds.toFixed(2)} s  yaw ${yaw.toFixed(1)}  smile ${smile.toFixed(2)}  after ${(1000 * latencySeconds).toFixed(0)} ms`,
  );
}
