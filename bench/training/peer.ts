// PyTorch in a process of its own (bench/peers/training.py), asked for one run at a time, so that its runs and ours
// stand side by side in time.

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';

/** What a case is, as the peer's script takes it. */
export type PeerCase = Readonly<Record<string, string | number | readonly number[]>>;

type Answer = {
  readonly ms?: number;
  readonly bytes?: number;
  /** Of a network's parameters. */
  readonly shapes?: Readonly<Record<string, readonly number[]>>;
};

/** A running peer. Owns its process: hold it with `using`. */
export class Peer implements Disposable {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  readonly #reader: Interface;
  #complaints = '';

  /** @param python an interpreter with bench/peers/training.requirements.txt installed */
  constructor(python: string, configPath: string, threads = 1) {
    const script = join(import.meta.dirname, '..', 'peers', 'training.py');
    this.#process = spawn(python, [script, configPath, `${threads}`], { stdio: 'pipe' });
    this.#process.stderr.on('data', (text: Buffer) => {
      this.#complaints += text.toString();
    });
    this.#reader = createInterface({ input: this.#process.stdout });
    this.#lines = this.#reader[Symbol.asyncIterator]();
  }

  async open(title: string, of: PeerCase): Promise<Answer> {
    return this.#ask({ open: title, case: of });
  }

  /** Milliseconds of processor time of one run; of several threads those that passed. */
  async run(title: string): Promise<number> {
    return (await this.#ask({ run: title })).ms!;
  }

  async close(title: string): Promise<void> {
    await this.#ask({ close: title });
  }

  /** Bytes that the process held at most. */
  async peakBytes(): Promise<number> {
    return (await this.#ask({ memory: true })).bytes!;
  }

  [Symbol.dispose](): void {
    this.#reader.close();
    this.#process.kill();
  }

  async #ask(request: object): Promise<Answer> {
    this.#process.stdin.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error(`the peer ended: ${this.#complaints}`);
    return JSON.parse(value as string) as Answer;
  }
}
