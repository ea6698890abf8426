/** Deliveries are believed only when they are signed, unchanged and fresh. DELIVERY holds two that the server signed. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { isKnown, readEvent, verifyWebhook } from "@backhaul/client";

const { payload, headers, rotating, secret, otherSecret, sentAt } = JSON.parse(process.env.DELIVERY);
const now = new Date(sentAt * 1000);
const ago = (seconds) => new Date((sentAt + seconds) * 1000);

function refusal(change = {}) {
  const told = { payload, headers, secret, now, ...change };
  return verifyWebhook(told.payload, told.headers, told.secret, { now: told.now }).then(
    () => "believed",
    (error) => error.code,
  );
}

test("a genuine delivery is read, from text and from bytes", async () => {
  const event = await verifyWebhook(payload, headers, secret, { now });
  assert.equal(event.type, "order.settled");
  assert.ok(isKnown(event));
  assert.deepEqual(event, JSON.parse(payload));
  const bytes = new TextEncoder().encode(payload);
  assert.deepEqual(await verifyWebhook(bytes, headers, secret, { now }), event);
  assert.deepEqual(await verifyWebhook(bytes.buffer, headers, secret, { now }), event);
});

test("headers come in any case and form", async () => {
  const titled = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toUpperCase(), value]));
  assert.ok(await verifyWebhook(payload, titled, secret, { now }));
  assert.ok(await verifyWebhook(payload, new Headers(headers), secret, { now }));
});

test("ten thousand mutations are refused", async () => {
  const random = numbers(20261122);
  const names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
  const parts = [payload, ...names.map((name) => headers[name])].map((text) => new TextEncoder().encode(text));
  let refused = 0;
  for (let round = 0; round < 10_000; round += 1) {
    const mutated = parts.map((part) => part.slice());
    const part = mutated[random(parts.length)];
    part[random(part.length)] ^= 1 + random(127);
    const texts = mutated.slice(1).map((bytes) => String.fromCharCode(...bytes));
    const told = Object.fromEntries(names.map((name, at) => [name, texts[at]]));
    refused += await verifyWebhook(mutated[0], told, secret, { now }).then(() => 0, () => 1);
  }
  assert.equal(refused, 10_000);
  assert.ok(await verifyWebhook(payload, headers, secret, { now }));
});

test("shortened and lengthened payloads are refused", async () => {
  assert.equal(await refusal({ payload: payload.slice(0, -1) }), "no_match");
  assert.equal(await refusal({ payload: `${payload} ` }), "no_match");
});

test("shortened and lengthened signatures are refused", async () => {
  const signature = headers["webhook-signature"];
  for (const bad of [`${signature}A`, `${signature}=`, signature.slice(0, -1), "v1,", signature.slice(3)]) {
    assert.equal(await refusal({ headers: { ...headers, "webhook-signature": bad } }), "no_match");
  }
});

test("a delivery is refused outside the tolerance on both sides", async () => {
  assert.equal(await refusal({ now: ago(301) }), "too_old");
  assert.equal(await refusal({ now: ago(-301) }), "too_new");
  assert.equal(await refusal({ now: ago(300) }), "believed");
  assert.equal(await refusal({ now: ago(-300) }), "believed");
  await assert.rejects(verifyWebhook(payload, headers, secret, { now: ago(11), tolerance: 10_000 }), { code: "too_old" });
});

test("the clock of the machine is the default", async () => {
  await assert.rejects(verifyWebhook(payload, headers, secret), { name: "WebhookVerificationFailed" });
});

test("either secret is believed while one replaces the other", async () => {
  assert.equal(await refusal({ secret: otherSecret }), "no_match");
  assert.equal(await refusal({ secret: [otherSecret, secret] }), "believed");
  assert.equal(await refusal({ headers: rotating, secret: otherSecret }), "believed");
});

test("other signature versions are passed over", async () => {
  const mac = headers["webhook-signature"].slice(3);
  assert.equal(await refusal({ headers: { ...headers, "webhook-signature": `v1a,${mac} v2,${mac}` } }), "no_match");
  assert.equal(await refusal({ headers: { ...headers, "webhook-signature": `v1a,AAAA v1,${mac}` } }), "believed");
});

test("a missing header is named as such", async () => {
  for (const name of ["webhook-id", "webhook-timestamp", "webhook-signature"]) {
    assert.equal(await refusal({ headers: { ...headers, [name]: undefined } }), "missing_header");
  }
});

test("a timestamp that is no plain number is refused", async () => {
  for (const value of ["soon", "-1", "1e9", `+${sentAt}`, "１７９５００００００", `${sentAt}.0`]) {
    assert.equal(await refusal({ headers: { ...headers, "webhook-timestamp": value } }), "bad_timestamp");
  }
});

test("a signed payload that is no envelope is refused", async () => {
  for (const { payload: bad, headers: signed } of JSON.parse(process.env.SIGNED_NONSENSE)) {
    const bytes = Uint8Array.from(atob(bad), (character) => character.charCodeAt(0));
    assert.equal(await refusal({ payload: bytes, headers: signed }), "bad_payload");
  }
});

test("a secret that is none is a mistake of the caller", async () => {
  for (const bad of ["", "whsec_", "whsec_not base64!", "whsec_A", []]) {
    await assert.rejects(verifyWebhook(payload, headers, bad, { now }), TypeError);
  }
});

test("an event of a later release is read and known to be unknown", () => {
  const event = readEvent({ id: "evt_1", type: "order.invented", data: { brand_new: 1 } });
  assert.equal(isKnown(event), false);
  assert.deepEqual(event.data, { brand_new: 1 });
});

/** The same numbers below `limit` in every run. */
function numbers(seed) {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}
