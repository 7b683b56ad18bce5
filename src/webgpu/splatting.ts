// The splatting on a GPU: numbers or buffers in, images out, and the way back.
//
// Road: project -> sort by depth -> count pairs of Gaussian and tile -> list them -> sort by tile -> blend. How
// many pairs there are only the device knows. It is given room for a guess and reads on from its own count;
// the count comes back with the results, and if the room was too small all is done again with more.

import { BadInputError, FaultError } from '../errors/index.ts';
import type { GpuContext, Readback } from './gpu-context.ts';
import type { GpuBuffer, GpuCommandEncoder } from './gpu-device.ts';
import type { PrefixSum } from './prefix-sum.ts';
import { createPrefixSum } from './prefix-sum.ts';
import type { RadixSort } from './radix-sort.ts';
import { createRadixSort } from './radix-sort.ts';
import { rowOf } from './splat-blend-backward.wgsl.ts';
import { TILE } from './splat-project.wgsl.ts';
import { CAMERA_BYTES, packCamera } from './splat-view.wgsl.ts';
import { GrowingBuffers } from './splatting-buffers.ts';
import type { GpuAnswer, GpuGradients, GpuImages, GpuNumbers, GpuSplattingInput } from './splatting-input.ts';
import type { SplattingKernels } from './splatting-kernels.ts';
import { compileSplatting } from './splatting-kernels.ts';
import { StageTimer } from './stage-timer.ts';
import { createWorkSize, groupsFor, THREADS_DISPATCH, WORK_SIZE_BYTES, writeWorkSize } from './work-size.ts';

/** More channels would need more registers and shared memory than every device has. */
export const MOST_GPU_CHANNELS = 128;
const MOST_SIDE = 65_535 * TILE;
const FIRST_PAIRS_PER_GAUSSIAN = 8;
const PAIR_COUNT_AT = 15;

type Scene = {
  readonly input: GpuSplattingInput;
  readonly tilesX: number;
  readonly tilesY: number;
  readonly kernels: SplattingKernels;
  /** The scene's numbers on the device. */
  readonly numbers: Readonly<Record<'means' | 'scales' | 'opacities' | 'features', GpuBuffer>> & {
    readonly rotations: readonly GpuBuffer[];
  };
};

/** Splats on a GPU. It keeps its latest scene for `backward`, and its memory for the next one. */
export class GpuSplattingKernel {
  readonly #context: GpuContext;
  readonly #buffers: GrowingBuffers;
  readonly #timer: StageTimer;
  readonly #camera: GpuBuffer;
  readonly #gaussianWork: GpuBuffer;
  readonly #pairWork: GpuBuffer;
  #gaussianCapacity = -1;
  #pairCapacity = -1;
  #pairs = 0;
  #depthSort: RadixSort | null = null;
  #tileSort: RadixSort | null = null;
  #prefixSum: PrefixSum | null = null;
  #latest: Scene | null = null;

  constructor(context: GpuContext) {
    this.#context = context;
    this.#buffers = new GrowingBuffers(context);
    this.#timer = new StageTimer(context);
    this.#camera = context.createUniform('camera', CAMERA_BYTES);
    this.#gaussianWork = createWorkSize(context, 'Gaussians to do');
    this.#pairWork = createWorkSize(context, 'pairs to do');
  }

  /**
   * Splats a scene. Arrays are taken as they fit; `gaussians` checks them.
   * @param isRead whether the images come back in `bytes`, features first
   * @throws BadInputError for more channels or pixels than it takes; MissingResourceError if the device is
   *   too small; FaultError if it fails
   */
  async forward(input: GpuSplattingInput, isRead: boolean): Promise<GpuAnswer<GpuImages>> {
    const { width, height, channels, count } = input;
    if (channels > MOST_GPU_CHANNELS || Math.max(width, height) > MOST_SIDE) {
      throw new BadInputError({
        code: 'bad-gpu-scene',
        message: `expected at most ${MOST_GPU_CHANNELS} channels and ${MOST_SIDE} pixels a side, got ${channels} and ${width} x ${height}`,
        hint: 'splat groups of channels one after the other, or stay on the CPU',
      });
    }
    this.#latest = null;
    const kernels = await compileSplatting(this.#context, {
      channels,
      isTurned: input.rotations !== undefined,
    });
    await this.#reserveGaussians(count);
    const [tilesX, tilesY] = [Math.ceil(width / TILE), Math.ceil(height / TILE)];
    const scene: Scene = { input, tilesX, tilesY, kernels, numbers: this.#numbersOf(input) };
    const pixels = width * height;
    const images = {
      features: this.#buffers.reserve('image', pixels * channels * 4),
      alpha: this.#buffers.reserve('coverage', pixels * 4),
    };
    await this.#reservePairs(Math.max(this.#pairCapacity, count * FIRST_PAIRS_PER_GAUSSIAN));
    for (;;) {
      const { device } = this.#context;
      const capacity = this.#pairCapacity;
      device.queue.writeBuffer(this.#camera, 0, packCamera(input, { count, tilesX, tilesY, capacity }));
      writeWorkSize(this.#context, this.#gaussianWork, count);
      let timeBytes = 0;
      const answer = await this.#context.run((encoder) => {
        this.#timer.begin();
        this.#recordForward(encoder, scene, images);
        timeBytes = this.#timer.end(encoder);
        const reads: Readback[] = [{ buffer: this.#pairWork, bytes: WORK_SIZE_BYTES }];
        if (this.#timer.buffer) reads.push({ buffer: this.#timer.buffer, bytes: timeBytes });
        if (isRead) {
          reads.push({ buffer: images.features, bytes: pixels * channels * 4 });
          reads.push({ buffer: images.alpha, bytes: pixels * 4 });
        }
        return reads;
      });
      const pairs = new Uint32Array(answer, 0, WORK_SIZE_BYTES / 4)[PAIR_COUNT_AT]!;
      if (pairs > capacity) {
        await this.#reservePairs(Math.ceil(pairs * 1.25));
        continue;
      }
      this.#latest = scene;
      this.#pairs = pairs;
      const times = this.#timer.read(answer.slice(WORK_SIZE_BYTES, WORK_SIZE_BYTES + timeBytes));
      return { buffers: images, bytes: answer.slice(WORK_SIZE_BYTES + timeBytes), times, pairs };
    }
  }

  /**
   * The gradient of the latest `forward`.
   * @param gradient with respect to the images; without that of alpha it counts as zero
   * @param isRead whether the gradients come back in `bytes`: means, scales, rotations, opacities, features
   * @throws FaultError before the first `forward`
   */
  async backward(
    gradient: { readonly features: GpuNumbers; readonly alpha?: GpuNumbers | undefined },
    isRead: boolean,
  ): Promise<GpuAnswer<GpuGradients>> {
    const scene = this.#latest;
    if (scene === null) {
      throw new FaultError({
        code: 'splat-order',
        message: 'expected a scene to be splatted before its gradient is asked for, got none',
        hint: 'await forward first',
      });
    }
    const { width, height, channels, count, rotations } = scene.input;
    const pixels = width * height;
    const reserve = (name: string, floats: number): GpuBuffer => this.#buffers.reserve(name, floats * 4);
    reserve('behind', pixels);
    reserve('rows', this.#pairs * rowOf(channels) * 4);
    reserve('sums', count * 8);
    const isTurned = rotations !== undefined;
    const lengths: [keyof GpuGradients, number][] = [
      ['means', count * 3],
      ['scales', isTurned ? count * 3 : count],
      ...(isTurned ? ([['rotations', count * 4]] as [keyof GpuGradients, number][]) : []),
      ['opacities', count],
      ['features', count * channels],
    ];
    const buffers = Object.fromEntries(
      lengths.map(([name, length]) => [name, reserve(`gradient of ${name}`, length)]),
    ) as GpuGradients;
    const gradImage = this.#toBuffer('gradient of the image', gradient.features);
    const gradCoverage = gradient.alpha
      ? this.#toBuffer('gradient of the coverage', gradient.alpha)
      : reserve('gradient of the coverage', pixels);
    let timeBytes = 0;
    const answer = await this.#context.run((encoder) => {
      if (!gradient.alpha) encoder.clearBuffer(gradCoverage);
      this.#timer.begin();
      this.#recordBackward(encoder, scene, { gradImage, gradCoverage, buffers });
      timeBytes = this.#timer.end(encoder);
      const reads: Readback[] = this.#timer.buffer ? [{ buffer: this.#timer.buffer, bytes: timeBytes }] : [];
      if (isRead) {
        for (const [name, length] of lengths) reads.push({ buffer: buffers[name]!, bytes: length * 4 });
      }
      return reads;
    });
    const times = this.#timer.read(answer.slice(0, timeBytes));
    return { buffers, bytes: answer.slice(timeBytes), times, pairs: this.#pairs };
  }

  [Symbol.dispose](): void {
    this.#latest = null;
    for (const owner of [this.#buffers, this.#timer, this.#depthSort, this.#tileSort, this.#prefixSum]) {
      owner?.[Symbol.dispose]();
    }
    for (const buffer of [this.#camera, this.#gaussianWork, this.#pairWork]) buffer.destroy();
  }

  #recordForward(encoder: GpuCommandEncoder, scene: Scene, images: GpuImages): void {
    const { input, kernels, numbers, tilesX, tilesY } = scene;
    const [camera, timer, work] = [this.#camera, this.#timer, this.#pairWork];
    const at = (name: string): GpuBuffer => this.#buffers.reserve(name, 0);
    const { means, scales, opacities, rotations } = numbers;
    const perGaussian = groupsFor(input.count);
    const perPair = { indirect: work, offset: THREADS_DISPATCH };
    encoder.clearBuffer(this.#buffers.reserve('ranges', tilesX * tilesY * 8));
    this.#buffers.reserve('light', input.width * input.height * 4);

    timer.stage(encoder, 'project', (pass) => {
      const inputs = [camera, means, scales, opacities, ...rotations];
      kernels.project.record(
        pass,
        [...inputs, at('views'), at('rects'), at('depths'), at('order')],
        perGaussian,
      );
    });
    timer.stage(encoder, 'sort by depth', (pass) => {
      this.#depthSort!.record(pass, {
        pairs: { keys: at('depths'), values: at('order') },
        spare: { keys: at('spare depths'), values: at('spare order') },
        work: this.#gaussianWork,
        bits: 32,
      });
    });
    timer.stage(encoder, 'list pairs', (pass) => {
      const [order, rects, counts, first] = [at('order'), at('rects'), at('pair counts'), at('first pairs')];
      kernels.countPairs.record(pass, [camera, order, rects, counts], perGaussian);
      this.#prefixSum!.record(pass, { work: this.#gaussianWork, values: counts, sums: first });
      kernels.sizePairs.record(pass, [camera, first, work], [1, 1]);
    });
    timer.stage(encoder, 'list pairs', (pass) => {
      const inputs = [camera, work, at('order'), at('first pairs'), at('rects')];
      kernels.listPairs.record(pass, [...inputs, at('tiles'), at('pairs'), at('gaussians')], perPair);
    });
    timer.stage(encoder, 'sort by tile', (pass) => {
      const { keys, values } = this.#tileSort!.record(pass, {
        pairs: { keys: at('tiles'), values: at('pairs') },
        spare: { keys: at('spare tiles'), values: at('spare pairs') },
        work,
        bits: Math.ceil(Math.log2(tilesX * tilesY)),
      });
      const inputs = [work, keys, values, at('gaussians')];
      kernels.findRanges.record(pass, [...inputs, at('ranges'), at('listed')], perPair);
    });
    timer.stage(encoder, 'blend', (pass) => {
      const inputs = [camera, at('ranges'), at('listed'), at('views'), numbers.features];
      const { features, alpha } = images;
      kernels.blend.record(pass, [...inputs, features, alpha, at('light')], [tilesX, tilesY]);
    });
  }

  #recordBackward(
    encoder: GpuCommandEncoder,
    { input, kernels, numbers, tilesX, tilesY }: Scene,
    gradient: { gradImage: GpuBuffer; gradCoverage: GpuBuffer; buffers: GpuGradients },
  ): void {
    const [camera, timer] = [this.#camera, this.#timer];
    const { gradImage, gradCoverage, buffers } = gradient;
    const { width, height, channels, count } = input;
    const at = (name: string): GpuBuffer => this.#buffers.reserve(name, 0);
    timer.stage(encoder, 'blend backward', (pass) => {
      const rays = [camera, at('image'), at('light'), gradImage, gradCoverage, at('behind')];
      kernels.behind.record(pass, rays, groupsFor(width * height));
      const inputs = [camera, at('ranges'), at('listed'), at('views'), numbers.features];
      kernels.blendBackward.record(pass, [...inputs, at('behind'), gradImage, at('rows')], [tilesX, tilesY]);
    });
    timer.stage(encoder, 'sum pairs', (pass) => {
      const inputs = [camera, at('order'), at('first pairs'), at('rows')];
      const outputs = [buffers.features, buffers.opacities, at('sums')];
      kernels.sumRows.record(pass, [...inputs, ...outputs], groupsFor(count * rowOf(channels)));
    });
    timer.stage(encoder, 'project backward', (pass) => {
      const shapes = [camera, numbers.means, numbers.scales, ...numbers.rotations];
      const outputs = [buffers.means, buffers.scales, ...(buffers.rotations ? [buffers.rotations] : [])];
      const all = [...shapes, at('views'), at('sums'), ...outputs];
      kernels.projectBackward.record(pass, all, groupsFor(count));
    });
  }

  #toBuffer(name: string, numbers: GpuNumbers): GpuBuffer {
    return numbers instanceof Float32Array ? this.#buffers.upload(name, numbers) : numbers;
  }

  #numbersOf(input: GpuSplattingInput): Scene['numbers'] {
    return {
      means: this.#toBuffer('means', input.means),
      scales: this.#toBuffer('scales', input.scales),
      opacities: this.#toBuffer('opacities', input.opacities),
      features: this.#toBuffer('features', input.features),
      rotations: input.rotations ? [this.#toBuffer('rotations', input.rotations)] : [],
    };
  }

  async #reserveGaussians(count: number): Promise<void> {
    if (count <= this.#gaussianCapacity) return;
    this.#gaussianCapacity = -1; // in case the device refuses
    const reserve = (name: string, words: number): GpuBuffer => this.#buffers.reserve(name, words * 4);
    reserve('views', count * 8);
    reserve('rects', count * 2);
    for (const name of ['depths', 'order', 'spare depths', 'spare order', 'pair counts'])
      reserve(name, count);
    reserve('first pairs', count + 1);
    this.#depthSort?.[Symbol.dispose]();
    this.#prefixSum?.[Symbol.dispose]();
    this.#depthSort = await createRadixSort(this.#context, count);
    this.#prefixSum = await createPrefixSum(this.#context, count);
    this.#gaussianCapacity = count;
  }

  async #reservePairs(capacity: number): Promise<void> {
    if (capacity <= this.#pairCapacity) return;
    this.#pairCapacity = -1;
    const reserve = (name: string, words: number): GpuBuffer => this.#buffers.reserve(name, words * 4);
    for (const name of ['tiles', 'pairs', 'spare tiles', 'spare pairs', 'gaussians']) reserve(name, capacity);
    reserve('listed', capacity * 2);
    this.#tileSort?.[Symbol.dispose]();
    this.#tileSort = await createRadixSort(this.#context, capacity);
    this.#pairCapacity = capacity;
  }
}
