// The names of parameters in other layouts than diffusers': Stable Diffusion's original ones, the autoencoder's in old
// files of diffusers, and AnimateDiff's. Each function takes diffusers' name.
// Sources, for the facts of the layouts: the configuration files and state dicts of CompVis/stable-diffusion, checked
// against diffusers' own converters (bench/peers/weight_layouts.py); AnimateDiff's and Champ's motion_module.py.

const RESNET: Readonly<Record<string, string>> = {
  norm1: 'in_layers.0',
  conv1: 'in_layers.2',
  time_emb_proj: 'emb_layers.1',
  norm2: 'out_layers.0',
  conv2: 'out_layers.3',
  conv_shortcut: 'skip_connection',
};
const UNET_ENDS: Readonly<Record<string, string>> = {
  conv_in: 'input_blocks.0.0',
  'time_embedding.linear_1': 'time_embed.0',
  'time_embedding.linear_2': 'time_embed.2',
  conv_norm_out: 'out.0',
  conv_out: 'out.2',
};

/** What the original names depend on. */
export type UnetLevels = { readonly widths: readonly number[]; readonly blocks: number };

/** The U-Net's parameter in the original layout, below `model.diffusion_model.`; null where it has none. */
export function originalUnetName(name: string, { widths, blocks }: UnetLevels): string | null {
  const end = /^(.*)\.(weight|bias)$/.exec(name);
  if (end !== null && UNET_ENDS[end[1]!] !== undefined) return `${UNET_ENDS[end[1]!]}.${end[2]}`;
  const match =
    /^(?:(down|up)_blocks\.(\d+)|mid_block)\.(resnets|attentions|downsamplers|upsamplers)\.(\d+)\.(.+)$/.exec(
      name,
    );
  if (match === null) return null;
  const [, way, levelText, kind, indexText, rest] = match as unknown as [
    string,
    string | undefined,
    string | undefined,
    string,
    string,
    string,
  ];
  const [level, index] = [Number(levelText), Number(indexText)];
  const inner = kind === 'resnets' ? renamed(rest, RESNET) : rest;
  if (way === undefined) return `middle_block.${kind === 'attentions' ? 1 : 2 * index}.${inner}`;
  if (kind === 'downsamplers')
    return `input_blocks.${(level + 1) * (blocks + 1)}.0.op.${rest.slice('conv.'.length)}`;
  if (kind === 'upsamplers') {
    // Behind the resnet, and behind the transformer in the levels that have one: all but the deepest.
    const place = level === 0 ? 1 : 2;
    return `output_blocks.${level * (blocks + 1) + blocks}.${place}.${rest}`;
  }
  const place = kind === 'attentions' ? 1 : 0;
  if (level >= widths.length) return null;
  return way === 'down'
    ? `input_blocks.${level * (blocks + 1) + index + 1}.${place}.${inner}`
    : `output_blocks.${level * (blocks + 1) + index}.${place}.${inner}`;
}

const VAE_ATTENTION: Readonly<Record<string, string>> = {
  group_norm: 'norm',
  to_q: 'q',
  to_k: 'k',
  to_v: 'v',
  'to_out.0': 'proj_out',
};
const OLD_VAE_ATTENTION: Readonly<Record<string, string>> = {
  to_q: 'query',
  to_k: 'key',
  to_v: 'value',
  'to_out.0': 'proj_attn',
};

/** The autoencoder's parameter in the original layout, below `first_stage_model.`. */
export function originalAutoencoderName(name: string, levels: number): string {
  const match = /^(encoder|decoder)\.(.+)$/.exec(name);
  if (match === null) return name;
  const [, side, rest] = match as unknown as [string, string, string];
  const shortcut = (text: string): string => text.replace('conv_shortcut', 'nin_shortcut');
  const converted = rest
    .replace(/^conv_norm_out\./, 'norm_out.')
    .replace(/^mid_block\.resnets\.(\d)\./, (_, i: string) => `mid.block_${Number(i) + 1}.`)
    .replace(
      /^mid_block\.attentions\.0\.(.+)$/,
      (_, inner: string) => `mid.attn_1.${renamed(inner, VAE_ATTENTION)}`,
    )
    .replace(/^down_blocks\.(\d+)\.resnets\.(\d+)\./, 'down.$1.block.$2.')
    .replace(/^down_blocks\.(\d+)\.downsamplers\.0\./, 'down.$1.downsample.')
    .replace(
      /^up_blocks\.(\d+)\.resnets\.(\d+)\./,
      (_, i: string, j: string) => `up.${levels - 1 - Number(i)}.block.${j}.`,
    )
    .replace(
      /^up_blocks\.(\d+)\.upsamplers\.0\./,
      (_, i: string) => `up.${levels - 1 - Number(i)}.upsample.`,
    );
  return `${side}.${shortcut(converted)}`;
}

/** The autoencoder's parameter in files that diffusers wrote before version 0.17. */
export function oldAutoencoderName(name: string): string {
  return name.replace(
    /^(.*\.mid_block\.attentions\.0\.)(.+)$/,
    (_, before: string, inner: string) => before + renamed(inner, OLD_VAE_ATTENTION),
  );
}

/** A motion module's parameter in AnimateDiff's layout, which Moore and Champ keep. */
export function animateDiffName(name: string): string {
  return name
    .replace(/(\.motion_modules\.\d+)\./, '$1.temporal_transformer.')
    .replace('.pos_embed.pe', '.attention_blocks.0.pos_encoder.pe')
    .replace('.norm1.', '.norms.0.')
    .replace('.norm2.', '.norms.1.')
    .replace('.norm3.', '.ff_norm.')
    .replace('.attn1.', '.attention_blocks.0.')
    .replace('.attn2.', '.attention_blocks.1.');
}

/** Exchanges the first part of a dotted name. */
function renamed(name: string, names: Readonly<Record<string, string>>): string {
  for (const [from, to] of Object.entries(names)) {
    if (name.startsWith(`${from}.`)) return to + name.slice(from.length);
  }
  return name;
}
