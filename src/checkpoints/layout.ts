// What a file of weights is: its layout, the parts of a model in it, and where each of our parameters would stand.
// Files of other families are known by a few telling names, and refused by theirs.

import { BadInputError } from '../errors/index.ts';
import type { PaperModelConfig, PartName } from '../stable-diffusion/index.ts';
import { MOTION_NAME } from '../stable-diffusion/index.ts';
import {
  animateDiffName,
  oldAutoencoderName,
  originalAutoencoderName,
  originalUnetName,
} from './original-names.ts';
import type { TensorFile } from './tensor-file.ts';

/** How a file names its tensors. */
export type LayoutName =
  | 'learn2control'
  | 'stable-diffusion'
  | 'stable-diffusion-vae'
  | 'diffusers-unet'
  | 'diffusers-vae'
  | 'animatediff'
  | 'diffusers-motion'
  | 'guidance';

/** What a layout can hold. */
export type FilePart = Exclude<PartName, 'label_embedding'> | 'motion';

/** A layout as a file has it. */
export type Layout = {
  readonly name: LayoutName;
  /** In words. */
  readonly description: string;
  /** What stands before all names: `module.` where a file was saved from a wrapped model. */
  readonly prefix: string;
  readonly parts: readonly FilePart[];
};

/** The metadata `format` of files that this project writes. */
export const WEIGHTS_FORMAT = 'learn2control.weights';

const LORA = 'LoRA weights';
const FOREIGN: readonly [family: string, isOne: RegExp][] = [
  [
    LORA,
    /(^|\.)lora_(up|down|A|B|unet|te\d?|magnitude_vector)(\b|_)|[._]lora\.(up|down)\.|\.(hada|lokr)_w\d/,
  ],
  ['an IP-Adapter', /^(image_proj|ip_adapter)\./],
  ['a ControlNet', /^(control_model\.|controlnet_cond_embedding\.|module\.controlnet_cond_embedding\.)/],
  // Before Stable Diffusion XL, whose added embedding and conditioner it has.
  ['Stable Video Diffusion', /\.(temporal_transformer_blocks|time_pos_embed|time_stack)\./],
  ['Stable Diffusion XL', /^(conditioner\.embedders\.|add_embedding\.|model\.diffusion_model\.label_emb\.)/],
  // Before Stable Diffusion 3, whose joint attentions diffusers' Flux names alike.
  ['Flux', /^(model\.diffusion_model\.)?double_blocks\.|^single_transformer_blocks\./],
  [
    'Stable Diffusion 3',
    /^(model\.diffusion_model\.)?joint_blocks\.|^transformer_blocks\.\d+\.attn\.add_k_proj/,
  ],
  ['a text encoder', /^(text_model\.|text_projection)/],
];

/** What other programs write into a header as `modelspec.architecture`; the only sign on an autoencoder of its own. */
const FOREIGN_ARCHITECTURES: readonly [family: string, isOne: RegExp][] = [
  ['Stable Diffusion XL', /^stable-diffusion-xl/],
  ['Stable Diffusion 3', /^stable-diffusion-v?3/],
  ['Flux', /^flux/],
];

/**
 * Says what a file is.
 * @throws BadInputError `foreign-family` where it belongs to another family, `unknown-layout` where nothing is known of it.
 */
export function layoutOf(file: TensorFile): Layout {
  const names = [...file.tensors.keys()];
  const family = foreignFamilyOf(file);
  if (family !== null) {
    throw new BadInputError({
      code: 'foreign-family',
      message: `expected ${file.name} to hold weights of Stable Diffusion 1.x or 2.x, got ${family}`,
      hint:
        family === LORA
          ? 'merge it into its base with the program that it was made for, and name what comes out'
          : 'name weights of Stable Diffusion 1.5 or 2.1, its autoencoder, AnimateDiff, or Champ',
    });
  }
  const isWrapped = names.every((name) => name.startsWith('module.'));
  const prefix = isWrapped ? 'module.' : '';
  const known = recognise(new Set(names.map((name) => name.slice(prefix.length))), file);
  if (known !== null) return { ...known, prefix };
  const found = names.length === 0 ? 'no tensors' : `tensors such as "${names[0]}"`;
  throw new BadInputError({
    code: 'unknown-layout',
    message: `expected ${file.name} to hold weights in a known layout, got ${found}`,
    hint: 'see docs/weights.md for the layouts that are read',
  });
}

/** The family of a file that no network here can use; null where it may be one that can. */
export function foreignFamilyOf({ tensors, metadata }: TensorFile): string | null {
  const names = [...tensors.keys()];
  const architecture = metadata['modelspec.architecture'] ?? '';
  const known =
    FOREIGN.find(([, isOne]) => names.some((name) => isOne.test(name))) ??
    FOREIGN_ARCHITECTURES.find(([, isOne]) => isOne.test(architecture));
  return known?.[0] ?? null;
}

function recognise(names: ReadonlySet<string>, { metadata }: TensorFile): Omit<Layout, 'prefix'> | null {
  const some = (pattern: RegExp): boolean => [...names].some((name) => pattern.test(name));
  const motion: FilePart[] = some(/\.motion_modules\./) ? ['motion'] : [];
  if (metadata.format === WEIGHTS_FORMAT) {
    const parts = (['vae', 'unet', 'reference_unet', 'guidance'] as const).filter((part) =>
      some(new RegExp(`^${part}\\.`)),
    );
    return { name: 'learn2control', description: 'weights of this project', parts: [...parts, ...motion] };
  }
  if (some(/^model\.diffusion_model\.input_blocks\.|^first_stage_model\./)) {
    const parts: FilePart[] = [];
    if (some(/^first_stage_model\./)) parts.push('vae');
    if (some(/^model\.diffusion_model\./)) parts.push('unet');
    return { name: 'stable-diffusion', description: 'original Stable Diffusion', parts };
  }
  if (names.has('encoder.conv_in.weight') && some(/^decoder\./)) {
    return some(/^encoder\.down\.\d/)
      ? { name: 'stable-diffusion-vae', description: 'autoencoder, original layout', parts: ['vae'] }
      : { name: 'diffusers-vae', description: 'autoencoder, diffusers', parts: ['vae'] };
  }
  if (names.has('conv_in.weight') && names.has('time_embedding.linear_1.weight')) {
    return { name: 'diffusers-unet', description: 'U-Net, diffusers', parts: ['unet', ...motion] };
  }
  if (motion.length > 0) {
    return some(/\.temporal_transformer\./)
      ? { name: 'animatediff', description: 'motion modules, AnimateDiff', parts: motion }
      : { name: 'diffusers-motion', description: 'motion modules, diffusers', parts: motion };
  }
  if (names.has('conv_in.weight') && names.has('blocks.0.weight') && names.has('conv_out.weight')) {
    const owner = some(/^attentions\./) ? 'Champ' : 'Moore-AnimateAnyone';
    return { name: 'guidance', description: `guidance encoder, ${owner}`, parts: ['guidance'] };
  }
  return null;
}

/**
 * Where one of our parameters may stand in a file of a layout, the likeliest first. A reference network's parameters
 * stand where the U-Net's do.
 */
export function namesIn(layout: Layout, ownName: string, { unet, autoencoder }: PaperModelConfig): string[] {
  const at = ownName.indexOf('.');
  const [part, name] = [ownName.slice(0, at), ownName.slice(at + 1)];
  if (layout.name === 'learn2control') {
    return part === 'reference_unet' ? [ownName, `unet.${name}`] : [ownName];
  }
  const isUnet = part === 'unet' || part === 'reference_unet';
  const isMotion = isUnet && name.includes(`.${MOTION_NAME}.`);
  const candidates = ((): (string | null)[] => {
    switch (layout.name) {
      case 'stable-diffusion': {
        if (part === 'vae')
          return [`first_stage_model.${originalAutoencoderName(name, autoencoder.widths.length)}`];
        const original = isUnet && !isMotion ? originalUnetName(name, unet) : null;
        return [original === null ? null : `model.diffusion_model.${original}`];
      }
      case 'stable-diffusion-vae':
        return [part === 'vae' ? originalAutoencoderName(name, autoencoder.widths.length) : null];
      case 'diffusers-vae':
        return part === 'vae' ? [name, oldAutoencoderName(name)] : [];
      case 'guidance':
        return [part === 'guidance' ? name : null];
      case 'diffusers-unet':
        return isUnet ? [name, ...(isMotion ? [animateDiffName(name)] : [])] : [];
      default:
        return isMotion ? [name, animateDiffName(name)] : [];
    }
  })();
  return candidates.filter((candidate) => candidate !== null).map((candidate) => layout.prefix + candidate);
}
