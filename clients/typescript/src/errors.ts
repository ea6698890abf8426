/**
 * What can go wrong in a call, one class per status.
 *
 * Every error carries `code` (stable, listed in the reference), `requestId` (name it to support), `problem` (the parsed
 * application/problem+json document) and `errors` (one entry per refused field).
 */

/** One refused field; `pointer` is a JSON Pointer into the request body. */
export interface FieldError {
  readonly pointer: string;
  readonly code: string;
  readonly detail: string;
}

/** A problem document as it came. */
export type Problem = Readonly<Record<string, unknown>>;

/** What an error is made of besides its message. */
export interface Told {
  readonly code?: string | undefined;
  readonly requestId?: string | null;
  readonly problem?: Problem;
  readonly cause?: unknown;
}

/** Base of everything this client throws on purpose. */
export class BackhaulError extends Error {
  readonly code: string;
  readonly requestId: string | null;
  readonly problem: Problem;
  readonly errors: readonly FieldError[];

  constructor(message: string, told: Told = {}) {
    super(message, told.cause === undefined ? undefined : { cause: told.cause });
    this.name = new.target.name;
    this.code = told.code ?? "client_error";
    this.requestId = told.requestId ?? null;
    this.problem = told.problem ?? {};
    this.errors = fieldErrors(this.problem);
  }
}

/** No answer arrived. Whether it took effect is unknown; a POST may be repeated under `idempotencyKey`. */
export class ConnectionFailed extends BackhaulError {
  readonly idempotencyKey: string | null;

  constructor(message: string, told: { code?: string; idempotencyKey?: string | null; cause?: unknown } = {}) {
    super(message, { code: told.code ?? "connection_failed", cause: told.cause });
    this.idempotencyKey = told.idempotencyKey ?? null;
  }
}

/** The answer did not arrive in time. */
export class Timeout extends ConnectionFailed {
  constructor(message: string, told: { idempotencyKey?: string | null; cause?: unknown } = {}) {
    super(message, { ...told, code: "timeout" });
  }
}

/** The server succeeded but its body is not what the operation promises. */
export class UnexpectedAnswer extends BackhaulError {
  constructor(message: string, told: { requestId?: string | null; cause?: unknown } = {}) {
    super(message, { ...told, code: "unexpected_answer" });
  }
}

/** Not a genuine, fresh delivery. `code`: missing_header, bad_timestamp, too_old, too_new, no_match, bad_payload. */
export class WebhookVerificationFailed extends BackhaulError {
  constructor(message: string, code: string) {
    super(message, { code });
  }
}

/** An answer outside 2xx, as it came. */
export interface Refusal {
  readonly status: number;
  readonly headers: Headers;
  readonly content: Uint8Array;
}

/** An answer outside 2xx; the class itself for a status that has none of its own. */
export class StatusError extends BackhaulError {
  readonly status: number;
  readonly headers: Headers;
  readonly content: Uint8Array;
  readonly idempotencyKey: string | null;

  constructor(refusal: Refusal, idempotencyKey: string | null = null) {
    const problem = problemIn(refusal.content);
    super(messageOf(refusal.status, problem), {
      code: text(problem["code"]) ?? "unexpected_status",
      requestId: text(problem["request_id"]) ?? refusal.headers.get("x-request-id"),
      problem,
    });
    this.status = refusal.status;
    this.headers = refusal.headers;
    this.content = refusal.content;
    this.idempotencyKey = idempotencyKey;
  }
}

/** 400: the request could not be read. */
export class BadRequest extends StatusError {}

/** 401: no key, an unknown one, or one that has expired. */
export class Unauthorized extends StatusError {}

/** 403: you may see it but not do this. */
export class Forbidden extends StatusError {}

/** 404: it does not exist, or you may not see it. */
export class NotFound extends StatusError {}

/** 409: the state of things forbids it; `code` says why. */
export class Conflict extends StatusError {}

/** 410: it was there and is not any more. */
export class Gone extends StatusError {}

/** 412: it changed since you read it. Read again; the header `ETag` names the current version. */
export class PreconditionFailed extends StatusError {}

/** 413: the body is above the operation's limit. */
export class PayloadTooLarge extends StatusError {}

/** 422: understood but not valid; `errors` names the fields. */
export class UnprocessableEntity extends StatusError {}

/** 428: this operation wants `ifMatch`. */
export class PreconditionRequired extends StatusError {}

/** 429: above the organization's rate limit, and still so after the retries. */
export class TooManyRequests extends StatusError {}

/** 5xx, and still so after the retries. */
export class ServerError extends StatusError {}

const BY_STATUS: ReadonlyMap<number, typeof StatusError> = new Map([
  [400, BadRequest],
  [401, Unauthorized],
  [403, Forbidden],
  [404, NotFound],
  [409, Conflict],
  [410, Gone],
  [412, PreconditionFailed],
  [413, PayloadTooLarge],
  [422, UnprocessableEntity],
  [428, PreconditionRequired],
  [429, TooManyRequests],
]);

/** The error of an answer outside 2xx; a body that is no problem document leaves `problem` empty. */
export function errorFor(refusal: Refusal, idempotencyKey: string | null): StatusError {
  const kind = BY_STATUS.get(refusal.status) ?? (refusal.status >= 500 ? ServerError : StatusError);
  return new kind(refusal, idempotencyKey);
}

/** The problem document in a body, or an empty one. */
export function problemIn(content: Uint8Array): Problem {
  try {
    const parsed: unknown = JSON.parse(new TextDecoder().decode(content));
    return isObject(parsed) ? parsed : {};
  } catch {
    return {};
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function messageOf(status: number, problem: Problem): string {
  const told = [text(problem["title"]), text(problem["detail"])].filter(Boolean).join(": ");
  return `${status} ${told || "without a problem document"}`;
}

function fieldErrors(problem: Problem): FieldError[] {
  const entries = problem["errors"];
  return (Array.isArray(entries) ? entries : []).filter(isObject).map((entry) => ({
    pointer: text(entry["pointer"]) ?? "",
    code: text(entry["code"]) ?? "",
    detail: text(entry["detail"]) ?? "",
  }));
}

function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
