// What there is to see of a case: reference, driver, the methods' answers, and where the main one errs.

import { contactSheet, type RgbImage } from '../media/index.ts';
import type { EvaluationCase } from './cases.ts';
import type { Answer } from './judge.ts';
import { expressionDistance } from './motion-metrics.ts';

const CELL_PX = 160;
/** Frames of a sequence that are shown. */
const SHOWN = 3;
/** A difference of a quarter of the range is white. */
const ERROR_GAIN = 4;
/** What stands in the strip besides the main method. */
const BESIDE = ['lift'];

/** The heads of a strip's columns. */
export function stripColumns({
  hasTruth,
  methods,
}: {
  readonly hasTruth: boolean;
  readonly methods: readonly string[];
}): string[] {
  const [main] = methods as [string];
  const beside = BESIDE.filter((name) => name !== main && methods.includes(name));
  return ['reference', hasTruth ? 'truth' : 'driver', ...beside, main, ...(hasTruth ? ['error'] : [])];
}

/** Rows of pictures: of a sequence the frames that are turned most, changed most, and one between. */
export function caseStrip(
  one: EvaluationCase,
  made: ReadonlyMap<string, readonly Answer[]>,
  main: string,
): RgbImage {
  const methods = [main, ...[...made.keys()].filter((name) => name !== main)];
  const columns = stripColumns({ hasTruth: one.hasTruth, methods });
  const cells = shownTargets(one).flatMap((i) => {
    const { picture } = one.targets[i]!;
    const pictureOf = (method: string): RgbImage => {
      const answer = made.get(method)?.[i];
      return answer === undefined || 'missing' in answer ? blank(picture) : answer;
    };
    return columns.map((column) => {
      if (column === 'reference') return one.reference.image;
      if (column === 'truth' || column === 'driver') return picture;
      return column === 'error' ? errorMap(pictureOf(main), picture) : pictureOf(column);
    });
  });
  return contactSheet(cells, { columns: columns.length, cellWidth: CELL_PX, cellHeight: CELL_PX, gap: 2 });
}

function shownTargets({ targets, reference, isSequence }: EvaluationCase): number[] {
  if (!isSequence || targets.length <= SHOWN) return targets.slice(0, SHOWN).map((_, i) => i);
  const largest = (measure: (i: number) => number): number =>
    targets.reduce((best, _, i) => (measure(i) > measure(best) ? i : best), 0);
  const turn = (i: number): number => {
    const [a, b] = [targets[i]!.head.jointRotations, reference.parameters.jointRotations];
    return Math.hypot(a[0]! - b[0]!, a[1]! - b[1]!, a[2]! - b[2]!);
  };
  const change = (i: number): number => expressionDistance(targets[i]!.head, reference.parameters);
  return [...new Set([largest(turn), largest(change), targets.length >> 1])].sort((a, b) => a - b);
}

/** Absolute differences, from black over red and yellow to white. */
function errorMap(image: RgbImage, truth: RgbImage): RgbImage {
  const { width, height } = image;
  const data = new Uint8Array(3 * width * height);
  for (let i = 0; i < width * height; i++) {
    let difference = 0;
    for (let c = 3 * i; c < 3 * i + 3; c++) difference += Math.abs(image.data[c]! - truth.data[c]!);
    const heat = (ERROR_GAIN * difference) / 3;
    for (let c = 0; c < 3; c++) data[3 * i + c] = Math.max(0, Math.min(255, 3 * heat - 255 * c));
  }
  return { width, height, data };
}

function blank({ width, height }: RgbImage): RgbImage {
  return { width, height, data: new Uint8Array(3 * width * height) };
}
