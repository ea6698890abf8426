/** What Node and browsers have under different names. */

import { hex } from "./bytes.js";

interface Process {
  readonly version?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

declare const process: Process | undefined;

const NODE_CRYPTO: string = "node:crypto";

/** An environment variable; undefined where there are none, and for an empty one. */
export function variable(name: string): string | undefined {
  return (typeof process === "undefined" ? undefined : process?.env?.[name]) || undefined;
}

/** `v22.1.0` under Node, undefined in a browser. */
export function nodeVersion(): string | undefined {
  return typeof window === "undefined" && typeof process !== "undefined" ? process?.version : undefined;
}

/** Web Crypto; Node 18 has it as a module only. */
export async function webCrypto(): Promise<Crypto> {
  if (globalThis.crypto) return globalThis.crypto;
  const node = (await import(NODE_CRYPTO)) as { readonly webcrypto: Crypto };
  return node.webcrypto;
}

/** A random UUID, also on pages that have no secure context and so no randomUUID. */
export async function uuid(): Promise<string> {
  const bytes = (await webCrypto()).getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return hex(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
