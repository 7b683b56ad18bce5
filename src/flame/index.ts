// FLAME: its files as heads, motion carried between heads, and its parameter files.

export { type Registration, registerHead } from './head-registration.ts';
export { describeHead, type HeadFacts, headSheet } from './head-sheet.ts';
export { type ImportedHead, type ImportOptions, importHead } from './import-head.ts';
export type { SourceFile } from './source-files.ts';
