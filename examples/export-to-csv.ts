// A clip as the CSV that Live Link Face records, for Unreal, Blender, Maya and others, and as JSON.
//
//   npx tsx examples/export-to-csv.ts [CLIP] [OUT.csv]

import { encodeLiveLinkCsv, encodeTrackJson, loadHead, track, writeFileAtomic } from 'learn2control';

const [clip = 'samples/driving.mp4', out = 'out/driving.csv'] = process.argv.slice(2);

const head = await loadHead();
const { track: motion } = await track(clip, {
  head,
  onEvent: (event) => event.kind === 'log' && console.log(event.message),
});

const csv = encodeLiveLinkCsv(head, motion);
await writeFileAtomic(out, csv);
await writeFileAtomic(out.replace(/\.csv$/, '.json'), encodeTrackJson(head, motion));
console.log(
  `${out}: ${csv.trimEnd().split('\n').length - 1} rows of ${csv.split('\n')[0]!.split(',').length} columns`,
);
