/** One attempt: a request sent, and what came of it. */

import type { Request } from "./calls.js";
import { Deadline } from "./deadlines.js";
import { ConnectionFailed, Timeout } from "./errors.js";

/** The part of fetch this client uses. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** An answer whose body is either read (`content`) or, of a stream, still to come (`chunks`). */
export class Connection {
  readonly status: number;
  readonly headers: Headers;
  readonly content: Uint8Array;
  readonly #response: Response;
  readonly #deadline: Deadline;
  readonly #request: Request;

  private constructor(request: Request, response: Response, content: Uint8Array, deadline: Deadline) {
    this.status = response.status;
    this.headers = response.headers;
    this.content = content;
    this.#request = request;
    this.#response = response;
    this.#deadline = deadline;
  }

  /** Throws ConnectionFailed or Timeout without an answer, and the signal's own reason when the caller gave up. */
  static async open(fetch: Fetch, request: Request, deadline: Deadline, isStream: boolean): Promise<Connection> {
    try {
      const response = await fetch(request.url, init(request, deadline.signal));
      if (isStream && response.ok) return new Connection(request, response, new Uint8Array(), deadline);
      const content = new Uint8Array(await response.arrayBuffer());
      deadline.release();
      return new Connection(request, response, content, deadline);
    } catch (failure) {
      deadline.release();
      throw told(request, deadline, failure);
    }
  }

  get isSuccess(): boolean {
    return this.status >= 200 && this.status < 300;
  }

  /** The body piece by piece; each has the whole time of an attempt to arrive in. */
  async *chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    const reader = this.#response.body?.getReader();
    while (reader) {
      const { done, value } = await reader.read().catch((failure: unknown) => {
        throw told(this.#request, this.#deadline, failure);
      });
      if (done) return;
      this.#deadline.restart();
      yield value;
    }
  }

  close(): void {
    this.#deadline.cancel();
  }
}

/** What the server may find again, to repeat the call under. */
export function idempotencyKeyOf(request: Request): string | null {
  return request.headers.get("idempotency-key");
}

function init(request: Request, signal: AbortSignal): RequestInit {
  const { method, headers } = request;
  const body = request.content as Uint8Array<ArrayBuffer> | undefined;
  return { method, headers, signal, redirect: "manual", ...(body && { body }) };
}

function told(request: Request, deadline: Deadline, failure: unknown): unknown {
  if (deadline.wasCalledOff) return deadline.reason;
  const sent = `${request.method} ${new URL(request.url).pathname}`;
  const about = { idempotencyKey: idempotencyKeyOf(request), cause: failure };
  if (deadline.hasPassed) return new Timeout(`${sent}: no answer in time`, about);
  return new ConnectionFailed(`${sent}: ${failure instanceof Error ? failure.message : String(failure)}`, about);
}
