/** The client object. One per API key; keep it for the life of the process. */

import type { Pending } from "./answers.js";
import { encodeQuery } from "./bodies.js";
import type { Operation, WriteOptions } from "./calls.js";
import type { Fetch } from "./connections.js";
import { sleep, type Sleep } from "./deadlines.js";
import { Resources } from "./generated/resources.js";
import { variable } from "./platform.js";
import { Transport, type Settings } from "./transport.js";

export type Environment = "sandbox" | "live";

/** Everything is optional; what is left out has the value of the client's README. */
export interface ClientOptions {
  /** `bh_test_…` or `bh_live_…`; without it BACKHAUL_API_KEY, and without either only public operations work. */
  apiKey?: string | undefined;
  /** Without it BACKHAUL_BASE_URL; a sandbox client falls back to the local sandbox, a live one does not. */
  baseUrl?: string | undefined;
  /** Refuses a key of the other one; without it the key decides. */
  environment?: Environment | undefined;
  /** Act for `org_…` by delegation. */
  account?: string | undefined;
  /** Milliseconds per attempt, 30,000 if not given. */
  timeout?: number | undefined;
  /** Attempts after the first, 2 if not given. */
  maxRetries?: number | undefined;
  /** Yours to configure; the platform's own if not given. */
  fetch?: Fetch | undefined;
  /** How to wait between attempts. */
  sleep?: Sleep | undefined;
}

/** Where `backhaul demo` listens; the address of a sandbox client that names no other. */
const LOCAL_SANDBOX = "http://127.0.0.1:8000";

export class Backhaul extends Resources {
  readonly environment: Environment;
  readonly #transport: Transport;

  constructor(options: ClientOptions = {}) {
    const transport = new Transport(settingsOf(options));
    super(transport);
    this.#transport = transport;
    this.environment = options.environment ?? environmentOf(transport.settings.apiKey) ?? "sandbox";
  }

  /** The same client acting for another organization, or with undefined for its own. */
  withAccount(account: string | undefined): Backhaul {
    return new Backhaul({ ...this.#transport.settings, environment: this.environment, account });
  }

  /** Any operation by its path, for what this release has no method for. */
  request<T = unknown>(
    method: string,
    path: string,
    params: { readonly query?: Readonly<Record<string, unknown>> | undefined; readonly body?: unknown } = {},
    options: WriteOptions = {},
  ): Pending<T> {
    const verb = method.toUpperCase();
    const query = encodeQuery(params.query ?? {});
    const operation: Operation = {
      id: `${verb} ${path}`,
      method: verb,
      path: query ? `${path}?${query}` : path,
      body: { type: "application/json" },
      mayBeEmpty: true,
      ...(verb === "POST" ? { isKeyed: true as const } : {}),
    };
    return this.#transport.send<T>(operation, [], params.body === undefined ? {} : { body: params.body }, options);
  }
}

function settingsOf(options: ClientOptions): Settings {
  const apiKey = options.apiKey || variable("BACKHAUL_API_KEY");
  const keyedFor = environmentOf(apiKey);
  if (options.environment && keyedFor && keyedFor !== options.environment) {
    throw new TypeError(`a ${keyedFor} key does not work in the ${options.environment} environment`);
  }
  const baseUrl = options.baseUrl || variable("BACKHAUL_BASE_URL") || defaultUrl(options.environment ?? keyedFor);
  return {
    apiKey,
    baseUrl: baseUrl.replace(/\/+$/, ""),
    account: options.account,
    timeout: options.timeout ?? 30_000,
    maxRetries: options.maxRetries ?? 2,
    fetch: options.fetch ?? ((url, init) => globalThis.fetch(url, init)),
    sleep: options.sleep ?? sleep,
  };
}

function defaultUrl(environment: Environment | undefined): string {
  if (environment === "live") throw new TypeError("a live client needs baseUrl or BACKHAUL_BASE_URL");
  return LOCAL_SANDBOX;
}

function environmentOf(apiKey: string | undefined): Environment | undefined {
  if (apiKey?.startsWith("bh_live_")) return "live";
  return apiKey?.startsWith("bh_test_") ? "sandbox" : undefined;
}
