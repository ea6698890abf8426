/** Pages of a list. Iterating one goes on through all that follow; `data` holds this page alone. */

import { Pending, type Answer } from "./answers.js";

/** A page; `for await (const item of page)` asks for the following pages as it goes. */
export class Page<T> implements AsyncIterable<T> {
  readonly data: readonly T[];
  readonly has_more: boolean;
  readonly next_cursor: string | null;
  /** The page as it came, unknown fields included. */
  readonly body: Readonly<Record<string, unknown>>;
  readonly #fetch: (cursor: string) => PromiseLike<Page<T>>;

  constructor(body: Readonly<Record<string, unknown>>, fetch: (cursor: string) => PromiseLike<Page<T>>) {
    this.data = Array.isArray(body["data"]) ? (body["data"] as T[]) : [];
    this.has_more = body["has_more"] === true;
    this.next_cursor = typeof body["next_cursor"] === "string" ? body["next_cursor"] : null;
    this.body = body;
    this.#fetch = fetch;
  }

  /** The page after this one, or null after the last. */
  async nextPage(): Promise<Page<T> | null> {
    return this.has_more && this.next_cursor !== null ? await this.#fetch(this.next_cursor) : null;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (let page: Page<T> | null = this; page; page = await page.nextPage()) yield* page.data;
  }
}

/** A list on its way: awaited it is the first page, under `for await` it is every item of every page. */
export class PendingPage<T> extends Pending<Page<T>> implements AsyncIterable<T> {
  constructor(answer: Promise<Answer<Page<T>>>) {
    super(answer);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    yield* await this;
  }
}
