// Convolutions by minimal filtering give what plain ones give, in both forms, and only where they suit.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDevice } from '../../src/node/index.ts';
import {
  conv2d,
  createRandom,
  type Device,
  elementCount,
  emitModel,
  encodeOnnxModel,
  input,
  type OnnxModel,
  parameter,
  pullBack,
  type Tensor,
  tensor,
  type Value,
} from '../../src/tensor/index.ts';

type Extents = { batch: number; inChannels: number; outChannels: number; height: number; width: number };
const LARGE: Extents = { batch: 2, inChannels: 64, outChannels: 96, height: 36, width: 40 };
const SHAPES = { x: [2, 64, 36, 40], w: [96, 64, 3, 3], b: [96], g: [2, 96, 36, 40] };
const random = createRandom(5);
const feeds: Record<string, Tensor> = Object.fromEntries(
  Object.entries(SHAPES).map(([name, shape]) => {
    const scale = name === 'w' ? 1 / Math.sqrt(9 * LARGE.inChannels) : 1;
    const data = random.fillNormal(new Float32Array(elementCount(shape))).map((value) => scale * value);
    return [name, tensor(data, shape)];
  }),
);
const [x, weight, bias, g] = [
  input('x', SHAPES.x),
  parameter('w', SHAPES.w),
  parameter('b', SHAPES.b),
  input('g', SHAPES.g),
];

const device = await createDevice('cpu');
const weights = { w: feeds.w!, b: feeds.b! };
const hasConv = ({ nodes }: OnnxModel, ...kernel: number[]): boolean =>
  nodes.some(({ op, attributes }) => op === 'Conv' && `${attributes?.kernel_shape}` === `${kernel}`);

async function run(model: OnnxModel, on: Device = device): Promise<Record<string, Tensor>> {
  await using session = await on.createSession(encodeOnnxModel(model), { threads: 1 });
  const fed = Object.fromEntries(session.inputNames.map((name) => [name, feeds[name]!]));
  return (await session.run(fed)) as Record<string, Tensor>;
}

/** Root mean square of the difference by that of what is expected. */
function distance(actual: Tensor, expected: Tensor): number {
  let [difference, size] = [0, 0];
  for (const [i, value] of expected.data.entries()) {
    difference += (actual.data[i]! - value) ** 2;
    size += value ** 2;
  }
  return Math.sqrt(difference / size);
}

test('with weights that stay, with a bias and without', async () => {
  for (const options of [{ padding: 1, bias }, { padding: 1 }]) {
    const outputs = { y: conv2d(x, weight, options) };
    const [plain, short] = [false, true].map((usesWinograd) =>
      emitModel({ name: 'c', outputs, weights, usesWinograd }),
    );
    assert.ok(hasConv(plain!, 3, 3) && !hasConv(plain!, 1, 3));
    assert.ok(hasConv(short!, 1, 3) && !hasConv(short!, 3, 3));
    const [expected, actual] = [await run(plain!), await run(short!)];
    const off = distance(actual.y!, expected.y!);
    assert.ok(off < 2e-6, `${off} off`);
  }
});

test('with weights that are fed: results and gradients', async (t) => {
  const { convolutionBlock } = device;
  if (convolutionBlock === undefined) return t.skip('this processor has no blocked layout');
  const y = conv2d(x, weight, { padding: 1, bias });
  const [toX, toWeight] = pullBack(y, g, [x, weight]) as [Value, Value];
  const outputs = { y, toX, toWeight };
  const short = emitModel({ name: 'c', outputs, convolutionBlock });
  assert.ok(hasConv(short, 1, 3) && !hasConv(short, 3, 3));
  const plain = emitModel({ name: 'c', outputs });
  assert.ok(
    hasConv(plain, 36, 40, 1) && !hasConv(short, 36, 40, 1),
    "a quarter of the rows in the kernel's gradient",
  );
  const [expected, actual] = [await run(plain), await run(short)];
  for (const name of Object.keys(outputs)) {
    const off = distance(actual[name]!, expected[name]!);
    assert.ok(off < 2e-6, `${name}: ${off} off`);
  }
});

test('only 3 x 3 kernels in one group, at step 1, of many channels and pixels, rows in fours', () => {
  const isShort = (extents: Partial<Extents>, options = {}, kernel = 3): boolean => {
    const { batch, inChannels, outChannels, height, width } = { ...LARGE, ...extents };
    const kernels = parameter('w', [outChannels, inChannels, kernel, kernel]);
    const outputs = {
      y: conv2d(input('x', [batch, inChannels, height, width]), kernels, { padding: 1, ...options }),
    };
    return hasConv(emitModel({ name: 'c', outputs, usesWinograd: true }), 1, 3);
  };
  assert.ok(isShort({}));
  assert.ok(!isShort({ height: 38 }));
  assert.ok(!isShort({ inChannels: 40 }));
  assert.ok(!isShort({ outChannels: 32 }));
  assert.ok(!isShort({ height: 16, width: 16 }));
  assert.ok(
    !isShort({ batch: 8, height: 16, width: 16 }),
    'filters of small pictures take more than they give',
  );
  assert.ok(!isShort({}, { stride: 2 }));
  assert.ok(!isShort({}, { padding: [1, 1, 0, 0] }));
  assert.ok(!isShort({}, { padding: 2 }, 5));
});
