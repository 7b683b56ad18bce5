// What a step of stage 1 would lose in 16-bit floats, and what scaling its loss brings back.
//   npx tsx bench/paper-halves.ts [--size PIXELS] [--width N]
// No back end that is at hand computes in halves: ONNX Runtime's CPU kernels widen them, and the software GPU has none. So
// the model is rounded instead: weights, and the result of every operator, go to a half and back, while sums within an
// operator are fp32's. The runtime's rewriting is off, which would take such casts out. Random weights at a narrow width
// of SD 1.5's shape (`--width`, the U-Net's first, of 320), one picture.

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { createDevice } from '../src/node/index.ts';
import { latentShape } from '../src/stable-diffusion/index.ts';
import {
  type AnyTensor,
  createRandom,
  elementCount,
  encodeOnnxModel,
  fromHalf,
  mul,
  type OnnxModel,
  type OnnxNode,
  type Tensor,
  toHalf,
} from '../src/tensor/index.ts';
import {
  gradientsModel,
  type LearningProblem,
  paperConfigurationSchema,
  paperProblem,
} from '../src/training/index.ts';

/** What stays in fp32 where not all is rounded: results that norms, softmaxes and sums are made of. */
const WIDE_OPERATORS: ReadonlySet<string> = new Set([
  ...['LayerNormalization', 'Softmax', 'ReduceSum', 'ReduceMean', 'Sqrt', 'Div', 'Reciprocal', 'Exp'],
]);
const SCALES = [1, 2 ** 8, 2 ** 16];
const [FLOAT, HALF] = [1, 10];

const { values: options } = parseArgs({
  options: { size: { type: 'string', default: '128' }, width: { type: 'string', default: '32' } },
});
const [size, width] = [Number(options.size), Number(options.width)];
const random = createRandom(1);
const device = await createDevice('cpu');

/** A model whose operators' results are rounded, but for those of some. */
function rounded(model: OnnxModel, isWide: (op: string) => boolean): OnnxModel {
  const floats = new Set(
    [...(model.intermediates ?? []), ...model.outputs]
      .filter(({ dtype }) => dtype === 'float32')
      .map(({ name }) => name),
  );
  const nodes = model.nodes.flatMap((node): OnnxNode[] => {
    const isRounded = (name: string): boolean => floats.has(name) && !isWide(node.op);
    const casts = node.outputs.filter(isRounded).flatMap((name): OnnxNode[] => [
      { op: 'Cast', inputs: [`${name}.wide`], outputs: [`${name}.half`], attributes: { to: HALF } },
      { op: 'Cast', inputs: [`${name}.half`], outputs: [name], attributes: { to: FLOAT } },
    ]);
    const outputs = node.outputs.map((name) => (isRounded(name) ? `${name}.wide` : name));
    return [{ ...node, outputs }, ...casts];
  });
  return { ...model, nodes };
}

function noise(shape: readonly number[]): Tensor {
  return { dtype: 'float32', shape, data: random.fillNormal(new Float32Array(elementCount(shape))) };
}

const { model: paper, training } = paperConfigurationSchema.parse(
  JSON.parse(readFileSync(new URL('../configs/paper.json', import.meta.url), 'utf8')),
);
const widths = paper.unet.widths.map((w) => Math.max(32, 32 * Math.round((w * width) / 320 / 32)));
const model = { ...paper, size, unet: { ...paper.unet, widths } };
const { problem } = paperProblem({
  ...{ model, name: '1', frames: 1, weights: {} },
  settings: { ...training.stage1, batch: 1 },
});
const weights: Record<string, Tensor> = {};
for (const [name, { shape }] of problem.trained) {
  // No convolution begins at zero, as fresh ones do: nothing would come back through them.
  const gain = shape.length > 1 ? 1 / Math.sqrt(elementCount(shape.slice(1))) : 0.02;
  const middle = shape.length === 1 && name.endsWith('weight') ? 1 : 0;
  const drawn = noise(shape);
  weights[name] = { ...drawn, data: drawn.data.map((x) => middle + gain * x) };
}
const whole = (value: bigint): AnyTensor => ({ dtype: 'int64', shape: [1], data: BigInt64Array.of(value) });
const feeds: Record<string, AnyTensor> = {
  ...Object.fromEntries(
    ['noisy', 'velocity', 'reference'].map((name) => [name, noise(latentShape(model, 1))]),
  ),
  gaussian: noise([1, model.gaussianChannels, size, size]),
  weight: { dtype: 'float32', ...ones([1, 1, ...latentShape(model, 1).slice(2)]) },
  keepsReference: { dtype: 'float32', ...ones([1]) },
  ...{ timesteps: whole(500n), labels: whole(0n), referenceLabels: whole(0n) },
};

function ones(shape: readonly number[]): { shape: readonly number[]; data: Float32Array } {
  return { shape, data: new Float32Array(elementCount(shape)).fill(1) };
}

/** Gradients of all weights by a model, unscaled. */
async function gradientsOf(
  scale: number,
  isWide: ((op: string) => boolean) | null,
): Promise<Record<string, Float32Array>> {
  const scaled: LearningProblem = { ...problem, loss: mul(problem.loss, scale) };
  const exact = gradientsModel(scaled);
  const emitted = isWide === null ? exact : rounded(exact, isWide);
  await using session = await device.createSession(encodeOnnxModel(emitted), {
    optimisation: 'none',
    plansRuns: false,
  });
  const all: Record<string, AnyTensor> = { ...feeds };
  for (const [name, { shape, data }] of Object.entries(weights)) {
    all[name] = { dtype: 'float32', shape, data: isWide === null ? data : fromHalf(toHalf(data)) };
  }
  const outputs = await session.run(Object.fromEntries(session.inputNames.map((name) => [name, all[name]!])));
  return Object.fromEntries(
    [...problem.trained.keys()].map((name) => {
      const { data } = outputs[`gradient.${name}`] as Tensor;
      return [name, data.map((x) => x / scale)];
    }),
  );
}

/** How gradients in halves differ from exact ones. */
function compare(
  exact: Readonly<Record<string, Float32Array>>,
  got: Readonly<Record<string, Float32Array>>,
): { readonly error: number; readonly lostShare: number; readonly infiniteShare: number } {
  let [squares, wanted, count, nonzero, lost, infinite] = [0, 0, 0, 0, 0, 0];
  for (const [name, values] of Object.entries(exact)) {
    for (const [i, value] of values.entries()) {
      const other = got[name]![i]!;
      count++;
      if (value !== 0) nonzero++;
      if (value !== 0 && other === 0) lost++;
      if (!Number.isFinite(other)) infinite++;
      squares += (other - value) ** 2;
      wanted += value ** 2;
    }
  }
  return {
    error: Math.sqrt(squares / wanted),
    lostShare: lost / nonzero,
    infiniteShare: infinite / count,
  };
}

const exact = await gradientsOf(1, null);
const parameters = Object.values(exact).reduce((sum, { length }) => sum + length, 0);
const outcomes: object[] = [];
for (const [title, isWide] of [
  ['all in halves', () => false],
  ['norms, softmax and sums in fp32', (op: string) => WIDE_OPERATORS.has(op)],
] as const) {
  for (const scale of SCALES) {
    const outcome = { title, scale, ...compare(exact, await gradientsOf(scale, isWide)) };
    const { error, lostShare, infiniteShare } = outcome;
    const percent = (share: number): string => `${(100 * share).toFixed(3)} %`;
    console.log(
      `${title}, loss times ${scale}: gradient ${percent(error)} off, ${percent(lostShare)} of its numbers lost to zero, ${percent(infiniteShare)} not finite`,
    );
    outcomes.push(outcome);
  }
}
console.log(JSON.stringify({ benchmark: 'paper-halves', size, widths, parameters, outcomes }));
