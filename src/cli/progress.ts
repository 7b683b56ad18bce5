// Shows the events of a job on standard error: one living line with the time left on a terminal, a line
// now and then elsewhere (logs, pipes).

import type { AvatarEvent, EventSink, ProgressEvent } from '../events/index.ts';

/** Where progress is shown, and what the time is. */
export type ProgressOptions = {
  readonly write: (text: string) => void;
  readonly isTerminal: boolean;
  /** Width of the terminal in characters. */
  readonly columns: number;
  readonly nowMs: () => number;
};

/** A sink that renders events; `finish` clears the living line. */
export type ProgressRenderer = { readonly emit: EventSink; finish(): void };

const TERMINAL_INTERVAL_MS = 100;
const LOG_INTERVAL_MS = 10_000;

/** Makes a renderer. */
export function createProgressRenderer({
  write,
  isTerminal,
  columns,
  nowMs,
}: ProgressOptions): ProgressRenderer {
  let stage = '';
  let stageStartMs = 0;
  let firstDone = 0;
  let shownMs = Number.NEGATIVE_INFINITY;
  let isLineOpen = false;

  const clear = (): void => {
    if (isLineOpen) write('\r\u001b[2K');
    isLineOpen = false;
  };
  const printLine = (line: string): void => {
    clear();
    write(`${line}\n`);
  };
  const showProgress = (event: ProgressEvent): void => {
    const now = nowMs();
    if (event.stage !== stage) {
      stage = event.stage;
      stageStartMs = now;
      firstDone = event.done;
      shownMs = isTerminal ? Number.NEGATIVE_INFINITY : now;
    }
    const isLast = event.done === event.total;
    if (!isLast && now - shownMs < (isTerminal ? TERMINAL_INTERVAL_MS : LOG_INTERVAL_MS)) return;
    shownMs = now;
    const line = progressLine(event, (now - stageStartMs) / 1000, firstDone);
    if (isTerminal) {
      write(`\r\u001b[2K${line.slice(0, Math.max(1, columns - 1))}`);
      isLineOpen = true;
    } else {
      printLine(line);
    }
  };

  return {
    emit(event: AvatarEvent) {
      if (event.kind === 'progress') showProgress(event);
      else printLine(event.level === 'warning' ? `warning: ${event.message}` : event.message);
    },
    finish: clear,
  };
}

/** One line: what is done of what, how fast, how long it will take. `firstDone` was there at the start. */
export function progressLine(
  { stage, done, total, unit }: ProgressEvent,
  elapsedSeconds: number,
  firstDone = 0,
): string {
  const rate = elapsedSeconds > 0 ? (done - firstDone) / elapsedSeconds : 0;
  const parts = [total === undefined ? `${stage}: ${done} ${unit}` : `${stage}: ${done} of ${total} ${unit}`];
  if (rate > 0) parts.push(`${rate >= 10 ? rate.toFixed(0) : rate.toPrecision(2)} a second`);
  if (total !== undefined && done < total && rate > 0) parts.push(`${clock((total - done) / rate)} left`);
  else if (elapsedSeconds >= 1) parts.push(clock(elapsedSeconds));
  return parts.join(' · ');
}

/** `m:ss`, or `h:mm:ss` from an hour on. */
export function clock(seconds: number): string {
  const whole = Math.round(seconds);
  const two = (value: number): string => String(value).padStart(2, '0');
  const minutes = Math.floor(whole / 60);
  const rest = two(whole % 60);
  return minutes < 60 ? `${minutes}:${rest}` : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${rest}`;
}
