// Layouts by their names, checked against what diffusers converts, and imports of small models in each of them.
// The names: bench/peers/weight_layouts.py.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { Layout, StoredTensor, TensorFile } from '../../src/checkpoints/index.ts';
import {
  animateDiffName,
  byteLengthOf,
  layoutOf,
  oldAutoencoderName,
  originalAutoencoderName,
  originalUnetName,
  planImport,
  WEIGHTS_FORMAT,
} from '../../src/checkpoints/index.ts';
import { AvatarError } from '../../src/errors/index.ts';
import type { PaperModelConfig } from '../../src/stable-diffusion/index.ts';
import { declareParameters, paperModelSchema } from '../../src/stable-diffusion/index.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const paper = paperModelSchema.parse(
  JSON.parse(readFileSync(join(ROOT, 'configs', 'paper.json'), 'utf8')).model,
);
const small: PaperModelConfig = {
  ...paper,
  size: 64,
  autoencoder: { ...paper.autoencoder, widths: [8, 8, 16, 16], groups: 4 },
  unet: {
    ...paper.unet,
    widths: [8, 8, 16, 16],
    heads: [2, 2, 2, 2],
    groups: 4,
    contextWidth: 12,
    motion: { ...paper.unet.motion!, heads: 2 },
  },
  guidance: { ...paper.guidance, widths: [8, 8, 8, 16], heads: 2, groups: 4 },
};
const names: Record<string, Record<string, string>> = JSON.parse(
  gunzipSync(readFileSync(join(import.meta.dirname, 'goldens', 'names.json.gz'))).toString(),
);
const shapes = new Map(
  [...declareParameters(small).values].map(([name, { shape }]) => [name, shape] as const),
);

/** A file of zeros with the shapes of our parameters under other names. */
function fileOf(
  name: string,
  rename: (ownName: string) => string | null,
  change: (key: string, shape: readonly number[]) => readonly number[] = (_, shape) => shape,
): TensorFile {
  const tensors = new Map<string, StoredTensor>();
  for (const [own, shape] of shapes) {
    const key = rename(own);
    if (key === null) continue;
    const stored = { name: key, type: 'float16', shape: change(key, shape) } as const;
    tensors.set(key, { ...stored, read: async () => new Uint8Array(byteLengthOf(stored)) });
  }
  return { name, format: 'safetensors', metadata: {}, tensors, size: 0 };
}
const isMotion = (name: string): boolean => name.includes('.motion_modules.');
const below =
  (part: string, rename = (name: string): string | null => name, motion = false) =>
  (own: string): string | null =>
    own.startsWith(`${part}.`) && isMotion(own) === motion ? rename(own.slice(part.length + 1)) : null;
const original = fileOf('sd.ckpt', (own) => {
  const vae = below('vae', (name) => `first_stage_model.${originalAutoencoderName(name, 4)}`)(own);
  return vae ?? below('unet', (name) => `model.diffusion_model.${originalUnetName(name, small.unet)}`)(own);
});
const options = { precision: 'keep', seed: 1 } as const;
const statuses = (files: Parameters<typeof planImport>[1]) => {
  const { report } = planImport(small, files, options);
  const count = (prefix: string, status: string): number =>
    report.parameters.filter((p) => p.name.startsWith(prefix) && p.status === status).length;
  return {
    report,
    used: (part: string) => count(part, 'used'),
    fresh: (part: string) => count(part, 'fresh'),
  };
};

test('names of the original layouts are those that diffusers converts', () => {
  for (const [source, own] of Object.entries(names.unet!)) {
    assert.equal(`model.diffusion_model.${originalUnetName(own, paper.unet)}`, source);
  }
  for (const [source, own] of Object.entries(names.vae!)) {
    assert.equal(`first_stage_model.${originalAutoencoderName(own, 4)}`, source);
  }
  for (const [source, own] of [...Object.entries(names.motion2!), ...Object.entries(names.motion3!)]) {
    assert.equal(animateDiffName(own), source);
  }
});

test('original Stable Diffusion gives U-Net, autoencoder and the start of the reference network', () => {
  const { report, used, fresh } = statuses({ base: [original] });
  assert.equal(fresh('vae.'), 0);
  assert.equal(fresh('reference_unet.'), 0);
  assert.ok(used('reference_unet.') > 300);
  assert.ok(
    report.parameters.every((p) => p.status === 'used' || !p.name.startsWith('unet.') || isMotion(p.name)),
  );
  assert.equal(report.leftOver.length, 0);
  assert.equal(fresh('label_embedding.'), 1);
});

test('diffusers’ folders, AnimateDiff, Moore’s and Champ’s files fill what they are given for', () => {
  const wrapped = (name: string): string => `module.${animateDiffName(name)}`;
  const files = {
    base: [fileOf('unet.safetensors', below('unet')), fileOf('vae.bin', below('vae', oldAutoencoderName))],
    motion: [fileOf('v3_sd15_mm.ckpt', below('unet', wrapped, true))],
    reference: [
      // Moore's and Champ's reference networks end before the last norm.
      fileOf(
        'reference_unet.pth',
        below('reference_unet', (name) => (/^conv_(norm_)?out\./.test(name) ? null : name)),
      ),
    ],
    guidance: [
      fileOf('guidance_encoder_depth.pth', below('guidance'), (key, shape) =>
        key === 'conv_in.weight' ? [shape[0]!, 3, 3, 3] : shape,
      ),
    ],
  };
  const { report } = statuses(files);
  const fresh = report.parameters.filter(({ status }) => status === 'fresh');
  assert.deepEqual(fresh.map(({ name }) => name).sort(), [
    'guidance.conv_in.weight',
    'label_embedding.weight',
  ]);
  assert.match(fresh.find(({ name }) => name.startsWith('guidance'))!.note!, /takes 3 channels, ours 8/);
  const end = report.parameters.find(({ name }) => name === 'reference_unet.conv_out.weight');
  assert.equal(end?.source?.file, 'unet.safetensors');
  assert.deepEqual(
    report.leftOver.map(({ key }) => key),
    ['conv_in.weight'],
  );
});

test('what an import writes is an import again, whole', () => {
  const written = { ...fileOf('paper.safetensors', (own) => own), metadata: { format: WEIGHTS_FORMAT } };
  const { report } = statuses({ base: [written] });
  assert.equal(report.leftOver.length, 0);
  assert.ok(report.parameters.every(({ status }) => status === 'used'));
});

test('linear projections and 1 x 1 convolutions hold the same numbers', () => {
  const linear = fileOf('sd21.safetensors', below('unet'), (key, shape) =>
    /proj_(in|out)\.weight$/.test(key) ? shape.slice(0, 2) : shape,
  );
  assert.ok(statuses({ base: [linear] }).used('unet.') > 300);
});

test('a shape that disagrees, a foreign family and a file that gives nothing are refused', () => {
  const wide = fileOf('wide.safetensors', below('unet'), (key, shape) =>
    key === 'conv_in.weight' ? shape.with(1, 9) : shape,
  );
  const of = (key: string): TensorFile =>
    fileOf('other.safetensors', (own) => (own.startsWith('label') ? key : null));
  const fluxOfDiffusers = fileOf('flux.safetensors', (own) => {
    if (own.startsWith('label')) return 'transformer_blocks.0.attn.add_k_proj.weight';
    return own === 'unet.conv_in.bias' ? 'single_transformer_blocks.0.norm.linear.weight' : null;
  });
  const ofXl: TensorFile = {
    ...fileOf('xl_vae.safetensors', below('vae')),
    metadata: { 'modelspec.architecture': 'stable-diffusion-xl-v1-base' },
  };
  const cases: [Parameters<typeof planImport>[1], string, RegExp][] = [
    [{ base: [wide] }, 'weights-mismatch', /conv_in\.weight.*\[8,4,3,3\].*\[8,9,3,3\]/],
    [{ base: [of('add_embedding.linear_1.weight')] }, 'foreign-family', /Stable Diffusion XL/],
    [{ base: [of('conditioner.embedders.0.x')] }, 'foreign-family', /Stable Diffusion XL/],
    [{ base: [of('double_blocks.0.img_attn.qkv.weight')] }, 'foreign-family', /Flux/],
    [{ base: [fluxOfDiffusers] }, 'foreign-family', /Flux/],
    [
      { base: [of('down_blocks.0.resnets.0.temporal_res_block.time_pos_embed.linear_1.weight')] },
      'foreign-family',
      /Video Diffusion/,
    ],
    [{ base: [{ ...original, tensors: new Map() }] }, 'unknown-layout', /got no tensors/],
    [{ base: [of('down_blocks.0.attn.to_q.lora_A.weight')] }, 'foreign-family', /LoRA/],
    [{ base: [of('lora_unet_down_blocks_0.lora_down.weight')] }, 'foreign-family', /LoRA/],
    [{ motion: [of('module.mid_block.attn1.processor.to_q_lora.down.weight')] }, 'foreign-family', /LoRA/],
    [
      { motion: [of('x.motion_modules.0.temporal_transformer.to_q_lora.up.weight')] },
      'foreign-family',
      /LoRA/,
    ],
    [{ base: [of('lora_unet_mid_block_attn1_to_q.hada_w1_a')] }, 'foreign-family', /LoRA/],
    [{ base: [of('lora_te_text_model_encoder_layers_0_mlp_fc1.lokr_w1')] }, 'foreign-family', /LoRA/],
    [{ base: [of('model.diffusion_model.double_blocks.0.img_attn.qkv.weight')] }, 'foreign-family', /Flux/],
    [{ base: [of('model.diffusion_model.label_emb.0.0.weight')] }, 'foreign-family', /Diffusion XL/],
    [{ base: [of('image_proj.latents')] }, 'foreign-family', /an IP-Adapter/],
    [{ base: [of('temporal_transformer_blocks.0.norm_in.weight')] }, 'unknown-layout', /temporal/],
    [{ base: [of('joint_blocks.0.x')] }, 'foreign-family', /Diffusion 3/],
    [{ base: [original], vae: [ofXl] }, 'foreign-family', /xl_vae\.safetensors.*Diffusion XL/],
    [{ base: [of('something.else')] }, 'unknown-layout', /something\.else/],
    [{ base: [original], motion: [fileOf('vae.bin', below('vae'))] }, 'weights-unused', /vae\.bin.*motion/],
  ];
  for (const [files, code, message] of cases) {
    assert.throws(
      () => planImport(small, files, options),
      (error: unknown) => {
        assert.ok(error instanceof AvatarError, String(error));
        assert.equal(error.code, code);
        assert.match(error.message, message);
        return true;
      },
    );
  }
});

test('fresh parameters depend on the seed and their names alone', async () => {
  const read = async (seed: number) => {
    const { tensors } = planImport(small, { base: [original] }, { precision: 'keep', seed });
    return tensors.find(({ name }) => name === 'label_embedding.weight')!.read();
  };
  assert.deepEqual(await read(1), await read(1));
  assert.notDeepEqual(await read(1), await read(2));
});

test('a layout says what it is', () => {
  const describe = (file: TensorFile): Pick<Layout, 'name' | 'parts'> => {
    const { name, parts } = layoutOf(file);
    return { name, parts };
  };
  assert.deepEqual(describe(original), { name: 'stable-diffusion', parts: ['vae', 'unet'] });
  assert.deepEqual(
    describe(
      fileOf(
        'm',
        below('unet', (n) => n, true),
      ),
    ),
    {
      name: 'diffusers-motion',
      parts: ['motion'],
    },
  );
  assert.deepEqual(describe(fileOf('g', below('guidance'))), { name: 'guidance', parts: ['guidance'] });
});
