/** Attempts, keys, pauses, headers and errors, against a scripted server. */

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";
import * as backhaul from "@backhaul/client";
import { failed, ok, problem, refused, Script, silence, status } from "./script.mjs";

const { Backhaul } = backhaul;

test("every attempt of a POST carries the same key and body", async () => {
  const script = new Script(refused(), status(503), failed("ECONNRESET"), ok());
  await script.client({ maxRetries: 3 }).request("POST", "/v1/x", { body: { a: 1 } });
  assert.equal(script.requests.length, 4);
  assert.equal(script.keys.size, 1);
  assert.ok([...script.keys][0]);
  assert.deepEqual(new Set(script.bodies), new Set(['{"a":1}']));
});

test("three sends over a real connection carry one key", async () => {
  const seen = [];
  const server = createServer((request, response) => {
    seen.push(request.headers["idempotency-key"]);
    response.writeHead(seen.length < 3 ? 503 : 200, { "content-type": "application/json", "retry-after": "0" }).end("{}");
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const baseUrl = `http://127.0.0.1:${server.address().port}`;
    await new Backhaul({ apiKey: "bh_test_k_s", baseUrl }).bids.withdraw("bid_1");
  } finally {
    server.close();
    server.closeAllConnections();
  }
  assert.equal(seen.length, 3);
  assert.equal(new Set(seen).size, 1);
  assert.match(seen[0], /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test("two calls carry two keys", async () => {
  const script = new Script(ok(), ok());
  const client = script.client();
  await client.bids.withdraw("bid_1");
  await client.bids.withdraw("bid_1");
  assert.equal(script.keys.size, 2);
});

test("a given key is used", async () => {
  const script = new Script(ok());
  await script.client().bids.withdraw("bid_1", {}, { idempotencyKey: "mine" });
  assert.deepEqual(script.keys, new Set(["mine"]));
});

test("a GET carries no key and refuses one", async () => {
  const script = new Script(ok());
  await script.client().bids.get("bid_1");
  assert.deepEqual(script.keys, new Set([null]));
  await assert.rejects(() => script.client().bids.get("bid_1", {}, { idempotencyKey: "mine" }).raw(), /idempotencyKey/);
});

test("a misspelled parameter is refused before anything is sent", async () => {
  const script = new Script();
  await assert.rejects(script.client().listings.publish("lst_1", { dryrun: true }).raw(), /no parameter "dryrun"/);
  assert.equal(script.requests.length, 0);
});

test("a PATCH is not repeated when it may have taken effect", async () => {
  for (const step of [status(503), failed("ECONNRESET")]) {
    const script = new Script(step);
    await assert.rejects(script.client().request("PATCH", "/v1/x", { body: {} }).raw(), backhaul.BackhaulError);
    assert.equal(script.requests.length, 1);
  }
});

test("a PATCH is repeated when it never left", async () => {
  const script = new Script(refused(), status(429), ok());
  await script.client().request("PATCH", "/v1/x", { body: {} });
  assert.equal(script.requests.length, 3);
});

test("a running twin is waited for and another conflict is not", async () => {
  const waiting = new Script(problem(409, "idempotency_in_progress"), ok());
  await waiting.client().bids.withdraw("bid_1");
  assert.equal(waiting.requests.length, 2);
  const final = new Script(problem(409, "bidding_closed"));
  await assert.rejects(final.client().bids.withdraw("bid_1").raw(), { name: "Conflict", code: "bidding_closed" });
});

test("Retry-After in seconds is honoured", async () => {
  const script = new Script(status(429, { "Retry-After": "7" }), ok());
  await script.client().bids.get("bid_1");
  assert.deepEqual(script.pauses, [7000]);
});

test("Retry-After as a date is honoured", async () => {
  const date = new Date(Date.now() + 20_000).toUTCString();
  const script = new Script(status(503, { "Retry-After": date }), ok());
  await script.client().bids.get("bid_1");
  assert.ok(script.pauses[0] > 17_000 && script.pauses[0] <= 20_000);
});

test("Retry-After is kept within bounds", async () => {
  for (const [value, pause] of [["86400", 60_000], ["Thu, 01 Jan 1970 00:00:00 GMT", 0]]) {
    const script = new Script(status(429, { "Retry-After": value }), ok());
    await script.client().bids.get("bid_1");
    assert.deepEqual(script.pauses, [pause]);
  }
});

test("an unreadable Retry-After falls back to growing jittered pauses", async () => {
  const script = new Script(...[1, 2, 3].map(() => status(500, { "Retry-After": "soon" })), ok());
  await script.client({ maxRetries: 3 }).bids.get("bid_1");
  const [first, second, third] = script.pauses;
  assert.ok(250 <= first && first <= 500 && 500 <= second && second <= 1000 && 1000 <= third && third <= 2000);
});

test("retries end and the last answer is thrown", async () => {
  const script = new Script(...[1, 2, 3].map(() => problem(429, "rate_limited")));
  await assert.rejects(script.client().bids.withdraw("bid_1").raw(), backhaul.TooManyRequests);
  assert.equal(script.requests.length, 3);
});

test("a call that takes too long is a Timeout that names its key", async () => {
  const script = new Script(silence);
  const options = { timeout: 20, maxRetries: 0, idempotencyKey: "mine" };
  const expected = { name: "Timeout", code: "timeout", idempotencyKey: "mine", requestId: null };
  await assert.rejects(script.client().bids.withdraw("bid_1", {}, options).raw(), expected);
});

test("a body that takes too long is a Timeout too", async () => {
  const body = (init) => new ReadableStream({ start: (control) => init.signal.addEventListener("abort", () => control.error(init.signal.reason)) });
  const script = new Script((init) => new Response(body(init)));
  await assert.rejects(script.client({ timeout: 20, maxRetries: 0 }).bids.get("bid_1").raw(), backhaul.Timeout);
});

test("a timed out attempt is repeated under its key", async () => {
  const script = new Script(silence, ok());
  await script.client({ timeout: 20 }).bids.withdraw("bid_1");
  assert.deepEqual([script.requests.length, script.keys.size], [2, 1]);
});

test("a caller who gives up is not kept waiting by retries", async () => {
  const script = new Script(silence, ok());
  const reason = new Error("enough");
  const controller = new AbortController();
  const call = script.client().bids.get("bid_1", {}, { signal: controller.signal });
  setTimeout(() => controller.abort(reason), 20);
  await assert.rejects(call.raw(), reason);
  assert.equal(script.requests.length, 1);
});

test("a caller who gives up during a pause is heard at once", async () => {
  const script = new Script(status(429, { "Retry-After": "60" }));
  const signal = AbortSignal.timeout(20);
  const call = script.client({ sleep: undefined }).bids.get("bid_1", {}, { signal });
  await assert.rejects(call.raw(), { name: "TimeoutError" });
});

test("a lost connection is its own error", async () => {
  const script = new Script(failed("ECONNRESET"));
  await assert.rejects(script.client({ maxRetries: 0 }).bids.get("bid_1").raw(), { name: "ConnectionFailed" });
});

test("an error carries the problem", async () => {
  const entry = { pointer: "/items/0/mass", code: "unit_unknown", detail: "no such unit" };
  const script = new Script(problem(422, "invalid", { detail: "look", errors: [entry, "odd"] }));
  const error = await script.client().bids.withdraw("bid_1").catch((failure) => failure);
  assert.ok(error instanceof backhaul.UnprocessableEntity && error instanceof backhaul.StatusError);
  assert.deepEqual([error.message, error.status, error.code, error.requestId], ["422 No: look", 422, "invalid", "req_1"]);
  assert.deepEqual(error.errors, [entry]);
  assert.equal(error.problem.errors[1], "odd");
});

test("every status has its class, also without a problem document", async () => {
  const kinds = {
    400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 409: "Conflict", 410: "Gone",
    412: "PreconditionFailed", 413: "PayloadTooLarge", 418: "StatusError", 422: "UnprocessableEntity",
    428: "PreconditionRequired", 429: "TooManyRequests", 500: "ServerError", 502: "ServerError", 307: "StatusError",
  };
  for (const [number, name] of Object.entries(kinds)) {
    const script = new Script(status(Number(number), { "x-request-id": "req_2", location: "https://other.test/" }, "<html>"));
    const error = await script.client({ maxRetries: 0 }).bids.get("bid_1").catch((failure) => failure);
    assert.deepEqual([error.name, error.constructor, error.requestId, error.problem], [name, backhaul[name], "req_2", {}]);
    assert.equal(script.requests.length, 1);
  }
});

test("a success that is not JSON is told", async () => {
  const script = new Script(new Response("{", { headers: { "x-request-id": "req_3" } }));
  await assert.rejects(async () => await script.client().bids.get("bid_1"), { name: "UnexpectedAnswer", requestId: "req_3" });
});

test("what every request says", async () => {
  const script = new Script(ok());
  await script.client({ account: "org_1" }).bids.get("bid_1", {}, { headers: { "X-Trace": "t" } });
  const { headers, redirect, url } = script.requests[0];
  assert.equal(url, "https://api.test/v1/bids/bid_1");
  assert.equal(headers.get("authorization"), "Bearer bh_test_k_s");
  assert.equal(headers.get("backhaul-version"), backhaul.API_VERSION);
  assert.equal(headers.get("backhaul-account"), "org_1");
  assert.match(headers.get("user-agent"), /^backhaul-typescript\/0\.1\.0 \(Node v/);
  assert.equal(headers.get("x-trace"), "t");
  assert.equal(redirect, "manual");
});

test("another account is another client with the same settings", async () => {
  const script = new Script(ok(), ok());
  const client = script.client();
  await client.withAccount("org_2").bids.get("bid_1");
  await client.bids.get("bid_1");
  assert.deepEqual(script.requests.map((request) => request.headers.get("backhaul-account")), ["org_2", null]);
});

test("a single call acts for another organization or for oneself", async () => {
  const script = new Script(ok(), ok(), ok());
  const client = script.client({ account: "org_1" });
  await client.bids.get("bid_1", {}, { account: "org_2" });
  await client.bids.get("bid_1", {}, { account: null });
  await client.bids.get("bid_1", {}, { account: undefined });
  assert.deepEqual(script.requests.map((request) => request.headers.get("backhaul-account")), ["org_2", null, "org_1"]);
});

test("undefined is left out and null is sent", async () => {
  const script = new Script(ok(), ok());
  const client = script.client();
  const body = { note: null, mass: undefined, nested: [{ unit: undefined }] };
  await client.request("POST", "/v1/x", { query: { cursor: null, dry_run: true, after: undefined }, body });
  assert.equal(script.requests[0].url, "https://api.test/v1/x?dry_run=true");
  assert.equal(script.bodies[0], '{"note":null,"nested":[{}]}');
  await client.listings.update("lst_1", { title: undefined, closes_at: null });
  assert.equal(script.bodies[1], '{"closes_at":null}');
});

test("a Date is sent as an instant and a list as repeated parameters", async () => {
  const script = new Script(ok(), ok());
  const client = script.client();
  await client.testClock.advance({ to: new Date("2026-11-22T10:00:00+01:00") });
  assert.equal(script.bodies[0], '{"to":"2026-11-22T09:00:00.000Z"}');
  await client.events.list({ types: ["order.settled", "bid.placed"], after: 7 });
  assert.equal(script.requests[1].url, "https://api.test/v1/events?after=7&types=order.settled&types=bid.placed");
});

test("what JSON cannot say is refused rather than changed", async () => {
  for (const value of [NaN, Infinity, new Date("soon"), "\ud800", [undefined], 1n, () => 1]) {
    const script = new Script();
    await assert.rejects(script.client().request("POST", "/v1/x", { body: { value } }).raw(), TypeError);
    assert.equal(script.requests.length, 0);
  }
});

test("a body that may be absent is absent until a field is given", async () => {
  const script = new Script(ok(), ok());
  const client = script.client();
  await client.listings.withdraw("lst_1");
  await client.listings.withdraw("lst_1", { reason: "sold elsewhere" });
  assert.deepEqual(script.bodies, [undefined, '{"reason":"sold elsewhere"}']);
  assert.equal(script.requests[0].headers.get("content-type"), null);
});

test("a version and an ETag are both a precondition", async () => {
  const script = new Script(ok(), ok(), ok());
  const client = script.client();
  for (const ifMatch of [7, '"7"', "*"]) await client.listings.publish("lst_1", { dry_run: true }, { ifMatch });
  assert.deepEqual(script.requests.map((request) => request.headers.get("if-match")), ['"7"', '"7"', "*"]);
  assert.equal(script.requests[0].url, "https://api.test/v1/listings/lst_1/publish?dry_run=true");
});

test("an id that would change the path is refused or escaped", async () => {
  const script = new Script(ok());
  const client = script.client();
  for (const id of ["", ".", "..", undefined]) await assert.rejects(client.bids.get(id).raw(), /is not an id/);
  await client.bids.get("a b/?c#d");
  assert.equal(script.requests[0].url, "https://api.test/v1/bids/a%20b%2F%3Fc%23d");
});

test("unknown fields and values survive", async () => {
  const sent = { id: "lst_1", status: "embargoed", weather: "rain", items: [{ id: "itm_1", aura: { hue: 3 } }] };
  const listing = await new Script(ok(sent)).client().listings.get("lst_1");
  assert.deepEqual(listing, sent);
  const page = await new Script(ok({ data: [sent], has_more: false, next_cursor: null, total: 1 })).client().listings.list();
  assert.deepEqual([page.data, page.body.total], [[sent], 1]);
});

test("a key of the other environment is refused", () => {
  assert.throws(() => new Backhaul({ apiKey: "bh_live_k_s", environment: "sandbox" }), /live key/);
  assert.throws(() => new Backhaul({ apiKey: "bh_live_k_s" }), /baseUrl/);
  assert.equal(new Backhaul({ apiKey: "bh_live_k_s", baseUrl: "https://api.test" }).environment, "live");
  assert.equal(new Backhaul({ apiKey: "bh_test_k_s" }).environment, "sandbox");
});

test("without a key nothing is sent but what is public", async () => {
  const script = new Script(ok());
  const client = script.client({ apiKey: undefined });
  await assert.rejects(client.bids.get("bid_1").raw(), { code: "api_key_missing" });
  await client.public.did();
  assert.equal(script.requests.length, 1);
});

test("key and address come from the environment", async () => {
  process.env.BACKHAUL_API_KEY = "bh_live_from_env";
  process.env.BACKHAUL_BASE_URL = "https://env.test/";
  try {
    const script = new Script(ok());
    await script.client({ apiKey: undefined, baseUrl: undefined }).bids.get("bid_1");
    assert.equal(script.requests[0].url, "https://env.test/v1/bids/bid_1");
    assert.equal(script.requests[0].headers.get("authorization"), "Bearer bh_live_from_env");
  } finally {
    delete process.env.BACKHAUL_API_KEY;
    delete process.env.BACKHAUL_BASE_URL;
  }
});
