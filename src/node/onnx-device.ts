// Devices on onnxruntime-node: the CPU, and GPUs through WebGPU or CUDA where they are really there.

import { existsSync, readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { env, InferenceSession, listSupportedBackends, Tensor as OrtTensor } from 'onnxruntime-node';
import { FaultError, MissingResourceError } from '../errors/index.ts';
import {
  type AnyTensor,
  constant,
  type Device,
  emitModel,
  encodeOnnxModel,
  input,
  matmul,
  type OnnxModel,
  type OnnxNode,
  type OnnxValueInfo,
  type Session,
  type SessionOptions,
  tensor,
  withHalves,
} from '../tensor/index.ts';

// Whatever fails is thrown as well: the back end need not print it, too.
env.logLevel = 'fatal';

/** What a user may ask for; `auto` takes a GPU if there is one, else the CPU. */
export type DeviceRequest = 'auto' | 'cpu' | 'webgpu' | 'cuda';

type Provider = Exclude<DeviceRequest, 'auto'>;

/**
 * Opens a device.
 * @throws MissingResourceError if it is asked for by name and is not there.
 */
export async function createDevice(request: DeviceRequest = 'auto'): Promise<Device> {
  if (request === 'cpu') return await deviceOn('cpu');
  if (request === 'auto') {
    if (!mayHaveGpu()) return await deviceOn('cpu');
    for (const provider of ['cuda', 'webgpu'] as const) {
      if ((await reasonAgainst(provider)) === undefined) return await deviceOn(provider);
    }
    return await deviceOn('cpu');
  }
  const reason = await reasonAgainst(request);
  if (reason === undefined) return await deviceOn(request);
  throw new MissingResourceError({
    code: 'no-device',
    message: `expected a ${request} device, but ${reason}`,
    hint:
      request === 'cuda'
        ? 'install the CUDA libraries of onnxruntime-node, or use --device auto, webgpu or cpu'
        : 'install a GPU driver with Vulkan, Metal or Direct3D 12, or use --device auto or cpu',
  });
}

async function deviceOn(provider: Provider): Promise<Device> {
  const block = provider === 'cpu' ? await convolutionBlock() : undefined;
  return {
    name: provider,
    createSession: (model, options) => openSession(provider, model, options),
    ...(block === undefined ? {} : { convolutionBlock: block }),
    // ONNX Runtime 1.30's on WebGPU: 6 to 16 % off on both drivers that it was tried on (docs/paper-scale.md).
    fusesAttention: provider !== 'webgpu',
    // The CPU's kernels widen halves and narrow them again.
    computesHalves: provider !== 'cpu' && (await faultOf(provider, withHalves(PROBE))) === undefined,
  };
}

/** A product of one number by another. */
const PROBE = emitModel({
  name: 'probe',
  outputs: { y: matmul(input('x', [1, 1]), constant(tensor(Float32Array.of(1), [1, 1]))) },
});

/** The block of channels that this processor's convolutions use, seen in what a reordering does to a ramp. */
async function convolutionBlock(): Promise<number | undefined> {
  const [channels, pixels] = [64, 2];
  const shape = [1, channels, 1, pixels];
  const reorder: OnnxNode = {
    op: 'ReorderInput',
    inputs: ['x'],
    outputs: ['y'],
    domain: 'com.microsoft.nchwc',
  };
  const value = (name: string): OnnxValueInfo => ({ name, dtype: 'float32', shape });
  const model: OnnxModel = {
    name: 'probe',
    nodes: [{ ...reorder, attributes: { channels_last: 0 } }],
    inputs: [value('x')],
    outputs: [value('y')],
    initialisers: {},
  };
  try {
    const session = await InferenceSession.create(encodeOnnxModel(model), { logSeverityLevel: 4 });
    const ramp = Float32Array.from({ length: channels * pixels }, (_, i) => i);
    const { y } = await session.run({ x: toNative(tensor(ramp, shape)) });
    await session.release();
    // The first channel's second pixel stands right behind the first block.
    const block = Array.from(y!.data as Float32Array).indexOf(1);
    return block > 1 && block < channels ? block : undefined;
  } catch {
    return undefined; // This build or processor has no blocked layout.
  }
}

async function openSession(
  provider: Provider,
  model: Uint8Array,
  options: SessionOptions = {},
): Promise<Session> {
  try {
    return new OnnxSession(await InferenceSession.create(model, nativeOptions(provider, options)), provider);
  } catch (cause) {
    throw new FaultError({
      code: 'model-refused',
      message: `expected a model that ${provider} can run, but ${firstLine(cause)}`,
      hint: 'the model file may be damaged or made for another version',
      cause,
    });
  }
}

/** What the runtime makes of weights when it opens a model: results of theirs alone, and fp32 of their halves. */
const FOLDING = ['ConstantFolding', 'FuseFp16InitializerToFp32NodeTransformer'];

function nativeOptions(provider: Provider, options: SessionOptions): InferenceSession.SessionOptions {
  const { threads, optimisation = 'all', keepsMemory = true, profilePrefix } = options;
  const { plansRuns = true, foldsWeights = true, spins = false, weightsFolder } = options;
  return {
    executionProviders: provider === 'cpu' ? ['cpu'] : [provider, 'cpu'],
    intraOpNumThreads: threads ?? availableParallelism(),
    graphOptimizationLevel: optimisation === 'none' ? 'disabled' : optimisation,
    enableCpuMemArena: keepsMemory,
    enableMemPattern: keepsMemory && plansRuns,
    logSeverityLevel: 3,
    // Denormals arise in optimiser states and slow the CPU a hundredfold.
    extra: {
      ...(foldsWeights ? {} : { optimization: { disable_specified_optimizers: FOLDING.join(';') } }),
      session: {
        set_denormal_as_zero: '1',
        // Each session has threads of its own: those that wait busily for its next operator keep others from the cores.
        intra_op: { allow_spinning: spins ? '1' : '0' },
        force_spinning_stop: '1',
        ...(weightsFolder === undefined
          ? {}
          : { model_external_initializers_file_folder_path: weightsFolder }),
      },
    },
    ...(profilePrefix === undefined ? {} : { enableProfiling: true, profileFilePrefix: profilePrefix }),
  };
}

class OnnxSession implements Session {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  readonly #provider: Provider;
  #native: InferenceSession | undefined;

  constructor(native: InferenceSession, provider: Provider) {
    this.#native = native;
    this.#provider = provider;
    this.inputNames = native.inputNames;
    this.outputNames = native.outputNames;
  }

  async run(
    feeds: Readonly<Record<string, AnyTensor>>,
    into: Readonly<Record<string, AnyTensor>> = {},
  ): Promise<Record<string, AnyTensor>> {
    if (this.#native === undefined) throw this.#failure('it was closed before');
    const fetches = this.outputNames.map((name) => [name, into[name] ? toNative(into[name]) : null] as const);
    try {
      const native = Object.entries(feeds).map(([name, value]) => [name, toNative(value)] as const);
      const results = await this.#native.run(Object.fromEntries(native), Object.fromEntries(fetches));
      const outputs = this.outputNames.map(
        (name) => [name, into[name] ?? fromNative(results[name]!)] as const,
      );
      return Object.fromEntries(outputs);
    } catch (cause) {
      throw this.#failure(firstLine(cause), cause);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const native = this.#native;
    this.#native = undefined;
    if (native === undefined) return;
    native.endProfiling();
    await native.release();
  }

  #failure(reason: string, cause?: unknown): FaultError {
    return new FaultError({
      code: 'run-failed',
      message: `expected the model to run on ${this.#provider}, but ${reason}`,
      hint: 'if memory is short, use a smaller batch or size',
      cause,
    });
  }
}

function toNative({ dtype, data, shape }: AnyTensor): OrtTensor {
  return new OrtTensor(dtype, data as Float32Array, shape);
}

function fromNative({ type, data, dims }: OrtTensor): AnyTensor {
  // Where JavaScript has Float16Array, halves come back in one: the bits are what our tensors hold.
  const bits =
    type === 'float16'
      ? new Uint16Array((data as Uint16Array).buffer, (data as Uint16Array).byteOffset, data.length)
      : data;
  return { dtype: type, shape: dims, data: bits } as AnyTensor;
}

/** Cheap signs of a GPU, so that `auto` loads no driver in vain. */
function mayHaveGpu(): boolean {
  if (process.platform !== 'linux') return true;
  const hasRenderNode =
    existsSync('/dev/dri') && readdirSync('/dev/dri').some((name) => name.startsWith('renderD'));
  return hasRenderNode || existsSync('/dev/nvidia0') || existsSync('/dev/dxg');
}

/** Why a back end cannot be used here; `undefined` if a small model runs on it. */
async function reasonAgainst(provider: Provider): Promise<string | undefined> {
  if (!listSupportedBackends().some(({ name }) => name === provider)) {
    return `onnxruntime-node has none on ${process.platform} ${process.arch}`;
  }
  return await faultOf(provider, PROBE);
}

/** Why a provider does not run the probe in one of its forms; `undefined` if it does. */
async function faultOf(provider: Provider, probe: OnnxModel): Promise<string | undefined> {
  try {
    const session = await InferenceSession.create(encodeOnnxModel(probe), {
      executionProviders: [provider],
      logSeverityLevel: 4,
    });
    await session.run({ x: toNative(tensor(Float32Array.of(1), [1, 1])) });
    await session.release();
    return undefined;
  } catch (cause) {
    return firstLine(cause);
  }
}

/** The last sentence of the first line of an error: the rest is paths of the back end's sources. */
function firstLine(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  const [line] = message.split('\n') as [string];
  return line.replace(/^.*\bwas false\. /, '').trim();
}
