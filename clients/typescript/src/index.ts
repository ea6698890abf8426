/** The TypeScript client of the Backhaul API: `Backhaul`, typed errors, paging, streams and webhook verification. */

export { Answer, field, Pending } from "./answers.js";
export type { FileContent, Upload } from "./bodies.js";
export type { NoParams, Options, StreamOptions, WriteOptions } from "./calls.js";
export { Backhaul, type ClientOptions, type Environment } from "./client.js";
export type { Fetch } from "./connections.js";
export type { Sleep } from "./deadlines.js";
export {
  BackhaulError,
  BadRequest,
  Conflict,
  ConnectionFailed,
  Forbidden,
  Gone,
  NotFound,
  PayloadTooLarge,
  PreconditionFailed,
  PreconditionRequired,
  ServerError,
  StatusError,
  Timeout,
  TooManyRequests,
  Unauthorized,
  UnexpectedAnswer,
  UnprocessableEntity,
  WebhookVerificationFailed,
  type FieldError,
  type Problem,
} from "./errors.js";
export { isKnown, readEvent, type KnownEvent, type PartnerEvent, type UnknownEvent } from "./events.js";
export { Page, PendingPage } from "./paging.js";
export { Stream, type StreamEvent } from "./streams.js";
export { API_VERSION, VERSION } from "./version.js";
export { verifyWebhook, type DeliveryHeaders, type VerifyOptions } from "./webhooks.js";
export type * as events from "./generated/events.js";
export type * as models from "./generated/models.js";
export type * as resources from "./generated/resources.js";
