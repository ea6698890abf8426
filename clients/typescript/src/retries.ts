/** When a call is tried again, and after how long. */

import type { Request } from "./calls.js";
import { problemIn, type Refusal } from "./errors.js";

/** Milliseconds; a longer Retry-After is cut to this. */
export const LONGEST_PAUSE = 60_000;

const FIRST_PAUSE = 500;
const LONGEST_BACKOFF = 8_000;
const NEVER_SENT = new Set([
  "ECONNREFUSED",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "UND_ERR_CONNECT_TIMEOUT",
]);

/** Without an answer: repeat what cannot have a second effect, and anything that is known never to have left. */
export function mayFollowFailure(request: Request, failure: unknown): boolean {
  return request.isRepeatable || NEVER_SENT.has(codeOf(failure));
}

/** After an answer: 429 for every call; 5xx and a twin still running where it cannot have a second effect. */
export function mayFollowAnswer(request: Request, refusal: Refusal): boolean {
  if (refusal.status === 429) return true;
  if (!request.isRepeatable) return false;
  if (refusal.status >= 500) return true;
  return refusal.status === 409 && problemIn(refusal.content)["code"] === "idempotency_in_progress";
}

/** Milliseconds to wait before a repeat (the first is 1): what the server asks for, else backoff with jitter. */
export function pauseBefore(attempt: number, refusal?: Refusal): number {
  const asked = refusal && retryAfter(refusal.headers.get("retry-after") ?? "");
  if (asked !== undefined) return asked;
  return Math.min(LONGEST_BACKOFF, FIRST_PAUSE * 2 ** (attempt - 1)) * (0.5 + Math.random() / 2);
}

/** Milliseconds of a Retry-After header, a number of seconds or a date, between 0 and LONGEST_PAUSE. */
function retryAfter(value: string): number | undefined {
  const asked = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isNaN(asked) ? undefined : Math.min(Math.max(asked, 0), LONGEST_PAUSE);
}

/** The system's code of a failed fetch: Node gives it with the cause, browsers do not tell. */
function codeOf(failure: unknown): string {
  const cause = failure instanceof Error ? failure.cause : undefined;
  return cause instanceof Error && "code" in cause ? String(cause.code) : "";
}
