/** Sending a call: attempts under one idempotency key, answers to values or errors. */

import { Answer, jsonIn, Pending, readBody, type Readable } from "./answers.js";
import { prepare, type Operation, type Options, type Request, type Sender, type StreamOptions } from "./calls.js";
import { Connection, idempotencyKeyOf, type Fetch } from "./connections.js";
import { Deadline, type Sleep } from "./deadlines.js";
import { ConnectionFailed, errorFor, isObject, UnexpectedAnswer } from "./errors.js";
import { Page, PendingPage } from "./paging.js";
import { mayFollowAnswer, mayFollowFailure, pauseBefore } from "./retries.js";
import { Stream } from "./streams.js";

/** What every request of one client has in common. `timeout` is milliseconds per attempt. */
export interface Settings extends Sender {
  readonly timeout: number;
  readonly maxRetries: number;
  readonly fetch: Fetch;
  readonly sleep: Sleep;
}

export class Transport {
  readonly settings: Settings;

  constructor(settings: Settings) {
    this.settings = settings;
  }

  send<T>(operation: Operation, path: readonly unknown[], params: object, options: Options): Pending<T> {
    const connection = this.#sent(operation, path, params, options, false);
    return new Pending(connection.then((got) => new Answer(got, (answer) => readBody(operation, answer) as T)));
  }

  list<T>(operation: Operation, path: readonly unknown[], params: object, options: Options): PendingPage<T> {
    const at = (cursor: string): PendingPage<T> => this.list(operation, path, { ...params, cursor }, options);
    const connection = this.#sent(operation, path, params, options, false);
    return new PendingPage(connection.then((got) => new Answer(got, (answer) => new Page(pageBody(answer), at))));
  }

  stream<T>(operation: Operation, path: readonly unknown[], params: object, options: StreamOptions): Stream<T> {
    const { lastEventId, ...rest } = options;
    const connect = (lastId: string | null): Promise<Connection> => {
      const resumed = lastId === null ? {} : { "Last-Event-ID": lastId };
      return this.#sent(operation, path, params, { ...rest, headers: { ...rest.headers, ...resumed } }, true);
    };
    return new Stream(connect, (pause) => this.settings.sleep(pause, rest.signal), lastEventId ?? null);
  }

  async #sent(
    operation: Operation,
    path: readonly unknown[],
    params: object,
    options: Options,
    isStream: boolean,
  ): Promise<Connection> {
    return this.#exchange(await prepare(this.settings, operation, path, params, options), options, isStream);
  }

  /** The first success, or the error of the last attempt. */
  async #exchange(request: Request, options: Options, isStream: boolean): Promise<Connection> {
    const retries = options.maxRetries ?? this.settings.maxRetries;
    for (let attempt = 1; ; attempt += 1) {
      const outcome = await this.#attempt(request, options, isStream);
      const isAnswer = outcome instanceof Connection;
      if (isAnswer && outcome.isSuccess) return outcome;
      const mayFollow = isAnswer ? mayFollowAnswer(request, outcome) : mayFollowFailure(request, outcome.cause);
      if (attempt > retries || !mayFollow) throw isAnswer ? errorFor(outcome, idempotencyKeyOf(request)) : outcome;
      await this.settings.sleep(pauseBefore(attempt, isAnswer ? outcome : undefined), options.signal);
    }
  }

  async #attempt(request: Request, options: Options, isStream: boolean): Promise<Connection | ConnectionFailed> {
    const deadline = new Deadline(options.timeout ?? this.settings.timeout, options.signal);
    try {
      return await Connection.open(this.settings.fetch, request, deadline, isStream);
    } catch (failure) {
      if (failure instanceof ConnectionFailed) return failure;
      throw failure;
    }
  }
}

/** A group of operations on a client. */
export class Resource {
  /** @internal */
  protected readonly transport: Transport;

  constructor(transport: Transport) {
    this.transport = transport;
  }
}

function pageBody(answer: Readable): Record<string, unknown> {
  const body = jsonIn(answer);
  if (isObject(body)) return body;
  throw new UnexpectedAnswer(`${answer.status} with a body that is not a page`, { requestId: answer.requestId });
}
