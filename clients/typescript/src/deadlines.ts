/** The time an attempt has, and the caller's own signal, as one. */

/** How to wait; ends early, by rejecting with the signal's reason, when the caller gives up. */
export type Sleep = (milliseconds: number, signal?: AbortSignal) => Promise<void>;

export const sleep: Sleep = (milliseconds, signal) =>
  new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const timer = setTimeout(end, milliseconds);
    signal?.addEventListener("abort", end);
    function end(): void {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      if (signal?.aborted) reject(signal.reason);
      else resolve();
    }
  });

export class Deadline {
  readonly #controller = new AbortController();
  readonly #caller: AbortSignal | undefined;
  readonly #milliseconds: number;
  readonly #pass = (): void => this.#controller.abort();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #hasPassed = false;

  /** Throws the reason of a signal that has already ended. */
  constructor(milliseconds: number, caller: AbortSignal | undefined) {
    caller?.throwIfAborted();
    this.#milliseconds = milliseconds;
    this.#caller = caller;
    caller?.addEventListener("abort", this.#pass);
    this.restart();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Whether it was the time that ran out. */
  get hasPassed(): boolean {
    return this.#hasPassed;
  }

  /** Whether it was the caller who gave up; `reason` is why. */
  get wasCalledOff(): boolean {
    return this.#caller?.aborted === true;
  }

  get reason(): unknown {
    return this.#caller?.reason;
  }

  /** Gives the whole time once more. */
  restart(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#hasPassed = true;
      this.#controller.abort();
    }, this.#milliseconds);
  }

  /** Lets go of the timer and of the caller's signal. */
  release(): void {
    clearTimeout(this.#timer);
    this.#caller?.removeEventListener("abort", this.#pass);
  }

  /** Ends what runs under it. */
  cancel(): void {
    this.release();
    this.#controller.abort();
  }
}
