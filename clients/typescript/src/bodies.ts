/** Bodies and queries as bytes and text. `undefined` is left out wherever it stands; `null` is sent as null. */

import { hex, joined, utf8 } from "./bytes.js";
import { isObject } from "./errors.js";
import { webCrypto } from "./platform.js";

/** Bytes to send. Under Node, what `readFile` and `openAsBlob` give. */
export type FileContent = Blob | ArrayBuffer | Uint8Array;

/** A file to send: its content, or its content under a name. A `File` brings its own name. */
export type Upload = FileContent | { readonly filename: string; readonly content: FileContent };

/** An encoded body: the same bytes for every attempt under one key. */
export interface Body {
  readonly content: Uint8Array;
  readonly contentType: string;
}

const CONTROL = /[\r\n"]/g;
const LONE_SURROGATE = /\p{Surrogate}/u;

/** Compact JSON. What JSON would silently turn into something else is refused: NaN, invalid Dates, lone surrogates. */
export function jsonBody(value: unknown, contentType: string): Body {
  return { content: utf8(encodeJson(value)), contentType };
}

export function formBody(fields: Readonly<Record<string, unknown>>, contentType: string): Body {
  const form = new URLSearchParams(formFields(fields));
  return { content: utf8(form.toString()), contentType };
}

/** The boundary follows from key and content, so that a repeated upload is the same body to the server. */
export async function multipartBody(
  fields: Readonly<Record<string, unknown>>,
  files: Readonly<Record<string, unknown>>,
  key: string,
): Promise<Body> {
  const uploads = await Promise.all(uploadsIn(files).map(([name, upload]) => read(name, upload)));
  const seed = [utf8(key), ...uploads.flatMap((upload) => [utf8(`${upload.filename}\0`), upload.content])];
  const boundary = `backhaul-${await sha256(joined(seed))}`;
  const parts = [
    ...formFields(fields).map(([name, value]) => part(boundary, `name="${escaped(name)}"`, utf8(value))),
    ...uploads.map((upload) => part(boundary, disposition(upload), upload.content, upload.type)),
  ];
  const content = joined([...parts, utf8(`--${boundary}--\r\n`)]);
  return { content, contentType: `multipart/form-data; boundary=${boundary}` };
}

export async function rawBody(value: unknown, contentType: string): Promise<Body> {
  return { content: typeof value === "string" ? utf8(value) : await bytesOf(value as FileContent), contentType };
}

/** Query parameters; null is left out, since a query has no null. A list is its values in turn. */
export function encodeQuery(query: Readonly<Record<string, unknown>>): string {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).filter(isGiven).map((one): [string, string] => [name, plainText(one)]),
  );
  return new URLSearchParams(pairs).toString();
}

export function encodeJson(value: unknown): string {
  return JSON.stringify(plain(value));
}

function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(listed);
  if (value instanceof Date) return instant(value);
  if (isObject(value)) {
    const entries = Object.entries(value).filter(([, field]) => field !== undefined);
    return Object.fromEntries(entries.map(([name, field]) => [name, plain(field)]));
  }
  return scalar(value);
}

function listed(value: unknown): unknown {
  if (value === undefined) throw new TypeError("undefined in a list cannot be left out");
  return plain(value);
}

function scalar(value: unknown): unknown {
  if (value === null || typeof value === "boolean") return value;
  if (typeof value === "number" && Number.isFinite(value)) return value;
  if (typeof value === "string" && !LONE_SURROGATE.test(value)) return value;
  throw new TypeError(`${typeof value === "number" ? String(value) : `a ${typeof value}`} cannot be sent as JSON`);
}

function instant(value: Date): string {
  if (Number.isNaN(value.getTime())) throw new TypeError("an invalid Date cannot be sent");
  return value.toISOString();
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function plainText(value: unknown): string {
  if (value instanceof Date) return instant(value);
  return typeof value === "string" ? value : encodeJson(value);
}

function formFields(fields: Readonly<Record<string, unknown>>): [string, string][] {
  return Object.entries(fields)
    .filter(([, value]) => isGiven(value))
    .map(([name, value]) => [name, plainText(value)]);
}

interface Read {
  readonly name: string;
  readonly filename: string;
  readonly type: string;
  readonly content: Uint8Array;
}

function uploadsIn(files: Readonly<Record<string, unknown>>): [string, Upload][] {
  return Object.entries(files).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).filter(isGiven).map((one): [string, Upload] => [name, one as Upload]),
  );
}

async function read(name: string, upload: Upload): Promise<Read> {
  const named = "filename" in upload ? upload : { filename: ownName(upload) ?? name, content: upload };
  const type = (named.content instanceof Blob && named.content.type) || "application/octet-stream";
  return { name, filename: named.filename, type, content: await bytesOf(named.content) };
}

function ownName(content: FileContent): string | undefined {
  return "name" in content && typeof content.name === "string" ? content.name : undefined;
}

async function bytesOf(content: FileContent): Promise<Uint8Array> {
  if (content instanceof Blob) return new Uint8Array(await content.arrayBuffer());
  if (content instanceof ArrayBuffer || content instanceof Uint8Array) return new Uint8Array(content);
  throw new TypeError("a file is a Blob, an ArrayBuffer or a Uint8Array");
}

function disposition(upload: Read): string {
  return `name="${escaped(upload.name)}"; filename="${escaped(upload.filename)}"`;
}

function part(boundary: string, told: string, content: Uint8Array, type?: string): Uint8Array {
  const typed = type === undefined ? "" : `\r\nContent-Type: ${type.replace(CONTROL, "")}`;
  const head = `--${boundary}\r\nContent-Disposition: form-data; ${told}${typed}\r\n\r\n`;
  return joined([utf8(head), content, utf8("\r\n")]);
}

function escaped(text: string): string {
  return text.replace(CONTROL, (found) => encodeURIComponent(found));
}

async function sha256(content: Uint8Array): Promise<string> {
  return hex(new Uint8Array(await (await webCrypto()).subtle.digest("SHA-256", new Uint8Array(content))));
}
