// Seconds by stage, as `secondsByStage` reports them.

/** Measures stages that follow each other. */
export type Stopwatch = {
  /** Seconds of the stages so far, in their order. */
  readonly secondsByStage: Readonly<Record<string, number>>;
  /** Ends the running stage under this name; the next one begins. */
  lap(stage: string): void;
};

/** Starts the first stage. */
export function startStopwatch(): Stopwatch {
  const secondsByStage: Record<string, number> = {};
  let startMs = performance.now();
  return {
    secondsByStage,
    lap(stage) {
      const nowMs = performance.now();
      secondsByStage[stage] = Number(((nowMs - startMs) / 1000).toFixed(3));
      startMs = nowMs;
    },
  };
}
