// From a clip to numbers: what the head does in every frame, and which frames to doubt.
//
//   npx tsx examples/track-a-clip.ts [CLIP] [OUT.track]

import {
  findDoubts,
  frameCount,
  jointAngles,
  loadHead,
  parametersAt,
  track,
  writeTrack,
} from 'learn2control';

const [clip = 'samples/driving.mp4', out = 'out/driving.track'] = process.argv.slice(2);

const head = await loadHead();
const result = await track(clip, { head });
const { track: motion, framesTracked } = result;
await writeTrack(out, motion);

console.log(`${clip}: ${framesTracked} of ${frameCount(motion)} frames tracked`);
const smile = head.expressionNames.indexOf('mouthSmileLeft');
for (let frame = 0; frame < frameCount(motion); frame += 10) {
  const parameters = parametersAt(motion, frame);
  const degrees = (radians: number): string => ((180 * radians) / Math.PI).toFixed(1).padStart(6);
  const { yaw, pitch } = jointAngles(parameters, 'root');
  const seconds = motion.timestampsSeconds[frame]!.toFixed(2);
  console.log(
    `${seconds} s  yaw ${degrees(yaw)}  pitch ${degrees(pitch)}  smile ${parameters.expression[smile]!.toFixed(2)}`,
  );
}
for (const { firstFrame, lastFrame, text } of findDoubts(motion, result)) {
  console.log(`frames ${firstFrame} to ${lastFrame}: ${text}`);
}
