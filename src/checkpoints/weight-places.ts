// Where a file of ours has the parameters of a model, so that networks read them from there.

import { BadInputError } from '../errors/index.ts';
import { declareParameters, type PaperModelConfig } from '../stable-diffusion/index.ts';
import type { ExternalPlace } from '../tensor/index.ts';
import type { TensorFile } from './tensor-file.ts';

/**
 * The places of all parameters of a configuration.
 * @throws BadInputError `weights-mismatch` naming the first that is missing or of another shape.
 */
export function weightPlaces(file: TensorFile, config: PaperModelConfig): ReadonlyMap<string, ExternalPlace> {
  const places = new Map<string, ExternalPlace>();
  for (const [name, { shape }] of declareParameters(config).values) {
    const tensor = file.tensors.get(name);
    const { place, type } = tensor ?? {};
    const isFitting = tensor?.shape.join() === shape.join() && place !== undefined;
    if (!isFitting || (type !== 'float32' && type !== 'float16' && type !== 'bfloat16')) {
      const found = tensor === undefined ? 'none' : `[${tensor.shape}] in ${tensor.type}`;
      throw new BadInputError({
        code: 'weights-mismatch',
        message: `expected ${file.name} to hold ${name} of shape [${shape}], got ${found}`,
        hint: 'make the file again with weights import',
      });
    }
    places.set(name, { ...place, ...(type === 'float32' ? {} : { stored: type }) });
  }
  return places;
}
