// What a landmark network makes of a head: its points lie a little off the surface's, answer less to units and
// identity than the surface does, and slide over it as the head turns. Learned by tools/train-tracking-prior.

import type { Weights } from '../nn/index.ts';
import type { LandmarkModel } from './landmark-model.ts';

/** What to add to a landmark model so that it lies where the network's points do; rows of `3L`, metres. */
export type LandmarkResponse = {
  readonly rest: Float64Array;
  /** One per unit. */
  readonly expression: readonly Float64Array[];
  /** One for each of the first coefficients. */
  readonly identity: readonly Float64Array[];
  /** One for each of `viewTerms`. */
  readonly view: readonly Float64Array[];
};

/** The model as the network answers to it. */
export function withResponse(model: LandmarkModel, response: LandmarkResponse): LandmarkModel {
  const added = (rows: readonly Float64Array[], answers: readonly Float64Array[]): Float64Array[] =>
    rows.map((row, k) => {
      const answer = answers[k];
      return answer === undefined ? row : row.map((value, i) => value + answer[i]!);
    });
  return {
    ...model,
    template: added([model.template], [response.rest])[0]!,
    expression: added(model.expression, response.expression),
    identity: added(model.identity, response.identity),
    view: response.view,
  };
}

const PREFIX = 'response.';

/** A response as named arrays, for a file; the rows of a kind one after the other. */
export function responseTensors({
  rest,
  expression,
  identity,
  view,
}: LandmarkResponse): Record<string, Float32Array> {
  const joined = (rows: readonly Float64Array[]): Float32Array => {
    const data = new Float32Array(rows.length * rest.length);
    for (const [k, row] of rows.entries()) data.set(row, k * rest.length);
    return data;
  };
  return {
    [`${PREFIX}rest`]: joined([rest]),
    [`${PREFIX}expression`]: joined(expression),
    [`${PREFIX}identity`]: joined(identity),
    [`${PREFIX}view`]: joined(view),
  };
}

/** Reads what `responseTensors` named. */
export function responseOf(weights: Weights): LandmarkResponse {
  const rowsOf = (name: string): Float64Array[] => {
    const { shape, data } = weights[PREFIX + name]!;
    const width = shape[1]!;
    return Array.from({ length: shape[0]! }, (_, k) =>
      Float64Array.from(data.subarray(k * width, (k + 1) * width)),
    );
  };
  return {
    rest: rowsOf('rest')[0]!,
    expression: rowsOf('expression'),
    identity: rowsOf('identity'),
    view: rowsOf('view'),
  };
}
