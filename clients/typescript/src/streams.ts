/** Server-sent events that go on after a cut: the next connection names the last id seen (`Last-Event-ID`). */

import type { Connection } from "./connections.js";
import { ConnectionFailed } from "./errors.js";
import { pauseBefore } from "./retries.js";

/** Connections lost without an event between them before the stream gives up. */
const CUTS_IN_A_ROW = 5;

/** One event of a stream. Keep `id` to resume later. */
export interface StreamEvent<T> {
  readonly id: string | null;
  readonly event: string;
  readonly data: T;
}

/** Iterate it; it ends when the server ends it. Leaving the loop lets go of the connection. */
export class Stream<T> implements AsyncIterable<StreamEvent<T>> {
  readonly #connect: (lastEventId: string | null) => Promise<Connection>;
  readonly #sleep: (milliseconds: number) => Promise<void>;
  readonly #decoder: Decoder;

  constructor(
    connect: (lastEventId: string | null) => Promise<Connection>,
    sleep: (milliseconds: number) => Promise<void>,
    lastEventId: string | null,
  ) {
    this.#connect = connect;
    this.#sleep = sleep;
    this.#decoder = new Decoder(lastEventId);
  }

  get lastEventId(): string | null {
    return this.#decoder.lastId;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<StreamEvent<T>, void, undefined> {
    for (let cuts = 0; ; await this.#sleep(pauseBefore(cuts))) {
      const connection = await this.#connect(this.#decoder.lastId);
      this.#decoder.forgetPartial();
      try {
        for await (const chunk of connection.chunks()) {
          for (const event of this.#decoder.feed(chunk)) {
            cuts = 0;
            yield event as StreamEvent<T>;
          }
        }
        return;
      } catch (failure) {
        cuts += 1;
        if (!(failure instanceof ConnectionFailed) || cuts > CUTS_IN_A_ROW) throw failure;
      } finally {
        connection.close();
      }
    }
  }
}

/** Bytes to events, by the WHATWG rules; lines end with LF or CRLF. */
class Decoder {
  lastId: string | null;
  #text = new TextDecoder();
  #rest = "";
  #event = "message";
  #lines: string[] = [];

  constructor(lastId: string | null) {
    this.lastId = lastId;
  }

  /** A new connection starts on a fresh line. */
  forgetPartial(): void {
    this.#text = new TextDecoder();
    this.#rest = "";
    this.#event = "message";
    this.#lines = [];
  }

  *feed(chunk: Uint8Array): Generator<StreamEvent<unknown>, void, undefined> {
    const lines = (this.#rest + this.#text.decode(chunk, { stream: true })).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) {
      const event = this.#line(line.endsWith("\r") ? line.slice(0, -1) : line);
      if (event) yield event;
    }
  }

  #line(line: string): StreamEvent<unknown> | undefined {
    if (!line) return this.#dispatch();
    const [, name, value = ""] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (name === "data") this.#lines.push(value);
    else if (name === "event") this.#event = value;
    else if (name === "id" && !value.includes("\0")) this.lastId = value;
    return undefined;
  }

  #dispatch(): StreamEvent<unknown> | undefined {
    const [lines, event] = [this.#lines, this.#event];
    this.#lines = [];
    this.#event = "message";
    return lines.length ? { id: this.lastId, event, data: parsed(lines.join("\n")) } : undefined;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
