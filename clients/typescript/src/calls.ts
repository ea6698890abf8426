/** One call: what goes onto the wire, before any of it is sent. */

import { encodeQuery, formBody, jsonBody, multipartBody, rawBody, type Body } from "./bodies.js";
import { BackhaulError } from "./errors.js";
import { nodeVersion, uuid } from "./platform.js";
import { API_VERSION, VERSION } from "./version.js";

/** What every call takes besides its own arguments. */
export interface Options {
  /** Milliseconds per attempt. */
  timeout?: number | undefined;
  /** Further attempts after the first. */
  maxRetries?: number | undefined;
  /** Act for `org_…` by delegation in this call, or with null for yourself, whatever the client says. */
  account?: string | null | undefined;
  /** Sent last, so they win. */
  headers?: Readonly<Record<string, string>> | undefined;
  /** Ends the call, pauses between attempts included; the call then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** Options of a call that takes effect at most once per key. */
export interface WriteOptions extends Options {
  /** Without one the client makes a UUID for each call. Keep your own to repeat a call after a restart. */
  idempotencyKey?: string | undefined;
}

/** Options of a stream. */
export interface StreamOptions extends Options {
  /** Go on after this event. */
  lastEventId?: string | undefined;
}

/** The parameters of an operation that has none today. */
export type NoParams = Readonly<Record<string, never>>;

/**
 * What one operation puts where: `query`, `body.fields` and `body.files` name parameters, `headers` maps options to
 * headers.
 */
export interface Operation {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly query?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: BodyPlan;
  readonly accept?: string;
  readonly answers?: "text" | "bytes" | "nothing";
  /** A success may come without a body. */
  readonly mayBeEmpty?: true;
  readonly isPublic?: true;
  readonly isKeyed?: true;
}

/** Without `fields` the parameter `body` is the whole body. An optional body is absent until a field is given. */
export interface BodyPlan {
  readonly type: string;
  readonly fields?: readonly string[];
  readonly files?: readonly string[];
  readonly isRequired?: true;
}

/** Who sends, and where to. */
export interface Sender {
  readonly baseUrl: string;
  readonly apiKey: string | undefined;
  readonly account: string | undefined;
}

/** A request as every attempt sends it. */
export interface Request {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly content: Uint8Array | undefined;
  /** Whether a second attempt cannot have a second effect. */
  readonly isRepeatable: boolean;
}

export type Values = Readonly<Record<string, unknown>>;

const SAFE_TO_REPEAT = new Set(["GET", "HEAD", "PUT", "DELETE", "OPTIONS"]);
const COMMON_OPTIONS = new Set(["timeout", "maxRetries", "account", "headers", "signal"]);
const MULTIPART = "multipart/form-data";
const FORM = "application/x-www-form-urlencoded";

/** Refuses with TypeError what the operation does not know: a misspelled `dry_run` must not be a real call. */
export async function prepare(
  sender: Sender,
  operation: Operation,
  path: readonly unknown[],
  params: object,
  options: object,
): Promise<Request> {
  refuseUnknown(operation, params as Values, options as Values);
  const headers = await headersOf(sender, operation, options as Values & WriteOptions);
  const body = await bodyOf(operation, params as Values, headers.get("idempotency-key") ?? "");
  if (body) headers.set("Content-Type", body.contentType);
  for (const [name, value] of Object.entries((options as Options).headers ?? {})) headers.set(name, value);
  return {
    method: operation.method,
    url: urlOf(sender.baseUrl, operation, path, params as Values),
    headers,
    content: body?.content,
    isRepeatable: operation.isKeyed === true || SAFE_TO_REPEAT.has(operation.method),
  };
}

function refuseUnknown(operation: Operation, params: Values, options: Values): void {
  const body = operation.body;
  const whole = body && !body.fields && !body.files ? ["body"] : [];
  const known = new Set([...(operation.query ?? []), ...(body?.fields ?? []), ...(body?.files ?? []), ...whole]);
  refuse(operation.id, "parameter", Object.keys(params).filter((name) => !known.has(name)));
  const extra = new Set(Object.keys(operation.headers ?? {}));
  if (operation.isKeyed) extra.add("idempotencyKey");
  refuse(operation.id, "option", Object.keys(options).filter((name) => !COMMON_OPTIONS.has(name) && !extra.has(name)));
}

function refuse(id: string, kind: string, unknown: readonly string[]): void {
  if (unknown.length) throw new TypeError(`${id} takes no ${kind} ${JSON.stringify(unknown).slice(1, -1)}`);
}

async function headersOf(sender: Sender, operation: Operation, options: Values & WriteOptions): Promise<Headers> {
  const headers = new Headers({ Accept: operation.accept ?? "application/json", "Backhaul-Version": API_VERSION });
  const node = nodeVersion();
  if (node) headers.set("User-Agent", `backhaul-typescript/${VERSION} (Node ${node})`);
  if (!operation.isPublic) headers.set("Authorization", `Bearer ${keyOf(sender)}`);
  const account = options.account === undefined ? sender.account : options.account;
  if (account) headers.set("Backhaul-Account", account);
  if (operation.isKeyed) headers.set("Idempotency-Key", options.idempotencyKey || (await uuid()));
  for (const [option, name] of Object.entries(operation.headers ?? {})) {
    const value = options[option];
    if (value !== undefined && value !== null) headers.set(name, name === "If-Match" ? etag(value) : String(value));
  }
  return headers;
}

function keyOf(sender: Sender): string {
  if (sender.apiKey !== undefined) return sender.apiKey;
  throw new BackhaulError("this operation needs an API key", { code: "api_key_missing" });
}

/** The If-Match header for a version or for an ETag as it came. */
function etag(value: unknown): string {
  const text = String(value);
  return /^("|W\/|\*)/.test(text) ? text : `"${text}"`;
}

async function bodyOf(operation: Operation, params: Values, key: string): Promise<Body | undefined> {
  const plan = operation.body;
  if (!plan) return undefined;
  if (!plan.fields && !plan.files) return wholeBody(plan, params["body"]);
  const fields = picked(params, plan.fields ?? []);
  const files = picked(params, plan.files ?? []);
  if (!plan.isRequired && !Object.keys({ ...fields, ...files }).length) return undefined;
  if (plan.type === MULTIPART) return multipartBody(fields, files, key);
  return plan.type === FORM ? formBody(fields, plan.type) : jsonBody(fields, plan.type);
}

function wholeBody(plan: BodyPlan, value: unknown): Body | Promise<Body> | undefined {
  if (value === undefined) return undefined;
  return /[/+]json$/.test(plan.type) ? jsonBody(value, plan.type) : rawBody(value, plan.type);
}

function picked(params: Values, names: readonly string[]): Values {
  return Object.fromEntries(names.filter((name) => params[name] !== undefined).map((name) => [name, params[name]]));
}

function urlOf(baseUrl: string, operation: Operation, path: readonly unknown[], params: Values): string {
  const left = [...path];
  const filled = operation.path.replace(/\{[^}]+\}/g, () => segment(left.shift()));
  const query = encodeQuery(picked(params, operation.query ?? []));
  return new URL(`${baseUrl}${filled}${query && `?${query}`}`).href;
}

/** A path argument, escaped. Empty and dotted ones would address another resource and are refused. */
function segment(value: unknown): string {
  const text = value === undefined || value === null ? "" : String(value);
  if (text === "" || text === "." || text === "..") throw new TypeError(`${JSON.stringify(text)} is not an id`);
  return encodeURIComponent(text);
}
