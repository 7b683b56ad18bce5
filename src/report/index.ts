// A track as one page for people: what was found, how the head moved, which frames to mistrust.

export * from './curves.ts';
export * from './dataset-page.ts';
export * from './doubts.ts';
export * from './evaluation-page.ts';
export * from './moments.ts';
export * from './page.ts';
export * from './training-page.ts';
