/** Clients generated for documents with awkward names and shapes. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Backhaul } from "odd-client";

const sent = [];

function client(answer) {
  const fetch = async (url, init) => {
    sent.push({ url, ...init, text: init.body && new TextDecoder().decode(init.body) });
    return answer;
  };
  return new Backhaul({ apiKey: "bh_test_k_s", baseUrl: "https://api.test", fetch });
}

test("awkward names and shapes are carried", async () => {
  const shape = { kind: "round", id: "1", size: { kind: "square", size: 2 } };
  const things = client(Response.json(shape)).things;
  assert.deepEqual(await things.import("t 1", { body: [{ class: "a", "@context": "b" }], timeout: 2, from: null }), shape);
  const { url, text, headers } = sent.pop();
  assert.equal(url, "https://api.test/v1/things/t%201/import?timeout=2");
  assert.deepEqual(JSON.parse(text), [{ class: "a", "@context": "b" }]);
  assert.equal(headers.get("idempotency-key"), null);
});

test("a success without a body is undefined where that may be", async () => {
  assert.equal(await client(new Response(null, { status: 202 })).things.import("1", { body: [] }), undefined);
});

test("a body that may be absent is absent until a field is given", async () => {
  const things = client(new Response(null, { status: 204 })).things;
  await things.hold("1");
  assert.equal(sent.pop().body, undefined);
  await things.hold("1", { id: "x" });
  assert.equal(sent.pop().text, '{"id":"x"}');
});
