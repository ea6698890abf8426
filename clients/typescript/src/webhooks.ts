/** Checking that a delivery came from Backhaul, by Standard Webhooks (HMAC-SHA256, signature version v1). */

import { joined, utf8 } from "./bytes.js";
import { isObject, WebhookVerificationFailed } from "./errors.js";
import { readEvent, type PartnerEvent } from "./events.js";
import { webCrypto } from "./platform.js";

/** The headers of a delivery: of a fetch Request, of a Node request, or any plain object. */
export type DeliveryHeaders = Headers | Readonly<Record<string, string | readonly string[] | undefined>>;

export interface VerifyOptions {
  /** Milliseconds the delivery may be older or newer than `now`, 300,000 if not given. */
  tolerance?: number | undefined;
  /** The machine's clock if not given. */
  now?: Date | undefined;
}

/**
 * The event of a genuine delivery.
 *
 * `payload` is the body as it arrived, never re-encoded JSON; `secret` is `whsec_…`, or several while one is being
 * rotated. Rejects with WebhookVerificationFailed, or with TypeError for a secret that is none.
 */
export async function verifyWebhook(
  payload: string | Uint8Array | ArrayBuffer,
  headers: DeliveryHeaders,
  secret: string | readonly string[],
  options: VerifyOptions = {},
): Promise<PartnerEvent> {
  const secrets = (typeof secret === "string" ? [secret] : secret).map(keyIn);
  if (!secrets.length) throw new TypeError("no secret to verify with");
  const [id, timestamp, signatures] = signedHeaders(headers);
  refuseOutOfTime(timestamp, options.tolerance ?? 300_000, (options.now ?? new Date()).getTime());
  const body = typeof payload === "string" ? utf8(payload) : new Uint8Array(payload);
  await refuseUnsigned(joined([utf8(`${id}.${timestamp}.`), body]), signatures, secrets);
  return readEvent(parsed(body));
}

function signedHeaders(headers: DeliveryHeaders): [string, string, string] {
  const found = ["webhook-id", "webhook-timestamp", "webhook-signature"].map((name) => header(headers, name));
  const [id, timestamp, signatures] = found;
  if (id && timestamp && signatures) return [id, timestamp, signatures];
  throw new WebhookVerificationFailed("webhook-id, -timestamp and -signature are needed", "missing_header");
}

function header(headers: DeliveryHeaders, name: string): string | undefined {
  if (headers instanceof Headers) return headers.get(name) ?? undefined;
  const [, value] = Object.entries(headers).find(([key]) => key.toLowerCase() === name) ?? [];
  return typeof value === "string" ? value : value?.join(" ");
}

function refuseOutOfTime(timestamp: string, tolerance: number, now: number): void {
  if (!/^[0-9]{1,12}$/.test(timestamp)) {
    throw new WebhookVerificationFailed("webhook-timestamp is not a number of seconds", "bad_timestamp");
  }
  const age = now - Number(timestamp) * 1000;
  const seconds = Math.round(Math.abs(age) / 1000);
  if (age > tolerance) throw new WebhookVerificationFailed(`sent ${seconds} s ago`, "too_old");
  if (age < -tolerance) throw new WebhookVerificationFailed(`sent ${seconds} s in the future`, "too_new");
}

/** Compares the base64 texts, since several texts decode to the same bytes. Every pair is compared, match or not. */
async function refuseUnsigned(signed: Uint8Array, signatures: string, secrets: readonly Uint8Array[]): Promise<void> {
  const expected = await Promise.all(secrets.map((secret) => signature(secret, signed)));
  const given = signatures.split(" ").filter((one) => one.startsWith("v1,")).map((one) => one.slice(3));
  const matches = given.flatMap((one) => expected.map((ours) => areEqual(one, ours)));
  if (!matches.includes(true)) throw new WebhookVerificationFailed("no signature matches", "no_match");
}

async function signature(secret: Uint8Array, signed: Uint8Array): Promise<string> {
  const { subtle } = await webCrypto();
  const key = await subtle.importKey("raw", new Uint8Array(secret), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const mac = new Uint8Array(await subtle.sign("HMAC", key, new Uint8Array(signed)));
  return btoa(String.fromCharCode(...mac));
}

/** In a time that does not tell where they differ. */
function areEqual(one: string, other: string): boolean {
  let difference = one.length ^ other.length;
  for (let at = 0; at < other.length; at += 1) difference |= one.charCodeAt(at) ^ other.charCodeAt(at);
  return difference === 0;
}

function parsed(body: Uint8Array): Record<string, unknown> {
  let envelope: unknown;
  try {
    envelope = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    throw new WebhookVerificationFailed("signed, but not JSON", "bad_payload");
  }
  if (isObject(envelope)) return envelope;
  throw new WebhookVerificationFailed("signed, but not an event envelope", "bad_payload");
}

function keyIn(secret: string): Uint8Array {
  const text = secret.startsWith("whsec_") ? secret.slice("whsec_".length) : secret;
  const unpadded = text.replace(/={0,2}$/, "");
  if (!/^[A-Za-z0-9+/]*$/.test(unpadded) || unpadded.length % 4 === 1) {
    throw new TypeError("a webhook secret is base64 after whsec_");
  }
  if (!unpadded) throw new TypeError("a webhook secret is not empty");
  return Uint8Array.from(atob(unpadded), (character) => character.charCodeAt(0));
}
