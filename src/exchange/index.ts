// Tracks in the formats of other programs.

export * from './arkit-units.ts';
export * from './live-link-csv.ts';
export * from './track-json.ts';
