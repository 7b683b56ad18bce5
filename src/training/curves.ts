// The curves of a run: a line of figures every few seconds, kept as JSON lines and told to whoever watches.

import type { EventSink } from '../events/index.ts';
import type { RunFolder, Stage } from './stage.ts';

/** What one step gave. */
export type StepFigures = {
  readonly step: number;
  readonly loss: number;
  readonly gradientNorm: number;
  /** Whether the step changed nothing, its gradient not being finite. */
  readonly isSkipped: boolean;
  /** Further scalars by name: parts of the loss. */
  readonly parts?: Readonly<Record<string, number>>;
};

/** What curves are opened with. */
export type CurvesOptions = {
  readonly folder: RunFolder;
  readonly stage: Stage;
  readonly events: EventSink;
  /** Lines beyond this step are of steps that were lost: they are dropped. */
  readonly startStep: number;
  /** Where the run ends, if that is known. */
  readonly steps: number | undefined;
};

/** Where the curves lie in the stage's folder. */
export const CURVES_FILE = 'curves.jsonl';
const REPORT_SECONDS = 20;

type Window = {
  loss: number;
  norm: number;
  parts: Record<string, number>;
  steps: number;
  taken: number;
  waitedMs: number;
  time: number;
};
const freshWindow = (): Window => ({
  parts: {},
  loss: 0,
  norm: 0,
  steps: 0,
  taken: 0,
  waitedMs: 0,
  time: performance.now(),
});

/** Collects steps into lines. */
export class Curves {
  readonly #options: CurvesOptions;
  readonly #began = performance.now();
  #window = freshWindow();
  #last: { loss: number | null; imagesPerSecond: number };
  #step: number;
  #waitedMs = 0;
  #skippedSteps = 0;

  private constructor(options: CurvesOptions, earlierLoss: number | null) {
    this.#options = options;
    this.#step = options.startStep;
    this.#last = { loss: earlierLoss, imagesPerSecond: 0 };
  }

  /** Opens the curves of a run, or those of a run that goes on. */
  static async open(options: CurvesOptions): Promise<Curves> {
    const { folder, startStep } = options;
    const bytes = await folder.read(CURVES_FILE);
    if (bytes === null) return new Curves(options, null);
    const lines = new TextDecoder().decode(bytes).split('\n');
    const kept = lines.filter((line) => (figuresOf(line)?.step ?? Number.POSITIVE_INFINITY) <= startStep);
    await folder.write(CURVES_FILE, kept.map((line) => `${line}\n`).join(''));
    const losses = kept.map((line) => figuresOf(line)?.loss).filter((loss) => typeof loss === 'number');
    return new Curves(options, losses.at(-1) ?? null);
  }

  /** A step waited for its batch. */
  waited(milliseconds: number): void {
    this.#window.waitedMs += milliseconds;
    this.#waitedMs += milliseconds;
  }

  /** Takes a step in; writes a line when it is time. */
  async stepped(figures: StepFigures, seconds: number): Promise<void> {
    const { step, loss, gradientNorm, isSkipped, parts = {} } = figures;
    this.#step = step;
    this.#window.steps++;
    if (isSkipped) this.#skippedSteps++;
    else {
      this.#window.taken++;
      this.#window.loss += loss;
      this.#window.norm += gradientNorm;
      for (const [name, value] of Object.entries(parts))
        this.#window.parts[name] = (this.#window.parts[name] ?? 0) + value;
    }
    if (performance.now() - this.#window.time > REPORT_SECONDS * 1000) await this.flush(seconds);
  }

  /** Writes what was collected since the last line. */
  async flush(trainedSeconds: number): Promise<void> {
    const { folder, stage, events, steps: total } = this.#options;
    const { loss, norm, parts, steps, taken, waitedMs, time } = this.#window;
    if (steps === 0) return;
    const ms = performance.now() - time;
    this.#last = {
      loss: taken === 0 ? this.#last.loss : loss / taken,
      imagesPerSecond: (steps * stage.settings.batch * 1000) / ms,
    };
    // Of steps that were all skipped there is no loss to tell.
    const sums: Record<string, number> = taken === 0 ? {} : { loss, gradientNorm: norm, ...parts };
    const means = Object.fromEntries(Object.entries(sums).map(([name, sum]) => [name, rounded(sum / taken)]));
    const line = {
      step: this.#step,
      seconds: Math.round(trainedSeconds),
      ...means,
      imagesPerSecond: rounded(this.#last.imagesPerSecond),
      waitingShare: rounded(waitedMs / ms),
      ...(taken === steps ? {} : { skipped: steps - taken }),
    };
    await folder.append(CURVES_FILE, `${JSON.stringify(line)}\n`);
    const end = total === undefined ? {} : { total };
    events({ kind: 'progress', stage: `train ${stage.name}`, done: this.#step, unit: 'steps', ...end });
    events({ kind: 'log', level: 'info', message: describeFigures(line) });
    this.#window = freshWindow();
  }

  /** Writes the figures of a validation. */
  async validated(
    figures: Readonly<Record<string, number>>,
    { step, seconds }: { step: number; seconds: number },
  ): Promise<void> {
    const line = { step, seconds: Math.round(seconds), validation: figures };
    await this.#options.folder.append(CURVES_FILE, `${JSON.stringify(line)}\n`);
  }

  /** Leaves out of the speed what was not training. */
  restartClock(): void {
    this.#window.time = performance.now();
  }

  /** The whole run in a few figures. */
  summary(): { loss: number | null; imagesPerSecond: number; waitingShare: number; skippedSteps: number } {
    const waitingShare = this.#waitedMs / Math.max(1, performance.now() - this.#began);
    return { ...this.#last, waitingShare, skippedSteps: this.#skippedSteps };
  }
}

/** Figures as a line for people. */
export function describeFigures(figures: Readonly<Record<string, number>>): string {
  return Object.entries(figures)
    .map(([name, value]) => `${name} ${rounded(value)}`)
    .join(', ');
}

/** What a line holds; null for what a kill left half written. */
function figuresOf(line: string): { readonly step: number; readonly loss?: number } | null {
  try {
    return JSON.parse(line) as { step: number; loss?: number };
  } catch {
    return null;
  }
}

const rounded = (value: number): number => Number(value.toPrecision(5));
