/** A server that answers in turn, keeps what it was sent, and never makes anybody wait. */

import { Backhaul } from "@backhaul/client";

export class Script {
  constructor(...steps) {
    this.steps = steps;
    this.requests = [];
    this.pauses = [];
  }

  client(options = {}) {
    return new Backhaul({
      apiKey: "bh_test_k_s",
      baseUrl: "https://api.test",
      fetch: (url, init) => this.#answer(url, init),
      sleep: async (milliseconds) => void this.pauses.push(milliseconds),
      ...options,
    });
  }

  get keys() {
    return new Set(this.requests.map((request) => request.headers.get("idempotency-key")));
  }

  get bodies() {
    return this.requests.map((request) => (request.body === undefined ? undefined : new TextDecoder().decode(request.body)));
  }

  async #answer(url, init) {
    this.requests.push({ url, ...init });
    const step = this.steps.shift();
    if (step instanceof Error) throw step;
    return typeof step === "function" ? step(init) : step;
  }
}

export function ok(body = {}, headers = {}) {
  return Response.json(body, { headers });
}

export function problem(status, code, more = {}) {
  return Response.json({ title: "No", status, code, request_id: "req_1", ...more }, { status });
}

export function status(status, headers = {}, body = null) {
  return new Response(body, { status, headers });
}

/** What fetch rejects with under Node when nothing listens. */
export function refused() {
  return failed("ECONNREFUSED");
}

export function failed(code) {
  return new TypeError("fetch failed", { cause: Object.assign(new Error(code), { code }) });
}

/** A server that takes the request and never answers. */
export function silence(init) {
  return new Promise((_, reject) => init.signal.addEventListener("abort", () => reject(init.signal.reason)));
}
