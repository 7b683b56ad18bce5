// Typed events that long jobs emit; the terminal and the browser render the same ones.

/** A long job moved on. `done` and `total` count `unit`s; `total` is absent where it is not known yet. */
export type ProgressEvent = {
  readonly kind: 'progress';
  readonly stage: string;
  readonly done: number;
  readonly total?: number;
  readonly unit: string;
};

/** Something a person should read. */
export type LogEvent = {
  readonly kind: 'log';
  readonly level: 'info' | 'warning';
  readonly message: string;
};

/** Everything that a job reports while it runs. */
export type AvatarEvent = ProgressEvent | LogEvent;

/** Receives the events of a job, in order. */
export type EventSink = (event: AvatarEvent) => void;

/** The sink that drops everything. */
export const silentSink: EventSink = () => {};
