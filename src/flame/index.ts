// FLAME: its files as heads, motion carried between heads, and its parameter files.

export type { FittedFrame } from './fit-frame.ts';
export { encodeFlameFolder, encodeFlameParameters, expressionLayout } from './flame-parameters.ts';
export { createHeadConverter, type HeadConverter } from './head-conversion.ts';
export { type Registration, registerHead } from './head-registration.ts';
export { describeHead, type HeadFacts, headSheet } from './head-sheet.ts';
export { type ImportedHead, type ImportOptions, importHead } from './import-head.ts';
export {
  decodeFlameParameters,
  type ReadParameters,
  type ReadParametersOptions,
} from './read-flame-parameters.ts';
export type { SourceFile } from './source-files.ts';
export { type ConvertedTrack, type ConvertTrackOptions, convertTrack } from './track-conversion.ts';
