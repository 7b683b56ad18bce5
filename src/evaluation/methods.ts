// Who is judged: the model, the lift alone, the reference copied, the truth itself as the bound of what can be had, and
// pictures that any other program made.

import type { FramedPortrait, OpenModel } from '../avatar/index.ts';
import type { HeadParameters } from '../head/index.ts';
import { createLifter, type LiftTools } from '../lift/index.ts';
import type { RgbImage } from '../media/index.ts';
import type { EvaluationCase, Target } from './cases.ts';
import type { Answer } from './judge.ts';
import type { MetricName } from './metric-list.ts';

/** Something that answers cases. */
export type Method = {
  /** A row of tables. */
  readonly name: string;
  /** One answer a target; null where the method has nothing to say to such a case. */
  answer(one: EvaluationCase): Promise<readonly Answer[] | null>;
  /** The person with the head placed so, for the orbit; absent where the method cannot. */
  readonly show?: (
    one: EvaluationCase,
    heads: readonly HeadParameters[],
  ) => Promise<readonly RgbImage[] | null>;
  /** Whether its time says anything. */
  readonly isTimed: boolean;
  /** The figures that say anything of it; all unless given. */
  readonly figures?: readonly MetricName[];
};

/** The assembled model. */
export function modelMethod(model: OpenModel): Method {
  const render = async (reference: FramedPortrait, heads: readonly HeadParameters[]): Promise<RgbImage[]> => {
    const renderer = await model.framedRenderer(reference);
    const images: RgbImage[] = [];
    for await (const image of renderer.render(heads)) images.push(image);
    return images;
  };
  return {
    name: 'model',
    isTimed: true,
    answer: ({ reference, targets }) =>
      render(
        reference,
        targets.map(({ head }) => head),
      ),
    show: ({ reference }, heads) => render(reference, heads),
  };
}

/** The reference carried by geometry alone. */
export function liftMethod(tools: LiftTools): Method {
  const render = (reference: FramedPortrait, heads: readonly HeadParameters[]): RgbImage[] => {
    const lifter = createLifter(tools, reference);
    return heads.map((parameters) => lifter.lift({ parameters, camera: reference.camera }).image);
  };
  return {
    name: 'lift',
    isTimed: true,
    answer: async ({ reference, targets }) =>
      render(
        reference,
        targets.map(({ head }) => head),
      ),
    show: async ({ reference }, heads) => render(reference, heads),
  };
}

/** The reference as the answer to everything. */
export const copyingMethod: Method = {
  name: 'copying',
  isTimed: false,
  answer: async ({ reference, targets }) => targets.map(() => reference.image),
};

/** The true pictures: what noise, the tracker and two true views leave of every figure. */
export const truthMethod: Method = {
  name: 'truth',
  isTimed: false,
  figures: ['csimReference', 'flicker', 'multiViewMm'],
  answer: async ({ hasTruth, targets }) => (hasTruth ? targets.map(({ picture }) => picture) : null),
  show: async ({ render }, heads) => render?.(heads) ?? null,
};

/** Pictures that lie somewhere already. @param find the answer to a target, by its case and number */
export function picturesMethod(
  name: string,
  find: (caseName: string, index: number) => Promise<Answer>,
): Method {
  const answerTo = async (caseName: string, { index, picture }: Target): Promise<Answer> => {
    const answer = await find(caseName, index);
    if ('missing' in answer) return answer;
    if (answer.width === picture.width && answer.height === picture.height) return answer;
    return {
      missing: `the picture is ${answer.width} x ${answer.height}, not ${picture.width} x ${picture.height}`,
    };
  };
  return {
    name,
    isTimed: false,
    async answer(one) {
      const answers: Answer[] = [];
      for (const target of one.targets) answers.push(await answerTo(one.name, target));
      return answers;
    },
  };
}
