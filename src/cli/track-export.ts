// A track in the formats of other programs, by the ending of the file's name.

import { extname } from 'node:path';
import { createUnitReader, encodeLiveLinkCsv, encodeTrackJson } from '../exchange/index.ts';
import { encodeFlameParameters, expressionLayout } from '../flame/index.ts';
import type { HeadModel, HeadTrack } from '../head/index.ts';
import { startOfTrack } from '../node/index.ts';

/** What writes tracks of one head. */
export type TrackExporter = (track: HeadTrack) => Uint8Array | string;

/**
 * The exporter for a file name.
 * @throws BadInputError at once where tracks of this head cannot be written so: `no-arkit-units`, `head-not-flame`.
 */
export function exporterOf(path: string, head: HeadModel): TrackExporter {
  const ending = extname(path).toLowerCase();
  if (ending === '.csv') {
    createUnitReader(head);
    return (track) => encodeLiveLinkCsv(head, track, startOfTrack(track));
  }
  if (ending === '.npz') {
    expressionLayout(head);
    return (track) => encodeFlameParameters(track, head);
  }
  return (track) => encodeTrackJson(head, track, startOfTrack(track));
}
