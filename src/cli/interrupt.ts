// Interrupts: the first one asks the running command to stop, a second one, or no answer within a few
// seconds, ends the process. Either way what is half-written is removed.

/** How long a command may take to stop, if it does not say. */
const PATIENCE_SECONDS = 4;

/** Watches SIGINT and SIGTERM; `onGiveUp` must end the process. */
export function watchInterrupts(
  onGiveUp: () => void,
  patienceSeconds: number = PATIENCE_SECONDS,
): { readonly signal: AbortSignal; stop(): void } {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const interrupt = (): void => {
    if (controller.signal.aborted) {
      onGiveUp();
      return;
    }
    controller.abort();
    timer = setTimeout(onGiveUp, patienceSeconds * 1000);
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  return {
    signal: controller.signal,
    stop() {
      clearTimeout(timer);
      process.off('SIGINT', interrupt);
      process.off('SIGTERM', interrupt);
    },
  };
}
