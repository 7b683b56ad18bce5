// A track as the CSV that Epic's Live Link Face app records: 52 ARKit blend shapes and the rotations of head
// and eyes, one row a frame. docs/tracking.md lists the columns.
// Source: files of the app as their readers take them (Faceit for Blender: `EpicMocapImporter`, radians, 60
// frames a second, rows of count 0 skipped); signs from Unreal's AppleARKitFaceSupport, face not mirrored.

import { frameCount, type HeadModel, type HeadTrack, jointAngles, parametersAt } from '../head/index.ts';
import { ARKIT_UNITS, createUnitReader } from './arkit-units.ts';

/** Frames are counted in sixtieths of a second, the app's own rate, whatever the clip's. */
const TIMECODE_RATE = 60;
const ROTATIONS = ['Head', 'LeftEye', 'RightEye'].flatMap((joint) =>
  ['Yaw', 'Pitch', 'Roll'].map((axis) => joint + axis),
);

/**
 * Writes a track in Live Link Face's layout. Frames without a face have a count of 0, and their neighbours'
 * values.
 * @param startSeconds where in its clip the track begins; added to the timecode
 * @throws BadInputError `no-arkit-units` for a track of a head without them.
 */
export function encodeLiveLinkCsv(head: HeadModel, track: HeadTrack, startSeconds = 0): string {
  const unitsOf = createUnitReader(head);
  const names = ARKIT_UNITS.map((name) => name.charAt(0).toUpperCase() + name.slice(1));
  const rows = [['Timecode', 'BlendShapeCount', ...names, ...ROTATIONS].join(',')];
  for (let frame = 0; frame < frameCount(track); frame++) {
    const parameters = parametersAt(track, frame);
    const rotations = (['root', 'leftEye', 'rightEye'] as const).flatMap((joint) => {
      const { yaw, pitch, roll } = jointAngles(parameters, joint);
      return [yaw, pitch, roll];
    });
    const values = [...unitsOf(parameters), ...rotations].map((value) => value.toFixed(8));
    const count = track.confidence[frame]! > 0 ? names.length + ROTATIONS.length : 0;
    rows.push([timecode(startSeconds + track.timestampsSeconds[frame]!), count, ...values].join(','));
  }
  return `${rows.join('\n')}\n`;
}

/** `HH:MM:SS:FF.fff`. */
function timecode(seconds: number): string {
  // In thousandths of a frame, so that rounding carries over.
  const thousandths = Math.round(seconds * TIMECODE_RATE * 1000);
  const whole = Math.floor(thousandths / 1000 / TIMECODE_RATE);
  const frames = (thousandths - whole * 1000 * TIMECODE_RATE) / 1000;
  const two = (value: number): string => String(value).padStart(2, '0');
  const clock = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60].map(two).join(':');
  return `${clock}:${frames.toFixed(3).padStart(6, '0')}`;
}
