/** How long steps tell what they are doing. */
export interface Progress {
  /** Short name of the step, the same from its first report to its last. */
  readonly step: string;
  readonly message: string;
  /** Since the step began. */
  readonly elapsedMs: number;
}

export type OnProgress = (progress: Progress) => void;

/** A step that takes longer says again that it is still at work. */
const REPEAT_EVERY_MS = 2_000;

export interface StepReporter {
  /** Reports a message now, and repeats it while the step lasts. */
  say(message: string): void;
  /** Changes the message of the next report, for details that change many times a second. */
  revise(message: string): void;
}

/** Runs one step and reports its beginning, every two seconds, and its end. */
export async function reportStep<T>(
  step: { readonly name: string; readonly message: string; readonly onProgress: OnProgress },
  run: (reporter: StepReporter) => Promise<T>,
): Promise<T> {
  const startedAtMs = performance.now();
  let message = step.message;
  const report = (): void =>
    step.onProgress({
      step: step.name,
      message,
      elapsedMs: Math.round(performance.now() - startedAtMs),
    });
  const say = (next: string): void => {
    message = next;
    report();
  };
  const revise = (next: string): void => {
    message = next;
  };
  report();
  const timer = setInterval(report, REPEAT_EVERY_MS);
  timer.unref();
  try {
    return await run({ say, revise });
  } finally {
    clearInterval(timer);
  }
}
