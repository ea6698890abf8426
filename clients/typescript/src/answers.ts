/** An answer with its status and headers, and the promise of one. */

import { UnexpectedAnswer } from "./errors.js";
import type { Operation } from "./calls.js";

/** An answer as it came. `parsed` reads the body on first use. */
export class Answer<T> {
  readonly status: number;
  readonly headers: Headers;
  readonly content: Uint8Array;
  readonly #read: (answer: Readable) => T;
  #parsed: { readonly value: T } | undefined;

  constructor(received: Received, read: (answer: Readable) => T) {
    this.status = received.status;
    this.headers = received.headers;
    this.content = received.content;
    this.#read = read;
  }

  /** Name this to support. */
  get requestId(): string | null {
    return this.headers.get("x-request-id");
  }

  /** What `ifMatch` wants for the version that was answered. */
  get etag(): string | null {
    return this.headers.get("etag");
  }

  get text(): string {
    return new TextDecoder().decode(this.content);
  }

  get parsed(): T {
    this.#parsed ??= { value: this.#read(this) };
    return this.#parsed.value;
  }
}

/** What there is of an answer before it is read. */
export type Readable = Pick<Answer<unknown>, "status" | "content" | "text" | "requestId">;

export interface Received {
  readonly status: number;
  readonly headers: Headers;
  readonly content: Uint8Array;
}

/** An answer on its way: awaited it is what was read, `raw()` is the answer with its status and headers. */
export class Pending<T> implements PromiseLike<T> {
  readonly #answer: Promise<Answer<T>>;

  constructor(answer: Promise<Answer<T>>) {
    this.#answer = answer;
  }

  raw(): Promise<Answer<T>> {
    return this.#answer;
  }

  then<Done = T, Failed = never>(
    onDone?: ((value: T) => Done | PromiseLike<Done>) | null,
    onFailed?: ((reason: unknown) => Failed | PromiseLike<Failed>) | null,
  ): Promise<Done | Failed> {
    return this.#answer.then((answer) => answer.parsed).then(onDone, onFailed);
  }

  catch<Failed = never>(onFailed?: ((reason: unknown) => Failed | PromiseLike<Failed>) | null): Promise<T | Failed> {
    return this.then(undefined, onFailed);
  }

  finally(onEnd?: (() => void) | null): Promise<T> {
    return this.then().finally(onEnd);
  }
}

/** The body as what the operation promises: plain JSON, text, bytes or nothing. */
export function readBody(operation: Operation, answer: Readable): unknown {
  if (operation.answers === "nothing") return undefined;
  if (operation.answers === "bytes") return answer.content;
  if (operation.answers === "text") return answer.text;
  return operation.mayBeEmpty && !answer.content.length ? undefined : jsonIn(answer);
}

export function jsonIn(answer: Readable): unknown {
  try {
    return JSON.parse(answer.text);
  } catch (cause) {
    throw new UnexpectedAnswer(`${answer.status} with a body that is not JSON`, { requestId: answer.requestId, cause });
  }
}

/** A field by name, for one that this release has no type for; undefined where the server did not send it. */
export function field(of: object, name: string): unknown {
  return Object.hasOwn(of, name) ? (of as Readonly<Record<string, unknown>>)[name] : undefined;
}
