// The network that `bench:training` times: a small U-Net with the parts of the denoiser (residual blocks with
// group norms and a step embedding, self-attention, down and up), 64-128-256 channels over 32 x 32.
// bench/peers/training.py states the same network in PyTorch; parameter counts are compared.

import {
  add,
  attention,
  concat,
  conv2d,
  groupNorm,
  input,
  layerNorm,
  linear,
  mean,
  parameter,
  reshape,
  silu,
  square,
  sub,
  transpose,
  upsampleNearest,
  type Value,
} from '../src/tensor/index.ts';

const WIDTHS = [64, 128, 256] as const;
const EMBEDDING = 256;
const GROUPS = 32;
const HEAD_WIDTH = 64;

/** The mean squared error of the network's output over `batch` latents of 16 x 32 x 32. */
export function benchmarkLoss(batch: number): Value {
  const latents = input('latents', [batch, 16, 32, 32]);
  const embedding = input('embedding', [batch, EMBEDDING]);
  const skips: Value[] = [];
  let x = convolution('in', latents, WIDTHS[0]);
  WIDTHS.forEach((width, level) => {
    if (level > 0) x = convolution(`down${level}`, x, width, { stride: 2 });
    x = block(`encoder${level}`, x, width, embedding);
    if (level > 0) x = selfAttention(`encoder${level}.attention`, x);
    skips.push(x);
  });
  for (let level = WIDTHS.length - 1; level >= 0; level--) {
    x = block(`decoder${level}`, concat([x, skips[level]!], 1), WIDTHS[level]!, embedding);
    if (level > 0) x = convolution(`up${level}`, upsampleNearest(x, 2), WIDTHS[level - 1]!);
  }
  const output = convolution('out', silu(normalise('out.norm', x)), 16);
  return mean(square(sub(output, input('target', [batch, 16, 32, 32]))));
}

function convolution(name: string, x: Value, width: number, { stride = 1, size = 3 } = {}): Value {
  const weight = parameter(`${name}.weight`, [width, x.shape[1]!, size, size]);
  return conv2d(x, weight, { bias: parameter(`${name}.bias`, [width]), stride, padding: size >> 1 });
}

function normalise(name: string, x: Value): Value {
  const channels = x.shape[1]!;
  const scale = parameter(`${name}.scale`, [channels]);
  return groupNorm(x, { groups: GROUPS, scale, bias: parameter(`${name}.bias`, [channels]) });
}

function dense(name: string, x: Value, width: number): Value {
  return linear(x, parameter(`${name}.weight`, [width, x.shape.at(-1)!]), parameter(`${name}.bias`, [width]));
}

function block(name: string, x: Value, width: number, embedding: Value): Value {
  const shift = reshape(dense(`${name}.embedding`, silu(embedding), width), [x.shape[0]!, width, 1, 1]);
  let h = convolution(`${name}.conv1`, silu(normalise(`${name}.norm1`, x)), width);
  h = convolution(`${name}.conv2`, silu(normalise(`${name}.norm2`, add(h, shift))), width);
  return add(h, x.shape[1] === width ? x : convolution(`${name}.skip`, x, width, { size: 1 }));
}

function selfAttention(name: string, x: Value): Value {
  const [batch, channels, height, width] = x.shape as [number, number, number, number];
  const tokens = transpose(reshape(x, [batch, channels, height * width]), [0, 2, 1]);
  const scale = parameter(`${name}.norm.scale`, [channels]);
  const normal = layerNorm(tokens, { scale, bias: parameter(`${name}.norm.bias`, [channels]) });
  const mixed = attention({
    query: dense(`${name}.query`, normal, channels),
    key: dense(`${name}.key`, normal, channels),
    value: dense(`${name}.value`, normal, channels),
    heads: channels / HEAD_WIDTH,
  });
  const result = transpose(add(tokens, dense(`${name}.out`, mixed, channels)), [0, 2, 1]);
  return reshape(result, x.shape);
}
