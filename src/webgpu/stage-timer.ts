// How long each stage of a computation took on the device, by timestamps at the borders of its passes.

import type { GpuContext } from './gpu-context.ts';
import type { GpuBuffer, GpuCommandEncoder, GpuComputePass, GpuQuerySet } from './gpu-device.ts';
import { GpuUsage } from './gpu-device.ts';

/** Milliseconds on the device by stage, in the order of the stages. */
export type StageTimes = Readonly<Record<string, number>>;

const MOST_STAGES = 32;
const BYTES_PER_STAGE = 16;

/** Records stages as compute passes; times them where the device has timestamps. */
export class StageTimer {
  /** What `read` takes, or null where the device has no timestamps. */
  readonly buffer: GpuBuffer | null;
  readonly #queries: GpuQuerySet | null;
  #names: string[] = [];

  constructor({ device }: GpuContext) {
    const canTime = device.features.has('timestamp-query');
    const usage = GpuUsage.queryResolve | GpuUsage.copySource;
    const size = MOST_STAGES * BYTES_PER_STAGE;
    this.buffer = canTime ? device.createBuffer({ label: 'timestamps', size, usage }) : null;
    this.#queries = canTime
      ? device.createQuerySet({ label: 'timestamps', type: 'timestamp', count: MOST_STAGES * 2 })
      : null;
  }

  /** Forgets the stages recorded so far. */
  begin(): void {
    this.#names = [];
  }

  /** Records a stage as one pass. */
  stage(encoder: GpuCommandEncoder, label: string, record: (pass: GpuComputePass) => void): void {
    const first = this.#names.length * 2;
    const pass = encoder.beginComputePass({
      label,
      ...(this.#queries && {
        timestampWrites: {
          querySet: this.#queries,
          beginningOfPassWriteIndex: first,
          endOfPassWriteIndex: first + 1,
        },
      }),
    });
    record(pass);
    pass.end();
    this.#names.push(label);
  }

  /** Records that the timestamps go to `buffer`; after the last stage. Returns how many bytes they are. */
  end(encoder: GpuCommandEncoder): number {
    if (this.#queries === null || this.buffer === null || this.#names.length === 0) return 0;
    encoder.resolveQuerySet(this.#queries, 0, this.#names.length * 2, this.buffer, 0);
    return this.#names.length * BYTES_PER_STAGE;
  }

  /** The times, from the bytes of `buffer`; a name that was recorded twice is summed. */
  read(bytes: ArrayBuffer): StageTimes {
    const nanoseconds = new BigUint64Array(bytes);
    const times: Record<string, number> = {};
    this.#names.forEach((name, i) => {
      const milliseconds = Number(nanoseconds[2 * i + 1]! - nanoseconds[2 * i]!) / 1e6;
      times[name] = (times[name] ?? 0) + milliseconds;
    });
    return times;
  }

  [Symbol.dispose](): void {
    this.buffer?.destroy();
    this.#queries?.destroy();
  }
}
