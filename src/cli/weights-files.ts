// Weights as files: published ones made ours, ours made others', and any of them looked at.

import { basename, dirname, join } from 'node:path';
import {
  byteLengthOf,
  configOf,
  describeWeights,
  fromFloats,
  type ImportReport,
  type ImportRole,
  ONNX_PARTS,
  onnxExport,
  partTensors,
  planImport,
  type StoredTensor,
  safetensorsChunks,
  TENSOR_PARTS,
  type TensorFile,
  type TensorToWrite,
  toFloats,
  WEIGHTS_FORMAT,
} from '../checkpoints/index.ts';
import {
  expectRoomFor,
  expectWritable,
  type OpenedWeights,
  openWeightsFiles,
  readPaperConfig,
  writeFileAtomic,
} from '../node/index.ts';
import { elementCount, encodeOnnxModel } from '../tensor/index.ts';
import { contradictoryOptions } from './arguments.ts';
import type { CommandContext, CommandResult } from './command.ts';

/** How `--precision` names the element types. */
const TYPE_OF = { keep: 'keep', fp32: 'float32', fp16: 'float16', bf16: 'bfloat16' } as const;
type Precision = keyof typeof TYPE_OF;

/** The options of `weights import`. */
export type WeightsImportOptions = Partial<Readonly<Record<ImportRole, string | undefined>>> & {
  readonly config?: string | undefined;
  readonly out: string;
  readonly precision: Precision;
  readonly licence?: string | undefined;
  readonly report?: string | undefined;
};

const ROLES: readonly ImportRole[] = ['base', 'vae', 'motion', 'reference', 'guidance'];

/** Reads published weights and writes those that the configuration takes, in one file. */
export async function runWeightsImport(
  options: WeightsImportOptions,
  context: CommandContext,
): Promise<CommandResult> {
  const { out, precision, report: reportPath } = options;
  await expectWritable(out);
  const config = await readPaperConfig(options.config ?? 'paper');
  await using opened = await openAll(options);
  const plan = planImport(config, opened.files, { precision: TYPE_OF[precision], seed: context.seed });
  const { report } = plan;
  await expectRoomFor(out, totalBytes(plan.tensors));
  const licences = Object.values(opened.files).flatMap((files) => files.map(licenceOf));
  const metadata = {
    format: WEIGHTS_FORMAT,
    version: '1',
    config: JSON.stringify(config),
    provenance: JSON.stringify(report.files),
    license: options.licence ?? ([...new Set(licences)].join('; ') || 'not stated by the files'),
  };
  await writeFileAtomic(out, withProgress(plan.tensors, metadata, context));
  if (reportPath !== undefined) await writeFileAtomic(reportPath, `${JSON.stringify(report, null, 2)}\n`);
  const fields = { ...countsOf(report), files: report.files, licence: metadata.license };
  if (reportPath === undefined && fields.fresh + fields.leftOver > 0) {
    const whole = Object.entries(fields.byPart).flatMap(([part, { used }]) => (used === 0 ? [part] : []));
    const parts = whole.length === 0 ? '' : ` (all of ${whole.join(', ')})`;
    const message = `${fields.fresh} parameters are fresh${parts} and ${fields.leftOver} keys left over: --report FILE.json names them`;
    context.emit({ kind: 'log', level: 'info', message });
  }
  return {
    summary: `${out}: ${fields.used} parameters used, ${fields.fresh} fresh, ${fields.leftOver} keys left over`,
    outputs: [out, ...(reportPath === undefined ? [] : [reportPath])],
    fields,
  };
}

/** Says what a file of weights is. */
export async function runWeightsInspect({ file: path }: { readonly file: string }): Promise<CommandResult> {
  await using opened = await openWeightsFiles(path);
  const files = opened.files.map((file) => ({ file: file.name, ...describeWeights(file) }));
  const lines = files.map(({ file, family, layout, parts, parameters, precision, licence }) => {
    const types = Object.keys(precision).join(', ');
    const what = layout === null ? 'cannot be imported' : `${layout} (${parts.join(', ')})`;
    return `${file}: ${family}, ${what}, ${(parameters / 1e6).toFixed(1)} million parameters in ${types}, licence ${licence ?? 'not stated'}`;
  });
  const [first, ...others] = files;
  const fields = { ...first, ...(others.length === 0 ? {} : { files }) };
  return { summary: lines.join('\n'), outputs: [], fields };
}

/** The options of `weights export`. */
export type WeightsExportOptions = {
  readonly file: string;
  readonly part: string;
  readonly out: string;
  readonly precision: Precision;
  readonly size?: number | undefined;
  readonly frames?: number | undefined;
};

/** Writes a part under diffusers' names, or as an ONNX model. */
export async function runWeightsExport(
  options: WeightsExportOptions,
  context: CommandContext,
): Promise<CommandResult> {
  const { file: path, part, out, precision, size, frames } = options;
  await expectWritable(out);
  await using opened = await openWeightsFiles(path);
  const file = opened.files[0]!;
  if (out.toLowerCase().endsWith('.onnx')) return await exportOnnx(file, options, context);
  const known = TENSOR_PARTS.find((name) => name === part);
  if (known === undefined || size !== undefined || frames !== undefined) {
    throw contradictoryOptions(
      known === undefined
        ? `--part ${part} is an ONNX model, got ${out}.`
        : '--size and --frames belong to ONNX.',
      `Write --out NAME.onnx, or choose --part ${TENSOR_PARTS.join(', ')}.`,
    );
  }
  configOf(file);
  const tensors = partTensors(file, known, TYPE_OF[precision]);
  await expectRoomFor(out, totalBytes(tensors));
  const metadata = { format: 'pt', license: licenceOf(file) };
  await writeFileAtomic(out, withProgress(tensors, metadata, context));
  const parameters = tensors.reduce((sum, { shape }) => sum + elementCount(shape), 0);
  return {
    summary: `${out}: ${part}, ${tensors.length} tensors under diffusers' names`,
    outputs: [out],
    fields: { part, tensors: tensors.length, parameters },
  };
}

async function exportOnnx(
  file: TensorFile,
  { part, out, precision, size, frames }: WeightsExportOptions,
  context: CommandContext,
): Promise<CommandResult> {
  const known = ONNX_PARTS.find((name) => name === part);
  if (known === undefined || precision === 'fp16' || precision === 'bf16') {
    throw contradictoryOptions(
      known === undefined
        ? `--part ${part} is no ONNX model.`
        : `ONNX is written in fp32, got --precision ${precision}.`,
      `Choose --part ${ONNX_PARTS.join(', ')}, and leave --precision out.`,
    );
  }
  const location = `${basename(out)}.data`;
  const dataPath = join(dirname(out), location);
  const { model, external, tensors } = onnxExport(file, known, {
    location,
    ...(size === undefined ? {} : { sizePx: size }),
    ...(frames === undefined ? {} : { frames }),
  });
  const bytes = tensors.reduce((sum, { shape }) => sum + 4 * elementCount(shape), 0);
  await expectRoomFor(dataPath, bytes);
  await writeFileAtomic(dataPath, floatChunks(tensors, context));
  await writeFileAtomic(out, encodeOnnxModel(model, external));
  return {
    summary: `${out}: ${part} as ONNX, weights in ${dataPath}`,
    outputs: [out, dataPath],
    fields: { part, tensors: tensors.length, parameters: bytes / 4 },
  };
}

async function* floatChunks(
  tensors: readonly StoredTensor[],
  context: CommandContext,
): AsyncGenerator<Uint8Array> {
  for (const [i, tensor] of tensors.entries()) {
    reportProgress(i, tensors.length, context);
    yield fromFloats(toFloats(await tensor.read(), tensor.type), 'float32');
  }
}

async function* withProgress(
  tensors: readonly TensorToWrite[],
  metadata: Readonly<Record<string, string>>,
  context: CommandContext,
): AsyncGenerator<Uint8Array> {
  let written = 0;
  for await (const chunk of safetensorsChunks(tensors, metadata)) {
    reportProgress(written++, tensors.length + 1, context);
    yield chunk;
  }
}

function reportProgress(done: number, total: number, { emit, signal }: CommandContext): void {
  signal.throwIfAborted();
  emit({ kind: 'progress', stage: 'write', done, total, unit: 'tensors' });
}

type OpenedByRole = AsyncDisposable & { readonly files: Partial<Record<ImportRole, readonly TensorFile[]>> };

async function openAll(options: WeightsImportOptions): Promise<OpenedByRole> {
  const opened: OpenedWeights[] = [];
  const close = async (): Promise<void> => {
    for (const one of opened) await one[Symbol.asyncDispose]();
  };
  const files: Partial<Record<ImportRole, readonly TensorFile[]>> = {};
  try {
    for (const role of ROLES) {
      const path = options[role];
      if (path === undefined) continue;
      const one = await openWeightsFiles(path);
      opened.push(one);
      files[role] = one.files;
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { files, [Symbol.asyncDispose]: close };
}

function countsOf({ parameters, leftOver }: ImportReport): {
  used: number;
  fresh: number;
  leftOver: number;
  byPart: Record<string, { used: number; fresh: number }>;
} {
  const byPart: Record<string, { used: number; fresh: number }> = {};
  for (const { name, status } of parameters) {
    const part = name.includes('.motion_modules.') ? 'motion' : name.slice(0, name.indexOf('.'));
    byPart[part] ??= { used: 0, fresh: 0 };
    byPart[part][status]++;
  }
  const total = (status: 'used' | 'fresh'): number => parameters.filter((p) => p.status === status).length;
  return { used: total('used'), fresh: total('fresh'), leftOver: leftOver.length, byPart };
}

function totalBytes(tensors: readonly TensorToWrite[]): number {
  return tensors.reduce((sum, { writtenType, shape }) => sum + byteLengthOf({ type: writtenType, shape }), 0);
}

function licenceOf(file: TensorFile): string {
  return describeWeights(file).licence ?? 'not stated';
}
