// Names for a network's parameters: a scope is a place in the tree of names (diffusers' naming), and
// the set behind it remembers each parameter's shape and initialiser. Asking twice for one name gives
// the same parameter, which is how networks share weights.

import { FaultError } from '../errors/index.ts';
import type { Tensor, Value } from '../tensor/index.ts';
import { constant, createRandom, deriveSeed, elementCount, parameter } from '../tensor/index.ts';
import type { Initialiser } from './initialisers.ts';

/** A place in the tree of parameter names. */
export type Scope = {
  /** The dotted name of this place; empty at the root. */
  readonly path: string;
  /** The place below this one. */
  at(name: string | number): Scope;
  /** The parameter `name` at this place; the same one each time it is asked for. */
  parameter(name: string, shape: readonly number[], initialiser: Initialiser): Value;
};

/** The parameters of a network, collected while its functions run. */
export type ParameterSet = {
  /** The root of the names. */
  readonly scope: Scope;
  /** All parameters asked for so far, by full name, in order of first use. */
  readonly values: ReadonlyMap<string, Value>;
  /**
   * Fresh weights for all of them, or for those whose name passes. A parameter's weights depend on the seed and its
   * own name alone.
   */
  initialise(seed: number, isWanted?: (name: string) => boolean): Record<string, Tensor>;
};

/** An empty set of parameters. */
export function createParameterSet(): ParameterSet {
  const values = new Map<string, Value>();
  const initialisers = new Map<string, Initialiser>();
  const scopeAt = (path: string): Scope => {
    return {
      path,
      at: (name) => scopeAt(nameBelow(path, name)),
      parameter(name, shape, initialiser) {
        const key = nameBelow(path, name);
        const known = values.get(key);
        if (known !== undefined) {
          if (known.shape.join() === shape.join()) return known;
          throw new FaultError({
            code: 'parameter-shape',
            message: `expected ${key} of shape [${shape}], but it was first used with [${known.shape}]`,
            hint: 'give the two uses names of their own, or equal shapes',
          });
        }
        const value = parameter(key, shape);
        values.set(key, value);
        initialisers.set(key, initialiser);
        return value;
      },
    };
  };
  return {
    scope: scopeAt(''),
    values,
    initialise: (seed, isWanted = () => true) =>
      Object.fromEntries(
        [...values].flatMap(([name, { shape }]): [string, Tensor][] => {
          if (!isWanted(name)) return [];
          const random = createRandom(deriveSeed(seed, nameHash(name)));
          const data = initialisers.get(name)!(shape, random);
          if (data.length !== elementCount(shape)) {
            throw new FaultError({
              code: 'initialiser-length',
              message: `expected ${elementCount(shape)} initial values for ${name}, got ${data.length}`,
              hint: 'the initialiser does not fit the shape',
            });
          }
          return [[name, { dtype: 'float32', shape, data }]];
        }),
      ),
  };
}

/** The number of weights in a set of parameters, or in those whose name passes `isWanted`. */
export function weightCount(
  values: ReadonlyMap<string, Value>,
  isWanted: (name: string) => boolean = () => true,
): number {
  return [...values].reduce((sum, [name, v]) => sum + (isWanted(name) ? elementCount(v.shape) : 0), 0);
}

/** FNV-1a over the name's code units. */
function nameHash(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return hash;
}

/** Places whose parameters are the values of weights, which nothing learns. @throws FaultError for one that is not among them. */
export function fixedScope(weights: Readonly<Record<string, Tensor>>, path = ''): Scope {
  return {
    path,
    at: (name) => fixedScope(weights, nameBelow(path, name)),
    parameter(name, shape) {
      const key = nameBelow(path, name);
      const weight = weights[key];
      if (weight?.shape.join() === shape.join()) return constant(weight);
      throw new FaultError({
        code: 'fixed-weights',
        message: `expected weights "${key}" of [${shape}], got ${weight ? `[${weight.shape}]` : 'none'}`,
        hint: 'install the package again',
      });
    },
  };
}

function nameBelow(path: string, name: string | number): string {
  return path === '' ? `${name}` : `${path}.${name}`;
}
