// Pictures as rows of tokens, which attention takes, and back.

import { reshape, transpose, type Value } from '../tensor/index.ts';

/** `B C H W` to tokens `B HW C`. */
export function tokensOf(x: Value): Value {
  const [batch, channels, height, width] = x.shape as [number, number, number, number];
  return transpose(reshape(x, [batch, channels, height * width]), [0, 2, 1]);
}

/** Tokens `B HW C` to `B C H W`. */
export function pictureOf(tokens: Value, height: number, width: number): Value {
  const [batch, , channels] = tokens.shape as [number, number, number];
  return reshape(transpose(tokens, [0, 2, 1]), [batch, channels, height, width]);
}
